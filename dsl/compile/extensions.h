// What plain ASL does not have, from a checked document.  Private to dsl/compile/.
#pragma once

#include "dsl/compile/reading.h"

namespace stepwell::dsl {

void read_input_schema(const Node& workflow, Program& program);

}  // namespace stepwell::dsl
