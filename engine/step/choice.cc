// Choice: conditions over a state's input.
#include "base/match.h"
#include "engine/step/stepper.h"

namespace stepwell {

namespace {

// `*` stands for any text; `\*` and `\\` for themselves.
bool like(std::string_view text, std::string_view pattern) {
  // Greedy with one point to come back to: at most text x pattern steps.
  std::size_t t = 0, p = 0;
  std::size_t star_t = 0, star_p = std::string_view::npos;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star_p = ++p;
      star_t = t;
      continue;
    }
    std::size_t width = 1;
    char wanted = p < pattern.size() ? pattern[p] : '\0';
    if (wanted == '\\' && p + 1 < pattern.size()) {
      wanted = pattern[p + 1];
      width = 2;
    }
    if (p < pattern.size() && text[t] == wanted) {
      ++t;
      p += width;
    } else if (star_p != std::string_view::npos) {
      p = star_p;
      t = ++star_t;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

// -1, 0, 1; nothing when one is no number.
std::optional<int> compare_numbers(const Value& a, const Value& b) {
  if (!a.is_number() || !b.is_number()) return std::nullopt;
  if (a.is_int() && b.is_int()) {
    return a.as_int() < b.as_int() ? -1 : a.as_int() > b.as_int() ? 1 : 0;
  }
  return a.as_double() < b.as_double() ? -1 : a.as_double() > b.as_double() ? 1 : 0;
}

std::optional<int> compare_strings(const Value& a, const Value& b) {
  if (!a.is_string() || !b.is_string()) return std::nullopt;
  const int order = a.as_string().compare(b.as_string());
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

std::optional<Time> as_timestamp(const Value& value) {
  return value.is_string() ? parse_rfc3339(value.as_string()) : std::nullopt;
}

std::optional<int> compare_timestamps(const Value& a, const Value& b) {
  const auto left = as_timestamp(a), right = as_timestamp(b);
  if (!left || !right) return std::nullopt;
  return *left < *right ? -1 : *left > *right ? 1 : 0;
}

bool compare(Comparison comparison, const Value& value, const Value& operand) {
  using enum Comparison;
  std::optional<int> order;
  switch (comparison) {
    case kStringEquals: order = compare_strings(value, operand); return order == 0;
    case kStringLessThan: order = compare_strings(value, operand); return order && *order < 0;
    case kStringGreaterThan: order = compare_strings(value, operand); return order && *order > 0;
    case kStringLessThanEquals:
      order = compare_strings(value, operand);
      return order && *order <= 0;
    case kStringGreaterThanEquals:
      order = compare_strings(value, operand);
      return order && *order >= 0;
    case kStringMatches:
      return value.is_string() && operand.is_string() &&
             like(value.as_string(), operand.as_string());
    case kNumericEquals: order = compare_numbers(value, operand); return order == 0;
    case kNumericLessThan: order = compare_numbers(value, operand); return order && *order < 0;
    case kNumericGreaterThan: order = compare_numbers(value, operand); return order && *order > 0;
    case kNumericLessThanEquals:
      order = compare_numbers(value, operand);
      return order && *order <= 0;
    case kNumericGreaterThanEquals:
      order = compare_numbers(value, operand);
      return order && *order >= 0;
    case kBooleanEquals:
      return value.is_bool() && operand.is_bool() && value.as_bool() == operand.as_bool();
    case kTimestampEquals: order = compare_timestamps(value, operand); return order == 0;
    case kTimestampLessThan: order = compare_timestamps(value, operand); return order && *order < 0;
    case kTimestampGreaterThan:
      order = compare_timestamps(value, operand);
      return order && *order > 0;
    case kTimestampLessThanEquals:
      order = compare_timestamps(value, operand);
      return order && *order <= 0;
    case kTimestampGreaterThanEquals:
      order = compare_timestamps(value, operand);
      return order && *order >= 0;
    case kIsNull: return value.is_null();
    case kIsPresent: return true;
    case kIsNumeric: return value.is_number();
    case kIsString: return value.is_string();
    case kIsBoolean: return value.is_bool();
    case kIsTimestamp: return as_timestamp(value).has_value();
  }
  return false;
}

bool is_type_test(Comparison comparison) { return comparison >= Comparison::kIsNull; }

}  // namespace

bool Stepper::test(Frame& frame, const State& state, const Condition& condition, const Value& input,
                   bool& answer) {
  return std::visit(match{
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
                          if (!test(frame, state, none.conditions.front(), input, answer))
                            return false;
                          answer = !answer;
                          return true;
                        },
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
                         "': The choice state's condition path references an invalid value.");
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
