// Turns intrinsic calls into calls of JSONata's functions.  Private to authoring/convert.
#pragma once

#include "authoring/convert/expressions.h"

namespace stepwell::dsl {

Attempt<Formula> call_formula(const std::string& text, const Dialect& dialect);

}  // namespace stepwell::dsl
