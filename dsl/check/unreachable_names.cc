// Names in Retry and Catch that no error can reach: an earlier retrier or catcher takes the error,
// or nothing here raises it.
#include <algorithm>
#include <array>
#include <set>

#include "base/match.h"
#include "dsl/check/advice.h"
#include "dsl/yaml/node_builder.h"

namespace stepwell::dsl {

namespace {

// The errors that a machine may fail with; `anything` when they cannot be listed.
struct Raised {
  bool anything = false;
  std::set<std::string, std::less<>> names;

  void add(const Raised& other) {
    anything = anything || other.anything;
    names.insert(other.names.begin(), other.names.end());
  }
};

// The errors that a state of any kind may fail with.
constexpr std::array<std::string_view, 8> kOfAnyState{"States.Runtime",
                                                      "States.DataLimitExceeded",
                                                      "States.IntrinsicFailure",
                                                      "States.NoChoiceMatched",
                                                      "States.ParameterPathFailure",
                                                      "States.BranchFailed",
                                                      "States.QueryEvaluationError",
                                                      "States.ResultPathMatchFailure"};

Raised raised_in(const Advising& advising, MachineId id);

Raised raised_by(const Advising& advising, const State& state) {
  Raised raised;
  std::visit(match{
                 [&](const Task&) { raised.anything = true; },
                 [&](const Map& map) {
                   raised.add(raised_in(advising, map.processor));
                   raised.anything = raised.anything || map.distributed;
                 },
                 [&](const Parallel& parallel) {
                   for (const MachineId branch : parallel.branches) {
                     raised.add(raised_in(advising, branch));
                   }
                 },
                 [&](const Fail& fail) {
                   if (!fail.error) return;
                   const Node* name = advising.node_at(below(state.where.pointer, "Error"));
                   if (fail.error->is_constant() && name != nullptr && name->value.is_string()) {
                     raised.names.insert(name->value.as_string());
                   } else {
                     raised.anything = true;
                   }
                 },
                 [](const auto&) {},
             },
             state.kind);
  return raised;
}

Raised raised_in(const Advising& advising, MachineId id) {
  Raised raised;
  for (const State& state : advising.program.machine(id).states) {
    raised.add(raised_by(advising, state));
    if (raised.anything) break;
  }
  return raised;
}

bool may_raise(const Raised& raised, const std::string& name) {
  return raised.anything || name == "States.ALL" || name == "States.TaskFailed" ||
         raised.names.contains(name) ||
         std::find(kOfAnyState.begin(), kOfAnyState.end(), name) != kOfAnyState.end();
}

// The ErrorEquals of one retrier or catcher.
struct Asked {
  const std::vector<std::string>& names;
  const SourceSpan& where;
  bool is_never = false;  // MaxAttempts: 0, so the error goes on to the catchers.
};

// The list before `end` that takes the error of that name: it has the name, or a wildcard that
// certainly covers it.  nullptr when there is none.
const Asked* matched_before(const std::vector<Asked>& list, std::size_t end,
                            const std::string& name) {
  for (std::size_t i = 0; i < end; ++i) {
    for (const std::string& earlier : list[i].names) {
      if (earlier == name) return &list[i];
      // States.TaskFailed covers every name of the author's own; of the States. errors only some.
      const bool is_own = !name.starts_with("States.");
      if (earlier == "States.TaskFailed" && is_own) return &list[i];
    }
  }
  return nullptr;
}

void advise_on_list(const Advising& advising, const std::string& whose, const Raised& raised,
                    const std::vector<Asked>& list, const char* one) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string names = below(list[i].where.pointer, "ErrorEquals");
    for (std::size_t k = 0; k < list[i].names.size(); ++k) {
      const std::string& name = list[i].names[k];
      const std::string pointer = below(names, std::to_string(k));
      const Node* node = advising.node_at(pointer);
      if (node == nullptr) continue;
      const auto first = std::find(list[i].names.begin(), list[i].names.end(), name);
      const bool is_twice = first != list[i].names.begin() + static_cast<std::ptrdiff_t>(k);
      const Asked* before = matched_before(list, i, name);
      if (is_twice) {
        advising.findings.warning("error-matched-earlier", node->place, pointer,
                                  json_quote(name) + " stands in this list already");
      } else if (before != nullptr) {
        const std::string line = std::to_string(before->where.line);
        advising.findings.warning(
            "error-matched-earlier", node->place, pointer,
            "the " + std::string(one) + " of line " + line + " matches " + json_quote(name) +
                (before->is_never ? " first, and never retries it" : " first"),
            "only the first that matches is asked: remove the name here, or move this one up");
      } else if (!may_raise(raised, name) && !name.starts_with("State.")) {
        advising.findings.warning("error-never-raised", node->place, pointer,
                                  "nothing in the " + whose + " can fail with " + json_quote(name),
                                  "there is no Task in it, and no Fail with this Error");
      }
    }
  }
}

void advise_on_rules(const Advising& advising, const std::string& whose, const Raised& raised,
                     const State& rules) {
  std::vector<Asked> retriers, catchers;
  for (const Retrier& one : rules.retry) {
    retriers.push_back({one.error_equals, one.where, one.max_attempts == 0});
  }
  for (const Catcher& one : rules.catchers) catchers.push_back({one.error_equals, one.where});
  advise_on_list(advising, whose, raised, retriers, "retrier");
  advise_on_list(advising, whose, raised, catchers, "catcher");
}

}  // namespace

void advise_on_errors(const Advising& advising) {
  for (const Machine& machine : advising.program.machines) {
    for (const State& state : machine.states) {
      if (state.retry.empty() && state.catchers.empty()) continue;
      advise_on_rules(advising, "state " + json_quote(state.name), raised_by(advising, state),
                      state);
    }
    for (const Group& group : machine.groups) {
      Raised raised;
      for (const StateId id : group.states) {
        raised.add(raised_by(advising, machine.states[id.value]));
      }
      advise_on_rules(advising, "group " + json_quote(group.rules.name), raised, group.rules);
    }
  }
}

}  // namespace stepwell::dsl
