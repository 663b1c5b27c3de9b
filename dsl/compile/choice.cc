#include "dsl/compile/reading.h"
#include "dsl/tables/operators.h"

namespace stepwell::dsl {

namespace {

Condition read_condition(Reading& state, const Node& node);

std::vector<Condition> read_conditions(Reading& state, const Node& list) {
  std::vector<Condition> conditions;
  for (const Node* one : items_of(list)) conditions.push_back(read_condition(state, *one));
  return conditions;
}

Condition read_condition(Reading& state, const Node& node) {
  accept_fields(node, ObjectKind::kChoiceRule, state.language);
  for (const Member& member : node.members) {
    if (member.key == "And") return {AllOf{read_conditions(state, *member.node)}};
    if (member.key == "Or") return {AnyOf{read_conditions(state, *member.node)}};
    if (member.key == "Not") {
      NoneOf none;
      none.conditions.push_back(read_condition(state, *member.node));
      return {std::move(none)};
    }
    const auto field = comparison_named(member.key);
    if (!field) continue;
    Test test{read_path(state, need(node, "Variable")), field->comparison, member.node->value};
    if (field->is_path) test.operand = read_path(state, *member.node);
    return {std::move(test)};
  }
  stop_at(node.place, "a rule without a comparison");
}

}  // namespace

std::vector<ChoiceRule> read_choices(Reading& state) {
  std::vector<ChoiceRule> rules;
  for (const Node* node : items_of(need(state.node, "Choices"))) {
    const std::string pointer =
        below(below(state.pointer, "Choices"), std::to_string(rules.size()));
    const std::string location = "Choices[" + std::to_string(rules.size()) + "]";
    accept_fields(*node, ObjectKind::kChoiceRule, state.language);
    Condition condition = state.language == QueryLanguage::kJsonata
                              ? Condition{Truth{read_template(state, need(*node, "Condition"),
                                                              location + "/Condition")}}
                              : read_condition(state, *node);
    rules.push_back({std::move(condition), read_target(state, *node, "Next"),
                     read_template_field(state, *node, "Output", location),
                     read_template_field(state, *node, "Assign", location),
                     state.where(*node, pointer)});
  }
  return rules;
}

}  // namespace stepwell::dsl
