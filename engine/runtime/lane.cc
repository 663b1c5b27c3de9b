#include "engine/runtime/lane.h"

#include <algorithm>

#include "engine/store/suspects.h"

namespace stepwell::runtime {
namespace {

// What the committer gets before the lane has gone through all that is ready.
constexpr std::size_t kManyBytes = 8u << 20;
constexpr std::size_t kManyFacts = 2'000;

}  // namespace

Lane::Lane(LaneWorld world, loop::Loop& loop, unsigned number)
    : world_(world),
      number_(number),
      loop_(loop),
      answers_(std::make_shared<Answers>(loop_, [this] { settle(); })),
      committer_(world_.mono, world_.membership, world_.clock, world_.counters, world_.health,
                 {.pools = world_.settings.pools},
                 {.landed =
                      [this](Landed landed) {
                        auto shared = std::make_shared<Landed>(std::move(landed));
                        loop_.post([this, shared] { on_landed(std::move(*shared)); });
                      },
                  .claimed =
                      [this](store::ClaimResult claim) {
                        auto shared = std::make_shared<store::ClaimResult>(std::move(claim));
                        loop_.post([this, shared] { on_claimed(std::move(*shared)); });
                      },
                  .fenced =
                      [this](std::vector<StartAnswer> unsent, std::uint64_t epoch) {
                        loop_.post([this, unsent = std::move(unsent), epoch] {
                          on_fenced(unsent, epoch);
                        });
                      }}),
      room_(world_.settings.max_held),
      due_snapshots_(world_.settings.snapshot_facts),
      deadlines_(loop_, world_.mono, world_.clock,
                 {.due = [this](const Timers::Entry& entry, Time now) { on_due(entry, now); },
                  .look = [this](const Timers::Entry& entry) { look_at_task(entry); }}) {
  committer_.set_room(world_.settings.max_held);
}

// Whoever ends a task after that talks to nobody.
Lane::~Lane() { answers_->close(); }

Status Lane::make_handlers(const std::vector<HandlerFactory>& factories) {
  for (const HandlerFactory& make : factories) {
    auto handler = make(loop_, number_);
    if (handler == nullptr) {
      return Error{ErrorCode::kInvalid,
                   "a task handler could not be made for lane " + std::to_string(number_)};
    }
    dispatcher_.add(std::move(handler));
  }
  loop_.before_wait([this] {
    settle();
    flush();
  });
  loop_.every(world_.settings.upkeep_period, [this] { upkeep(); });
  reconciled_ms_ = world_.mono.monotonic_ms();
  return ok_status();
}

void Lane::flush_last() {
  settle();
  flush();
  is_stopping_ = true;
}

void Lane::clear() {
  answers_->close();
  drop_all();
  for (StartAnswer& answer : open_.answers) {
    answer(Error{ErrorCode::kUnavailable, "the engine has stopped"});
  }
  open_ = {};
  dispatcher_.clear();
}

// The fact's row, as the newest of the execution.
store::JournalRow Lane::row_of(OwnedExecution& held, const Fact& fact) {
  store::JournalRow row;
  row.execution = held.id;
  row.seq = ++held.seq;
  row.kind = fact.kind();
  row.command = fact.command;
  row.at = held.x.last_at;  // step() never lets it run backwards.
  row.input_hash = fact.input_hash;
  row.payload = encode_payload(fact.body);
  held.journal_hash = store::roll_journal_hash(held.journal_hash, row);
  ++held.facts_since_snapshot;
  held.bytes_since_snapshot += row.payload.size() + store::kJournalRowBytes;
  open_.bytes += row.payload.size();
  held.progress_ms = world_.mono.monotonic_ms();
  return row;
}

// False: the fact answers nothing any more, or the execution broke over it (and is gone).
bool Lane::apply(OwnedExecution& held, const Fact& fact) {
  commands_.clear();
  try {
    if (!step(*held.program, held.x, fact, commands_)) return false;
  } catch (const FoldMismatch& mismatch) {
    quarantine(held, mismatch.what());
    return false;
  } catch (const InvariantBroken& bug) {
    quarantine(held, bug.what());
    return false;
  }
  open_.batch.facts.push_back(row_of(held, fact));
  take_commands(held);
  if (!held.is_ended) due_snapshots_.consider(held);
  return true;
}

void Lane::take_commands(OwnedExecution& held) {
  for (Command& command : commands_) {
    if (const auto* finish = std::get_if<Finish>(&command)) {
      stage_finish(held, *finish);
    } else {
      held.staged.push_back({held.seq, std::move(command)});
    }
  }
  commands_.clear();
}

void Lane::stage_finish(OwnedExecution& held, const Finish& finish) {
  store::FinishRow row;
  row.execution = held.id;
  row.status = finish.status;
  if (finish.status == ExecutionStatus::kSucceeded) row.output = finish.output.to_json();
  row.error = finish.error;
  row.cause = finish.cause;
  row.at = held.x.last_at;
  open_.bytes += row.output.size();
  held.is_ended = true;
  if (store::Start* const start = start_of(held.id)) {
    start->end = std::move(row);
  } else {
    open_.batch.finishes.push_back(std::move(row));
  }
}

// A bug of ours (or a fold that does not fit) keeps this one execution from running, no other.
void Lane::quarantine(OwnedExecution& held, const std::string& reason) {
  open_.batch.quarantines.push_back({held.id, reason});
  ++world_.counters.quarantined;
  drop(held.id);
}

// Frees the memory; whatever is staged for it is written all the same.
void Lane::drop(ExecutionId id) {
  const auto found = held_.find(id);
  if (found == held_.end()) return;
  const std::unique_ptr<OwnedExecution> held = std::move(found->second);
  held_.erase(found);
  cancel_all(*held);
  due_snapshots_.forget(id);
  world_.ends.release(id);
  if (room_.has_reopened(taken())) {  // There was more to claim than it had room for.
    update_room();
    want_claim();
  }
}

// In order, so that the same facts call handlers in the same order.
void Lane::cancel_all(OwnedExecution& held) {
  std::vector<CommandId> commands;
  commands.reserve(held.outstanding.size());
  for (const auto& [command, outstanding] : held.outstanding) commands.push_back(command);
  std::sort(commands.begin(), commands.end());
  for (const CommandId command : commands) cross_out(held, command, held.outstanding.at(command));
  held.outstanding.clear();
}

void Lane::drop_all() {
  for (const ExecutionId id : held_ids()) drop(id);
}

std::vector<ExecutionId> Lane::held_ids() const {
  std::vector<ExecutionId> ids;
  ids.reserve(held_.size());
  for (const auto& [id, held] : held_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

// Once its facts are durable, a snapshot is encoded and written on another thread.
void Lane::save_snapshot(OwnedExecution& held) {
  std::optional<DueSnapshot> ready = due_snapshots_.take(held);
  if (!ready) return;
  auto due = std::make_shared<DueSnapshot>(std::move(*ready));
  world_.archivists.run([this, due, id = held.id] {
    store::SnapshotRow row{id, due->seq, due->journal_hash, due->x.encode()};
    due->x = {};
    const std::size_t bytes = row.body.size();
    // A failed snapshot is harmless: the journal is complete.
    if (world_.store.save_snapshot(row).ok()) ++world_.counters.snapshots;
    loop_.post([this, id, bytes] {
      if (OwnedExecution* mine = find(id)) {
        DueSnapshots::written(*mine, bytes);
      }
    });
  });
}

void Lane::settle() {
  while (!is_stopping_) {
    answers_->take(answered_);
    if (answered_.empty()) return;
    for (TaskAnswered& answered : answered_) {
      answer(std::move(answered));
      if (open_.bytes > kManyBytes || open_.batch.facts.size() > kManyFacts) flush();
    }
    answered_.clear();
  }
}

void Lane::flush() {
  if (open_.empty() || is_stopping_) return;
  open_.epoch = epoch_;
  open_.refusals_seen = refusals_.seen();
  committer_.submit(std::move(open_));
  open_ = {};
}

OwnedExecution* Lane::find(ExecutionId id) {
  const auto found = held_.find(id);
  return found == held_.end() ? nullptr : found->second.get();
}

}  // namespace stepwell::runtime
