// What plain ASL does not have, from a checked document.  Private to dsl/compile/.
#pragma once

#include "dsl/compile/reading.h"

namespace stepwell::dsl {

void read_input_schema(const Node& workflow, Program& program);
void read_retry_after(const Node& retrier, Retrier& to);
// `states` by name, as in Reading; marks those of `to` that are in a group.
void read_groups(const Node& machine, const std::string& pointer,
                 const std::map<std::string, StateId, std::less<>>& states, QueryLanguage language,
                 Machine& to);

}  // namespace stepwell::dsl
