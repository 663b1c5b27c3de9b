// MemoryState: a lane's batch, as in sql/engine/functions/commit.sql.
#include <algorithm>

#include "engine/store/memory_state.h"

namespace stepwell::store {
namespace {

using Kind = Trouble::Kind;

std::optional<Trouble> not_mine() { return Trouble{Kind::kNotMine, "SW002", "not mine"}; }

std::string joined(const ExecutionSet& ids) {
  std::string text;
  for (const ExecutionId id : ids) text += (text.empty() ? "" : ",") + id.text();
  return text;
}

// As the groups of a batch see it, one after the other: what is the writer's, and is still.
class Mine {
 public:
  Mine(const ExecutionSet& owned, const Batch& batch, const std::vector<bool>& is_new)
      : owned_(owned) {
    for (std::size_t i = 0; i < batch.starts.size(); ++i) {
      const Start& start = batch.starts[i];
      if (is_new[i] && start.owned && !start.end) owned_.insert(start.id);
    }
  }
  bool has(ExecutionId id) const { return owned_.contains(id); }
  // Whether a statement about these touches each of them; those that leave are gone afterwards.
  template <class Rows>
  bool touch(const Rows& rows, bool leaves) {
    ExecutionSet touched;
    for (const auto& row : rows) {
      if (!has(row.execution) || !touched.insert(row.execution).second) return false;
    }
    for (const ExecutionId id : touched) {
      if (leaves) owned_.erase(id);
    }
    return true;
  }

 private:
  ExecutionSet owned_;
};

}  // namespace

bool MemoryState::fence(Uuid writer, std::int64_t conn) const {
  const auto found = writers.find(writer);
  return found != writers.end() && found->second.alive && found->second.conn == conn;
}

bool MemoryState::take_number(Uuid writer, std::int64_t n) {
  std::set<std::int64_t>& batches = writers.at(writer).batches;
  if (!batches.insert(n).second) return false;
  if (n % 64 == 0) batches.erase(batches.begin(), batches.lower_bound(n - 64));
  return true;
}

const MemoryExecution* MemoryState::row_of(ExecutionId id) const {
  const auto found = executions.find(id);
  return found == executions.end() ? nullptr : &found->second;
}

std::optional<Trouble> MemoryState::refused(Uuid writer, const Batch& batch,
                                            const Started& started) const {
  if (started.is_taken) return Trouble{Kind::kTaken, "23505", "executions_pkey"};
  if (has_followers(batch, started.losers)) {
    return Trouble{Kind::kFollowers, "SW003", "followers of " + joined(started.losers)};
  }
  Mine mine(owned_by(writer), batch, started.is_new);
  for (const ExecutionId id : mine_in(batch)) {
    if (!mine.has(id)) return not_mine();
  }
  std::set<std::pair<ExecutionId, std::uint64_t>> written;
  for (std::size_t i = 0; i < batch.starts.size(); ++i) {
    if (started.is_new[i]) written.insert({batch.starts[i].id, 1});
  }
  for (const JournalRow& row : batch.facts) {
    const MemoryExecution* known = row_of(row.execution);
    const bool is_there = known != nullptr && known->journal.contains(row.seq);
    if (is_there || !written.insert({row.execution, row.seq}).second) {
      return Trouble{Kind::kTaken, "23505", "journal_pkey"};
    }
  }
  const bool touches = mine.touch(batch.waitings, false) && mine.touch(batch.finishes, true) &&
                       mine.touch(batch.parks, true) && mine.touch(batch.quarantines, true);
  if (!touches) return not_mine();
  std::set<std::pair<ExecutionId, std::uint64_t>> taken;
  for (const InboxKey& key : batch.consumed) {
    const MemoryExecution* row = row_of(key.execution);  // Not there yet when it starts here.
    const bool is_there = row != nullptr && row->inbox.contains(key.id);
    if (!is_there || !taken.insert({key.execution, key.id}).second) return not_mine();
  }
  std::set<std::pair<ExecutionId, std::string>> noticed;
  for (const NoticeKey& key : batch.notices) {
    const MemoryExecution* row = row_of(key.execution);
    const bool is_there = row != nullptr && row->notices.contains(key.key);
    if (!is_there || !noticed.insert({key.execution, key.key}).second) return not_mine();
  }
  return std::nullopt;
}

Reply<CommitReply> MemoryState::commit(Uuid writer, std::int64_t conn, std::int64_t n,
                                       const Batch& batch) {
  if (!fence(writer, conn)) return Trouble{Kind::kFenced, "SW001", "fenced"};
  if (writers.at(writer).batches.contains(n)) return CommitReply{now(), outcomes_of(batch.starts)};
  const Started started = try_starts(batch.starts, true);
  if (const auto trouble = refused(writer, batch, started)) {
    for (const StartKey& key : started.keys) start_keys.erase(key);
    return *trouble;
  }
  take_number(writer, n);
  for (std::size_t i = 0; i < batch.starts.size(); ++i) {
    if (started.is_new[i]) insert(batch.starts[i], writer);
  }
  apply(writer, batch);
  return CommitReply{now(), outcomes_of(batch.starts)};
}

void MemoryState::apply(Uuid writer, const Batch& batch) {
  for (const JournalRow& row : batch.facts) {
    executions.at(row.execution).journal.emplace(row.seq, row);
  }
  for (const WaitingRow& row : batch.waitings) {
    executions.at(row.execution).row.waiting = row.waiting;
  }
  for (const FinishRow& finish : batch.finishes) {
    MemoryExecution& execution = executions.at(finish.execution);
    execution.row.status = finish.status;
    execution.row.output = finish.output;
    execution.row.error = finish.error;
    execution.row.cause = finish.cause;
    execution.row.ended_at = finish.at;
    execution.row.waiting.clear();
    give_back(execution, std::nullopt);
  }
  for (const Park& park : batch.parks) {
    MemoryExecution& execution = executions.at(park.execution);
    execution.row.waiting = park.waiting;
    execution.deaths = execution.alone_deaths = 0;
    // Whatever arrived since the lane last looked makes it due at once.
    give_back(execution, execution.inbox_seq == park.inbox_seen ? park.wake_at : now());
  }
  for (const Quarantine& row : batch.quarantines) {
    MemoryExecution& execution = executions.at(row.execution);
    execution.row.quarantined = row.reason;
    give_back(execution, now());
  }
  for (const ExecutionId id : batch.released) {
    if (owned_by(writer).contains(id)) give_back(executions.at(id), now());
  }
  for (const InboxKey& key : batch.consumed) executions.at(key.execution).inbox.erase(key.id);
  for (const NoticeKey& key : batch.notices) executions.at(key.execution).notices.erase(key.key);
  for (const FinishRow& finish : batch.finishes) {  // What came too late for them.
    executions.at(finish.execution).inbox.clear();
    executions.at(finish.execution).notices.clear();
  }
}

std::vector<ExecutionId> MemoryState::lost_in(Uuid writer, const Batch& batch) {
  ExecutionSet lost;
  for (const ExecutionId id : touched_in(batch)) {
    if (!owned_by(writer).contains(id)) lost.insert(id);
  }
  for (const JournalRow& fact : batch.facts) {
    const MemoryExecution* row = row_of(fact.execution);
    if (row != nullptr && row->journal.contains(fact.seq)) lost.insert(fact.execution);
  }
  for (const InboxKey& key : batch.consumed) {
    const MemoryExecution* row = row_of(key.execution);
    if (row == nullptr || !row->inbox.contains(key.id)) lost.insert(key.execution);
  }
  for (const NoticeKey& key : batch.notices) {
    const MemoryExecution* row = row_of(key.execution);
    if (row == nullptr || !row->notices.contains(key.key)) lost.insert(key.execution);
  }
  return {lost.begin(), lost.end()};
}

}  // namespace stepwell::store
