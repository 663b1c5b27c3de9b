// Writes a chart as Mermaid's stateDiagram-v2.
#include <set>

#include "authoring/graph/graph.h"
#include "authoring/graph/words.h"

namespace stepwell::graph {

namespace {

constexpr std::size_t kMostLabel = 60;

// Writes characters that have a meaning in Mermaid as entities.
std::string escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool is_special = std::string_view("\"#;:<>{}[]\\`%").find(c) != std::string_view::npos;
    if (is_special) {
      out += "#" + std::to_string(static_cast<int>(static_cast<unsigned char>(c))) + ";";
    } else {
      out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

class MermaidWriter {
 public:
  explicit MermaidWriter(const Progress* progress) : progress_(progress) {}

  std::string write(const Chart& chart) {
    out_ = "stateDiagram-v2\n";
    write_chart(chart, 1, true);
    if (progress_ != nullptr) write_classes();
    return std::move(out_);
  }

 private:
  void line(std::size_t depth, const std::string& text) {
    out_.append(2 * depth, ' ').append(text).append("\n");
  }

  void write_chart(const Chart& chart, std::size_t depth, bool is_outermost) {
    std::vector<std::string> ids;
    for (const Node& node : chart.nodes) {
      const bool is_marker = node.kind == NodeKind::kStart || node.kind == NodeKind::kEnd;
      ids.push_back(is_marker ? "[*]" : "s" + std::to_string(++last_id_));
      if (!is_marker) write_node(node, ids.back(), depth);
    }
    if (!is_outermost && !ids.empty()) line(depth, "[*] --> " + ids[chart.first]);
    for (const Edge& edge : chart.edges) write_edge(edge, ids, depth);
  }

  void write_node(const Node& node, const std::string& id, std::size_t depth) {
    if (progress_ != nullptr) by_outcome_[progress_->of(node.name).outcome()].push_back(id);
    const std::string shown = "state \"" + escape(node.name) + "\" as " + id;
    if (node.charts.empty()) {
      line(depth, shown);
    } else {
      line(depth, shown + " {");
      for (std::size_t i = 0; i < node.charts.size(); ++i) {
        if (i > 0) line(depth + 1, "--");
        write_chart(node.charts[i], depth + 1, false);
      }
      line(depth, "}");
    }
    if (!node.retry_label.empty()) {
      line(depth, id + " --> " + id + " : " + escape(node.retry_label));
    }
  }

  void write_edge(const Edge& edge, const std::vector<std::string>& ids, std::size_t depth) {
    std::string label;
    for (const std::string& one : edge.labels) label += (label.empty() ? "" : ", ") + one;
    if (edge.kind == EdgeKind::kCatch) label = "catch " + label;
    if (edge.kind == EdgeKind::kRule && edge.labels.size() > 1) {
      label.clear();
      for (const std::string& one : edge.labels) label += (label.empty() ? "" : " or ") + one;
    }
    const std::string arrow = ids[edge.from] + " --> " + ids[edge.to];
    line(depth, label.empty() ? arrow : arrow + " : " + escape(shorten(label, kMostLabel)));
  }

  void write_classes() {
    struct Style {
      Outcome outcome;
      const char* name;
      const char* style;
    };
    constexpr Style kStyles[] = {
        {Outcome::kSucceeded, "succeeded", "fill:#dafbe1,stroke:#1a7f37,color:#1f2328"},
        {Outcome::kCaught, "caught",
         "fill:#fff3d1,stroke:#9a6700,color:#1f2328,stroke-dasharray:6 3"},
        {Outcome::kStopped, "stopped",
         "fill:#f6f8fa,stroke:#9a6700,color:#1f2328,stroke-dasharray:2 3"},
        {Outcome::kFailed, "failed", "fill:#ffebe9,stroke:#cf222e,color:#1f2328,stroke-width:2px"},
        {Outcome::kRunning, "running",
         "fill:#ddf4ff,stroke:#0969da,color:#1f2328,stroke-width:3px"},
        {Outcome::kNeverReached, "unreached",
         "fill:#f6f8fa,stroke:#8a939d,color:#59636e,stroke-dasharray:3 3"}};
    for (const Style& style : kStyles) {
      const auto found = by_outcome_.find(style.outcome);
      if (found == by_outcome_.end()) continue;
      line(1, std::string("classDef ") + style.name + " " + style.style);
      std::string ids;
      for (const std::string& id : found->second) ids += (ids.empty() ? "" : ",") + id;
      line(1, "class " + ids + " " + style.name);
    }
  }

  const Progress* progress_;
  std::string out_;
  std::size_t last_id_ = 0;
  std::map<Outcome, std::vector<std::string>> by_outcome_;
};

}  // namespace

std::string to_mermaid(const Chart& chart, const Progress* progress) {
  return MermaidWriter(progress).write(chart);
}

}  // namespace stepwell::graph
