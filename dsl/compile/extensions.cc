#include "dsl/compile/extensions.h"

#include "language/schema/schema.h"

namespace stepwell::dsl {

void read_input_schema(const Node& workflow, Program& program) {
  const Member* member = workflow.find("InputSchema");
  if (member == nullptr) return;
  auto compiled = Schema::compile(member->node->value);
  CHECK(compiled.ok(), "a schema that no rule refused");
  program.input_schema = std::make_shared<const Schema>(std::move(*compiled));
  const Place& place = member->key_place;
  program.input_schema_where = {place.line, place.column, "/InputSchema"};
}

void read_retry_after(const Node& retrier, Retrier& to) {
  if (const Member* after = retrier.find("RetryAfter")) {
    to.server_delay =
        after->node->value == Value("HONOR") ? ServerDelay::kHonor : ServerDelay::kIgnore;
  }
  if (const Member* most = retrier.find("MaxRetryAfterSeconds")) {
    to.max_server_delay_seconds = most->node->value.as_double();
  }
  if (const Member* most = retrier.find("MaxRetryAfterCount")) {
    to.max_server_delays = static_cast<std::uint32_t>(most->node->value.as_int());
  }
}

void read_groups(const Node& machine, const std::string& pointer,
                 const std::map<std::string, StateId, std::less<>>& states, QueryLanguage language,
                 Machine& to) {
  const Member* groups = machine.find("Groups");
  if (groups == nullptr) return;
  const std::string below_groups = below(pointer, "Groups");
  for (const Member& member : groups->node->members) {
    Reading reading{*member.node, below(below_groups, member.key), states, language};
    Group group;
    const auto index = static_cast<std::uint32_t>(to.groups.size());
    for (const Node* name : reading.find("States")->items) {
      const StateId id = states.find(name->value.as_string())->second;
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
