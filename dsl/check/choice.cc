// The rules of a Choice: comparisons in JSONPath, conditions in JSONata.
#include <algorithm>

#include "dsl/check/rules.h"
#include "dsl/tables/operators.h"

namespace stepwell::dsl {

namespace {

bool is_connective(std::string_view key) { return key == "And" || key == "Or" || key == "Not"; }

void check_operand(Checking& check, const Spot& spot, const std::string& name,
                   const ComparisonField& field) {
  if (field.is_path) return check_path(check, spot, name);
  switch (field.operand) {
    case Operand::kText: is_text(check, spot, name); break;
    case Operand::kNumber:
      if (!spot.node.value.is_number()) wrong_type(check, spot, name, "a number");
      break;
    case Operand::kTruth:
      if (!spot.node.value.is_bool()) wrong_type(check, spot, name, "true or false");
      break;
    case Operand::kTimestamp: is_timestamp(check, spot, name); break;
  }
}

void check_condition(Checking& check, const Spot& spot, bool is_outermost);

void check_connective(Checking& check, const Spot& spot, const std::string& name) {
  if (name == "Not") return check_condition(check, spot, false);
  if (!is_filled_array(check, spot, name)) return;
  for (std::size_t i = 0; i < spot.node.items.size(); ++i) {
    check_condition(check, spot.at(i), false);
  }
}

// A choice rule in JSONPath, or a condition inside of one (an item of And or Or, what Not holds).
void check_condition(Checking& check, const Spot& spot, bool is_outermost) {
  if (!is_item(check, spot, "a choice rule")) return;
  if (!is_outermost) {
    for (const char* only_outside : {"Next", "Assign"}) {
      const Member* member = spot.node.find(only_outside);
      if (member == nullptr) continue;
      check.findings.error("unknown-field", member->key_place, below(spot.pointer, only_outside),
                           json_quote(only_outside) + " may stand in the outermost rule only");
    }
  }
  check_members(check, spot, ObjectKind::kChoiceRule, "a choice rule");
  const Member* test = nullptr;
  for (const Member& member : spot.node.members) {
    const auto comparison = comparison_named(member.key);
    if (!comparison && !is_connective(member.key)) continue;
    if (test != nullptr) {
      check.findings.error("choice-rule-ambiguous", member.key_place,
                           below(spot.pointer, member.key),
                           "a rule tests one thing, but this has " + json_quote(test->key) +
                               " and " + json_quote(member.key),
                           "put them in a list under And");
    } else {
      test = &member;
    }
    if (comparison) {
      check_operand(check, spot.under(member), member.key, *comparison);
    } else {
      check_connective(check, spot.under(member), member.key);
    }
  }
  const Member* variable = spot.node.find("Variable");
  if (variable != nullptr) check_path(check, spot.under(*variable), "Variable");
  const bool has_unknown =
      std::any_of(spot.node.members.begin(), spot.node.members.end(), [](const Member& member) {
        const auto& words = fields_in(ObjectKind::kChoiceRule, Language::kJsonPath);
        return !is_free(member.key) &&
               std::find(words.begin(), words.end(), member.key) == words.end();
      });
  if (test == nullptr && has_unknown) return;  // The unknown field was meant as the comparison.
  if (test == nullptr) {
    check.findings.error("choice-rule-incomplete", spot.node.place, spot.pointer,
                         "this rule compares nothing",
                         "add a comparison such as StringEquals, or And, Or, Not");
  } else if (variable == nullptr && !is_connective(test->key)) {
    check_required(check, spot, spot.node.place, {"Variable"}, json_quote(test->key));
  } else if (variable != nullptr && is_connective(test->key)) {
    check.findings.error("unknown-field", variable->key_place, below(spot.pointer, "Variable"),
                         "\"Variable\" may not stand beside " + json_quote(test->key),
                         "it belongs into the conditions below");
  }
}

// A choice rule in JSONata: the expression in its Condition takes the place of all comparisons.
void check_computed_rule(Checking& check, const Spot& spot) {
  check_members(check, spot, ObjectKind::kChoiceRule, "a choice rule of JSONata");
  check_required(check, spot, spot.node.place, {"Condition"}, "a choice rule of JSONata");
  const Member* condition = spot.node.find("Condition");
  if (condition != nullptr) {
    const Spot value = spot.under(*condition);
    const bool is_computed =
        is_expression(check, value, "Condition", Language::kJsonata, expr::StaticType::kBool);
    if (!is_computed && !value.node.value.is_bool()) {
      wrong_type(check, value, "Condition", "true, false or \"{% ... %}\"");
    }
  }
  const Member* output = spot.node.find("Output");
  if (output != nullptr) check_jsonata(check, spot.under(*output), "Output", {});
}

void check_rule(Checking& check, const Spot& spot, Language language) {
  if (language == Language::kJsonPath) {
    check_condition(check, spot, true);
  } else if (is_item(check, spot, "a choice rule")) {
    check_computed_rule(check, spot);
  }
  if (!spot.node.value.is_object()) return;
  check_required(check, spot, spot.node.place, {"Next"}, "a choice rule");
  const Member* next = spot.node.find("Next");
  if (next != nullptr) is_text(check, spot.under(*next), "Next");
  const Member* assign = spot.node.find("Assign");
  if (assign != nullptr) check_assign(check, spot.under(*assign), language);
}

}  // namespace

void check_choices(Checking& check, const Spot& spot, Language language) {
  if (!is_filled_array(check, spot, "Choices")) return;
  for (std::size_t i = 0; i < spot.node.items.size(); ++i) check_rule(check, spot.at(i), language);
}

}  // namespace stepwell::dsl
