// Machines that never come to an end, because nothing leads out of a loop in them.
#include <algorithm>

#include "base/match.h"
#include "dsl/check/advice.h"

namespace stepwell::dsl {

std::vector<StateId> ways_out(const Machine& machine, const State& state) {
  std::vector<StateId> ways;
  if (state.next) ways.push_back(*state.next);
  for (const Catcher& catcher : state.catchers) ways.push_back(catcher.next);
  if (const auto* choice = std::get_if<Choice>(&state.kind)) {
    for (const ChoiceRule& rule : choice->rules) ways.push_back(rule.next);
    if (choice->default_next) ways.push_back(*choice->default_next);
  }
  if (state.group) {
    for (const Catcher& catcher : machine.groups[*state.group].rules.catchers) {
      ways.push_back(catcher.next);
    }
  }
  return ways;
}

namespace {

// Can the machine end in this state?  A Choice without Default counts: when no rule takes its input
// the execution fails there.
bool is_end(const State& state) {
  const auto* choice = std::get_if<Choice>(&state.kind);
  return choice != nullptr ? !choice->default_next : !state.next.has_value();
}

using Marks = std::vector<bool>;

Marks reached_from(const Machine& machine, StateId start) {
  Marks reached(machine.states.size());
  std::vector<StateId> open{start};
  reached[start.value] = true;
  while (!open.empty()) {
    const StateId id = open.back();
    open.pop_back();
    for (const StateId next : ways_out(machine, machine.states[id.value])) {
      if (reached[next.value]) continue;
      reached[next.value] = true;
      open.push_back(next);
    }
  }
  return reached;
}

// The states from which an end can be reached.
Marks leading_to_an_end(const Machine& machine) {
  std::vector<std::vector<std::uint32_t>> before(machine.states.size());
  Marks leads(machine.states.size());
  std::vector<std::uint32_t> open;
  for (std::uint32_t i = 0; i < machine.states.size(); ++i) {
    for (const StateId next : ways_out(machine, machine.states[i])) before[next.value].push_back(i);
    if (!is_end(machine.states[i])) continue;
    leads[i] = true;
    open.push_back(i);
  }
  while (!open.empty()) {
    const std::uint32_t id = open.back();
    open.pop_back();
    for (const std::uint32_t from : before[id]) {
      if (leads[from]) continue;
      leads[from] = true;
      open.push_back(from);
    }
  }
  return leads;
}

// A state of the loop that `stuck` leads into.
std::size_t on_a_loop(const Machine& machine, std::size_t stuck) {
  Marks seen(machine.states.size());
  while (!seen[stuck]) {
    seen[stuck] = true;
    stuck = ways_out(machine, machine.states[stuck]).front().value;
  }
  return stuck;
}

std::string whose(const Program& program, std::size_t machine) {
  if (machine == 0) return "the workflow";
  for (const Machine& outer : program.machines) {
    for (const State& state : outer.states) {
      const auto* map = std::get_if<Map>(&state.kind);
      if (map != nullptr && map->processor.value == machine) {
        return "the Map " + json_quote(state.name);
      }
    }
  }
  return "this branch";
}

}  // namespace

void advise_on_ends(const Advising& advising) {
  const Program& program = advising.program;
  // TimeoutSeconds ends the execution wherever it is.
  if (program.timeout_seconds) return;
  for (std::size_t i = 0; i < program.machines.size(); ++i) {
    const Machine& machine = program.machines[i];
    const Marks reached = reached_from(machine, machine.start_at);
    const Marks leads = leading_to_an_end(machine);
    for (std::size_t k = 0; k < machine.states.size(); ++k) {
      if (!reached[k] || leads[k]) continue;
      const State& state = machine.states[on_a_loop(machine, k)];
      const Member* member = advising.member_at(state.where.pointer);
      if (member == nullptr) break;
      advising.findings.warning("never-ends", member->key_place, state.where.pointer,
                                "no way leads from the state " + json_quote(state.name) +
                                    " to an end: " + whose(program, i) +
                                    " can only fail or be stopped",
                                "let a Choice leave the loop, or limit the workflow with "
                                "TimeoutSeconds");
      break;  // One warning for a machine: the other states of the loop would say the same.
    }
  }
}

}  // namespace stepwell::dsl
