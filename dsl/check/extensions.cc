// The rules for what Stepwell has beyond ASL: docs/dsl/extensions.md.
#include <map>
#include <utility>

#include "dsl/check/rules.h"
#include "language/schema/schema.h"

namespace stepwell::dsl {

namespace {

// The spot that `pointer` (JSON pointer) leads to from `from`; the last spot on the way when the
// document does not go that far.
Spot follow(const Spot& from, std::string_view pointer) {
  const Node* node = &from.node;
  for (std::size_t at = 1; at <= pointer.size();) {
    const std::size_t end = std::min(pointer.find('/', at), pointer.size());
    const std::string_view token = pointer.substr(at, end - at);
    const Node* next = nullptr;
    for (const Member& member : node->members) {
      if (below("", member.key).substr(1) == token) next = member.node;
    }
    for (std::size_t i = 0; i < node->items.size(); ++i) {
      if (std::to_string(i) == token) next = node->items[i];
    }
    if (next == nullptr) break;
    node = next;
    at = end + 1;
  }
  return {*node, from.pointer + std::string(pointer)};
}

}  // namespace

void check_input_schema(Checking& check, const Spot& workflow) {
  const Member* member = workflow.node.find("InputSchema");
  if (member == nullptr) return;
  const Spot schema = workflow.under(*member);
  for (const Violation& problem : Schema::problems(schema.node.value)) {
    const Spot spot = follow(schema, problem.pointer);
    const std::size_t slash = problem.pointer.rfind('/');
    const std::string subject = slash == std::string::npos
                                    ? "\"InputSchema\""
                                    : json_quote(problem.pointer.substr(slash + 1));
    check.findings.error("bad-schema", spot.node.place, spot.pointer,
                         subject + " " + problem.message);
  }
}

// RetryAfter, and its two limits: they have an effect only beside RetryAfter: HONOR.
void check_retry_after(Checking& check, const Spot& retrier) {
  const Member* after = retrier.node.find("RetryAfter");
  const bool honors = after != nullptr && after->node->value == Value("HONOR");
  if (after != nullptr && !is_word(check, retrier.under(*after), "RetryAfter")) return;
  for (const auto& [field, most] : {std::pair{"MaxRetryAfterSeconds", kMostDelaySeconds},
                                    std::pair{"MaxRetryAfterCount", kMostServerDelays}}) {
    const Member* member = retrier.node.find(field);
    if (member == nullptr) continue;
    is_number(check, retrier.under(*member), field, 1, most, true);
    if (honors) continue;
    check.findings.error("field-conflict", member->key_place, below(retrier.pointer, field),
                         json_quote(field) + " needs \"RetryAfter\": \"HONOR\"",
                         "the time that a server names is not honored otherwise");
  }
}

void check_tolerance(Checking& check, const Spot& map, bool is_distributed) {
  const Member* tolerates = map.node.find("TolerateFailures");
  if (tolerates == nullptr || !is_distributed) return;
  check.findings.error("field-conflict", tolerates->key_place,
                       below(map.pointer, "TolerateFailures"),
                       "\"TolerateFailures\" is for an inline Map",
                       "a distributed Map tolerates what its ToleratedFailureCount and "
                       "ToleratedFailurePercentage say");
}

namespace {

// The names in a group's States: each must be a state of this machine, and in one group only.
void check_group_states(Checking& check, const Spot& machine, const Spot& list,
                        const std::string& group,
                        std::map<std::string, std::string, std::less<>>& group_of) {
  if (!is_filled_array(check, list, "States")) return;
  const Member* states = machine.node.find("States");
  for (std::size_t i = 0; i < list.node.items.size(); ++i) {
    const Spot name = list.at(i);
    if (!is_text(check, name, "States")) continue;
    const std::string& text = name.node.value.as_string();
    if (states == nullptr || states->node->find(text) == nullptr) {
      std::vector<std::string> known;
      if (states != nullptr) {
        for (const Member& member : states->node->members) known.push_back(member.key);
      }
      check.findings.error("no-such-state", name.node.place, name.pointer,
                           "there is no state " + json_quote(text) + " in this machine",
                           did_you_mean(text, known));
      continue;
    }
    const auto [entry, is_new] = group_of.emplace(text, group);
    if (is_new) continue;
    check.findings.error("group-overlap", name.node.place, name.pointer,
                         "the state " + json_quote(text) + " stands in the group " +
                             json_quote(entry->second) + " already",
                         "a state belongs to one group");
  }
}

}  // namespace

void check_groups(Checking& check, const Spot& machine, Language language) {
  const Member* member = machine.node.find("Groups");
  if (member == nullptr) return;
  const Spot groups = machine.under(*member);
  if (!is_object(check, groups, "Groups")) return;
  const Language outer = std::exchange(check.language, language);
  std::map<std::string, std::string, std::less<>> group_of;  // By state.
  for (const Member& one : groups.node.members) {
    const Spot group = groups.under(one);
    if (!is_item(check, group, "a group")) continue;
    check_members(check, group, ObjectKind::kGroup, "a group");
    check_required(check, group, one.key_place, {"States"}, "a group");
    const Member* states = group.node.find("States");
    if (states != nullptr) {
      check_group_states(check, machine, group.under(*states), one.key, group_of);
    }
    const Member* retry = group.node.find("Retry");
    const Member* catchers = group.node.find("Catch");
    if (retry != nullptr) check_retry(check, group.under(*retry));
    if (catchers != nullptr) check_catch(check, group.under(*catchers), language);
    if (retry == nullptr && catchers == nullptr) {
      check.findings.error("missing-field", one.key_place, group.pointer,
                           "the group " + json_quote(one.key) + " needs \"Retry\" or \"Catch\"");
    }
  }
  check.language = outer;
}

}  // namespace stepwell::dsl
