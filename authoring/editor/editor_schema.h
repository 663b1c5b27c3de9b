// The JSON Schema (draft 7) of the language, for editors: completion, hover, red lines.
//
// Made of dsl/tables, which check reads, too.  A test compares the two: whatever one refuses for
// its shape (fields, types, ranges, words), the other refuses.  Rules that need more than one
// object (does that state exist? is this a valid path?) are in check only.
#pragma once

#include "base/value.h"

namespace stepwell::dsl {

Value editor_schema();

}  // namespace stepwell::dsl
