#include "engine/store/memory_state.h"

#include <algorithm>
#include <random>

#include "engine/store/suspects.h"

namespace stepwell::store {
namespace {

std::uint64_t seed_or_random(std::uint64_t seed) {
  if (seed != 0) return seed;
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

std::size_t bytes_of(const Claimed& claimed) {
  std::size_t bytes = 0;
  for (const JournalRow& row : claimed.journal) bytes += row.payload.size() + kJournalRowBytes;
  return bytes;
}

// Whether a claim of these pools may take it, once it is due.
bool is_claimable(const MemoryExecution& execution, const std::vector<std::string>& pools,
                  int semantics) {
  const bool served = std::find(pools.begin(), pools.end(), execution.row.pool) != pools.end();
  return served && execution.row.quarantined.empty() && execution.semantics <= semantics;
}

Claimed claimed_from(const MemoryExecution& execution) {
  Claimed claimed;
  claimed.id = execution.row.id;
  claimed.ns = execution.row.ns;
  claimed.workflow = execution.row.workflow;
  claimed.program_hash = execution.row.program_hash;
  claimed.inbox_seq = execution.inbox_seq;
  claimed.deaths = execution.deaths;
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
  for (const auto& [id, row] : execution.inbox) claimed.inbox.push_back(row);
  return claimed;
}

}  // namespace

MemoryState::MemoryState(MemoryStoreOptions options)
    : options_(std::move(options)), random_(seed_or_random(options_.seed)) {}

Time MemoryState::now() const {
  if (options_.clock) return options_.clock();
  return std::chrono::floor<Millis>(std::chrono::system_clock::now());
}

Uuid MemoryState::new_id() { return Uuid::v4(random_.next(), random_.next()); }

bool MemoryState::is_alive(Uuid writer) const {
  const auto found = writers.find(writer);
  return found != writers.end() && found->second.alive;
}

MemoryExecution* MemoryState::owned_by(Uuid writer, ExecutionId id) {
  const auto found = executions.find(id);
  if (found == executions.end() || found->second.row.owner != writer) return nullptr;
  return &found->second;
}

std::vector<StartOutcome> MemoryState::start(const std::vector<Start>& starts,
                                             std::optional<Uuid> writer) {
  std::vector<StartOutcome> outcomes;
  for (const Start& start : starts) {
    if (!is_nameless(start)) {
      const auto [held, fresh] =
          names.try_emplace({start.ns, start.workflow, start.name}, start.id);
      if (!fresh && held->second != start.id) {
        const bool same = executions.at(held->second).input_hash == start.input_hash;
        outcomes.push_back(
            {same ? StartOutcome::Kind::kExistsSame : StartOutcome::Kind::kExistsOther,
             held->second});
        continue;
      }
    }
    outcomes.push_back({StartOutcome::Kind::kCreated, start.id});
    const auto [place, fresh] = executions.try_emplace(start.id);
    if (!fresh) continue;  // Asked for again.
    MemoryExecution& execution = place->second;
    execution.row = {.id = start.id,
                     .workflow = start.workflow,
                     .program_hash = start.program_hash,
                     .name = is_nameless(start) ? start.id.text() : start.name,
                     .pool = start.pool,
                     .input = start.input,
                     .output = {},
                     .error = {},
                     .cause = {},
                     .started_at = start.first.at,
                     .ended_at = {},
                     .wake_at = {},
                     .waiting = {},
                     .quarantined = {},
                     .owner = {},
                     .redrive_of = start.redrive_of,
                     .tags = start.tags,
                     .ns = start.ns};
    execution.semantics = start.semantics;
    execution.input_hash = start.input_hash;
    execution.journal.emplace(start.first.seq, start.first);
    execution.claim_seq = start.first.seq;
    execution.claimed_at = now();
    set_owner(execution, start.owned ? writer : std::nullopt);
    if (!execution.row.owner) execution.row.wake_at = now();
  }
  return outcomes;
}

ExecutionSet MemoryState::lost_in(Uuid writer, const Batch& batch) {
  ExecutionSet started, lost;
  for (const Start& start : batch.starts) {
    if (start.owned) started.insert(start.id);
  }
  const auto check = [&](ExecutionId id) {
    if (!started.contains(id) && owned_by(writer, id) == nullptr) lost.insert(id);
  };
  for (const JournalRow& row : batch.facts) {
    check(row.execution);
    const auto found = executions.find(row.execution);
    if (found != executions.end() && found->second.journal.contains(row.seq)) {
      lost.insert(row.execution);
    }
  }
  for (const FinishRow& row : batch.finishes) check(row.execution);
  for (const Park& row : batch.parks) check(row.execution);
  for (const WaitingRow& row : batch.waitings) check(row.execution);
  for (const Quarantine& row : batch.quarantines) check(row.execution);
  for (const InboxKey& key : batch.consumed) {
    check(key.execution);
    const auto found = executions.find(key.execution);
    if (found != executions.end() && !found->second.inbox.contains(key.id)) {
      lost.insert(key.execution);
    }
  }
  return lost;
}

ExecutionSet MemoryState::losers_in(const Batch& batch,
                                    const std::vector<StartOutcome>& outcomes) const {
  ExecutionSet losers;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i].kind != StartOutcome::Kind::kCreated) losers.insert(batch.starts[i].id);
  }
  return losers;
}

Result<Ack> MemoryState::commit(Uuid writer, const Batch& batch) {
  if (!is_alive(writer)) return Error{ErrorCode::kFenced, "this writer was marked dead"};
  MemoryWriter& mine = writers.at(writer);
  if (batch.number != 0 && batch.number == mine.batch) return mine.ack;
  Ack ack;
  ack.refused = refused_texts(batch);
  ExecutionSet dropped;
  for (const Refused& refused : ack.refused) dropped.insert(refused.execution);
  Batch rest = without(batch, dropped);
  for (const ExecutionId id : lost_in(writer, rest)) {
    ack.lost.push_back(id);
    dropped.insert(id);
  }
  rest = without(batch, dropped);
  const std::vector<StartOutcome> outcomes = start(rest.starts, writer);
  rest = without_followers(rest, losers_in(rest, outcomes));
  apply(writer, rest);
  std::size_t next = 0;
  for (const Start& start : batch.starts) {
    const bool cut = dropped.contains(start.id);
    ack.starts.push_back(cut ? StartOutcome{StartOutcome::Kind::kExistsOther, {}}
                             : outcomes[next++]);
  }
  ack.now = now();
  mine.batch = batch.number;
  mine.ack = ack;
  return ack;
}

// Keeps the indexes; to be called with the new status in place.
void MemoryState::set_owner(MemoryExecution& execution, std::optional<Uuid> owner) {
  if (execution.row.owner) owned_[*execution.row.owner].erase(execution.row.id);
  unowned_.erase(execution.row.id);
  execution.row.owner = owner;
  if (owner) {
    owned_[*owner].insert(execution.row.id);
  } else if (execution.is_running()) {
    unowned_.insert(execution.row.id);
  }
}

const ExecutionSet& MemoryState::owned_by(Uuid writer) const {
  static const ExecutionSet none;
  const auto found = owned_.find(writer);
  return found == owned_.end() ? none : found->second;
}

void MemoryState::give_back(MemoryExecution& execution, std::optional<Time> wake_at) {
  set_owner(execution, std::nullopt);
  execution.row.wake_at = wake_at;
}

void MemoryState::apply_finish(const FinishRow& finish) {
  MemoryExecution& execution = executions.at(finish.execution);
  execution.row.status = finish.status;
  execution.row.output = finish.output;
  execution.row.error = finish.error;
  execution.row.cause = finish.cause;
  execution.row.ended_at = finish.at;
  execution.row.waiting.clear();
  execution.inbox.clear();
  give_back(execution, std::nullopt);
}

void MemoryState::apply(Uuid writer, const Batch& batch) {
  for (const JournalRow& row : batch.facts) {
    executions.at(row.execution).journal.emplace(row.seq, row);
  }
  for (const WaitingRow& row : batch.waitings) {
    executions.at(row.execution).row.waiting = row.waiting;
  }
  for (const InboxKey& key : batch.consumed) executions.at(key.execution).inbox.erase(key.id);
  for (const FinishRow& row : batch.finishes) apply_finish(row);
  for (const Park& park : batch.parks) {
    MemoryExecution& execution = executions.at(park.execution);
    execution.row.waiting = park.waiting;
    execution.deaths = execution.alone_deaths = 0;
    const bool moved = execution.inbox_seq != park.inbox_seen;
    give_back(execution, moved ? now() : park.wake_at);
  }
  for (const Quarantine& row : batch.quarantines) {
    MemoryExecution& execution = executions.at(row.execution);
    execution.row.quarantined = row.reason;
    give_back(execution, now());
  }
  for (const ExecutionId id : batch.released) {
    if (MemoryExecution* execution = owned_by(writer, id)) give_back(*execution, now());
  }
}

std::vector<ExecutionId> MemoryState::due(const ClaimRequest& request, bool suspects) const {
  std::vector<std::pair<Time, ExecutionId>> found;
  for (const ExecutionId id : unowned_) {
    const MemoryExecution& execution = executions.at(id);
    if (is_claimable(execution, request.pools, request.semantics) &&
        execution.row.wake_at <= now() && (execution.deaths >= kSuspectDeaths) == suspects) {
      found.emplace_back(*execution.row.wake_at, id);
    }
  }
  std::sort(found.begin(), found.end());
  std::vector<ExecutionId> ids;
  for (const auto& [time, id] : found) ids.push_back(id);
  return ids;
}

// A suspect that went on, or has been held long enough, is none any more.
bool MemoryState::has_suspect(Uuid node) {
  bool found = false;
  for (const auto& [writer, held] : owned_) {
    if (writers.at(writer).node != node) continue;
    for (const ExecutionId id : held) {
      MemoryExecution& execution = executions.at(id);
      if (execution.deaths < kSuspectDeaths) continue;
      if (execution.last_seq() > execution.claim_seq || now() - execution.claimed_at > kAcquittal) {
        execution.deaths = execution.alone_deaths = 0;
      } else {
        found = true;
      }
    }
  }
  return found;
}

void MemoryState::take(Uuid writer, MemoryExecution& execution, bool alone) {
  if (execution.last_seq() > execution.claim_seq) execution.deaths = execution.alone_deaths = 0;
  execution.claim_seq = execution.last_seq();
  execution.claimed_alone = alone;
  execution.claimed_at = now();
  set_owner(execution, writer);
  execution.row.wake_at.reset();
}

// Of those that are due, when the node holds none: as many deaths as the longest waiting has seen.
std::vector<ExecutionId> MemoryState::suspects_to_try(Uuid node, const ClaimRequest& request) {
  std::vector<ExecutionId> ids;
  const std::vector<ExecutionId> suspects = due(request, true);
  if (suspects.empty() || has_suspect(node)) return ids;
  std::uint32_t deaths = 0;
  std::size_t bytes = 0;
  for (const ExecutionId id : suspects) {
    MemoryExecution& execution = executions.at(id);
    if (quarantine_if_deadly(execution)) continue;
    if (ids.empty()) deaths = execution.deaths;
    if (execution.deaths != deaths) continue;
    if (ids.size() >= suspects_together(deaths)) continue;
    bytes += bytes_of(claimed_from(execution));
    if (request.max_journal_bytes && bytes > *request.max_journal_bytes && !ids.empty()) continue;
    ids.push_back(id);
  }
  return ids;
}

bool MemoryState::quarantine_if_deadly(MemoryExecution& execution) {
  if (execution.alone_deaths < kDeathsToQuarantine) return false;
  execution.row.quarantined = kDeadlyReason;
  execution.row.waiting.clear();
  return true;
}

Result<ClaimResult> MemoryState::claim(Uuid writer, const ClaimRequest& request) {
  if (!is_alive(writer)) return Error{ErrorCode::kFenced, "this writer was marked dead"};
  ClaimResult result;
  result.now = now();
  std::size_t bytes = 0;
  for (const ExecutionId id : with_inbox_) {
    const MemoryExecution& execution = executions.at(id);
    if (execution.row.owner != writer) continue;
    for (const auto& [key, row] : execution.inbox) result.inbox.push_back(row);
  }
  if (request.take_suspect) {
    const std::vector<ExecutionId> suspects = suspects_to_try(writers.at(writer).node, request);
    for (const ExecutionId id : suspects) {
      MemoryExecution& execution = executions.at(id);
      take(writer, execution, suspects.size() == 1);
      result.claimed.push_back(claimed_from(execution));
      bytes += bytes_of(result.claimed.back());
    }
  }
  for (const ExecutionId id : due(request, false)) {
    if (result.claimed.size() >= request.limit) break;
    MemoryExecution& execution = executions.at(id);
    Claimed claimed = claimed_from(execution);
    bytes += bytes_of(claimed);
    const bool too_much = request.max_journal_bytes && bytes > *request.max_journal_bytes;
    if (too_much && !result.claimed.empty()) break;
    take(writer, execution, false);
    claimed.deaths = execution.deaths;
    result.claimed.push_back(std::move(claimed));
  }
  for (const ExecutionId id : unowned_) {
    const MemoryExecution& execution = executions.at(id);
    if (!is_claimable(execution, request.pools, request.semantics)) continue;
    if (execution.deaths >= kSuspectDeaths) continue;
    const std::optional<Time>& wake_at = execution.row.wake_at;
    if (!result.next_due || *wake_at < *result.next_due) result.next_due = wake_at;
  }
  return result;
}

Result<MemoryExecution*> MemoryState::find(const Namespace& ns, ExecutionId id) {
  const auto found = executions.find(id);
  if (found != executions.end() && found->second.row.ns == ns) return &found->second;
  return Error{ErrorCode::kNotFound, "there is no execution " + id.text()};
}

Look MemoryState::look(const LookRequest& request) const {
  Look look;
  look.now = now();
  const auto earlier = [](std::optional<Time>& best, Time time) {
    if (!best || time < *best) best = time;
  };
  for (const ExecutionId id : unowned_) {
    const MemoryExecution& execution = executions.at(id);
    if (!is_claimable(execution, request.pools, request.semantics)) continue;
    const bool suspect = execution.deaths >= kSuspectDeaths;
    earlier(suspect ? look.next_suspect : look.next_due, *execution.row.wake_at);
  }
  for (const auto& [id, writer] : writers) {
    if (writer.alive) {
      look.has_late |= is_late(writer);
    } else {
      look.has_unfreed |= !owned_by(id).empty();
    }
  }
  for (const ExecutionId id : with_inbox_) {
    const MemoryExecution& execution = executions.at(id);
    if (execution.inbox.empty()) continue;
    const std::optional<Uuid> owner = execution.row.owner;
    look.has_inbox |= owner && request.node && writers.at(*owner).node == *request.node;
    look.has_stale_inbox |= unowned_.contains(id) && *execution.row.wake_at > look.now;
  }
  return look;
}

bool MemoryState::is_late(const MemoryWriter& writer) const {
  const auto node = nodes.find(writer.node);
  return node == nodes.end() || node->second.gone || node->second.expired;
}

Status MemoryState::deliver(const Namespace& ns, const Delivery& delivery) {
  MemoryExecution& execution = *TRY(find(ns, delivery.execution));
  ExecutionRow& row = execution.row;
  for (const auto& [id, waiting] : execution.inbox) {
    if (waiting.dedupe_key == delivery.dedupe_key) return ok_status();
  }
  const bool redrive = delivery.kind == FactKind::kRedriven;
  const bool stuck = execution.is_running() && !row.quarantined.empty();
  const bool ended_badly = !execution.is_running() && row.status != ExecutionStatus::kSucceeded;
  if (redrive ? !(stuck || ended_badly) : !execution.is_running()) {
    return Error{ErrorCode::kConflict,
                 "execution " + delivery.execution.text() + " is " + to_string(row.status)};
  }
  ++execution.inbox_seq;
  if (redrive && ended_badly) {
    row.status = ExecutionStatus::kRunning;
    row.ended_at.reset();
    row.output.clear();
    row.error.reset();
    row.cause.reset();
    ++row.redrive_count;
    give_back(execution, now());
  } else if (!row.owner) {
    row.wake_at = row.wake_at ? std::min(*row.wake_at, now()) : now();
  }
  const bool unlocks = redrive || delivery.kind == FactKind::kStopped;
  if (unlocks && !row.quarantined.empty()) {
    row.quarantined.clear();
    // Let it try once more; the next death tells.
    execution.alone_deaths = std::min(execution.alone_deaths, kDeathsToQuarantine - 1);
  }
  with_inbox_.insert(delivery.execution);
  execution.inbox.emplace(execution.inbox_seq,
                          InboxRow{execution.inbox_seq, delivery.execution, delivery.kind,
                                   delivery.command, delivery.dedupe_key, delivery.payload});
  return ok_status();
}

void MemoryState::free_from_dead(MemoryExecution& execution) {
  // Nobody can append between the marking and the next claim, so progress is judged here as well
  // as there.
  const bool went_on = execution.last_seq() > execution.claim_seq;
  execution.deaths = went_on ? 0 : execution.deaths + 1;
  if (went_on) {
    execution.alone_deaths = 0;
  } else if (execution.claimed_alone) {
    ++execution.alone_deaths;
  }
  if (execution.deaths >= kSuspectDeaths) execution.row.waiting = kSuspectWaiting;
  give_back(execution, now());
}

SweepReport MemoryState::sweep() {
  SweepReport report;
  for (auto& [id, writer] : writers) {
    if (!writer.alive) continue;
    if (!is_late(writer)) continue;
    const auto node = nodes.find(writer.node);
    const bool gone = node == nodes.end() || node->second.gone;
    writer.alive = false;
    ++report.writers_marked;
    report.by_evidence |= gone;
  }
  for (const auto& [id, writer] : writers) {
    if (writer.alive) continue;
    const ExecutionSet dead_hands = owned_by(id);
    for (const ExecutionId execution : dead_hands) free_from_dead(executions.at(execution));
    report.executions_freed += static_cast<std::uint32_t>(dead_hands.size());
  }
  std::erase_if(with_inbox_, [this](ExecutionId id) { return executions.at(id).inbox.empty(); });
  for (const ExecutionId id : with_inbox_) {
    MemoryExecution& execution = executions.at(id);
    if (!unowned_.contains(id) || *execution.row.wake_at <= now()) continue;
    execution.row.wake_at = now();
    ++report.inbox_woken;
  }
  return report;
}

Status MemoryState::close(Uuid writer) {
  if (!is_alive(writer)) return Error{ErrorCode::kFenced, "this writer was marked dead"};
  const ExecutionSet held = owned_by(writer);
  for (const ExecutionId id : held) give_back(executions.at(id), now());
  writers.at(writer).alive = false;
  writers.at(writer).ended = true;
  return ok_status();
}

}  // namespace stepwell::store
