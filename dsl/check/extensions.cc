// The rules for what Stepwell has beyond ASL: docs/dsl/extensions.md.
#include "dsl/check/rules.h"
#include "engine/schema/schema.h"

namespace stepwell::dsl {

namespace {

// The spot that a JSON pointer leads to from `from`; as far as it can be followed.
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

}  // namespace stepwell::dsl
