// What an expression reads, and which type of value it yields, as far as its text tells.
#pragma once

#include "language/expr/jsonata.h"
#include "language/expr/jsonata/ast.h"

namespace stepwell::expr::jsonata {

JsonataReads reads_of(const Node& root);
StaticType type_of(const Node& node);

}  // namespace stepwell::expr::jsonata
