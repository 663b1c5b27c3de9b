// What the committer brings to a lane: acknowledgements, claims, and that it was marked dead.
#include <algorithm>

#include "engine/runtime/lane.h"

namespace stepwell::runtime {
namespace {

constexpr std::size_t kFoldTogether = 16;  // Small executions in one piece of work.
constexpr std::size_t kFoldTogetherRows = 2'000;

// What describe() would read now.  Null for an execution that was taken over: how its caller wrote
// the input is not in memory.
EndedRow ended_row(const OwnedExecution& held, const store::FinishRow& finish) {
  if (!held.has_input_text) return nullptr;
  auto row = std::make_shared<store::ExecutionRow>();
  row->id = held.id;
  row->ns = held.ns;
  row->workflow = held.workflow;
  row->program_hash = held.program->hash;
  row->name = held.x.pins.execution_name;
  row->status = finish.status;
  row->input = held.x.input.to_json();
  row->output = finish.output;
  row->error = finish.error;
  row->cause = finish.cause;
  row->started_at = held.x.started_at;
  row->ended_at = finish.at;
  row->redrive_count = held.x.redrive_count;
  return row;
}

}  // namespace

void Lane::on_landed(Landed landed) {
  if (!landed.ack.refused.empty()) on_refused(landed);
  for (const ExecutionId id : landed.ack.lost) {
    ++world_.counters.lost;
    drop(id);
  }
  on_starts(landed);
  for (const store::FinishRow& finish : landed.batch.finishes) {
    if (OwnedExecution* const held = find(finish.execution)) on_ended(*held, finish);
  }
  for (const store::Park& park : landed.batch.parks) {
    ++world_.counters.parked;
    drop(park.execution);
  }
  touched_.clear();
  for (const store::JournalRow& row : landed.batch.facts) {
    OwnedExecution* held = find(row.execution);
    if (held == nullptr) continue;
    held->durable = std::max(held->durable, row.seq);
    if (!std::exchange(held->is_touched, true)) touched_.push_back(held);
  }
  for (std::size_t i = 0; i < touched_.size(); ++i) {
    OwnedExecution& held = *touched_[i];
    held.is_touched = false;
    if (held.snapshot_under_way) save_snapshot(held);
    dispatch(held);
  }
  touched_.clear();
}

void Lane::on_ended(OwnedExecution& held, const store::FinishRow& finish) {
  ++world_.counters.ended;
  cancel_all(held);  // Before anybody hears of the end.
  world_.ends.release_ended(held.id, [&] { return ended_row(held, finish); });
  drop(held.id);
}

void Lane::on_claimed(store::ClaimResult claim) {
  ++claims_seen_;
  if (is_stopping_) return;
  for (const store::InboxRow& row : claim.inbox) {
    const auto folding = folding_.find(row.execution);
    if (folding != folding_.end()) {
      folding->second.push_back(row);
    } else if (OwnedExecution* held = find(row.execution)) {
      consume(*held, row);
      if (OwnedExecution* still = find(row.execution)) dispatch(*still);
    }
  }
  world_.counters.claimed += claim.claimed.size();
  for (const store::Claimed& claimed : claim.claimed) folding_.try_emplace(claimed.id);
  fold_claimed(std::move(claim.claimed));
  update_room();
}

// Small ones together, a large one alone; the lane's own thread folds none.
void Lane::fold_claimed(std::vector<store::Claimed> claimed) {
  std::size_t from = 0;
  while (from < claimed.size()) {
    auto some = std::make_shared<std::vector<store::Claimed>>();
    std::size_t rows = 0;
    while (from < claimed.size() && some->size() < kFoldTogether && rows < kFoldTogetherRows) {
      rows += claimed[from].journal.size();
      some->push_back(std::move(claimed[from++]));
    }
    world_.folders.run([this, some, epoch = epoch_] {
      auto folded = std::make_shared<std::vector<Folded>>();
      for (store::Claimed& one : *some) {
        folded->push_back(fold(std::move(one), world_.programs, world_.store, world_.mono));
      }
      loop_.post([this, folded, epoch] {
        for (Folded& one : *folded) on_folded(std::move(one), epoch);
      });
    });
  }
}

void Lane::on_folded(Folded folded, std::uint64_t epoch) {
  // Fenced meanwhile: it is not ours, or ours anew, and being folded again.
  if (epoch != epoch_ || is_stopping_) return;
  const auto waiting = folding_.find(folded.id);
  if (waiting == folding_.end()) return;
  std::vector<store::InboxRow> inbox = std::move(folded.inbox);
  inbox.insert(inbox.end(), waiting->second.begin(), waiting->second.end());
  folding_.erase(waiting);
  if (!folded.broken.empty()) return on_broken(folded, inbox);
  if (folded.held == nullptr) {
    (void)refusals_.take(folded.id);  // Who takes it up next runs what was refused again.
    open_.batch.released.push_back(folded.id);
    return;
  }
  OwnedExecution& held = *(held_[folded.id] = std::move(folded.held));
  world_.ends.hold(held.ns, held.id);
  if (held.seq > 1) ++world_.counters.folded;
  fail_refused(held);
  if (find(folded.id) == nullptr) return;
  // What was delivered comes before what is due: it arrived first.
  std::sort(inbox.begin(), inbox.end(),
            [](const store::InboxRow& a, const store::InboxRow& b) { return a.id < b.id; });
  for (const store::InboxRow& row : inbox) {
    if (find(folded.id) == nullptr) return;
    consume(held, row);
  }
  if (find(folded.id) == nullptr) return;
  if (!held.x.is_running() && !held.is_ended) {
    // Its row runs although its facts have ended: say so again.
    stage_finish(held, Finish{held.x.status, held.x.output, held.x.error, held.x.cause});
  }
  dispatch(held);
}

// What cannot be folded is kept from running; whoever stops it needs no fold to end it.
void Lane::on_broken(const Folded& folded, const std::vector<store::InboxRow>& inbox) {
  for (const store::InboxRow& row : inbox) {
    if (row.kind != FactKind::kStopped) continue;
    const auto body = decode_payload(row.kind, row.payload);
    if (!body.ok()) continue;
    const auto& stopped = std::get<Stopped>(*body);
    const Time now = world_.clock.now();
    open_.batch.facts.push_back(
        {folded.id, folded.last_seq + 1, row.kind, row.command, now, 0, row.payload});
    open_.batch.finishes.push_back({folded.id, ExecutionStatus::kAborted, "", stopped.error,
                                    stopped.cause.value_or(folded.broken), now});
    return;  // Its inbox goes with its end.
  }
  ++world_.counters.quarantined;
  open_.batch.quarantines.push_back({folded.id, folded.broken});
}

void Lane::consume(OwnedExecution& held, const store::InboxRow& row) {
  // While an execution parks or ends, new inbox rows stay in the store, which makes it due again.
  if (held.is_ended || held.is_parking) return;
  held.inbox_seen = std::max(held.inbox_seen, row.id);
  const ExecutionId id = held.id;
  auto body = decode_payload(row.kind, row.payload);
  if (body.ok()) {
    apply(held, Fact{row.command, world_.clock.now(), 0, std::move(*body)});
    if (find(id) == nullptr) return;  // Quarantined over it.
  }
  open_.batch.consumed.push_back({id, row.id});
}

void Lane::on_fenced(std::vector<StartAnswer> unsent, std::uint64_t epoch) {
  // Told of that session already: these were staged before that was heard.  What is held since
  // then is of the next session.
  if (epoch == epoch_) return tell_fenced(unsent);
  epoch_ = epoch;
  std::move(open_.answers.begin(), open_.answers.end(), std::back_inserter(unsent));
  open_ = {};
  folding_.clear();
  refusals_.clear();
  held_back_.clear();
  drop_all();
  deadlines_.clear();
  due_snapshots_.clear();
  update_room();
  tell_fenced(unsent);
}

void Lane::tell_fenced(const std::vector<StartAnswer>& unsent) {
  for (const StartAnswer& answer : unsent) {
    answer(Error{ErrorCode::kFenced, "the lane was cut off from the database"});
  }
}

void Lane::update_room() {
  committer_.set_room(room_.left(taken()));
  holds_ = taken() > 0;
}

}  // namespace stepwell::runtime
