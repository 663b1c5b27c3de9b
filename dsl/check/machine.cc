// A machine (the workflow itself, a branch, the processor of a Map): its fields, the names of its
// states, and the transitions between them.
#include <algorithm>
#include <functional>
#include <set>
#include <unordered_map>
#include <utility>

#include "dsl/check/rules.h"

namespace stepwell::dsl {

namespace {

// A field that names the state to go to: Next, Default, or Next of a rule or catcher.
struct Transition {
  const Node* target;
  std::string pointer, field;
};

void add_transition(std::vector<Transition>& list, const Spot& object, std::string_view field) {
  const Member* member = object.node.find(field);
  if (member == nullptr || !member->node->value.is_string()) return;
  list.push_back({member->node, below(object.pointer, field), std::string(field)});
}

std::vector<Transition> transitions_of(const Spot& state) {
  std::vector<Transition> list;
  add_transition(list, state, "Next");
  add_transition(list, state, "Default");
  for (const char* field : {"Choices", "Catch"}) {
    const Member* member = state.node.find(field);
    if (member == nullptr) continue;
    const Spot rules = state.under(*member);
    for (std::size_t i = 0; i < rules.node.items.size(); ++i) {
      add_transition(list, rules.at(i), "Next");
    }
  }
  return list;
}

// The names of the states in a group, and the transitions of its catchers.
struct GroupWays {
  std::vector<std::string> states;
  std::vector<Transition> ways;
};

std::vector<GroupWays> group_ways(const Spot& machine) {
  std::vector<GroupWays> list;
  const Member* groups = machine.node.find("Groups");
  if (groups == nullptr) return list;
  for (const Member& member : groups->node->members) {
    const Spot group = machine.under(*groups).under(member);
    GroupWays& ways = list.emplace_back();
    ways.ways = transitions_of(group);
    const Member* states = group.node.find("States");
    if (states == nullptr) continue;
    for (const Node* name : states->node->items) {
      if (name->value.is_string()) ways.states.push_back(name->value.as_string());
    }
  }
  return list;
}

std::vector<std::string> names_in(const Node& states) {
  std::vector<std::string> names;
  for (const Member& member : states.members) names.push_back(member.key);
  return names;
}

void report_no_such_state(Checking& check, const Transition& from, const Node& states) {
  if (check.findings.is_full()) return;
  const std::string& name = from.target->value.as_string();
  std::string hint = did_you_mean(name, names_in(states));
  if (hint.empty() && check.state_names.contains(name)) {
    hint =
        "the state of that name is in another machine; a transition stays inside its Map or "
        "Parallel";
  }
  in_aws_words(check.findings.error("no-such-state", from.target->place, from.pointer,
                                    "there is no state " + json_quote(name), std::move(hint)),
               {"MISSING_TRANSITION_TARGET", "Missing 'Next' target: " + name, from.pointer});
}

// Follows every transition from `start`.  Reports transitions to states that do not exist, and,
// when the machine has no error, states that nothing leads to: behind a broken transition
// everything would be unreachable, and the transition is what the author must look at.
void check_ways(Checking& check, const Spot& states, const std::vector<GroupWays>& groups,
                const Transition* start, std::size_t errors_before) {
  std::unordered_map<std::string_view, const Member*> by_name;  // Never iterated over.
  for (const Member& member : states.node.members) by_name.emplace(member.key, &member);
  const auto target_of = [&](const Transition& transition) {
    const auto found = by_name.find(transition.target->value.as_string());
    return found == by_name.end() ? nullptr : found->second;
  };
  std::set<std::string, std::less<>> reached;
  std::vector<const Member*> open;
  const auto reach = [&](const Transition& transition) {
    const Member* target = target_of(transition);
    if (target != nullptr && reached.insert(target->key).second) open.push_back(target);
  };
  for (const Member& member : states.node.members) {
    for (const Transition& transition : transitions_of(states.under(member))) {
      if (target_of(transition) == nullptr) {
        report_no_such_state(check, transition, states.node);
      }
    }
  }
  for (const GroupWays& group : groups) {
    for (const Transition& transition : group.ways) {
      if (target_of(transition) == nullptr) report_no_such_state(check, transition, states.node);
    }
  }
  if (start == nullptr) return;
  if (target_of(*start) == nullptr) {
    return report_no_such_state(check, *start, states.node);
  }
  reach(*start);
  while (!open.empty()) {
    const Member& state = *open.back();
    open.pop_back();
    for (const Transition& transition : transitions_of(states.under(state))) reach(transition);
    for (const GroupWays& group : groups) {
      if (std::find(group.states.begin(), group.states.end(), state.key) == group.states.end()) {
        continue;
      }
      for (const Transition& transition : group.ways) reach(transition);
    }
  }
  if (check.findings.errors() != errors_before) return;
  for (const Member& member : states.node.members) {
    if (reached.contains(member.key)) continue;
    in_aws_words(check.findings.warning("unreachable-state", member.key_place,
                                        below(states.pointer, member.key),
                                        "nothing leads to the state " + json_quote(member.key)),
                 {"MISSING_TRANSITION_TARGET", "State \"" + member.key + "\" is not reachable.",
                  below(states.pointer, member.key)});
  }
}

void check_name(Checking& check, const Member& state, const std::string& pointer) {
  const std::size_t length = count_characters(state.key);
  if (length < 1 || length > kLongestStateName) {
    check.findings.error("bad-state-name", state.key_place, pointer,
                         "the name of a state has 1 to " + std::to_string(kLongestStateName) +
                             " characters, this has " + std::to_string(length));
  }
  const auto [first, is_new] = check.state_names.emplace(state.key, state.key_place);
  if (is_new) return;
  in_aws_words(check.findings.error("duplicate-state", state.key_place, pointer,
                                    "there is a state " + json_quote(state.key) + " in line " +
                                        std::to_string(first->second.line) + " already",
                                    "names are unique in the whole workflow, machines inside of "
                                    "Map and Parallel included"),
               {"DUPLICATE_STATE_NAME", "Duplicate State name: " + state.key, pointer});
}

// Does this member of States look like a field of a state, and not like a state of that name?
bool is_stray_field(const Member& member) {
  if (member.node->value.find("Type") != nullptr) return false;
  return field_anywhere(member.key) != nullptr || member.key == "Comment";
}

// When the fields of the state `states[at]` stand beside it instead of below it (it is then empty):
// reports that once, and returns how many fields there are.
std::size_t report_stray_fields(Checking& check, const Spot& states, std::size_t at) {
  const std::vector<Member>& list = states.node.members;
  if (!list[at].node->value.is_null()) return 0;
  std::size_t end = at + 1;
  while (end < list.size() && is_stray_field(list[end])) ++end;
  const std::size_t count = end - at - 1;
  if (count == 0) return 0;
  const Member& first = list[at + 1];
  const bool is_one = count == 1;
  check.findings.error("indentation", first.key_place, below(states.pointer, first.key),
                       json_quote(first.key) + (is_one ? " stands" : " and what follows stand") +
                           " beside the state " + json_quote(list[at].key) + ", which is empty",
                       std::string("indent ") + (is_one ? "it" : "these fields") + " below " +
                           json_quote(list[at].key));
  return count;
}

void check_states(Checking& check, const Spot& machine, Language language) {
  const Member* member = machine.node.find("States");
  if (member == nullptr) return;
  const Spot states = machine.under(*member);
  if (!is_object(check, states, "States")) return;
  if (states.node.members.empty()) {
    check.findings.error("empty-list", states.node.place, states.pointer,
                         "\"States\" must not be empty");
    return;
  }
  const std::size_t errors_before = check.findings.errors();
  for (std::size_t i = 0; i < states.node.members.size(); ++i) {
    const Member& state = states.node.members[i];
    const Spot spot = states.under(state);
    check_name(check, state, spot.pointer);
    if (const std::size_t strays = report_stray_fields(check, states, i); strays > 0) {
      i += strays;
      continue;
    }
    check_state(check, spot, state.key, state.key_place, language);
  }
  std::vector<Transition> start;
  add_transition(start, machine, "StartAt");
  check_groups(check, machine, language);
  check_ways(check, states, group_ways(machine), start.empty() ? nullptr : &start.front(),
             errors_before);
}

void check_word(Checking& check, const Spot& object, std::string_view field) {
  const Member* member = object.node.find(field);
  if (member != nullptr) is_word(check, object.under(*member), field);
}

void check_processor_config(Checking& check, const Spot& machine) {
  const Member* member = machine.node.find("ProcessorConfig");
  if (member == nullptr) return;
  const Spot config = machine.under(*member);
  if (!is_object(check, config, "ProcessorConfig")) return;
  check_members(check, config, ObjectKind::kProcessorConfig, "a ProcessorConfig");
  check_word(check, config, "Mode");
  check_word(check, config, "ExecutionType");
  const Member* mode = config.node.find("Mode");
  if (mode != nullptr && mode->node->value == Value("DISTRIBUTED")) {
    check_required(check, config, config.node.place, {"ExecutionType"}, "a distributed Map");
  }
}

void check_workflow_fields(Checking& check, const Spot& machine) {
  const Member* timeout = machine.node.find("TimeoutSeconds");
  if (timeout != nullptr) {
    is_number(check, machine.under(*timeout), "TimeoutSeconds", 1, kMostSeconds, true);
  }
  check_word(check, machine, "Version");
  check_input_schema(check, machine);
}

std::string role_in_words(ObjectKind role) {
  return role == ObjectKind::kWorkflow ? "a workflow"
         : role == ObjectKind::kBranch ? "a branch"
                                       : "the processor of a Map";
}

}  // namespace

void check_machine(Checking& check, const Spot& spot, ObjectKind role, Language language) {
  const std::string whose = role_in_words(role);
  if (!spot.node.value.is_object()) {
    check.findings.error("wrong-type", spot.node.place, spot.pointer,
                         whose + " must be an object, not " + in_words(spot.node.value),
                         "it begins with StartAt: and States:");
    return;
  }
  check_members(check, spot, role, whose);
  const Member* states = spot.node.find("States");
  const bool has_states = states != nullptr && !states->node->members.empty();
  check_required(check, spot, spot.node.place, {"StartAt", "States"}, whose,
                 has_states
                     ? "write StartAt: " + states->node->members.front().key + ", the first state"
                     : "");
  const Member* start = spot.node.find("StartAt");
  if (start != nullptr) is_text(check, spot.under(*start), "StartAt");
  if (role == ObjectKind::kWorkflow) {
    check_workflow_fields(check, spot);
    language = language_of(check, spot, language, true);
  }
  if (role == ObjectKind::kProcessor) check_processor_config(check, spot);
  std::string outer = std::exchange(check.machine, spot.pointer);
  check_states(check, spot, language);
  check.machine = std::move(outer);
}

void check_workflow(const Document& document, const CompileOptions& options, Findings& findings) {
  Checking check{document, options, findings};
  check_machine(check, Spot{*document.root, ""}, ObjectKind::kWorkflow, Language::kJsonPath);
  check_variable_uses(check);
}

}  // namespace stepwell::dsl
