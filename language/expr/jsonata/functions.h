// The functions that every expression may call.
#pragma once

#include <string_view>

#include "language/expr/jsonata/evaluator.h"
#include "language/expr/jsonata/signature.h"

namespace stepwell::expr::jsonata {

struct Builtin {
  std::string_view name;
  std::string_view signature_text;  // Empty: accepts any arguments.
  std::size_t arity;                // As a callee of $map and the like sees it.
  Item (*run)(Evaluator& evaluator, Items& args);
  Signature signature = {};
};

// nullptr when no function has that name.
const Builtin* builtin_named(std::string_view name);

// The argument at `index`; undefined when the call has fewer.
inline const Item& arg(const Items& args, std::size_t index) {
  static const Item kUndefined;
  return index < args.size() ? args[index] : kUndefined;
}

// Each adds the functions of its file to the table.
using Builtins = std::vector<Builtin>;
void add_string_functions(Builtins& table);
void add_pattern_functions(Builtins& table);
void add_number_functions(Builtins& table);
void add_array_functions(Builtins& table);
void add_object_functions(Builtins& table);
void add_time_functions(Builtins& table);
void add_aws_functions(Builtins& table);

}  // namespace stepwell::expr::jsonata
