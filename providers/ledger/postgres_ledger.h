// The ledger and connections of a namespace, kept in PostgreSQL.
//
// All calls block; all objects may be used from many threads.
#pragma once

#include <memory>
#include <string>

#include "base/namespace.h"
#include "base/result.h"
#include "engine/postgres/postgres.h"
#include "providers/ledger/ledger.h"

namespace stepwell::postgres {

Result<std::unique_ptr<store::Ledger>> open_ledger(const PgOptions& options,
                                                   const Namespace& ns = Namespace());
Result<std::unique_ptr<store::Connections>> open_connections(const PgOptions& options,
                                                             const Namespace& ns = Namespace());
inline Result<std::unique_ptr<store::Ledger>> open_ledger(const std::string& url) {
  return open_ledger(PgOptions{.url = url, .label = {}});
}
inline Result<std::unique_ptr<store::Connections>> open_connections(const std::string& url) {
  return open_connections(PgOptions{.url = url, .label = {}});
}

}  // namespace stepwell::postgres
