// MemoryState: claims, as in sql/engine/functions/claim.sql.
#include <algorithm>

#include "engine/store/claim_room.h"
#include "engine/store/memory_state.h"
#include "engine/store/suspects.h"

namespace stepwell::store {
namespace {

std::int64_t tail_bytes(const MemoryExecution& execution) {
  const std::uint64_t from = execution.snapshots.empty() ? 0 : execution.snapshots.rbegin()->first;
  std::int64_t bytes = 0;
  for (auto row = execution.journal.upper_bound(from); row != execution.journal.end(); ++row) {
    bytes += static_cast<std::int64_t>(row->second.payload.size() + kJournalRowBytes);
  }
  return bytes;
}

Claimed claimed_from(const MemoryExecution& execution) {
  Claimed claimed;
  claimed.id = execution.row.id;
  claimed.ns = execution.row.ns;
  claimed.workflow = execution.row.workflow;
  claimed.name = execution.shown_name();
  claimed.program_hash = execution.row.program_hash;
  claimed.inbox_seq = execution.inbox_seq;
  claimed.deaths = execution.deaths;
  claimed.is_slice = execution.kind == 1;
  if (!execution.snapshots.empty()) {
    const SnapshotRow& newest = execution.snapshots.rbegin()->second;
    claimed.snapshot = newest.body;
    claimed.snapshot_seq = newest.seq;
    claimed.snapshot_hash = newest.journal_hash;
  }
  const auto tail = execution.journal.upper_bound(claimed.snapshot_seq);
  for (auto row = tail; row != execution.journal.end(); ++row) {
    claimed.journal.push_back(row->second);
  }
  return claimed;
}

}  // namespace

bool MemoryState::is_claimable(const MemoryExecution& execution,
                               const std::vector<std::string>& pools, int semantics) const {
  const bool served = std::find(pools.begin(), pools.end(), execution.row.pool) != pools.end();
  return served && execution.row.quarantined.empty() && execution.semantics <= semantics;
}

std::optional<Time> MemoryState::next_due(const std::vector<std::string>& pools, int semantics,
                                          bool suspects) const {
  std::optional<Time> next;
  for (const ExecutionId id : unowned_) {
    const MemoryExecution& execution = executions.at(id);
    const bool is_suspect = execution.deaths >= kSuspectDeaths;
    if (is_suspect != suspects || !is_claimable(execution, pools, semantics)) continue;
    if (!next || *execution.row.wake_at < *next) next = execution.row.wake_at;
  }
  return next;
}

template <class IsWanted>
std::vector<ExecutionId> MemoryState::due(int semantics, const IsWanted& is_wanted) const {
  std::vector<std::pair<Time, ExecutionId>> found;
  for (const ExecutionId id : unowned_) {
    const MemoryExecution& execution = executions.at(id);
    if (execution.row.wake_at <= now() &&
        is_claimable(execution, {execution.row.pool}, semantics) && is_wanted(execution)) {
      found.emplace_back(*execution.row.wake_at, id);
    }
  }
  std::sort(found.begin(), found.end());
  std::vector<ExecutionId> ids;
  for (const auto& [time, id] : found) ids.push_back(id);
  return ids;
}

// How many of these fit into the budget, which is charged for them.
std::size_t MemoryState::fitting(const std::vector<ExecutionId>& ids, Budget& budget,
                                 bool first) const {
  if (!budget.bytes) return ids.size();
  std::int64_t weight = 0;
  std::size_t count = 0;
  for (const ExecutionId id : ids) {
    const std::int64_t more = tail_bytes(executions.at(id));
    if (weight + more > *budget.bytes && !(first && count == 0)) break;
    weight += more;
    ++count;
  }
  *budget.bytes -= weight;
  budget.is_full = count < ids.size();
  return count;
}

void MemoryState::take(Uuid writer, std::int64_t n, MemoryExecution& execution, bool alone) {
  if (execution.went_on()) execution.deaths = execution.alone_deaths = 0;
  execution.claim_seq = execution.last_seq();
  execution.claim_n = n;
  execution.claimed_alone = alone;
  execution.claimed_at = now();
  set_owner(execution, writer);
  execution.row.wake_at.reset();
}

std::size_t MemoryState::claim_some(Uuid writer, std::int64_t n, const Wanted& wanted,
                                    int semantics, std::size_t limit, Budget& budget,
                                    std::vector<ExecutionId>& ids) {
  std::vector<ExecutionId> found = due(semantics, [&](const MemoryExecution& execution) {
    return execution.row.pool == wanted.pool && execution.kind == wanted.kind &&
           execution.priority == wanted.priority && execution.deaths < kSuspectDeaths;
  });
  if (found.size() > limit) found.resize(limit);
  const std::size_t count = fitting(found, budget, ids.empty());
  for (std::size_t i = 0; i < count; ++i) {
    take(writer, n, executions.at(found[i]), false);
    ids.push_back(found[i]);
  }
  return count;
}

void MemoryState::claim_due(Uuid writer, std::int64_t n, const ClaimRequest& request,
                            Budget& budget, std::vector<ExecutionId>& ids) {
  std::array<std::uint32_t, 3> room =
      room_by_priority(request.limit, static_cast<std::uint64_t>(n));
  std::array<bool, 3> may_have_more = {true, true, true};
  std::size_t left = 0;  // Room that nobody has used so far.
  for (const std::size_t priority : {0u, 1u, 2u, 0u, 1u}) {
    if (!may_have_more[priority]) continue;
    std::size_t limit = left + std::exchange(room[priority], 0);
    if (limit == 0) continue;
    for (const std::string& pool : request.pools) {
      const Wanted wanted{pool, 0, static_cast<Priority>(priority)};
      limit -= claim_some(writer, n, wanted, request.semantics, limit, budget, ids);
      if (budget.is_full) return;
      if (limit == 0) break;
    }
    left = limit;
    may_have_more[priority] = left == 0;
  }
  claim_slices(writer, n, request, budget, ids);
}

void MemoryState::claim_slices(Uuid writer, std::int64_t n, const ClaimRequest& request,
                               Budget& budget, std::vector<ExecutionId>& ids) {
  std::size_t limit = request.slices;
  for (const Priority priority : {Priority::kHigh, Priority::kNormal, Priority::kLow}) {
    for (const std::string& pool : request.pools) {
      if (limit == 0) return;
      limit -= claim_some(writer, n, {pool, 1, priority}, request.semantics, limit, budget, ids);
      if (budget.is_full) return;
    }
  }
}

// Suspects that a lane of this node holds, that went on or did no harm for long enough, are none
// any more.
void MemoryState::acquit(Uuid node) {
  for (const auto& [writer, held] : owned_) {
    if (writers.at(writer).node != node || !writers.at(writer).alive) continue;
    for (const ExecutionId id : held) {
      MemoryExecution& execution = executions.at(id);
      if (execution.deaths < kSuspectDeaths) continue;
      if (!execution.went_on() && now() - execution.claimed_at <= kAcquittal) continue;
      execution.deaths = execution.alone_deaths = 0;
    }
  }
}

bool MemoryState::holds_suspect(Uuid node) const {
  for (const auto& [writer, held] : owned_) {
    if (writers.at(writer).node != node || !writers.at(writer).alive) continue;
    for (const ExecutionId id : held) {
      if (executions.at(id).deaths >= kSuspectDeaths) return true;
    }
  }
  return false;
}

// When the node holds none: as many deaths as the longest waiting has seen.
void MemoryState::claim_suspects(Uuid writer, std::int64_t n, const ClaimRequest& request,
                                 Budget& budget, std::vector<ExecutionId>& ids) {
  const Uuid node = writers.at(writer).node;
  acquit(node);
  if (holds_suspect(node)) return;
  std::vector<ExecutionId> suspects = due(request.semantics, [&](const MemoryExecution& one) {
    return one.deaths >= kSuspectDeaths && is_claimable(one, request.pools, request.semantics);
  });
  std::erase_if(suspects, [this](ExecutionId id) {
    MemoryExecution& execution = executions.at(id);
    if (execution.alone_deaths < kDeathsToQuarantine) return false;
    execution.row.quarantined = kDeadlyReason;
    execution.row.waiting.clear();
    return true;
  });
  if (suspects.empty()) return;
  const std::uint32_t deaths = executions.at(suspects.front()).deaths;
  std::erase_if(suspects, [&](ExecutionId id) { return executions.at(id).deaths != deaths; });
  if (suspects.size() > suspects_together(deaths)) suspects.resize(suspects_together(deaths));
  const std::size_t count = fitting(suspects, budget, true);
  budget.is_full = false;  // The others are tried all the same.
  for (std::size_t i = 0; i < count; ++i) {
    take(writer, n, executions.at(suspects[i]), count == 1);
    ids.push_back(suspects[i]);
  }
}

void MemoryState::tell_messages(Uuid writer, const std::vector<ExecutionId>& claimed,
                                ClaimResult& result) {
  for (const ExecutionId id : claimed) {  // This lane's from now on.
    for (auto& [key, row] : executions.at(id).inbox) row.for_writer = writer;
    for (auto& [key, row] : executions.at(id).notices) row.for_writer = writer;
  }
  for (const ExecutionId id : with_messages_) {
    const MemoryExecution& execution = executions.at(id);
    if (execution.row.owner != writer) continue;
    const auto place = std::lower_bound(claimed.begin(), claimed.end(), id);
    const bool is_claimed = place != claimed.end() && *place == id;
    Claimed* told =
        is_claimed ? &result.claimed[static_cast<std::size_t>(place - claimed.begin())] : nullptr;
    for (const auto& [key, row] : execution.inbox) {
      if (row.for_writer == writer) (told ? told->inbox : result.inbox).push_back(row.row);
    }
    for (const auto& [key, row] : execution.notices) {
      if (row.for_writer == writer) (told ? told->notices : result.notices).push_back(row.notice);
    }
  }
}

Reply<ClaimReply> MemoryState::claim(Uuid writer, std::int64_t conn, std::int64_t n,
                                     const ClaimRequest& request) {
  const auto is_due = [&](bool suspects) {
    const auto next = next_due(request.pools, request.semantics, suspects);
    return next && *next <= now();
  };
  const bool suspects = request.take_suspect && is_due(true);
  if (!fence(writer, conn)) return Trouble{Trouble::Kind::kFenced, "SW001", "fenced"};
  ClaimReply reply;
  std::vector<ExecutionId> ids;
  reply.wrote = suspects || is_due(false) || writers.at(writer).batches.contains(n);
  if (reply.wrote && !take_number(writer, n)) {  // It has landed before.
    for (const ExecutionId id : owned_by(writer)) {
      if (executions.at(id).claim_n == n) ids.push_back(id);
    }
  } else if (reply.wrote) {
    Budget budget;
    if (request.max_journal_bytes) {
      budget.bytes = static_cast<std::int64_t>(*request.max_journal_bytes);
    }
    if (suspects) claim_suspects(writer, n, request, budget, ids);
    claim_due(writer, n, request, budget, ids);
  }
  std::sort(ids.begin(), ids.end());
  for (const ExecutionId id : ids) reply.result.claimed.push_back(claimed_from(executions.at(id)));
  tell_messages(writer, ids, reply.result);
  reply.result.next_due = next_due(request.pools, request.semantics, false);
  reply.result.now = now();
  return reply;
}

}  // namespace stepwell::store
