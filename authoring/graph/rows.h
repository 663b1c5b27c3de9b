// Rows — orders the vertices in each row, and places them from left to right.
// Private to authoring/graph.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace stepwell::graph {

struct Vertex {
  double left = 0, right = 0, height = 0;
  std::size_t depth = 0;
  bool is_block = false;  // Else a label or a bend of a line.
  double x = 0;           // Set by arrange().
  std::vector<std::size_t> above = {}, below = {};
  std::size_t position = 0;  // In its row.
};

class Rows {
 public:
  std::size_t add(Vertex vertex);
  // Joins two vertices in neighbouring rows.
  void link(std::size_t upper, std::size_t lower);
  // Keeps the vertex directly beside the block, in the same row, on the better side.
  void put_beside(std::size_t vertex, std::size_t block);

  // Orders the rows and sets the x of every vertex.
  void arrange();

  std::vector<Vertex> vertices;
  std::vector<std::vector<std::size_t>> rows;  // Vertices from left to right.

 private:
  void order();
  void sort_row(std::size_t depth, bool by_above);
  std::size_t crossings() const;
  std::size_t crossings_below(std::size_t depth) const;
  void restore_neighbours(std::size_t depth);
  void renumber(std::size_t depth);
  void straighten();
  void straighten_row(std::size_t depth, bool by_above, bool by_below);
  double distance(std::size_t left, std::size_t right) const;

  std::vector<std::pair<std::size_t, std::size_t>> neighbours_;  // put_beside()
};

}  // namespace stepwell::graph
