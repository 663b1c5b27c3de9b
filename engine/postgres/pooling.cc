#include "engine/postgres/pooling.h"

#include "engine/postgres/link.h"

namespace stepwell::postgres {
namespace {

constexpr int kTries = 3;

Result<std::int64_t> backend_of(Link& link) {
  const Answer answer = link.run_script("SELECT pg_backend_pid()");
  if (!answer.ok()) return answer.trouble().error("connect");
  return answer.rows().number(0, 0);
}

}  // namespace

Error changes_backends() {
  return {ErrorCode::kDenied,
          "a pooler stands before this database and changes the backend between transactions: give "
          "Stepwell a pool with pool_mode = session, or the database itself"};
}

Status check_pooling(const PgOptions& options) {
  const LinkPurpose purpose{.name = "check"};
  const auto one = TRY(Link::open(options, purpose));
  // A pooler tells its clients numbers of its own.
  if (TRY(backend_of(*one)) == one->backend_pid()) return ok_status();
  const auto other = TRY(Link::open(options, purpose));
  for (int i = 0; i < kTries; ++i) {
    // Both are connected, so whose backend is the same share it.
    if (TRY(backend_of(*one)) == TRY(backend_of(*other))) return changes_backends();
  }
  return ok_status();
}

}  // namespace stepwell::postgres
