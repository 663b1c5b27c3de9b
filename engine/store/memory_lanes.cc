// MemoryState: processes and lanes, deliveries, and what the keeper does, as in
// sql/engine/functions/{lanes,deliver,look}.sql.
#include <algorithm>
#include <random>

#include "engine/store/memory_state.h"
#include "engine/store/suspects.h"

namespace stepwell::store {
namespace {

// As the SQL has them: how long after a restart nobody counts as gone, the longest time between two
// beats and half as much again, when a message is older than its delivery, and when it is the
// hourly round's.
constexpr Millis kGrace{3'000}, kLongestSilence{7'500}, kStale{1'000}, kForgotten{60'000};

std::uint64_t seed_or_random(std::uint64_t seed) {
  if (seed != 0) return seed;
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

}  // namespace

MemoryState::MemoryState(const MemoryStoreOptions& options)
    : options_(options), random_(seed_or_random(options.seed)) {
  restarted_at_ = now() - kGrace - kGrace;
}

Time MemoryState::now() const {
  if (options_.clock) return options_.clock();
  return std::chrono::floor<Millis>(std::chrono::system_clock::now());
}

Uuid MemoryState::new_id() { return Uuid::v4(random_.next(), random_.next()); }

ExecutionRow MemoryExecution::shown() const {
  ExecutionRow shown = row;
  shown.name = shown_name();
  return shown;
}

Result<MemoryExecution*> MemoryState::find(const Namespace& ns, ExecutionId id) {
  const auto found = executions.find(id);
  if (found != executions.end() && found->second.row.ns == ns) return &found->second;
  return Error{ErrorCode::kNotFound, "there is no execution " + id.text()};
}

const ExecutionSet& MemoryState::owned_by(Uuid writer) const {
  static const ExecutionSet kNone;
  const auto found = owned_.find(writer);
  return found == owned_.end() ? kNone : found->second;
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

void MemoryState::give_back(MemoryExecution& execution, std::optional<Time> wake_at) {
  set_owner(execution, std::nullopt);
  execution.row.wake_at = wake_at;
}

Status MemoryState::deliver(const Namespace& ns, const Delivery& delivery) {
  MemoryExecution& execution = *TRY(find(ns, delivery.execution));
  ExecutionRow& row = execution.row;
  for (const auto& [id, waiting] : execution.inbox) {
    if (waiting.row.dedupe_key == delivery.dedupe_key) return ok_status();
  }
  const bool is_redrive = delivery.kind == FactKind::kRedriven;
  const bool is_stuck = execution.is_running() && !row.quarantined.empty();
  const bool ended_badly = !execution.is_running() && row.status != ExecutionStatus::kSucceeded;
  if (is_redrive ? !(is_stuck || ended_badly) : !execution.is_running()) {
    return Error{ErrorCode::kConflict,
                 "execution " + delivery.execution.text() + " is " + to_string(row.status)};
  }
  const std::optional<Uuid> owner = row.owner;
  ++execution.inbox_seq;
  if (is_redrive && ended_badly) {
    row.status = ExecutionStatus::kRunning;
    row.ended_at.reset();
    row.output.clear();
    row.error.reset();
    row.cause.reset();
    ++row.redrive_count;
    execution.deaths = execution.alone_deaths = 0;
    give_back(execution, now());
  } else if (!owner) {
    row.wake_at = std::min(*row.wake_at, now());
  }
  if (is_stuck && (is_redrive || delivery.kind == FactKind::kStopped)) {
    row.quarantined.clear();
    // Let it try once more; the next death tells.
    execution.alone_deaths = std::min(execution.alone_deaths, kDeathsToQuarantine - 1);
  }
  with_messages_.insert(delivery.execution);
  const InboxRow message{execution.inbox_seq, delivery.execution,  delivery.kind,
                         delivery.command,    delivery.dedupe_key, delivery.payload};
  execution.inbox.emplace(execution.inbox_seq, MemoryInboxRow{message, owner, now()});
  return ok_status();
}

void MemoryState::put_notice(const Notice& notice) {
  with_messages_.insert(notice.key.execution);
  executions.at(notice.key.execution)
      .notices.emplace(notice.key.key, MemoryNotice{notice, std::nullopt, now()});
}

void MemoryState::join(Uuid node, Millis lease, bool renews_by_itself) {
  const Time time = now();
  nodes[node] = {lease, time + lease, time, time, renews_by_itself, false, 0};
}

bool MemoryState::missed(const MemoryNode& node) const {
  const Millis lease = std::chrono::duration_cast<Millis>(node.lease_until - node.renewed_at);
  return now() > node.renewed_at + std::min(lease / 2, kLongestSilence);
}

void MemoryState::renew(Uuid id) {
  MemoryNode& node = nodes.at(id);
  if (missed(node)) node.steady_since = now();
  if (node.lease_until <= now()) ++node.lapses;
  node.renewed_at = now();
  node.lease_until = now() + node.lease;
}

// Those whose heartbeat nobody drives have renewed in time, always.
void MemoryState::renew_all() {
  for (auto& [id, node] : nodes) {
    if (!node.renews_by_itself || node.is_gone) continue;
    node.renewed_at = now();
    node.lease_until = now() + node.lease;
  }
}

void MemoryState::expire(Uuid id) {
  MemoryNode& node = nodes.at(id);
  node.renews_by_itself = false;
  node.lease_until = now() - Millis{1'000};
  // One that has renewed for an hour: leases that end mean death.
  MemoryNode& steady = nodes[Uuid{}];
  const Millis hour{3'600'000};
  steady = {hour, now() + hour, now(), now() - hour, true, false, 0};
}

void MemoryState::restart() {
  restarted_at_ = now();
  for (auto& [id, writer] : writers) writer.is_connected = false;
}

bool MemoryState::register_writer(Uuid writer, Uuid node) {
  renew_all();
  if (nodes.at(node).lease_until <= now()) return false;
  writers[writer].node = node;
  return true;
}

std::optional<std::int64_t> MemoryState::reconnect(Uuid id) {
  const auto found = writers.find(id);
  if (found == writers.end() || !found->second.alive) return std::nullopt;
  MemoryWriter& writer = found->second;
  ++writer.conn;
  writer.is_connected = true;
  return writer.batches.empty() ? 0 : *writer.batches.rbegin();
}

Reply<Unit> MemoryState::close(Uuid id, std::int64_t conn) {
  if (!fence(id, conn)) return Trouble{Trouble::Kind::kFenced, "SW001", "fenced"};
  const ExecutionSet held = owned_by(id);
  for (const ExecutionId execution : held) give_back(executions.at(execution), now());
  MemoryWriter& writer = writers.at(id);
  writer.alive = false;
  writer.freed = true;
  writer.batches.clear();
  return Unit{};
}

void MemoryState::give_up(Uuid id) { writers.at(id).alive = false; }

bool MemoryState::has_witness() const {
  for (const auto& [id, node] : nodes) {
    if (!missed(node) && node.steady_since < now() - kGrace) return true;
  }
  return false;
}

// By all that can be seen: no heartbeat and no lane of it is connected.
bool MemoryState::is_gone(Uuid id) const {
  if (restarted_at_ >= now() - kGrace || !nodes.at(id).is_gone) return false;
  for (const auto& [key, writer] : writers) {
    if (writer.node == id && writer.alive && writer.is_connected) return false;
  }
  return true;
}

bool MemoryState::may_be_marked(const MemoryWriter& writer) const {
  if (!writer.alive) return false;
  const bool is_over = nodes.at(writer.node).lease_until <= now();
  return is_gone(writer.node) || (is_over && has_witness());
}

Look MemoryState::look(const LookRequest& request) {
  renew_all();
  Look look;
  look.now = now();
  look.next_due = next_due(request.pools, request.semantics, false);
  look.next_suspect = next_due(request.pools, request.semantics, true);
  for (const auto& [id, writer] : writers) {
    look.has_late |= may_be_marked(writer);
    look.has_unfreed |= !writer.alive && !writer.freed;
  }
  const auto note = [&](const std::optional<Uuid>& for_writer, Time at) {
    const auto writer = for_writer ? writers.find(*for_writer) : writers.end();
    look.has_inbox |=
        writer != writers.end() && writer->second.alive && writer->second.node == request.node;
    look.has_stale_inbox |= at < look.now - kStale && at > look.now - kForgotten;
  };
  for (const ExecutionId id : with_messages_) {
    for (const auto& [key, row] : executions.at(id).inbox) note(row.for_writer, row.arrived_at);
    for (const auto& [key, row] : executions.at(id).notices) note(row.for_writer, row.at);
  }
  return look;
}

// Nobody can append between the marking and the next claim, so progress is judged here as well as
// there.
void MemoryState::free_from(MemoryExecution& execution) {
  execution.deaths = execution.went_on() ? 0 : execution.deaths + 1;
  if (execution.went_on()) {
    execution.alone_deaths = 0;
  } else if (execution.claimed_alone) {
    ++execution.alone_deaths;
  }
  if (execution.deaths >= kSuspectDeaths) execution.row.waiting = kSuspectWaiting;
  give_back(execution, now());
}

std::uint32_t MemoryState::wake() {
  std::uint32_t woken = 0;
  std::erase_if(with_messages_, [this](ExecutionId id) {
    return executions.at(id).inbox.empty() && executions.at(id).notices.empty();
  });
  for (const ExecutionId id : with_messages_) {
    MemoryExecution& execution = executions.at(id);
    bool is_stale = false;
    for (const auto& [key, row] : execution.inbox) is_stale |= row.arrived_at < now() - kStale;
    for (const auto& [key, row] : execution.notices) is_stale |= row.at < now() - kStale;
    if (!is_stale) continue;
    if (unowned_.contains(id) && *execution.row.wake_at > now()) {
      execution.row.wake_at = now();
      ++woken;
    }
    for (auto& [key, row] : execution.notices) {
      if (!execution.row.owner || row.for_writer == execution.row.owner) continue;
      row.for_writer = execution.row.owner;
      ++woken;
    }
    if (!execution.is_running()) execution.notices.clear();
  }
  return woken;
}

SweepReport MemoryState::sweep() {
  renew_all();
  SweepReport report;
  std::vector<MemoryWriter*> marked;
  for (auto& [id, writer] : writers) {
    if (may_be_marked(writer)) marked.push_back(&writer);
  }
  for (MemoryWriter* writer : marked) {
    report.by_evidence |= nodes.at(writer->node).lease_until > now();
    writer->alive = false;
    ++report.writers_marked;
  }
  for (auto& [id, writer] : writers) {
    if (writer.alive || writer.freed) continue;
    const ExecutionSet dead_hands = owned_by(id);
    for (const ExecutionId execution : dead_hands) free_from(executions.at(execution));
    report.executions_freed += static_cast<std::uint32_t>(dead_hands.size());
    writer.freed = true;
  }
  report.inbox_woken = wake();
  return report;
}

}  // namespace stepwell::store
