#include "engine/postgres/session.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <thread>

#include "engine/postgres/batch_sql.h"
#include "engine/postgres/reconnects.h"

namespace stepwell::postgres {
namespace {

using store::Ack;
using store::Batch;
using store::ClaimRequest;
using store::ClaimResult;
using store::ExecutionSet;
using store::StartOutcome;
using Kind = Trouble::Kind;

// How long one call tries before it says kUnavailable; the caller then asks again, and tells
// people.
constexpr Millis kPatience{1'000};
constexpr Millis kFirstPause{5}, kLongestPause{500};

constexpr const char* kClaimSql =
    "SELECT * FROM stepwell_claim_v1($1, $2, $3, $4, $5, $6, $7, nullif($8::bigint, -1))";

LinkPurpose lane_purpose() {
  return {.name = "lane",
          .statement_timeout = Millis{20'000},
          .lock_timeout = Millis{10'000},
          .pin_plans = true};
}

Error fenced_error() {
  return {ErrorCode::kFenced, "this writer was marked dead: drop everything it held"};
}

// Statement timeout, out of memory: half of it may be done where the whole never is.
bool is_too_much(const Trouble& trouble) {
  return trouble.sqlstate == "57014" || trouble.sqlstate == "53200";
}

// The ids that an error of ours lists after its colon or blank: "not mine: <id>,<id>".
ExecutionSet ids_in(const std::string& message) {
  constexpr std::size_t kIdLength = 36;
  ExecutionSet ids;
  for (std::size_t i = 0; i + kIdLength <= message.size();) {
    if (const auto id = Uuid::parse(std::string_view(message).substr(i, kIdLength))) {
      ids.insert(ExecutionId{*id});
      i += kIdLength;
    } else {
      ++i;
    }
  }
  return ids;
}

}  // namespace

Result<std::unique_ptr<store::Session>> PgSession::open(const PgOptions& options, const Uuid& node,
                                                        const Uuid& writer) {
  std::unique_ptr<PgSession> session(new PgSession(options, writer));
  session->link_ = TRY(Link::open(options, lane_purpose()));
  const Answer made = session->link_->run(
      "INSERT INTO writers (id, node, backend_pid, backend_start) "
      "SELECT $1::uuid, $2::uuid, pid, backend_start FROM pg_stat_activity WHERE pid = "
      "pg_backend_pid()",
      Parameters().add(writer).add(node));
  if (!made.ok()) return made.trouble().error("cannot register a writer");
  return std::unique_ptr<store::Session>(std::move(session));
}

Status PgSession::reconnect() {
  std::unique_ptr<Link> link = TRY(Link::open(options_, lane_purpose()));
  const Answer taken = link->run("SELECT new_conn, newest FROM stepwell_reconnect_v1($1)",
                                 Parameters().add(writer_));
  if (!taken.ok()) return taken.trouble().error("cannot take the writer over");
  if (taken.rows().empty()) {
    fenced_ = true;
    return fenced_error();
  }
  if (taken.rows().number(0, 1) < acknowledged_n_) {
    // What was acknowledged is not there: a failover lost a tail.  Nothing we hold can be trusted.
    const Answer ended =
        link->run("UPDATE writers SET state = 'dead', dead_at = now() WHERE id = $1",
                  Parameters().add(writer_));
    if (!ended.ok()) return ended.trouble().error("cannot give the writer up");
    fenced_ = true;
    return Error{ErrorCode::kFenced, "the database lost an acknowledged batch: drop everything"};
  }
  ++reconnects().reconnected;
  if (pending_ && !pending_->parts.empty() && pending_->parts.front().n != 0) {
    const bool landed = taken.rows().number(0, 1) >= pending_->parts.front().n;
    ++(landed ? reconnects().had_landed : reconnects().sent_again);
  }
  conn_ = taken.rows().number(0, 0);
  link_ = std::move(link);
  return ok_status();
}

Reconnects& reconnects() {
  static Reconnects all;
  return all;
}

Result<Link*> PgSession::connected() {
  if (fenced_) return fenced_error();
  if (link_ == nullptr || link_->is_lost()) {
    link_.reset();
    TRY(reconnect());
  }
  return link_.get();
}

template <class MakeParameters>
Result<Answer> PgSession::send(const char* sql, const MakeParameters& parameters) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  Millis pause = kFirstPause;
  Error last{ErrorCode::kUnavailable, "the database is away"};
  for (;;) {
    const Result<Link*> link = connected();
    if (link.ok()) {
      Answer answer = (*link)->run(sql, parameters());
      if (answer.ok()) return answer;
      const Trouble& trouble = answer.trouble();
      if (trouble.kind == Kind::kFenced) {
        fenced_ = true;
        return fenced_error();
      }
      const bool may_pass = trouble.kind == Kind::kLost || trouble.kind == Kind::kBusy;
      if (!may_pass || is_too_much(trouble)) return answer;
      last = trouble.error("write");
    } else if (link.error().code == ErrorCode::kFenced) {
      return link.error();
    } else {
      last = link.error();
    }
    if (std::chrono::steady_clock::now() + pause > deadline) {
      return Error{ErrorCode::kUnavailable, last.message};
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, kLongestPause);
  }
}

Result<Ack> PgSession::commit(const Batch& batch) {
  if (pending_ && pending_->number != batch.number) {
    return Error{ErrorCode::kInvalid, "batch " + std::to_string(pending_->number) +
                                          " has no answer yet: ask for it before sending another"};
  }
  if (pending_) return finish_pending();
  if (batch.number != 0 && batch.number == answered_number_) return answered_;
  Pending& pending = pending_.emplace();
  pending.number = batch.number;
  pending.ack.refused = store::refused_texts(batch);
  for (const store::Start& start : batch.starts) pending.starts.push_back(start.id);
  if (pending.ack.refused.empty()) {
    pending.parts.push_back({batch, 0});
  } else {
    ExecutionSet refused;
    for (const store::Refused& row : pending.ack.refused) refused.insert(row.execution);
    pending.parts.push_back({store::without(batch, refused), 0});
  }
  return finish_pending();
}

Result<Ack> PgSession::finish_pending() {
  while (!pending_->parts.empty()) {
    if (pending_->parts.front().batch.empty()) {
      pending_->parts.pop_front();
      continue;
    }
    const Status committed = commit_part();
    if (committed.ok()) continue;
    if (committed.error().code != ErrorCode::kUnavailable) pending_.reset();
    return committed.error();
  }
  Ack ack = std::move(pending_->ack);
  // Nothing of these has happened: their inbox is to be told again.
  for (const store::Refused& refused : ack.refused) forget_handed_out(refused.execution);
  for (const ExecutionId id : pending_->starts) {
    const auto known = pending_->outcomes.find(id);
    // A start that was cut out is listed as refused.
    ack.starts.push_back(known != pending_->outcomes.end()
                             ? known->second
                             : StartOutcome{StartOutcome::Kind::kExistsOther, {}});
  }
  answered_number_ = pending_->number;
  answered_ = ack;
  pending_.reset();
  return ack;
}

Status PgSession::commit_part() {
  Part& part = pending_->parts.front();
  if (part.n == 0) part.n = next_n_++;
  const Answer answer =
      TRY(send(kCommitSql, [&] { return commit_parameters(writer_, conn_, part.n, part.batch); }));
  if (!answer.ok()) return cut(answer.trouble());
  landed(part, answer.rows().string(0, 0));
  return ok_status();
}

void PgSession::landed(const Part& part, const std::string& answer) {
  acknowledged_n_ = std::max(acknowledged_n_, part.n);
  const std::size_t blank = std::min(answer.find(' '), answer.size());
  pending_->ack.now = from_unix_ms(std::stoll(answer.substr(0, blank)));
  const std::string_view outcomes =
      std::string_view(answer).substr(std::min(blank + 1, answer.size()));
  const std::vector<StartOutcome> parsed = parse_outcomes(outcomes, part.batch.starts);
  for (std::size_t i = 0; i < parsed.size(); ++i) {
    pending_->outcomes.emplace(part.batch.starts[i].id, parsed[i]);
  }
  forget_handed_out(part.batch);
  pending_->parts.pop_front();
}

void PgSession::forget_handed_out(const Batch& batch) {
  for (const store::InboxKey& key : batch.consumed) handed_out_.erase({key.execution, key.id});
  if (handed_out_.empty()) return;
  for (const store::FinishRow& row : batch.finishes) forget_handed_out(row.execution);
  for (const store::Park& row : batch.parks) forget_handed_out(row.execution);
  for (const store::Quarantine& row : batch.quarantines) forget_handed_out(row.execution);
  for (const ExecutionId id : batch.released) forget_handed_out(id);
}

void PgSession::forget_handed_out(ExecutionId id) {
  auto row = handed_out_.lower_bound({id, 0});
  while (row != handed_out_.end() && row->first == id) row = handed_out_.erase(row);
}

// The front part was refused as a whole, so nothing of it has happened: cut out the culprit.
Status PgSession::cut(const Trouble& trouble) {
  Part& part = pending_->parts.front();
  const ExecutionSet named = ids_in(trouble.message);
  switch (trouble.kind) {
    case Kind::kNotMine:
      if (named.empty()) break;
      pending_->ack.lost.insert(pending_->ack.lost.end(), named.begin(), named.end());
      part.batch = store::without(part.batch, named);
      return ok_status();
    case Kind::kFollowers:
      if (named.empty()) break;
      part.batch = store::without_followers(part.batch, named);
      return ok_status();
    case Kind::kTaken: return cut_taken();
    case Kind::kRefusedData: halve(trouble.message); return ok_status();
    case Kind::kSchema:
    case Kind::kOther:
      // Nothing says that a row is to blame: refusing them one by one would fail them all.
      return Error{ErrorCode::kUnavailable, trouble.error("commit").message};
    case Kind::kBusy:
      if (is_too_much(trouble)) set_back(trouble.message);
      break;
    case Kind::kLost:
    case Kind::kFenced: break;
  }
  return trouble.error("commit");
}

// A unique key is violated: somebody else has written that fact, so the execution is not ours.
Status PgSession::cut_taken() {
  Part& part = pending_->parts.front();
  ArrayParameter executions(ElementType::kUuid), seqs(ElementType::kInt8);
  for (const store::JournalRow& row : part.batch.facts) {
    executions.add(row.execution.uuid);
    seqs.add_int8(static_cast<std::int64_t>(row.seq));
  }
  Parameters parameters;
  parameters.add(std::move(executions)).add(std::move(seqs));
  const Answer taken = TRY(send(
      "SELECT DISTINCT j.execution FROM unnest($1::uuid[], $2::bigint[]) AS f (execution, seq) "
      "JOIN journal j ON j.execution = f.execution AND j.seq = f.seq",
      [&] { return parameters; }));
  if (!taken.ok()) return taken.trouble().error("look for lost executions");
  if (taken.rows().empty()) {
    halve("a unique key is violated");
    return ok_status();
  }
  ExecutionSet lost;
  for (std::size_t i = 0; i < taken.rows().size(); ++i) {
    lost.insert(ExecutionId{taken.rows().uuid(i, 0)});
  }
  pending_->ack.lost.insert(pending_->ack.lost.end(), lost.begin(), lost.end());
  part.batch = store::without(part.batch, lost);
  return ok_status();
}

// The next attempt is smaller.  What cannot be smaller goes last, so that the rest is durable.
void PgSession::set_back(const std::string& why) {
  if (store::executions_in(pending_->parts.front().batch).size() > 1) return halve(why);
  Part part = std::move(pending_->parts.front());
  pending_->parts.pop_front();
  part.n = 0;  // Not used, and those before it take higher ones.
  pending_->parts.push_back(std::move(part));
}

void PgSession::halve(const std::string& why) {
  const Part part = std::move(pending_->parts.front());
  pending_->parts.pop_front();
  const std::vector<ExecutionId> ids = store::executions_in(part.batch);
  if (ids.size() <= 1) {
    for (const ExecutionId id : ids) pending_->ack.refused.push_back({id, why});
    return;
  }
  const auto middle = ids.begin() + static_cast<std::ptrdiff_t>(ids.size() / 2);
  pending_->parts.push_front({store::only(part.batch, {middle, ids.end()}), 0});
  // The number was not used: what it named has not happened.
  pending_->parts.push_front({store::only(part.batch, {ids.begin(), middle}), part.n});
}

Result<ClaimResult> PgSession::claim(const ClaimRequest& request) {
  if (claim_n_ == 0) claim_n_ = next_n_++;
  const Answer answer = TRY(send(kClaimSql, [&] {
    Parameters parameters;
    parameters.add(writer_).add(conn_).add(claim_n_).add(text_array(request.pools));
    parameters.add_int2(static_cast<std::int16_t>(request.semantics));
    parameters.add_int4(static_cast<std::int32_t>(request.limit)).add_bool(request.take_suspect);
    parameters.add(request.max_journal_bytes ? static_cast<std::int64_t>(*request.max_journal_bytes)
                                             : std::int64_t{-1});
    return parameters;
  }));
  if (!answer.ok()) return answer.trouble().error("claim");
  bool wrote = false;
  ClaimResult result = read_claim(answer.rows(), wrote);
  if (wrote) acknowledged_n_ = std::max(acknowledged_n_, claim_n_);
  claim_n_ = 0;
  std::erase_if(result.inbox, [this](const store::InboxRow& row) {
    return !handed_out_.insert({row.execution, row.id}).second;
  });
  for (const store::Claimed& claimed : result.claimed) {
    for (const store::InboxRow& row : claimed.inbox) handed_out_.insert({row.execution, row.id});
  }
  return result;
}

Result<std::vector<ExecutionId>> PgSession::owned() {
  const Answer answer = TRY(send("SELECT id FROM executions WHERE owner = $1 ORDER BY id",
                                 [&] { return Parameters().add(writer_); }));
  if (!answer.ok()) return answer.trouble().error("ask what this lane owns");
  std::vector<ExecutionId> ids;
  for (std::size_t i = 0; i < answer.rows().size(); ++i) {
    ids.push_back(ExecutionId{answer.rows().uuid(i, 0)});
  }
  return ids;
}

Status PgSession::close() {
  const Answer answer = TRY(send("SELECT stepwell_close_v1($1, $2)",
                                 [&] { return Parameters().add(writer_).add(conn_); }));
  if (!answer.ok()) return answer.trouble().error("close a session");
  fenced_ = true;
  return ok_status();
}

}  // namespace stepwell::postgres
