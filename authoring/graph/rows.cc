#include "authoring/graph/rows.h"

#include <algorithm>

namespace stepwell::graph {

namespace {

constexpr int kSweeps = 24;
constexpr int kStraightening = 60;
constexpr double kGap = 16;  // Between two things in a row.

// How strongly a line pulls its ends together.  Long lines (bend to bend) pull most, so that they
// become straight first.
double pull(const Vertex& a, const Vertex& b) {
  const int bends = (a.is_block ? 0 : 1) + (b.is_block ? 0 : 1);
  return bends == 2 ? 20 : 1;
}

}  // namespace

std::size_t Rows::add(Vertex vertex) {
  if (rows.size() <= vertex.depth) rows.resize(vertex.depth + 1);
  vertex.position = rows[vertex.depth].size();
  rows[vertex.depth].push_back(vertices.size());
  vertices.push_back(std::move(vertex));
  return vertices.size() - 1;
}

void Rows::link(std::size_t upper, std::size_t lower) {
  vertices[upper].below.push_back(lower);
  vertices[lower].above.push_back(upper);
}

void Rows::put_beside(std::size_t vertex, std::size_t block) {
  neighbours_.emplace_back(vertex, block);
}

void Rows::arrange() {
  order();
  straighten();
}

void Rows::renumber(std::size_t depth) {
  for (std::size_t i = 0; i < rows[depth].size(); ++i) vertices[rows[depth][i]].position = i;
}

// Sorts a row by the mean position of each vertex's neighbours; a vertex without any keeps its
// place.
void Rows::sort_row(std::size_t depth, bool by_above) {
  std::vector<std::pair<double, std::size_t>> keyed;
  for (const std::size_t i : rows[depth]) {
    const auto& neighbours = by_above ? vertices[i].above : vertices[i].below;
    double key = static_cast<double>(vertices[i].position);
    if (!neighbours.empty()) {
      key = 0;
      for (const std::size_t other : neighbours) {
        key += static_cast<double>(vertices[other].position);
      }
      key /= static_cast<double>(neighbours.size());
    }
    keyed.emplace_back(key, i);
  }
  std::stable_sort(keyed.begin(), keyed.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 0; i < keyed.size(); ++i) rows[depth][i] = keyed[i].second;
  renumber(depth);
  restore_neighbours(depth);
}

// The crossings between this row and the next: inversions, counted with a Fenwick tree.
std::size_t Rows::crossings_below(std::size_t depth) const {
  std::vector<std::size_t> tree(rows[depth + 1].size() + 1);
  std::size_t count = 0, seen = 0;
  for (const std::size_t upper : rows[depth]) {
    std::vector<std::size_t> ends;
    for (const std::size_t lower : vertices[upper].below) ends.push_back(vertices[lower].position);
    for (const std::size_t end : ends) {
      std::size_t up_to = 0;
      for (std::size_t i = end + 1; i > 0; i -= i & (~i + 1)) up_to += tree[i];
      count += seen - up_to;
    }
    for (const std::size_t end : ends) {
      for (std::size_t i = end + 1; i < tree.size(); i += i & (~i + 1)) ++tree[i];
    }
    seen += ends.size();
  }
  return count;
}

std::size_t Rows::crossings() const {
  std::size_t count = 0;
  for (std::size_t depth = 0; depth + 1 < rows.size(); ++depth) count += crossings_below(depth);
  return count;
}

void Rows::order() {
  for (std::size_t depth = 0; depth < rows.size(); ++depth) restore_neighbours(depth);
  auto best = rows;
  std::size_t least = crossings();
  for (int sweep = 0; sweep < kSweeps && least > 0; ++sweep) {
    if (sweep % 2 == 0) {
      for (std::size_t depth = 1; depth < rows.size(); ++depth) sort_row(depth, true);
    } else {
      for (std::size_t depth = rows.size() - 1; depth-- > 0;) sort_row(depth, false);
    }
    const std::size_t now = crossings();
    if (now >= least) continue;
    least = now;
    best = rows;
  }
  rows = std::move(best);
  for (std::size_t depth = 0; depth < rows.size(); ++depth) renumber(depth);
}

void Rows::restore_neighbours(std::size_t depth) {
  auto& row = rows[depth];
  for (const auto& [vertex, block] : neighbours_) {
    if (vertices[vertex].depth != depth) continue;
    // When something is drawn at the right side of the block, the left side is free.
    const bool is_free = vertices[block].right <= vertices[block].left;
    const bool is_left = !is_free || vertices[vertex].position < vertices[block].position;
    row.erase(row.begin() + static_cast<std::ptrdiff_t>(vertices[vertex].position));
    renumber(depth);
    const std::size_t at = vertices[block].position + (is_left ? 0 : 1);
    row.insert(row.begin() + static_cast<std::ptrdiff_t>(at), vertex);
    renumber(depth);
  }
}

double Rows::distance(std::size_t left, std::size_t right) const {
  return vertices[left].right + kGap + vertices[right].left;
}

// Moves each vertex of a row as near as possible to the mean of its neighbours.  Vertices that
// would overlap are moved as one, which moves all of them least (isotonic regression).
void Rows::straighten_row(std::size_t depth, bool by_above, bool by_below) {
  struct Pool {
    double sum = 0, weight = 0;
    std::size_t count = 0;
    double mean() const { return sum / weight; }
  };
  std::vector<Pool> pools;
  std::vector<double> offsets;
  const auto& row = rows[depth];
  for (std::size_t i = 0; i < row.size(); ++i) {
    const Vertex& vertex = vertices[row[i]];
    offsets.push_back(i == 0 ? 0 : offsets.back() + distance(row[i - 1], row[i]));
    double sum = 0, weight = 0;
    const auto wish = [&](const std::vector<std::size_t>& others) {
      for (const std::size_t other : others) {
        sum += pull(vertex, vertices[other]) * vertices[other].x;
        weight += pull(vertex, vertices[other]);
      }
    };
    if (by_above) wish(vertex.above);
    if (by_below) wish(vertex.below);
    if (weight == 0) {
      weight = 0.01;
      sum = weight * vertex.x;
    }
    pools.push_back({sum - weight * offsets[i], weight, 1});
    while (pools.size() > 1 && pools[pools.size() - 2].mean() > pools.back().mean()) {
      const Pool last = pools.back();
      pools.pop_back();
      pools.back().sum += last.sum;
      pools.back().weight += last.weight;
      pools.back().count += last.count;
    }
  }
  std::size_t i = 0;
  for (const Pool& pool : pools) {
    for (std::size_t k = 0; k < pool.count; ++k, ++i) vertices[row[i]].x = pool.mean() + offsets[i];
  }
}

void Rows::straighten() {
  for (const auto& row : rows) {
    double x = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) x += distance(row[i - 1], row[i]);
      vertices[row[i]].x = x;
    }
    for (const std::size_t i : row) vertices[i].x -= x / 2;
  }
  for (int round = 0; round < kStraightening; ++round) {
    const bool is_last = round + 4 >= kStraightening;
    for (std::size_t depth = 1; depth < rows.size(); ++depth) {
      straighten_row(depth, true, is_last);
    }
    for (std::size_t depth = rows.size() - 1; depth-- > 0;) {
      straighten_row(depth, is_last, true);
    }
  }
}

}  // namespace stepwell::graph
