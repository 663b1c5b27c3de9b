// The JSON Schema (draft 7) of the language, for editors: completion, hover, red lines.
//
// Made of the same tables that the compiler checks with, and held against it by a test: what one
// refuses for its shape (fields, types, ranges, words), so does the other.  What needs more than a
// look at one object (does that state exist? is this a path?) only the compiler knows.
#pragma once

#include "base/value.h"

namespace stepwell::dsl {

Value editor_schema();

}  // namespace stepwell::dsl
