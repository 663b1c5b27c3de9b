// Intrinsic calls as calls of JSONata's functions.  Private to dsl/convert.
#pragma once

#include "dsl/convert/expressions.h"

namespace stepwell::dsl {

Attempt<Formula> call_formula(const std::string& text, const Dialect& dialect);

}  // namespace stepwell::dsl
