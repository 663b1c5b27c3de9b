#include "dsl/compile/extensions.h"

#include "language/schema/schema.h"

namespace stepwell::dsl {

void read_input_schema(const Node& workflow, Program& program) {
  const Member* member = workflow.find("InputSchema");
  if (member == nullptr) return;
  auto compiled = Schema::compile(member->node->value);
  if (!compiled.ok()) stop_at(member->node->place, "\"InputSchema\" " + compiled.error().message);
  program.input_schema = std::make_shared<const Schema>(std::move(*compiled));
  const Place& place = member->key_place;
  program.input_schema_where = {place.line, place.column, "/InputSchema"};
}

void read_retry_after(const Node& retrier, Retrier& to) {
  if (retrier.find("RetryAfter") != nullptr) {
    to.server_delay =
        word_in(retrier, "RetryAfter") == "HONOR" ? ServerDelay::kHonor : ServerDelay::kIgnore;
  }
  if (const Member* most = retrier.find("MaxRetryAfterSeconds")) {
    to.max_server_delay_seconds = number_of(*most->node);
  }
  if (const Member* most = retrier.find("MaxRetryAfterCount")) {
    to.max_server_delays = count_of(*most->node);
  }
}

void read_groups(const Node& machine, const std::string& pointer, const StateNames& states,
                 QueryLanguage language, Machine& to) {
  const Member* groups = machine.find("Groups");
  if (groups == nullptr) return;
  const std::string below_groups = below(pointer, "Groups");
  for (const Member& member : members_of(*groups->node)) {
    accept_fields(*member.node, ObjectKind::kGroup, language);
    Reading reading{*member.node, below(below_groups, member.key), states, language};
    Group group;
    const auto index = static_cast<std::uint32_t>(to.groups.size());
    for (const Node* name : items_of(need(*member.node, "States"))) {
      const StateId id = state_named(states, *name);
      group.states.push_back(id);
      to.states[id.value].group = index;
    }
    group.rules.name = member.key;
    group.rules.kind = Pass{};
    group.rules.language = language;
    group.rules.retry = read_retry(reading);
    group.rules.catchers = read_catch(reading);
    group.rules.where = {member.key_place.line, member.key_place.column, reading.pointer};
    group.rules.uses_context = reading.uses_context;
    to.groups.push_back(std::move(group));
  }
}

}  // namespace stepwell::dsl
