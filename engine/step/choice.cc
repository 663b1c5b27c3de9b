// Choice: conditions over a state's input.
#include "base/match.h"
#include "engine/step/stepper.h"
#include "language/program/comparison.h"

namespace stepwell {

bool Stepper::test(Frame& frame, const State& state, const Condition& condition, const Value& input,
                   bool& answer) {
  return std::visit(
      match{
          [&](const Test& one) { return test_one(frame, state, one, input, answer); },
          [&](const AllOf& all) {
            answer = true;
            for (const Condition& part : all.conditions) {
              if (!test(frame, state, part, input, answer)) return false;
              if (!answer) break;
            }
            return true;
          },
          [&](const AnyOf& any) {
            answer = false;
            for (const Condition& part : any.conditions) {
              if (!test(frame, state, part, input, answer)) return false;
              if (answer) break;
            }
            return true;
          },
          [&](const NoneOf& none) {
            if (!test(frame, state, none.conditions.front(), input, answer)) return false;
            answer = !answer;
            return true;
          },
          [](const Truth&) -> bool { CHECK(false, "a JSONata condition in a JSONPath state"); },
      },
      condition.test);
}

bool Stepper::test_one(Frame& frame, const State& state, const Test& test, const Value& input,
                       bool& answer) {
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
    answer = value.has_value() == std::get<Value>(test.operand).as_bool();
    return true;
  }
  if (!value) return unusable(test.variable);
  if (is_type_test(test.comparison)) {
    answer = compare(test.comparison, *value, Value()) == std::get<Value>(test.operand).as_bool();
    return true;
  }
  if (const auto* path = std::get_if<expr::JsonPath>(&test.operand)) {
    const std::optional<Value> operand = path->find(scope);
    if (!operand) return unusable(*path);
    answer = compare(test.comparison, *value, *operand);
  } else {
    answer = compare(test.comparison, *value, std::get<Value>(test.operand));
  }
  return true;
}

}  // namespace stepwell
