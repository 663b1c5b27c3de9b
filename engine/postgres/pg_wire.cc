#include "engine/postgres/pg_wire.h"

#include <algorithm>
#include <bit>
#include <string>
#include <thread>

#include "engine/postgres/batch_sql.h"
#include "engine/postgres/reconnects.h"
#include "engine/store/lane_session.h"

namespace stepwell::postgres {
namespace {

using store::Reply;

// The pauses of a call double up to the longest; then the caller is told kUnavailable, asks again,
// and tells people.
constexpr Millis kFirstPause{5}, kLongestPause{320};

LinkPurpose lane_purpose() {
  return {.name = "lane",
          .statement_timeout = Millis{20'000},
          .lock_timeout = Millis{10'000},
          .pin_plans = true};
}

Reply<std::vector<ExecutionId>> ids_of(const Answer& answer) {
  if (!answer.ok()) return answer.trouble();
  std::vector<ExecutionId> ids;
  for (std::size_t i = 0; i < answer.rows().size(); ++i) {
    ids.push_back(ExecutionId{answer.rows().uuid(i, 0)});
  }
  return ids;
}

Reply<Unit> done(const Answer& answer) {
  if (!answer.ok()) return answer.trouble();
  return Unit{};
}

void count(const store::SessionCounts& counts) {
  reconnects().reconnected += counts.reconnected;
  reconnects().had_landed += counts.had_landed;
  reconnects().sent_again += counts.sent_again;
}

}  // namespace

Reconnects& reconnects() {
  static Reconnects all;
  return all;
}

Result<std::unique_ptr<store::Session>> PgWire::open_session(const PgOptions& options,
                                                             const Uuid& node, const Uuid& writer) {
  std::unique_ptr<PgWire> wire(new PgWire(options, writer));
  wire->link_ = TRY(Link::open(options, lane_purpose()));
  const Answer made =
      wire->link_->run("SELECT stepwell_register_v1($1, $2)", Parameters().add(writer).add(node));
  if (!made.ok()) return made.trouble().error("cannot register a writer");
  if (!made.rows().flag(0, 0)) {
    return Error{ErrorCode::kConflict, "this process's lease is over: it must join anew"};
  }
  return std::unique_ptr<store::Session>(
      std::make_unique<store::LaneSession>(std::move(wire), writer, count));
}

Result<std::optional<std::int64_t>> PgWire::reconnect() {
  link_.reset();
  std::unique_ptr<Link> link = TRY(Link::open(options_, lane_purpose()));
  const Answer taken = link->run("SELECT new_conn, newest FROM stepwell_reconnect_v1($1)",
                                 Parameters().add(writer_));
  if (!taken.ok()) return taken.trouble().error("cannot take the writer over");
  if (taken.rows().empty()) return std::optional<std::int64_t>();
  conn_ = taken.rows().number(0, 0);
  link_ = std::move(link);
  calls_ = 0;
  return std::optional<std::int64_t>(taken.rows().number(0, 1));
}

bool PgWire::may_try_again(int tries) {
  const Millis pause = kFirstPause * (1 << std::min(tries - 1, 10));
  if (pause > kLongestPause) return false;
  std::this_thread::sleep_for(pause);
  return true;
}

// The server keeps the plans of a lane's functions until it hears that a table has changed, and
// what is a good plan for a table of three rows is none for one of a million: autovacuum may not
// have looked for minutes.  So they are made anew each time the calls have doubled.
void PgWire::make_plans_anew_at_times() {
  constexpr std::uint64_t kFirst = 8;
  if (++calls_ < kFirst || !std::has_single_bit(calls_)) return;
  (void)link_->run_script("DISCARD PLANS");  // If that fails, so does the call that follows.
}

Reply<store::CommitReply> PgWire::commit(std::int64_t n, const store::Batch& batch) {
  make_plans_anew_at_times();
  const Answer answer = link_->run(kCommitSql, commit_parameters(writer_, conn_, n, batch));
  if (!answer.ok()) return answer.trouble();
  // The time, and the outcomes unless all starts were created.
  const std::string_view text = answer.rows().text(0, 0);
  const std::size_t blank = std::min(text.find(' '), text.size());
  return store::CommitReply{
      from_unix_ms(std::stoll(std::string(text.substr(0, blank)))),
      parse_outcomes(text.substr(std::min(blank + 1, text.size())), batch.starts)};
}

Reply<store::ClaimReply> PgWire::claim(std::int64_t n, const store::ClaimRequest& request) {
  make_plans_anew_at_times();
  const Answer answer = link_->run(kClaimSql, claim_parameters(writer_, conn_, n, request));
  if (!answer.ok()) return answer.trouble();
  return read_claim(answer.rows());
}

Reply<std::vector<ExecutionId>> PgWire::lost_in(const store::Batch& batch) {
  return ids_of(link_->run("SELECT * FROM stepwell_lost_v2($1, $2, $3, $4, $5)",
                           lost_parameters(writer_, batch)));
}

Reply<std::vector<ExecutionId>> PgWire::owned() {
  return ids_of(link_->run("SELECT id FROM executions WHERE owner = $1 ORDER BY id",
                           Parameters().add(writer_)));
}

Reply<Unit> PgWire::close() {
  return done(link_->run("SELECT stepwell_close_v1($1, $2)", Parameters().add(writer_).add(conn_)));
}

Reply<Unit> PgWire::give_up() {
  return done(link_->run("UPDATE writers SET state = 'dead', dead_at = now() WHERE id = $1",
                         Parameters().add(writer_)));
}

}  // namespace stepwell::postgres
