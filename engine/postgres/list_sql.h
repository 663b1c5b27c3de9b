// The statements behind Store::list and describe.
#pragma once

#include <optional>
#include <string>

#include "engine/postgres/link.h"
#include "engine/store/store.h"

namespace stepwell::postgres {

// Namespace, "before" (an id), limit and, where the filter names one, a workflow.  One text for
// each combination, statuses as literals: a parameter would hide the index from the plan.
std::string list_sql(const store::ListFilter& filter);
// Id and namespace.
extern const char* const kDescribeSql;

store::ExecutionRow read_execution(const Rows& rows, std::size_t row);

}  // namespace stepwell::postgres
