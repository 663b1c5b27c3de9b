// Filters: the `?(...)` of a JSONPath, as Jayway reads and evaluates them.  Internal to
// language/expr.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "language/expr/path_parts.h"

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
  struct Pattern {
    std::string text;
    bool ignore_case = false;
  };
  std::variant<Value, std::shared_ptr<const JsonPath::Parts>, Pattern> what;
  bool is_current = false;  // A path that begins with `@`.
  bool is_negated = false;  // `!@.a`
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
  bool spend(std::size_t steps = 1) {
    spent_ += steps;
    return spent_ <= kMaxEvaluationSteps;
  }
  bool is_spent() const { return spent_ > kMaxEvaluationSteps; }

 private:
  std::size_t spent_ = 0;
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
