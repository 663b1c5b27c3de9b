#include "engine/postgres/pooling.h"

#include <pqxx/pqxx>

#include "engine/postgres/link.h"

namespace stepwell::postgres {
namespace {

constexpr int kTries = 3;

// Not a Link: one that is not wanted leaves none of our settings in the pooler's backends.
int backend_of(pqxx::connection& connection) {
  return pqxx::nontransaction(connection).exec1("SELECT pg_backend_pid()")[0].as<int>();
}

bool changes_backends(const std::string& url) {
  pqxx::connection one(url);
  const int backend = backend_of(one);
  if (backend == one.backendpid()) return false;  // A pooler tells its clients numbers of its own.
  pqxx::connection other(url);
  for (int i = 0; i < kTries; ++i) {
    // Both are connected, so whose backend is the same share it.
    if (backend_of(other) == backend || backend_of(one) != backend) return true;
  }
  return false;
}

}  // namespace

Status check_pooling(const PgOptions& options) {
  const std::string url = TRY(link_url(options.url));
  try {
    if (!changes_backends(url)) return ok_status();
  } catch (const std::exception&) {
    return ok_status();  // Whoever connects next says why that fails, in its own words.
  }
  return Error{ErrorCode::kDenied,
               "a pooler stands before this database and changes the backend between "
               "transactions: give Stepwell a pool with pool_mode = session, or the database "
               "itself"};
}

}  // namespace stepwell::postgres
