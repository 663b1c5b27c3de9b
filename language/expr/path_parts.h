// What a parsed JSONPath is made of.  Internal to language/expr.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "language/expr/expr.h"

namespace stepwell::expr {

struct Filter;

struct Names {
  std::vector<std::string> names;
  char quote = '\'';
};
struct Indexes {
  std::vector<std::int64_t> indexes;
};
struct Slice {
  std::optional<std::int64_t> from, to;
};
struct Wildcard {};
struct Descent {};  // Applies the next step at every level below.
struct FunctionCall {
  std::string name;
  std::vector<Value> arguments;
};
struct FilterStep {
  std::shared_ptr<const Filter> filter;
};
using PathStep = std::variant<Names, Indexes, Slice, Wildcard, Descent, FunctionCall, FilterStep>;

struct JsonPath::Parts {
  std::string text;
  Root root = Root::kInput;
  std::string variable;
  std::vector<PathStep> steps;
  bool definite = true;
  bool reference = true;
};

}  // namespace stepwell::expr
