// What plain ASL does not have.  Private to dsl/compile/.
#pragma once

#include "dsl/compile/reading.h"

namespace stepwell::dsl {

void read_input_schema(const Node& workflow, Program& program);
void read_retry_after(const Node& retrier, Retrier& to);
// Adds the groups to the machine `to`, and tells its states which group they are in.
void read_groups(const Node& machine, const std::string& pointer, const StateNames& states,
                 QueryLanguage language, Machine& to);

}  // namespace stepwell::dsl
