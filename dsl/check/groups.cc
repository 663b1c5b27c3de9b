// A group of states is entered at its first state only, because that is where a retry begins again.
#include "dsl/check/advice.h"

namespace stepwell::dsl {

namespace {

void report(const Advising& advising, const std::string& pointer, const std::string& what,
            const Machine& machine, StateId target) {
  const State& inner = machine.states[target.value];
  const Group& group = machine.groups[*inner.group];
  const Member* member = advising.member_at(pointer);
  const Node* node = advising.node_at(pointer);
  if (node == nullptr) return;
  advising.findings.error("group-entered-inside",
                          member != nullptr ? member->key_place : node->place, pointer,
                          what + " leads to " + json_quote(inner.name) + " inside of the group " +
                              json_quote(group.rules.name),
                          "what is retried begins with the first of its States, " +
                              json_quote(machine.states[group.states.front().value].name) +
                              ": only that may be entered from outside");
}

// Is the state in a group, and not the first of it?
bool is_inside(const Machine& machine, StateId id) {
  const State& state = machine.states[id.value];
  return state.group && machine.groups[*state.group].states.front() != id;
}

void check_machine(const Advising& advising, const Machine& machine) {
  if (is_inside(machine, machine.start_at)) {
    report(advising, machine.where.pointer + "/StartAt", "StartAt", machine, machine.start_at);
  }
  for (const State& state : machine.states) {
    for (const StateId next : ways_out(machine, state)) {
      const bool same = machine.states[next.value].group == state.group;
      if (same || !is_inside(machine, next)) continue;
      report(advising, state.where.pointer, "the state " + json_quote(state.name), machine, next);
    }
  }
  for (std::uint32_t i = 0; i < machine.groups.size(); ++i) {
    for (const Catcher& catcher : machine.groups[i].rules.catchers) {
      const State& next = machine.states[catcher.next.value];
      if (next.group != i) continue;
      report(advising, catcher.where.pointer, "a catcher of the group itself", machine,
             catcher.next);
    }
  }
}

}  // namespace

void check_group_entries(const Advising& advising) {
  for (const Machine& machine : advising.program.machines) {
    if (!machine.groups.empty()) check_machine(advising, machine);
  }
}

}  // namespace stepwell::dsl
