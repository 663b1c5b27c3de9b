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

using Order = std::optional<int>;
bool equal(Order order) { return order == 0; }
bool less(Order order) { return order && *order < 0; }
bool greater(Order order) { return order && *order > 0; }
bool at_most(Order order) { return order && *order <= 0; }
bool at_least(Order order) { return order && *order >= 0; }

bool compare(Comparison comparison, const Value& a, const Value& b) {
  using enum Comparison;
  switch (comparison) {
    case kStringEquals: return equal(compare_strings(a, b));
    case kStringLessThan: return less(compare_strings(a, b));
    case kStringGreaterThan: return greater(compare_strings(a, b));
    case kStringLessThanEquals: return at_most(compare_strings(a, b));
    case kStringGreaterThanEquals: return at_least(compare_strings(a, b));
    case kNumericEquals: return equal(compare_numbers(a, b));
    case kNumericLessThan: return less(compare_numbers(a, b));
    case kNumericGreaterThan: return greater(compare_numbers(a, b));
    case kNumericLessThanEquals: return at_most(compare_numbers(a, b));
    case kNumericGreaterThanEquals: return at_least(compare_numbers(a, b));
    case kTimestampEquals: return equal(compare_timestamps(a, b));
    case kTimestampLessThan: return less(compare_timestamps(a, b));
    case kTimestampGreaterThan: return greater(compare_timestamps(a, b));
    case kTimestampLessThanEquals: return at_most(compare_timestamps(a, b));
    case kTimestampGreaterThanEquals: return at_least(compare_timestamps(a, b));
    case kStringMatches:
      return a.is_string() && b.is_string() && like(a.as_string(), b.as_string());
    case kBooleanEquals: return a.is_bool() && b.is_bool() && a.as_bool() == b.as_bool();
    case kIsNull: return a.is_null();
    case kIsPresent: return true;
    case kIsNumeric: return a.is_number();
    case kIsString: return a.is_string();
    case kIsBoolean: return a.is_bool();
    case kIsTimestamp: return as_timestamp(a).has_value();
  }
  return false;
}

bool is_type_test(Comparison comparison) { return comparison >= Comparison::kIsNull; }

}  // namespace

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
