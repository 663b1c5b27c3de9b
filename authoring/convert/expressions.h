// Turns JSONPath expressions into JSONata text.  Private to authoring/convert.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/value.h"

namespace stepwell::dsl {

// What is known of the value of an expression without evaluating it.
enum class Known : std::uint8_t { kNothing, kText, kWhole, kTruth, kList, kObject };

// JSONata text.  `is_path`: it is a path, a call or a literal, and needs no parentheses but for a
// literal at the beginning of a path, where "a" is a name and 3 is not allowed.
struct Formula {
  std::string text;
  Known known = Known::kNothing;
  bool is_path = false, is_literal = false;

  std::string operand() const { return is_path ? text : "(" + text + ")"; }
};

// Why something has no exact counterpart.
struct Refusal {
  std::string reason;
  std::string where = {};  // JSON pointer inside of the field: "/a/b.$".
};

template <class T>
class Attempt {
 public:
  Attempt(T value) : state_(std::move(value)) {}
  Attempt(Refusal refusal) : state_(std::move(refusal)) {}
  bool ok() const { return state_.index() == 0; }
  const T& value() const { return std::get<0>(state_); }
  const Refusal& refusal() const { return std::get<1>(state_); }
  const T& operator*() const { return value(); }
  const T* operator->() const { return &value(); }

 private:
  std::variant<T, Refusal> state_;
};

struct Dialect {
  Formula input;              // What `$` stands for.
  bool assume_plain = false;  // JsonataOptions::assume_plain
};

// The parts of a definite path: "$.a['b'][0]".
struct PathText {
  enum class Root { kInput, kContext, kVariable };
  Root root = Root::kInput;
  std::string variable;
  using Step = std::variant<std::string, std::int64_t>;
  std::vector<Step> steps;
};
Attempt<PathText> read_definite_path(std::string_view text);
// `from` followed by these steps.
Formula follow(Formula from, const std::vector<PathText::Step>& steps);

Attempt<Formula> path_formula(const std::string& text, const Dialect& dialect);
// The counterpart of a path or an intrinsic call.
Attempt<Formula> expression_formula(const std::string& text, const Dialect& dialect);
// The counterpart of a payload template as one expression ...
Attempt<Formula> template_formula(const Value& payload, const Dialect& dialect);
// ... and as a payload of JSONata, in which only the fields that were computed are expressions.
Attempt<Value> template_value(const Value& payload, const Dialect& dialect);
// All reasons why template_formula() (`is_formula`) or template_value() refuses; those two stop at
// the first.
std::vector<Refusal> template_refusals(const Value& payload, const Dialect& dialect,
                                       bool is_formula);
// A constant as a payload of JSONata, and as an expression.
Value verbatim(const Value& constant);
Attempt<Formula> constant_formula(const Value& constant);

// "{% text %}"
Value computed(const Formula& formula);

// The Condition for a rule of a Choice.
Attempt<Formula> condition_formula(const Value& rule, const Dialect& dialect);
std::vector<Refusal> condition_refusals(const Value& rule, const Dialect& dialect);

}  // namespace stepwell::dsl
