#include "authoring/graph/layers.h"

#include <algorithm>
#include <cmath>

#include "authoring/graph/rows.h"

namespace stepwell::graph {

namespace {

constexpr double kRowGap = 18;        // Between a row and the next (labels are rows, too).
constexpr double kMostExtraGap = 30;  // Added where lines go far sideways.
constexpr double kPortGap = 18;       // Between two lines at the same box.

// Finds the lines that will go up: in a depth-first walk, those that lead back to a block on the
// way.
class Cycles {
 public:
  explicit Cycles(const Layout& layout) : layout_(layout), marks_(layout.blocks.size()) {
    outgoing_.resize(layout.blocks.size());
    is_back.resize(layout.lines.size());
    for (std::size_t i = 0; i < layout.lines.size(); ++i) {
      outgoing_[layout.lines[i].from].push_back(i);
    }
  }
  void visit(std::size_t root) {
    if (marks_[root] != Mark::kNew) return;
    std::vector<std::pair<std::size_t, std::size_t>> open = {{root, 0}};
    marks_[root] = Mark::kOpen;
    while (!open.empty()) {
      auto& [block, next] = open.back();
      if (next == outgoing_[block].size()) {
        marks_[block] = Mark::kDone;
        order.push_back(block);
        open.pop_back();
        continue;
      }
      const std::size_t line = outgoing_[block][next++];
      const std::size_t to = layout_.lines[line].to;
      is_back[line] = marks_[to] == Mark::kOpen;
      if (marks_[to] != Mark::kNew) continue;
      marks_[to] = Mark::kOpen;
      open.emplace_back(to, 0);
    }
  }

  std::vector<bool> is_back;       // By line.
  std::vector<std::size_t> order;  // Blocks; each after all blocks that it leads to.

 private:
  enum class Mark { kNew, kOpen, kDone };
  const Layout& layout_;
  std::vector<std::vector<std::size_t>> outgoing_;
  std::vector<Mark> marks_;
};

// Continues `curve` through all points of `way`, which goes only up or only down, by monotone cubic
// curves that are upright at both ends.  `way` begins where `curve` ends.
void follow(std::vector<Point>& curve, std::vector<Point> way) {
  const auto is_same = [](const Point& a, const Point& b) { return std::abs(a.y - b.y) < 0.5; };
  way.erase(std::unique(way.begin(), way.end(), is_same), way.end());
  const auto slope = [&](std::size_t i) {  // The slope of the part that begins at i.
    return (way[i + 1].x - way[i].x) / (way[i + 1].y - way[i].y);
  };
  std::vector<double> slopes(way.size());
  for (std::size_t i = 1; i + 1 < way.size(); ++i) {
    const double before = slope(i - 1), after = slope(i);
    slopes[i] = before * after <= 0 ? 0 : 2 * before * after / (before + after);
  }
  for (std::size_t i = 0; i + 1 < way.size(); ++i) {
    // The upright ends are made longer than a monotone curve needs: it looks calmer.
    const double height = way[i + 1].y - way[i].y;
    const double first = slopes[i] == 0 ? height / 2 : height / 3;
    const double last = slopes[i + 1] == 0 ? height / 2 : height / 3;
    curve.push_back({way[i].x + slopes[i] * first, way[i].y + first});
    curve.push_back({way[i + 1].x - slopes[i + 1] * last, way[i + 1].y - last});
    curve.push_back(way[i + 1]);
  }
}

// The vertices that one line runs through, in the direction of the line.
struct Course {
  std::vector<std::size_t> vertices;
  std::size_t label = 0;  // The vertex that holds its label.
};

class LayoutMaker {
 public:
  explicit LayoutMaker(Layout& layout) : layout_(layout) {}

  Status make(std::size_t first) {
    Cycles cycles(layout_);
    cycles.visit(first);
    for (std::size_t i = 0; i < layout_.blocks.size(); ++i) cycles.visit(i);
    is_back_ = cycles.is_back;
    give_rows(cycles.order);
    for (std::size_t i = 0; i < layout_.blocks.size(); ++i) {
      const Block& block = layout_.blocks[i];
      rows_.add({block.left, block.right, block.height, depth_[i], true});
    }
    for (const Line& line : layout_.lines) {
      const std::size_t index = static_cast<std::size_t>(&line - layout_.lines.data());
      courses_.push_back(is_back_[index] ? course_up(line) : course_down(line));
      if (rows_.vertices.size() > kMaxVertices) {
        return Error{ErrorCode::kTooLarge, "the picture would have more than " +
                                               std::to_string(kMaxVertices) + " places"};
      }
    }
    rows_.arrange();
    set_heights();
    place_blocks();
    for (std::size_t i = 0; i < layout_.lines.size(); ++i) draw(i);
    return ok_status();
  }

 private:
  // Gives blocks the highest even row that they can have; labels and bends get the rows between.
  void give_rows(const std::vector<std::size_t>& order) {
    depth_.assign(layout_.blocks.size(), 0);
    std::vector<std::vector<std::size_t>> outgoing(layout_.blocks.size());
    for (std::size_t i = 0; i < layout_.lines.size(); ++i) {
      if (!is_back_[i]) outgoing[layout_.lines[i].from].push_back(layout_.lines[i].to);
    }
    for (auto block = order.rbegin(); block != order.rend(); ++block) {
      for (const std::size_t to : outgoing[*block]) {
        depth_[to] = std::max(depth_[to], depth_[*block] + 2);
      }
    }
  }

  std::size_t add_label(const Line& line, std::size_t depth) {
    const double half = std::max(line.label_width / 2 + 4, 5.0);
    return rows_.add({half, half, line.label_height, depth, false});
  }
  std::size_t add_bend(std::size_t depth) { return rows_.add({5, 5, 0, depth, false}); }

  Course course_down(const Line& line) {
    Course course{{line.from}, 0};
    for (std::size_t depth = depth_[line.from] + 1; depth < depth_[line.to]; ++depth) {
      const bool is_label = course.vertices.size() == 1;
      course.vertices.push_back(is_label ? add_label(line, depth) : add_bend(depth));
      rows_.link(course.vertices[course.vertices.size() - 2], course.vertices.back());
    }
    course.label = course.vertices[1];
    course.vertices.push_back(line.to);
    rows_.link(course.vertices[course.vertices.size() - 2], line.to);
    return course;
  }

  // The course of a line that goes up: out at the side of the lower block, up, and in at the side
  // of the upper block.
  Course course_up(const Line& line) {
    Course course{{line.from}, 0};
    const std::size_t lower = depth_[line.from], upper = depth_[line.to];
    for (std::size_t depth = lower + 1; depth-- > upper;) {
      const bool is_label = depth + 1 == lower || lower == upper;
      const std::size_t vertex = is_label ? add_label(line, depth) : add_bend(depth);
      if (is_label) course.label = vertex;
      if (course.vertices.size() > 1) rows_.link(vertex, course.vertices.back());
      course.vertices.push_back(vertex);
    }
    rows_.put_beside(course.vertices[1], line.from);
    rows_.put_beside(course.vertices.back(), line.to);
    course.vertices.push_back(line.to);
    return course;
  }

  void set_heights() {
    double y = 0;
    for (std::size_t depth = 0; depth < rows_.rows.size(); ++depth) {
      double height = 0;
      for (const std::size_t i : rows_.rows[depth]) {
        height = std::max(height, rows_.vertices[i].height);
      }
      double sideways = 0;
      for (const std::size_t i : rows_.rows[depth]) {
        for (const std::size_t up : rows_.vertices[i].above) {
          sideways = std::max(sideways, std::abs(rows_.vertices[i].x - rows_.vertices[up].x));
        }
      }
      if (depth > 0) y += kRowGap + std::min(kMostExtraGap, sideways / 10);
      tops_.push_back(y);
      y += height;
      bottoms_.push_back(y);
    }
    layout_.height = y;
  }

  void place_blocks() {
    double least = rows_.vertices[0].x, most = least;
    for (const Vertex& vertex : rows_.vertices) {
      least = std::min(least, vertex.x - vertex.left);
      most = std::max(most, vertex.x + vertex.right);
    }
    layout_.width = most - least;
    for (Vertex& vertex : rows_.vertices) vertex.x -= least;
    for (std::size_t i = 0; i < layout_.blocks.size(); ++i) {
      layout_.blocks[i].centre = {rows_.vertices[i].x,
                                  (tops_[depth_[i]] + bottoms_[depth_[i]]) / 2};
    }
  }

  // Where a line meets its box: the lines at one side stand in the order of the blocks they lead
  // to.
  double port(std::size_t block, std::size_t neighbour, bool is_below) const {
    std::vector<std::size_t> all =
        is_below ? rows_.vertices[block].below : rows_.vertices[block].above;
    std::stable_sort(all.begin(), all.end(), [&](std::size_t a, std::size_t b) {
      return rows_.vertices[a].x < rows_.vertices[b].x;
    });
    const auto index =
        static_cast<double>(std::find(all.begin(), all.end(), neighbour) - all.begin());
    const auto last = static_cast<double>(all.size() - 1);
    const double half = layout_.blocks[block].left;
    const double width = std::max(2 * half - 24, half);  // Away from the rounded corners.
    const double gap = last > 0 ? std::min(kPortGap, width / last) : 0;
    return rows_.vertices[block].x + (index - last / 2) * gap;
  }

  void draw(std::size_t index) {
    Line& line = layout_.lines[index];
    const Course& course = courses_[index];
    const Vertex& label = rows_.vertices[course.label];
    line.label_centre = {label.x, (tops_[label.depth] + bottoms_[label.depth]) / 2};
    if (is_back_[index]) return draw_up(line, course);
    const Block& from = layout_.blocks[line.from];
    const Block& to = layout_.blocks[line.to];
    std::vector<Point> way = {
        {port(line.from, course.vertices[1], true), from.centre.y + from.height / 2}};
    way.push_back({way[0].x, bottoms_[depth_[line.from]]});
    for (std::size_t i = 1; i + 1 < course.vertices.size(); ++i) {
      const Vertex& vertex = rows_.vertices[course.vertices[i]];
      way.push_back({vertex.x, tops_[vertex.depth]});
      way.push_back({vertex.x, bottoms_[vertex.depth]});
    }
    const double x = port(line.to, course.vertices[course.vertices.size() - 2], false);
    way.push_back({x, tops_[depth_[line.to]]});
    way.push_back({x, to.centre.y - to.height / 2});
    line.curve = {way[0]};
    follow(line.curve, std::move(way));
  }

  void draw_up(Line& line, const Course& course) {
    const Block& from = layout_.blocks[line.from];
    const Block& to = layout_.blocks[line.to];
    const bool is_loop = line.from == line.to;
    const double apart = is_loop ? std::min(10.0, from.height / 4) : 0;
    const auto side = [&](const Block& block, double x, double y) {
      const bool is_right = x > block.centre.x;
      return Point{block.centre.x + (is_right ? block.left : -block.left), y};
    };
    const double first_x = rows_.vertices[course.vertices[1]].x;
    const double last_x = rows_.vertices[course.vertices[course.vertices.size() - 2]].x;
    const Point start = side(from, first_x, from.centre.y + apart);
    const Point end = side(to, last_x, to.centre.y - apart);
    line.curve = {start};
    if (is_loop) {
      for (const Point at : {Point{first_x, start.y + 8}, Point{first_x, end.y - 8}, end}) {
        line.curve.push_back(at);
      }
      return;
    }
    const double top = tops_[depth_[line.from]];
    line.curve.insert(line.curve.end(), {{first_x, start.y}, {first_x, start.y}, {first_x, top}});
    std::vector<Point> way = {line.curve.back()};
    for (std::size_t i = 2; i + 2 < course.vertices.size(); ++i) {
      const Vertex& vertex = rows_.vertices[course.vertices[i]];
      way.push_back({vertex.x, bottoms_[vertex.depth]});
      way.push_back({vertex.x, tops_[vertex.depth]});
    }
    way.push_back({last_x, bottoms_[depth_[line.to]]});
    follow(line.curve, std::move(way));
    line.curve.insert(line.curve.end(), {{last_x, end.y}, {last_x, end.y}, end});
  }

  Layout& layout_;
  Rows rows_;
  std::vector<bool> is_back_;
  std::vector<std::size_t> depth_;  // By block.
  std::vector<Course> courses_;     // By line.
  std::vector<double> tops_, bottoms_;
};

}  // namespace

Status lay_out(Layout& layout, std::size_t first) {
  if (layout.blocks.empty()) return ok_status();
  return LayoutMaker(layout).make(first);
}

}  // namespace stepwell::graph
