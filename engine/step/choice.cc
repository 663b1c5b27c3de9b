// Choice: conditions over a state's input.
#include "base/match.h"
#include "engine/step/evaluation.h"
#include "language/program/comparison.h"

namespace stepwell {

Evaluated<Chosen> Evaluation::choose(const Frame& frame, const State& state, const Choice& choice) {
  if (state.speaks_jsonata()) return compute_choice(frame, state, choice);
  Chosen chosen;
  chosen.input = TRY(selected_input(frame, state));
  for (const ChoiceRule& rule : choice.rules) {
    if (!TRY(test(frame, state, rule.condition, chosen.input))) continue;
    chosen.rule = &rule;
    break;
  }
  return chosen;
}

Evaluated<bool> Evaluation::test(const Frame& frame, const State& state, const Condition& condition,
                                 const Value& input) {
  // True or false as soon as a part of it is `decisive`.
  const auto until = [&](const std::vector<Condition>& parts, bool decisive) -> Evaluated<bool> {
    for (const Condition& part : parts) {
      if (TRY(test(frame, state, part, input)) == decisive) return decisive;
    }
    return !decisive;
  };
  return std::visit(match{
                        [&](const Test& one) { return test_one(frame, state, one, input); },
                        [&](const AllOf& all) { return until(all.conditions, false); },
                        [&](const AnyOf& any) { return until(any.conditions, true); },
                        [&](const NoneOf& none) -> Evaluated<bool> {
                          return !TRY(test(frame, state, none.conditions.front(), input));
                        },
                        [](const Truth&) -> Evaluated<bool> {
                          CHECK(false, "a JSONata condition in a JSONPath state");
                        },
                    },
                    condition.test);
}

Evaluated<bool> Evaluation::test_one(const Frame& frame, const State& state, const Test& test,
                                     const Value& input) {
  const Value context = state.uses_context ? context_of(frame, state) : Value();
  Random random = next_random();
  const expr::Scope scope{input, context, frame.variables, random};
  const auto unusable = [&](const expr::JsonPath& path) {
    return runtime_fault("Invalid path '" + path.text() +
                             "': The choice state's condition path references an invalid value.",
                         path.text());
  };
  const std::optional<Value> value = test.variable.find(scope);
  if (test.comparison == Comparison::kIsPresent) {
    return value.has_value() == std::get<Value>(test.operand).as_bool();
  }
  if (!value) return unusable(test.variable);
  if (is_type_test(test.comparison)) {
    return compare(test.comparison, *value, Value()) == std::get<Value>(test.operand).as_bool();
  }
  if (const auto* path = std::get_if<expr::JsonPath>(&test.operand)) {
    const std::optional<Value> operand = path->find(scope);
    if (!operand) return unusable(*path);
    return compare(test.comparison, *value, *operand);
  }
  return compare(test.comparison, *value, std::get<Value>(test.operand));
}

}  // namespace stepwell
