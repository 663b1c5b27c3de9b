#include "language/program/comparison.h"

#include <optional>
#include <utility>

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

// With the nanoseconds beyond the millisecond.
std::optional<std::pair<Time, std::int32_t>> as_timestamp(const Value& value) {
  std::int32_t below = 0;
  const auto time = value.is_string() ? parse_rfc3339(value.as_string(), &below) : std::nullopt;
  if (!time) return std::nullopt;
  return std::pair(*time, below);
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

}  // namespace

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

}  // namespace stepwell
