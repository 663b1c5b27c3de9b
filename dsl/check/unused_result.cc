// A ResultPath that keeps a result where no later state reads it.
//
// The rule goes backwards from the end of a machine and asks of each state: which fields of its
// input are needed, by itself and by the states after it?  Fields are told apart by their first
// name only.  An expression that may read more than that (JSONata, a whole `$`, `..`) needs all.
#include <map>
#include <set>

#include "base/match.h"
#include "dsl/check/advice.h"
#include "dsl/yaml/node_builder.h"
#include "language/expr/intrinsic.h"

namespace stepwell::dsl {

namespace {

// A larger machine is not looked at, nor one whose needs still change after so many passes.  (No
// machine has been seen that needs more than a few.)
constexpr std::size_t kMostStates = 2'000;
constexpr int kMostPasses = 60;

struct Need {
  bool everything = false;
  std::set<std::string, std::less<>> names;

  bool has(const std::string& name) const { return everything || names.contains(name); }
  void add(const Need& other) {
    everything = everything || other.everything;
    names.insert(other.names.begin(), other.names.end());
  }
  Need without(const std::string& name) const {
    Need rest = *this;
    rest.names.erase(name);
    return rest;
  }
  friend bool operator==(const Need&, const Need&) = default;
};

const Need kEverything{true, {}};

// "a" of "$.a", "$.a[0].b" and "$['a']"; "" when the path begins otherwise.
std::string first_name(std::string_view path) {
  if (path.starts_with("$.")) {
    const std::size_t end = std::min(path.find_first_of(".[(*", 2), path.size());
    const bool is_name = end > 2 && (end == path.size() || (path[end] != '(' && path[end] != '*'));
    return is_name ? std::string(path.substr(2, end - 2)) : "";
  }
  if (!path.starts_with("$['")) return "";
  const std::size_t end = path.find("']", 3);
  const bool is_plain = end != std::string_view::npos &&
                        path.substr(3, end - 3).find_first_of("\\'") == std::string_view::npos;
  return is_plain ? std::string(path.substr(3, end - 3)) : "";
}

Need need_of(const expr::JsonPath& path) {
  if (path.root() != expr::JsonPath::Root::kInput) return {};
  const std::string name = first_name(path.text());
  return name.empty() ? kEverything : Need{false, {name}};
}

void add_call(const expr::Intrinsic::Call& call, Need& need) {
  for (const auto& argument : call.arguments) {
    if (const auto* path = std::get_if<expr::JsonPath>(&argument)) need.add(need_of(*path));
    if (const auto* inner = std::get_if<std::shared_ptr<const expr::Intrinsic::Call>>(&argument)) {
      add_call(**inner, need);
    }
  }
}

// A path or a call, as it stands in the text.
Need need_of_text(const Value& text) {
  if (!text.is_string()) return kEverything;
  if (text.as_string().starts_with("$")) {
    const auto parsed = expr::JsonPath::parse(text.as_string());
    const auto* path = std::get_if<expr::JsonPath>(&parsed);
    return path != nullptr ? need_of(*path) : kEverything;
  }
  const auto parsed = expr::Intrinsic::parse(text.as_string());
  const auto* call = std::get_if<expr::Intrinsic>(&parsed);
  if (call == nullptr) return kEverything;
  Need need;
  add_call(call->call(), need);
  return need;
}

Need need_of_payload(const Value& payload) {
  Need need;
  if (payload.is_array()) {
    for (const Value& item : payload.as_array()) need.add(need_of_payload(item));
  } else if (payload.is_object()) {
    for (const auto& [key, value] : payload.as_object()) {
      need.add(key.ends_with(".$") ? need_of_text(value) : need_of_payload(value));
    }
  }
  return need;
}

class Needs {
 public:
  Needs(const Advising& advising, const Machine& machine)
      : advising_(advising), machine_(machine), of_(machine.states.size()) {}

  // Repeats until no need changes; false when that takes more than kMostPasses.
  bool settle() {
    for (int pass = 0; pass < kMostPasses; ++pass) {
      bool changed = false;
      for (std::size_t i = machine_.states.size(); i-- > 0;) {
        Need need = of_input(machine_.states[i]);
        if (need == of_[i]) continue;
        of_[i] = std::move(need);
        changed = true;
      }
      if (!changed) return true;
    }
    return false;
  }

  // What is needed of the value that OutputPath selects from.
  Need of_placed(const State& state) const { return through(state.output_path, of_output(state)); }

 private:
  Need of_output(const State& state) const {
    const auto* choice = std::get_if<Choice>(&state.kind);
    if (choice == nullptr) return state.next ? of_[state.next->value] : kEverything;
    Need need;
    for (const ChoiceRule& rule : choice->rules) need.add(of_[rule.next.value]);
    if (choice->default_next) need.add(of_[choice->default_next->value]);
    return need;
  }

  // What is needed of a value when `need` is needed of the part that the selection takes.
  static Need through(const Selection& selection, const Need& need) {
    if (selection.discard) return {};
    if (!selection.path || selection.path->text() == "$") return need;
    return need_of(*selection.path);
  }

  Need of_field(const State& state, const char* field) const {
    const Node* node = advising_.node_at(below(state.where.pointer, field));
    return node != nullptr ? need_of_text(node->value) : Need{};
  }
  Need of_payload(const State& state, const char* field) const {
    const Node* node = advising_.node_at(below(state.where.pointer, field));
    return node != nullptr ? need_of_payload(node->value) : Need{};
  }

  Need of_condition(const Condition& condition) const {
    Need need;
    std::visit(match{
                   [&](const Test& test) {
                     need.add(need_of(test.variable));
                     if (const auto* path = std::get_if<expr::JsonPath>(&test.operand)) {
                       need.add(need_of(*path));
                     }
                   },
                   [&](const AllOf& all) {
                     for (const Condition& one : all.conditions) need.add(of_condition(one));
                   },
                   [&](const AnyOf& any) {
                     for (const Condition& one : any.conditions) need.add(of_condition(one));
                   },
                   [&](const NoneOf& none) { need.add(of_condition(none.conditions.front())); },
                   [&](const Truth&) { need = kEverything; },
               },
               condition.test);
    return need;
  }

  // What the state itself reads of its input, after InputPath.
  Need of_effective(const State& state) const {
    Need need;
    std::visit(match{
                   [&](const Task&) {
                     need = state.parameters ? of_payload(state, "Parameters") : kEverything;
                     need.add(of_field(state, "TimeoutSecondsPath"));
                     need.add(of_field(state, "HeartbeatSecondsPath"));
                     need.add(of_payload(state, "Credentials"));
                   },
                   [&](const Parallel&) {
                     need = state.parameters ? of_payload(state, "Parameters") : kEverything;
                   },
                   [&](const Map& map) {
                     need = map.items ? of_field(state, "ItemsPath") : kEverything;
                     need.add(of_payload(state, "ItemSelector"));
                     need.add(of_payload(state, "Parameters"));
                     for (const char* field : {"MaxConcurrencyPath", "ToleratedFailureCountPath",
                                               "ToleratedFailurePercentagePath"}) {
                       need.add(of_field(state, field));
                     }
                     if (map.distributed) need = kEverything;
                   },
                   [&](const Pass& pass) {
                     need = of_payload(state, "Parameters");
                     const bool is_result = !pass.result && !state.parameters;
                     if (is_result) need.add(of_result(state));
                     if (is_result) need.add(of_payload(state, "Assign"));
                   },
                   [&](const Choice& choice) {
                     for (const ChoiceRule& rule : choice.rules) {
                       need.add(of_condition(rule.condition));
                       if (rule.assign) need.add(kEverything);
                     }
                     need.add(of_payload(state, "Assign"));
                     need.add(of_placed(state));
                   },
                   [&](const Wait&) {
                     need = of_field(state, "SecondsPath");
                     need.add(of_field(state, "TimestampPath"));
                     need.add(of_payload(state, "Assign"));
                     need.add(of_placed(state));
                   },
                   [&](const Succeed&) { need = kEverything; },
                   [&](const Fail&) {},
               },
               state.kind);
    return need;
  }

  // What is needed of the result that ResultPath puts into the input.
  Need of_result(const State& state) const {
    const Placement& placement = state.result_path;
    if (placement.discard) return {};
    if (!placement.path || placement.path->text() == "$") return of_placed(state);
    return of_placed(state).has(first_name(placement.path->text())) ? kEverything : Need{};
  }

  // What is needed of the input when `need` is needed of the input with the result put into it.
  static Need kept(const Placement& placement, const Need& need) {
    if (placement.discard) return need;
    if (!placement.path || placement.path->text() == "$") return {};
    const std::string name = first_name(placement.path->text());
    const bool is_whole = placement.path->text() == "$." + name;
    return is_whole ? need.without(name) : need;
  }

  Need of_input(const State& state) const {
    if (state.speaks_jsonata()) return kEverything;
    Need need = through(state.input_path, of_effective(state));
    if (std::holds_alternative<Fail>(state.kind)) {
      need.add(of_field(state, "ErrorPath"));
      need.add(of_field(state, "CausePath"));
      return need;
    }
    const bool has_result = state.result_path.path || state.result_path.discard;
    if (has_result) need.add(kept(state.result_path, of_placed(state)));
    for (const Catcher& catcher : state.catchers) {
      need.add(kept(catcher.result_path, of_[catcher.next.value]));
    }
    return need;
  }

  const Advising& advising_;
  const Machine& machine_;
  std::vector<Need> of_;
};

void advise_on_machine(const Advising& advising, const Machine& machine) {
  // A retry of a group brings back the input of its first state, so what is read cannot be told.
  if (machine.states.size() > kMostStates || !machine.groups.empty()) return;
  Needs needs(advising, machine);
  if (!needs.settle()) return;
  for (const State& state : machine.states) {
    const auto& path = state.result_path.path;
    if (!path || state.speaks_jsonata()) continue;
    const std::string name = first_name(path->text());
    if (name.empty() || needs.of_placed(state).has(name)) continue;
    const std::string pointer = below(state.where.pointer, "ResultPath");
    const Node* node = advising.node_at(pointer);
    if (node == nullptr) continue;
    advising.findings.warning("unused-result", node->place, pointer,
                              "no later state reads " + path->text() +
                                  ", and it is not in what "
                                  "comes out at the end",
                              "ResultPath: null keeps the input and drops the result");
  }
}

}  // namespace

void advise_on_results(const Advising& advising) {
  for (const Machine& machine : advising.program.machines) advise_on_machine(advising, machine);
}

}  // namespace stepwell::dsl
