// Filters: the `?(...)` of a JSONPath, as Jayway reads and evaluates them.  Internal to
// language/expr.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "language/expr/path_parts.h"
#include "language/expr/regex.h"

namespace stepwell::expr {

enum class Relation : std::uint8_t {
  kExists,
  kEqual,
  kNotEqual,
  kStrictEqual,
  kStrictNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kMatches,
  kIn,
  kNotIn,
  kContains,
  kAllOf,
  kSize,
  kEmpty,
  kSubsetOf,
  kAnyOf,
  kNoneOf,
};

// One side of a comparison.
struct Operand {
  std::variant<Value, std::shared_ptr<const JsonPath::Parts>, Regex> what;
  bool is_current = false;   // A path that begins with `@`.
  bool is_bareword = false;  // A text without quotes.
};

struct Filter {
  struct Comparison {
    Operand left, right;
    Relation relation = Relation::kExists;
  };
  struct All {
    std::vector<Filter> parts;
  };  // Not: true when none of them is.
  struct Any {
    std::vector<Filter> parts;
  };
  struct Not {
    std::vector<Filter> part;
  };  // Not: exactly one operand.
  std::variant<Comparison, All, Any, Not> test = All{};
};

// Counts the work of one evaluation, and ends the evaluation when it is too much.
class Budget {
 public:
  // False: it is too much.  So is what follows then, and no answer of this class means anything.
  bool spend(std::size_t steps = 1) {
    return take(steps <= kMaxEvaluationSteps ? steps * kPartsOfStep : left_ + 1);
  }
  bool is_spent() const { return is_spent_; }
  bool are_equal(const Value& a, const Value& b);
  bool matches(const Regex& regex, std::string_view text);
  bool contains(std::string_view text, std::string_view what);

 private:
  // To compare two values, or to try an item of a regular expression, is a small part of a step.
  static constexpr std::uint64_t kPartsOfStep = 8;

  bool take(std::uint64_t parts) {
    if (parts > left_) is_spent_ = true;
    left_ = is_spent_ ? 0 : left_ - parts;
    return !is_spent_;
  }

  std::uint64_t left_ = kMaxEvaluationSteps * kPartsOfStep;
  bool is_spent_ = false;
};

// `text` is what stands between "?(" and its ")".
Parsed<Filter> parse_filter(std::string_view text, std::size_t at, std::size_t depth);
bool holds(const Filter& filter, const Value& current, const Value& root, Budget& budget);

// The steps of a path, from `at` on, behind its `$` or `@`.
Parsed<std::shared_ptr<const JsonPath::Parts>> parse_parts(std::string_view text,
                                                           std::size_t depth);
struct Found {
  std::optional<Value> value;  // std::nullopt: a definite path leads nowhere.
  std::string missing;
};
Found follow(const JsonPath::Parts& path, const Value& from, const Value& root, Budget& budget,
             bool want_missing);

}  // namespace stepwell::expr
