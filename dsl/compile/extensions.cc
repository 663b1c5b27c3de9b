#include "dsl/compile/extensions.h"

#include "engine/schema/schema.h"

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

}  // namespace stepwell::dsl
