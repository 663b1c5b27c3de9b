// Layers — places the boxes and lines of one chart, top to bottom, in rows.
//
// The usual four steps: break cycles, give each box a row, order the rows so that few lines cross,
// move the boxes sideways until the lines are straight.  A line that passes a row takes a place in
// the row, and so does a label, so nothing is drawn over anything.  Deterministic.
// Private to authoring/graph.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace stepwell::graph {

struct Point {
  double x = 0, y = 0;
};

// A box to be placed: its extents around its centre.  `right` includes what is drawn beside it.
struct Block {
  double left = 0, right = 0, height = 0;
  Point centre = {};  // Set by lay_out().
};

// A line from one block to another, with a label along it; a label of size 0 is no label.
struct Line {
  std::size_t from = 0, to = 0;
  double label_width = 0, label_height = 0;
  // Set by lay_out(): a chain of cubic curves (a start, then three points for each), and the centre
  // of the label.
  std::vector<Point> curve = {};
  Point label_centre = {};
};

struct Layout {
  std::vector<Block> blocks;
  std::vector<Line> lines;
  double width = 0, height = 0;
};

// More places in rows than a person could look at, or than can be ordered in reasonable time.
inline constexpr std::size_t kMaxVertices = 60'000;

// The block `first` is placed at the top.
Status lay_out(Layout& layout, std::size_t first);

}  // namespace stepwell::graph
