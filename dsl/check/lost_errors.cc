// A Fail that tells on an error which it was sent by a catcher: an error without a cause arrives
// with "Cause": null, which is no string, so that the Fail ends in States.Runtime and nobody learns
// what went wrong before.
#include <algorithm>

#include "base/match.h"
#include "dsl/check/advice.h"
#include "dsl/yaml/node_builder.h"

namespace stepwell::dsl {

namespace {

bool catches(const Catcher& catcher, const Node* error) {
  if (error == nullptr || !error->value.is_string()) return true;
  return std::any_of(catcher.error_equals.begin(), catcher.error_equals.end(),
                     [&](const std::string& name) {
                       return name == "States.ALL" || name == "States.TaskFailed" ||
                              name == error->value.as_string();
                     });
}

bool may_lack_in(const Advising& advising, MachineId id, const Catcher& catcher);

// May the state fail without a cause, with an error that the catcher takes?  Of functions of
// services (ARNs) the answer is no: they always give one.
bool may_lack_cause(const Advising& advising, const State& state, const Catcher& catcher) {
  return std::visit(
      match{
          [&](const Task& task) { return !task.resource.starts_with("arn:"); },
          [&](const Fail& fail) {
            const std::string error = below(state.where.pointer, "Error");
            return !fail.cause && catches(catcher, advising.node_at(error));
          },
          [&](const Map& map) { return may_lack_in(advising, map.processor, catcher); },
          [&](const Parallel& parallel) {
            return std::any_of(parallel.branches.begin(), parallel.branches.end(),
                               [&](MachineId id) { return may_lack_in(advising, id, catcher); });
          },
          [](const auto&) { return false; },
      },
      state.kind);
}

bool may_lack_in(const Advising& advising, MachineId id, const Catcher& catcher) {
  const std::vector<State>& states = advising.program.machine(id).states;
  return std::any_of(states.begin(), states.end(), [&](const State& state) {
    const bool is_handled =
        std::any_of(state.catchers.begin(), state.catchers.end(),
                    [](const Catcher& own) { return own.error_equals.front() == "States.ALL"; });
    return !is_handled && may_lack_cause(advising, state, catcher);
  });
}

// The path at which the Fail finds the caught error's cause, as it would be written; empty:
// unknown.
std::string path_of_cause(const State& rules, const Catcher& catcher) {
  if (rules.speaks_jsonata()) return catcher.output ? "" : "$states.input.Cause";
  if (catcher.result_path.discard) return "";
  return (catcher.result_path.path ? catcher.result_path.path->text() : "$") + ".Cause";
}

// The field that reads it, and what to write instead.
struct Reader {
  std::string field, text, hint;
};
Reader cause_of(const State& state) {
  const Fail& fail = std::get<Fail>(state.kind);
  if (!state.speaks_jsonata()) {
    return {"CausePath", fail.cause_path_text,
            "write CausePath: States.Format('{}', " + fail.cause_path_text + ")"};
  }
  const expr::Jsonata* whole = fail.cause ? fail.cause->whole_expression() : nullptr;
  const std::string text = whole == nullptr ? "" : whole->text();
  return {"Cause", text, "write {% $string(" + text + ") %}"};
}

void advise_on(const Advising& advising, const Machine& machine, const State& state,
               const State& rules, const Catcher& catcher) {
  const State& next = machine.states[catcher.next.value];
  if (!std::holds_alternative<Fail>(next.kind)) return;
  std::string path = path_of_cause(rules, catcher);
  if (path.starts_with("$.") && next.speaks_jsonata()) path.insert(1, "states.input");
  const Reader reader = cause_of(next);
  if (path.empty() || reader.text != path || !may_lack_cause(advising, state, catcher)) return;
  const std::string pointer = below(next.where.pointer, reader.field);
  const Node* node = advising.node_at(pointer);
  if (node == nullptr) return;
  advising.findings.warning("lost-error", node->place, pointer,
                            "an error of " + json_quote(state.name) +
                                " without a cause has null here: this Fail then ends with "
                                "States.Runtime, and that error is lost",
                            reader.hint);
}

}  // namespace

void advise_on_lost_errors(const Advising& advising) {
  for (const Machine& machine : advising.program.machines) {
    for (const State& state : machine.states) {
      for (const Catcher& catcher : state.catchers) {
        advise_on(advising, machine, state, state, catcher);
      }
      if (!state.group) continue;
      const State& rules = machine.groups[*state.group].rules;
      for (const Catcher& catcher : rules.catchers) {
        advise_on(advising, machine, state, rules, catcher);
      }
    }
  }
}

}  // namespace stepwell::dsl
