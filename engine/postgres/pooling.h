// What stands between Stepwell and PostgreSQL: nothing, or a pooler.
#pragma once

#include "engine/postgres/postgres.h"

namespace stepwell::postgres {

// An error when a pooler hands each transaction to another backend (pgbouncer's modes `transaction`
// and `statement`): settings, prepared statements, notifications and advisory locks belong to a
// connection, and would be somebody else's at the next statement.
Status check_pooling(const PgOptions& options);

}  // namespace stepwell::postgres
