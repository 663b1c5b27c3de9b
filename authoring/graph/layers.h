// Layers — where the boxes and lines of one chart go: top to bottom, one row after the other.
//
// The usual four steps: break cycles, give each node a row, order the rows so that few lines cross,
// move the nodes sideways until lines are straight.  A line that passes a row has a place in it,
// and so has a label; nothing is drawn over anything.  Deterministic.  Private to authoring/graph.
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

// What is to be laid out: sizes around a centre.  `right` is wider where something hangs on it.
struct Block {
  double left = 0, right = 0, height = 0;
  Point centre = {};  // The answer.
};

// From a block to another, with a label somewhere along it (of no size: none).
struct Line {
  std::size_t from = 0, to = 0;
  double label_width = 0, label_height = 0;
  // The answer: a chain of cubic curves (start, then three points for each), and the label's
  // centre.
  std::vector<Point> curve = {};
  Point label_centre = {};
};

struct Layout {
  std::vector<Block> blocks;
  std::vector<Line> lines;
  double width = 0, height = 0;
};

// Too many lines over too many rows: nobody could look at it, and it would take for ever.
inline constexpr std::size_t kMaxVertices = 60'000;

// `first` stands on top.
Status lay_out(Layout& layout, std::size_t first);

}  // namespace stepwell::graph
