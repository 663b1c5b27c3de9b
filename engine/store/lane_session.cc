#include "engine/store/lane_session.h"

#include <algorithm>
#include <string_view>

namespace stepwell::store {
namespace {

using Kind = Trouble::Kind;

Error fenced_error() {
  return {ErrorCode::kFenced, "this writer was marked dead: drop everything it held"};
}

// The ids that an error of ours lists: "followers of <id>,<id>".
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

template <class Key>
void forget_messages_of(ExecutionId id, std::set<std::pair<ExecutionId, Key>>& out) {
  auto row = out.lower_bound({id, Key{}});
  while (row != out.end() && row->first == id) row = out.erase(row);
}

}  // namespace

Status LaneSession::reconnect() {
  const std::optional<std::int64_t> newest = TRY(wire_->reconnect());
  if (!newest) {
    fenced_ = true;
    return fenced_error();
  }
  if (*newest < acknowledged_n_) {
    // What was acknowledged is not there: a failover lost a tail.  Nothing we hold can be trusted.
    const Reply<Unit> ended = wire_->give_up();
    if (!ended.ok()) return ended.trouble().error("cannot give the writer up");
    fenced_ = true;
    return Error{ErrorCode::kFenced, "the database lost an acknowledged batch: drop everything"};
  }
  SessionCounts counts{.reconnected = 1};
  if (pending_ && !pending_->parts.empty() && pending_->parts.front().n != 0) {
    Part& part = pending_->parts.front();
    part.has_landed = *newest >= part.n;
    ++(part.has_landed ? counts.had_landed : counts.sent_again);
  }
  if (counted_) counted_(counts);
  return ok_status();
}

Status LaneSession::connect() {
  if (fenced_) return fenced_error();
  return wire_->is_connected() ? ok_status() : reconnect();
}

template <class Ask>
auto LaneSession::ask(const Ask& statement) -> Result<decltype(statement())> {
  Error last{ErrorCode::kUnavailable, "the database is away"};
  for (int tries = 1;; ++tries) {
    const Status connected = connect();
    if (connected.ok()) {
      auto reply = statement();
      if (reply.ok()) return reply;
      const Trouble& trouble = reply.trouble();
      if (trouble.kind == Kind::kFenced) {
        fenced_ = true;
        return fenced_error();
      }
      const bool may_pass = trouble.kind == Kind::kLost || trouble.kind == Kind::kBusy;
      if (!may_pass || trouble.is_too_much()) return reply;
      last = trouble.error("write");
    } else if (connected.error().code == ErrorCode::kFenced) {
      return connected.error();
    } else {
      last = connected.error();
    }
    if (!wire_->may_try_again(tries)) return Error{ErrorCode::kUnavailable, last.message};
  }
}

Result<Ack> LaneSession::commit(const Batch& batch) {
  if (pending_ && pending_->number != batch.number) {
    return Error{ErrorCode::kInvalid, "batch " + std::to_string(pending_->number) +
                                          " has no answer yet: ask for it before sending another"};
  }
  if (pending_) return finish_pending();
  if (batch.number != 0 && batch.number == answered_number_) return answered_;
  Pending& pending = pending_.emplace(Pending{});
  pending.number = batch.number;
  pending.ack.refused = refused_texts(batch);
  for (const Start& start : batch.starts) pending.starts.push_back(start.id);
  if (pending.ack.refused.empty()) {
    pending.parts.push_back({batch, 0});
  } else {
    ExecutionSet refused;
    for (const Refused& row : pending.ack.refused) refused.insert(row.execution);
    pending.parts.push_back({without(batch, refused), 0});
  }
  return finish_pending();
}

Result<Ack> LaneSession::finish_pending() {
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
  // Nothing of these has happened: their messages are to be told again.
  for (const Refused& refused : ack.refused) forget_handed_out(refused.execution);
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

Status LaneSession::commit_part() {
  Part& part = pending_->parts.front();
  if (part.n == 0) part.n = next_n_++;
  const Reply<CommitReply> reply = TRY(ask([&] { return wire_->commit(part.n, part.batch); }));
  if (!reply.ok()) return cut(reply.trouble());
  landed(part, *reply);
  return ok_status();
}

void LaneSession::landed(const Part& part, const CommitReply& reply) {
  acknowledged_n_ = std::max(acknowledged_n_, part.n);
  pending_->ack.now = reply.now;
  for (std::size_t i = 0; i < reply.starts.size(); ++i) {
    pending_->outcomes.emplace(part.batch.starts[i].id, reply.starts[i]);
  }
  forget_handed_out(part.batch);
  pending_->parts.pop_front();
}

void LaneSession::forget_handed_out(const Batch& batch) {
  for (const InboxKey& key : batch.consumed) inbox_out_.erase({key.execution, key.id});
  for (const NoticeKey& key : batch.notices) notices_out_.erase({key.execution, key.key});
  if (inbox_out_.empty() && notices_out_.empty()) return;
  for (const FinishRow& row : batch.finishes) forget_handed_out(row.execution);
  for (const Park& row : batch.parks) forget_handed_out(row.execution);
  for (const Quarantine& row : batch.quarantines) forget_handed_out(row.execution);
  for (const ExecutionId id : batch.released) forget_handed_out(id);
}

void LaneSession::forget_handed_out(ExecutionId id) {
  forget_messages_of(id, inbox_out_);
  forget_messages_of(id, notices_out_);
}

// The front part was refused as a whole, so nothing of it has happened: cut out the culprit.
Status LaneSession::cut(const Trouble& trouble) {
  Part& part = pending_->parts.front();
  switch (trouble.kind) {
    case Kind::kNotMine:
    case Kind::kTaken: return cut_lost(trouble.message);
    case Kind::kFollowers: {
      const ExecutionSet named = ids_in(trouble.message);
      if (named.empty()) break;
      part.batch = without_followers(part.batch, named);
      return ok_status();
    }
    case Kind::kRefusedData: halve(trouble.message); return ok_status();
    case Kind::kSchema:
    case Kind::kDenied:
    case Kind::kOther:
      // Nothing says that a row is to blame: refusing them one by one would fail them all.
      return Error{ErrorCode::kUnavailable, trouble.error("commit").message};
    case Kind::kBusy:
      // Of one that had landed only the reply is wanted, and is asked for again.
      if (trouble.is_too_much() && !part.has_landed) set_back(trouble.message);
      break;
    case Kind::kLost:
    case Kind::kFenced: break;
  }
  return trouble.error("commit");
}

// Some execution belongs to somebody else by now: ask which.
Status LaneSession::cut_lost(const std::string& why) {
  Part& part = pending_->parts.front();
  const Reply<std::vector<ExecutionId>> reply =
      TRY(ask([&] { return wire_->lost_in(part.batch); }));
  if (!reply.ok()) return reply.trouble().error("look for lost executions");
  if (reply->empty()) {
    halve(why);
    return ok_status();
  }
  const ExecutionSet lost(reply->begin(), reply->end());
  pending_->ack.lost.insert(pending_->ack.lost.end(), lost.begin(), lost.end());
  part.batch = without(part.batch, lost);
  return ok_status();
}

// The next attempt is smaller.  What cannot be smaller goes last, so that the rest is durable.
void LaneSession::set_back(const std::string& why) {
  if (executions_in(pending_->parts.front().batch).size() > 1) return halve(why);
  Part part = std::move(pending_->parts.front());
  pending_->parts.pop_front();
  part.n = 0;  // Not used, and those before it take higher ones.
  pending_->parts.push_back(std::move(part));
}

void LaneSession::halve(const std::string& why) {
  const Part part = std::move(pending_->parts.front());
  pending_->parts.pop_front();
  const std::vector<ExecutionId> ids = executions_in(part.batch);
  if (ids.size() <= 1) {
    for (const ExecutionId id : ids) pending_->ack.refused.push_back({id, why});
    return;
  }
  const auto middle = ids.begin() + static_cast<std::ptrdiff_t>(ids.size() / 2);
  pending_->parts.push_front({only(part.batch, {middle, ids.end()}), 0});
  // The number was not used: what it named has not happened.
  pending_->parts.push_front({only(part.batch, {ids.begin(), middle}), part.n});
}

// Each message is given once, until it is consumed or its execution leaves.
void LaneSession::hand_out(ClaimResult& result) {
  for (const Claimed& claimed : result.claimed) {
    for (const InboxRow& row : claimed.inbox) inbox_out_.insert({row.execution, row.id});
    for (const Notice& row : claimed.notices) notices_out_.insert({row.key.execution, row.key.key});
  }
  std::erase_if(result.inbox, [this](const InboxRow& row) {
    return !inbox_out_.insert({row.execution, row.id}).second;
  });
  std::erase_if(result.notices, [this](const Notice& row) {
    return !notices_out_.insert({row.key.execution, row.key.key}).second;
  });
}

Result<ClaimResult> LaneSession::claim(const ClaimRequest& request) {
  if (claim_n_ == 0) claim_n_ = next_n_++;
  const Reply<ClaimReply> reply = TRY(ask([&] { return wire_->claim(claim_n_, request); }));
  if (!reply.ok()) return reply.trouble().error("claim");
  if (reply->wrote) acknowledged_n_ = std::max(acknowledged_n_, claim_n_);
  claim_n_ = 0;
  ClaimResult result = reply->result;
  hand_out(result);
  return result;
}

Result<std::vector<ExecutionId>> LaneSession::owned() {
  const Reply<std::vector<ExecutionId>> reply = TRY(ask([&] { return wire_->owned(); }));
  if (!reply.ok()) return reply.trouble().error("ask what this lane owns");
  return *reply;
}

Status LaneSession::close() {
  const Reply<Unit> reply = TRY(ask([&] { return wire_->close(); }));
  if (!reply.ok()) return reply.trouble().error("close a session");
  fenced_ = true;
  return ok_status();
}

}  // namespace stepwell::store
