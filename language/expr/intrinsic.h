// The tree of an intrinsic call, and the functions by name.  Internal to language/expr.
#pragma once

#include <variant>
#include <vector>

#include "language/expr/expr.h"

namespace stepwell::expr {

struct Function;

struct Intrinsic::Call {
  // A literal, a path, or another call.
  using Argument = std::variant<Value, JsonPath, std::shared_ptr<const Call>>;
  std::string text;  // As written.
  const Function* function = nullptr;
  std::vector<Argument> arguments;
  // Texts that the first edition reads otherwise, by the index of the argument.
  std::vector<std::pair<std::size_t, Value>> first_edition;
};

// The value, or why the function refused its arguments: the cause of States.IntrinsicFailure.
using FunctionResult = std::variant<Value, std::string>;

struct Function {
  const char* name;
  std::size_t least, most;  // Arguments.
  FunctionResult (*call)(const Value::Array& arguments, Random& random);
  FunctionResult (*call_first)(const Value::Array& arguments, Random& random) = nullptr;

  FunctionResult run(const Value::Array& arguments, Random& random, Edition edition) const {
    return (edition == Edition::kFirst && call_first != nullptr ? call_first : call)(arguments,
                                                                                     random);
  }
};

// nullptr when no function has that name.
inline constexpr const char* kFormat = "States.Format";
const Function* find_function(std::string_view name);

}  // namespace stepwell::expr
