// comparison — how a Choice compares two values.  A value of the wrong type makes it false.
#pragma once

#include "language/program/program.h"

namespace stepwell {

// IsNull and its like look at `a` alone; IsPresent is true of every value.
bool compare(Comparison comparison, const Value& a, const Value& b);

// IsNull, IsPresent, IsNumeric, ...: the operand says which answer is wanted.
bool is_type_test(Comparison comparison);

}  // namespace stepwell
