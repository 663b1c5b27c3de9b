// Makes a Chart of a definition.
#include <optional>

#include "authoring/graph/graph.h"
#include "authoring/graph/words.h"

namespace stepwell::graph {

namespace {

struct NamedKind {
  std::string_view name;
  NodeKind kind;
};
constexpr NamedKind kKinds[] = {{"Task", NodeKind::kTask},         {"Pass", NodeKind::kPass},
                                {"Choice", NodeKind::kChoice},     {"Wait", NodeKind::kWait},
                                {"Fail", NodeKind::kFail},         {"Succeed", NodeKind::kSucceed},
                                {"Parallel", NodeKind::kParallel}, {"Map", NodeKind::kMap}};

std::string text_of(const Value& object, std::string_view key) {
  const Value* value = object.find(key);
  return value != nullptr && value->is_string() ? value->as_string() : "";
}

const Value::Array& list_of(const Value& object, std::string_view key) {
  static const Value::Array kNone;
  const Value* value = object.find(key);
  return value != nullptr && value->is_array() ? value->as_array() : kNone;
}

Chart read_machine(const Value& machine, bool is_outermost);

class MachineReader {
 public:
  MachineReader(const Value& machine, bool is_outermost) : is_outermost_(is_outermost) {
    const Value* states = machine.find("States");
    if (is_outermost_) chart_.nodes.push_back(marker(NodeKind::kStart));
    if (states != nullptr && states->is_object()) {
      for (const auto& [name, state] : states->as_object()) add_node(name, state);
      for (const auto& [name, state] : states->as_object()) add_edges(name, state);
    }
    add_groups(machine);
    const auto start = index_of(text_of(machine, "StartAt"));
    if (!is_outermost_) {
      chart_.first = start.value_or(0);
    } else if (start) {
      chart_.edges.insert(chart_.edges.begin(), Edge{0, *start, EdgeKind::kNext, {}});
    }
  }
  Chart take() { return std::move(chart_); }

 private:
  static Node marker(NodeKind kind) {
    Node node;
    node.kind = kind;
    return node;
  }

  void add_node(const std::string& name, const Value& state) {
    const std::string type = text_of(state, "Type");
    Node node;
    for (const NamedKind& one : kKinds) {
      if (one.name == type) node.kind = one.kind;
    }
    node.name = name;
    node.detail = detail_in_words(type, state);
    node.about = text_of(state, "Comment");
    read_retry(state, node);
    for (const Value& branch : list_of(state, "Branches")) {
      node.charts.push_back(read_machine(branch, false));
    }
    for (const char* field : {"ItemProcessor", "Iterator"}) {
      const Value* processor = state.find(field);
      if (processor != nullptr) node.charts.push_back(read_machine(*processor, false));
    }
    indexes_.emplace(name, chart_.nodes.size());
    chart_.nodes.push_back(std::move(node));
  }

  static void read_retry(const Value& state, Node& node) {
    std::string times;
    for (const Value& retrier : list_of(state, "Retry")) {
      node.retriers.push_back(retrier_in_words(retrier));
      const Value* most = retrier.find("MaxAttempts");
      const std::string count = most != nullptr && most->is_int() ? most->to_json() : "3";
      if (count != "0") times += (times.empty() ? "×" : ", ×") + count;
    }
    if (!times.empty()) node.retry_label = "retry " + times;
  }

  std::optional<std::size_t> index_of(const std::string& name) const {
    const auto found = indexes_.find(name);
    if (found == indexes_.end()) return std::nullopt;
    return found->second;
  }

  void add_edge(std::size_t from, const std::string& target, EdgeKind kind, std::string label) {
    const auto to = index_of(target);
    if (!to) return;
    // The edges of a state stand together, so only those at the end of the list can be its own.
    for (auto edge = chart_.edges.rbegin(); edge != chart_.edges.rend(); ++edge) {
      if (edge->from != from) break;
      if (edge->to != *to || edge->kind != kind) continue;
      edge->labels.push_back(std::move(label));
      return;
    }
    Edge edge{from, *to, kind, {}};
    if (!label.empty()) edge.labels.push_back(std::move(label));
    chart_.edges.push_back(std::move(edge));
  }

  void add_edges(const std::string& name, const Value& state) {
    const std::size_t from = *index_of(name);
    for (const Value& rule : list_of(state, "Choices")) {
      add_edge(from, text_of(rule, "Next"), EdgeKind::kRule, rule_in_words(rule));
    }
    add_edge(from, text_of(state, "Default"), EdgeKind::kDefault, "otherwise");
    add_edge(from, text_of(state, "Next"), EdgeKind::kNext, "");
    for (const Value& catcher : list_of(state, "Catch")) {
      add_edge(from, text_of(catcher, "Next"), EdgeKind::kCatch, errors_in_words(catcher));
    }
    const Value* end = state.find("End");
    if (is_outermost_ && end != nullptr && *end == Value(true)) {
      chart_.edges.push_back(Edge{from, the_end(), EdgeKind::kNext, {}});
    }
  }

  // Adds an edge from each state of a group to where the catchers of the group lead.
  void add_groups(const Value& machine) {
    const Value* groups = machine.find("Groups");
    if (groups == nullptr || !groups->is_object()) return;
    for (const auto& [name, group] : groups->as_object()) {
      for (const Value& state : list_of(group, "States")) {
        const auto from = state.is_string() ? index_of(state.as_string()) : std::nullopt;
        if (!from) continue;
        for (const Value& catcher : list_of(group, "Catch")) {
          add_edge(*from, text_of(catcher, "Next"), EdgeKind::kCatch, errors_in_words(catcher));
        }
      }
    }
  }

  std::size_t the_end() {
    if (chart_.nodes.back().kind != NodeKind::kEnd) {
      chart_.nodes.push_back(marker(NodeKind::kEnd));
    }
    return chart_.nodes.size() - 1;
  }

  const bool is_outermost_;
  Chart chart_;
  std::map<std::string, std::size_t> indexes_;
};

Chart read_machine(const Value& machine, bool is_outermost) {
  return MachineReader(machine, is_outermost).take();
}

}  // namespace

Chart read_chart(const Value& definition) { return read_machine(definition, true); }

}  // namespace stepwell::graph
