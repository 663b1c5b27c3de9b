// Computes the sizes of boxes, and draws the SVG.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

#include "authoring/graph/graph.h"
#include "authoring/graph/layers.h"
#include "authoring/graph/svg_text.h"
#include "authoring/graph/words.h"

namespace stepwell::graph {

namespace {

constexpr double kNameSize = 13, kDetailSize = 11;
constexpr double kNodeHeight = 40, kMarkerRadius = 8;
constexpr double kBold = 1.1;  // Bold letters are wider.
constexpr double kSheets = 8;  // How far the sheets behind a Map stick out.
constexpr double kLeastWidth = 96;
constexpr double kPadding = 14;    // Between a group's frame and what is in it.
constexpr double kHeader = 44;     // Of a group.
constexpr double kMargin = 20;     // Around the picture.
constexpr double kLabelLine = 14;  // Height of a line of a label.
constexpr double kLoop = 24;       // How far a retry's loop reaches out.
constexpr std::size_t kMostDetail = 44, kMostLabel = 36, kMostLabelLines = 3;

struct PlacedChart {
  const Chart* chart = nullptr;
  Layout layout;
  std::vector<std::vector<PlacedChart>> inside;  // By node.
};

std::string kind_word(NodeKind kind) {
  switch (kind) {
    case NodeKind::kStart: return "start";
    case NodeKind::kEnd: return "end";
    case NodeKind::kTask: return "Task";
    case NodeKind::kPass: return "Pass";
    case NodeKind::kChoice: return "Choice";
    case NodeKind::kWait: return "Wait";
    case NodeKind::kSucceed: return "Succeed";
    case NodeKind::kFail: return "Fail";
    case NodeKind::kParallel: return "Parallel";
    case NodeKind::kMap: return "Map";
  }
  return "";
}

bool is_marker(const Node& node) {
  return node.kind == NodeKind::kStart || node.kind == NodeKind::kEnd;
}

std::string second_line(const Node& node) {
  std::string line = kind_word(node.kind);
  if (!node.detail.empty()) line += " · " + shorten(node.detail, kMostDetail);
  return line;
}

// "120×, 3 caught, 2 failed": the counts of visits, which one colour cannot show.
std::string count_words(const Visits& visits) {
  std::string words;
  const auto say = [&](std::uint32_t count, const char* what) {
    if (count == 0) return;
    words += (words.empty() ? "" : ", ") + std::to_string(count) + " " + what;
  };
  if (visits.total() > 1) {
    say(visits.running, "running");
    say(visits.failed, "failed");
    say(visits.stopped, "stopped");
    say(visits.caught, "caught");
    if (words.empty()) {
      words = std::to_string(visits.total()) + "×";
    } else {
      say(visits.succeeded, "succeeded");
    }
  }
  if (visits.retries > 0) {
    words += (words.empty() ? "" : ", ") + ("retried " + std::to_string(visits.retries)) + "×";
  }
  return words;
}

std::vector<std::string> label_lines(const Edge& edge) {
  std::vector<std::string> lines;
  for (const std::string& label : edge.labels) {
    if (lines.size() == kMostLabelLines && edge.labels.size() > kMostLabelLines) {
      lines.back() = "… " + std::to_string(edge.labels.size() - kMostLabelLines + 1) + " more";
      break;
    }
    if (!label.empty()) lines.push_back(shorten(label, kMostLabel));
  }
  return lines;
}

class Draughtsman {
 public:
  explicit Draughtsman(const Progress* progress) : progress_(progress) {}

  Result<PlacedChart> place(const Chart& chart) const {
    PlacedChart placed;
    placed.chart = &chart;
    for (const Node& node : chart.nodes) {
      std::vector<PlacedChart> inside;
      for (const Chart& inner : node.charts) inside.push_back(TRY(place(inner)));
      placed.layout.blocks.push_back(block_of(node, inside));
      placed.inside.push_back(std::move(inside));
    }
    for (const Edge& edge : chart.edges) {
      Line line;
      line.from = edge.from;
      line.to = edge.to;
      const auto lines = label_lines(edge);
      for (const std::string& one : lines) {
        line.label_width = std::max(line.label_width, text_width(one, kDetailSize));
      }
      line.label_height = static_cast<double>(lines.size()) * kLabelLine;
      placed.layout.lines.push_back(line);
    }
    TRY(lay_out(placed.layout, chart.first));
    return placed;
  }

  std::string draw(const PlacedChart& placed, double x, double y) {
    const Chart& chart = *placed.chart;
    std::string out;
    for (std::size_t i = 0; i < chart.edges.size(); ++i) {
      draw_edge(out, chart, chart.edges[i], placed.layout.lines[i], x, y);
    }
    for (std::size_t i = 0; i < chart.nodes.size(); ++i) {
      draw_node(out, chart.nodes[i], placed.layout.blocks[i], placed.inside[i], x, y);
    }
    for (std::size_t i = 0; i < chart.edges.size(); ++i) {
      draw_label(out, chart, chart.edges[i], placed.layout.lines[i], x, y);
    }
    return out;
  }

  const std::set<Outcome>& outcomes() const { return outcomes_; }

 private:
  Block block_of(const Node& node, const std::vector<PlacedChart>& inside) const {
    if (is_marker(node)) return {kMarkerRadius, kMarkerRadius, 2 * kMarkerRadius};
    double width = std::max(text_width(node.name, kNameSize) * kBold,
                            text_width(second_line(node), kDetailSize)) +
                   2 * kPadding;
    double height = kNodeHeight;
    const std::string count = counted(node);
    if (!count.empty() && inside.empty()) {
      width = std::max(width, text_width(count, kDetailSize) + 2 * kPadding);
      height += kLabelLine;
    } else if (!count.empty()) {
      width = std::max(width, text_width(node.name, kNameSize) * kBold +
                                  text_width(count, kDetailSize) + 3 * kPadding);
    }
    width = std::max(width, kLeastWidth);
    if (!inside.empty()) {
      double inner = kPadding, tallest = 0;
      for (const PlacedChart& one : inside) {
        inner += one.layout.width + 2 * kPadding + kPadding;
        tallest = std::max(tallest, one.layout.height);
      }
      width = std::max(width, inner);
      height = kHeader + tallest + 2 * kPadding + kPadding;
    }
    const double loop =
        node.retry_label.empty() ? 0 : kLoop + text_width(node.retry_label, kDetailSize);
    // The sheets are counted on both sides, so that the centre of the box stays the centre.
    const double sheets = node.kind == NodeKind::kMap ? kSheets : 0;
    return {width / 2 + sheets, width / 2 + sheets + loop, height + sheets};
  }

  std::string status_class(const Node& node) {
    if (progress_ == nullptr) return "";
    const Outcome outcome = progress_->of(node.name).outcome();
    outcomes_.insert(outcome);
    if (outcome == Outcome::kNeverReached) return " unreached";
    return std::string(" ") + to_string(outcome);
  }

  void draw_node(std::string& out, const Node& node, const Block& block,
                 const std::vector<PlacedChart>& inside, double x, double y) {
    const double cx = x + block.centre.x, cy = y + block.centre.y;
    if (is_marker(node)) {
      const bool is_start = node.kind == NodeKind::kStart;
      out += svg_circle(cx, cy, kMarkerRadius, is_start ? "dot" : "ring");
      if (!is_start) out += svg_circle(cx, cy, kMarkerRadius - 4, "dot");
      return;
    }
    const double sheets = node.kind == NodeKind::kMap ? kSheets : 0;
    const double left = cx - block.left + sheets, top = cy - block.height / 2 + sheets;
    const double width = 2 * (block.left - sheets), height = block.height - sheets;
    out += "<g class=\"state " + lower(kind_word(node.kind)) + status_class(node) + "\">\n";
    out += "<title>" + svg_escape(tooltip(node)) + "</title>\n";
    if (!node.retry_label.empty()) draw_retry(out, node, cx + block.left, top, height);
    const char* shape = inside.empty() ? "box" : "box group";
    if (sheets > 0) {  // A Map: two more sheets behind, for its many iterations.
      for (const double step : {sheets, sheets / 2}) {
        out += svg_rect(left + step, top - step, width, height, 8, "sheet");
      }
    }
    const bool is_terminal = node.kind == NodeKind::kSucceed || node.kind == NodeKind::kFail;
    out += svg_rect(left, top, width, height, is_terminal ? 20 : 8, shape);
    if (node.kind != NodeKind::kFail && node.kind != NodeKind::kSucceed) {
      out += svg_rect(left, top + 6, 3, std::min(height, kHeader) - 12, 1.5, "mark");
    }
    const bool is_group = !inside.empty();
    const double middle = is_group ? left + kPadding : cx;
    const std::string anchor = is_group ? "" : " middle";
    out += svg_text(middle, top + 17, "name" + anchor, node.name);
    out += svg_text(middle, top + 32, "detail" + anchor, second_line(node));
    const std::string count = counted(node);
    if (!count.empty() && is_group) {
      out += svg_text(left + width - kPadding, top + 17, "count end", count);
    } else if (!count.empty()) {
      out += svg_text(cx, top + 46, "count middle", count);
    }
    draw_inside(out, inside, left, top, width);
    out += "</g>\n";
  }

  std::string counted(const Node& node) const {
    return progress_ == nullptr ? "" : count_words(progress_->of(node.name));
  }

  void draw_inside(std::string& out, const std::vector<PlacedChart>& inside, double left,
                   double top, double width) {
    if (inside.empty()) return;
    double content = kPadding * static_cast<double>(inside.size() - 1), tallest = 0;
    for (const PlacedChart& one : inside) {
      content += one.layout.width + 2 * kPadding;
      tallest = std::max(tallest, one.layout.height);
    }
    double at = left + (width - content) / 2;
    for (const PlacedChart& one : inside) {
      const double box = one.layout.width + 2 * kPadding;
      out += svg_rect(at, top + kHeader, box, tallest + 2 * kPadding, 6, "lane");
      out += draw(one, at + kPadding, top + kHeader + kPadding);
      at += box + kPadding;
    }
  }

  void draw_retry(std::string& out, const Node& node, double right, double top, double height) {
    const double y = top + std::min(height, kHeader) / 2;
    out += svg_path({{right, y + 9}, {right + 17, y + 13}, {right + 17, y - 13}, {right, y - 9}},
                    "edge retry", true);
    out += svg_text(right + kLoop - 4, y + 4, "label retry", node.retry_label);
  }

  std::string tooltip(const Node& node) const {
    std::string text = node.name + "\n" + kind_word(node.kind);
    if (!node.detail.empty()) text += " · " + node.detail;
    if (!node.about.empty()) text += "\n" + node.about;
    for (const std::string& retrier : node.retriers) text += "\nretries " + retrier;
    if (progress_ != nullptr) {
      const Visits visits = progress_->of(node.name);
      text += std::string("\n") + to_string(visits.outcome());
      if (!counted(node).empty()) text += ": " + counted(node);
    }
    return text;
  }

  std::string edge_class(const Chart& chart, const Edge& edge) const {
    std::string words = edge.kind == EdgeKind::kCatch ? " catch" : "";
    if (progress_ != nullptr && !progress_->took(chart, edge)) words += " untaken";
    return words;
  }

  void draw_edge(std::string& out, const Chart& chart, const Edge& edge, const Line& line, double x,
                 double y) const {
    std::vector<Point> curve = line.curve;
    for (Point& point : curve) point = {point.x + x, point.y + y};
    out += svg_path(curve, "edge" + edge_class(chart, edge), true);
  }

  void draw_label(std::string& out, const Chart& chart, const Edge& edge, const Line& line,
                  double x, double y) const {
    const auto lines = label_lines(edge);
    if (lines.empty()) return;
    std::string all;
    for (const std::string& label : edge.labels) all += (all.empty() ? "" : "\n") + label;
    out += "<g class=\"label" + edge_class(chart, edge) + "\"><title>" + svg_escape(all) +
           "</title>\n";
    const double cx = x + line.label_centre.x;
    double top = y + line.label_centre.y - line.label_height / 2;
    out += svg_rect(cx - line.label_width / 2 - 3, top, line.label_width + 6, line.label_height, 4,
                    "paper");
    for (const std::string& one : lines) {
      out += svg_text(cx, top + 10.5, "middle", one);
      top += kLabelLine;
    }
    out += "</g>\n";
  }

  static std::string lower(std::string word) {
    word[0] = static_cast<char>(word[0] | 0x20);
    return word;
  }

  const Progress* progress_;
  std::set<Outcome> outcomes_;
};

std::string draw_legend(const std::set<Outcome>& outcomes, double x, double y, double& width) {
  std::string out;
  double at = x;
  for (const Outcome outcome : outcomes) {
    const std::string word = to_string(outcome);
    const bool is_reached = outcome != Outcome::kNeverReached;
    out += "<g class=\"state " + (is_reached ? word : std::string("unreached")) + "\">";
    out += svg_rect(at, y, 14, 12, 3, "box");
    out += svg_text(at + 20, y + 10, "detail", word) + "</g>\n";
    at += 20 + text_width(word, kDetailSize) + 18;
  }
  width = at - x - 18;
  return out;
}

}  // namespace

Result<std::string> to_svg(const Chart& chart, const Progress* progress, const std::string& title) {
  Draughtsman draughtsman(progress);
  const PlacedChart placed = TRY(draughtsman.place(chart));
  const std::string picture = draughtsman.draw(placed, kMargin, kMargin);
  double width = placed.layout.width, height = placed.layout.height;
  std::string legend;
  if (progress != nullptr) {
    double legend_width = 0;
    legend = draw_legend(draughtsman.outcomes(), kMargin, kMargin + height + 20, legend_width);
    width = std::max(width, legend_width);
    height += 34;
  }
  return svg_document(title, width + 2 * kMargin, height + 2 * kMargin, picture + legend);
}

}  // namespace stepwell::graph
