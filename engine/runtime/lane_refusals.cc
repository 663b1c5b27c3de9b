// Facts that the store refuses.  The task whose answer cannot be kept fails: its execution is
// folded again from what is durable, and goes on with that failure.
#include "engine/runtime/lane.h"
#include "engine/store/batch_parts.h"

namespace stepwell::runtime {
namespace {

constexpr const char* kRefusedError = "Stepwell.DataRefused";

bool is_answer(FactKind kind) {
  return kind == FactKind::kTaskSucceeded || kind == FactKind::kTaskFailed;
}

bool is_refused_itself(const store::JournalRow& row) {
  return !store::why_refused("answer", row.payload, store::kMaxTextBytes).empty();
}

}  // namespace

void Lane::on_refused(const Landed& landed) {
  ++refusals_seen_;
  store::ExecutionSet ids;
  for (const store::Refused& refused : landed.ack.refused) ids.insert(refused.execution);
  open_.batch = store::without(open_.batch, ids);  // It goes on from what is not there.
  for (const store::Refused& refused : landed.ack.refused) {
    ++world_.counters.refused;
    fold_without(refused, landed.batch);
  }
}

void Lane::fold_without(const store::Refused& refused, const store::Batch& batch) {
  const ExecutionId id = refused.execution;
  OwnedExecution* held = find(id);
  if (held == nullptr || held->durable == 0) return;  // A start: it is answered as one.
  Refusal refusal;
  refusal.reason = refused.reason;
  bool is_known = false;  // Which one it is; else what follows from them may be at fault.
  for (const store::JournalRow& row : batch.facts) {
    if (row.execution != id || !is_answer(row.kind)) continue;
    const bool is_bad = is_refused_itself(row);
    if (is_bad && !std::exchange(is_known, true)) refusal.answers.clear();
    if (is_bad || !is_known) refusal.answers.push_back(row);
  }
  // Nothing of a task, or the failure that stands for it is refused too.
  if (refusal.answers.empty() || held->refused_at == held->durable) {
    return quarantine(*held, "the store refuses what it wrote: " + refused.reason);
  }
  const Namespace ns = held->ns;
  drop(id);
  folding_.try_emplace(id);
  refusals_[id] = std::move(refusal);
  world_.folders.run([this, ns, id, epoch = epoch_] {
    auto folded =
        std::make_shared<Folded>(refold(ns, id, world_.programs, world_.store, world_.mono));
    loop_.post([this, folded, epoch] { on_folded(std::move(*folded), epoch); });
  });
}

void Lane::fail_refused(OwnedExecution& held) {
  const auto refusal = refusals_.extract(held.id);
  if (refusal.empty()) return;
  held.refused_at = held.durable;
  const ExecutionId id = held.id;
  for (const store::JournalRow& row : refusal.mapped().answers) {
    if (find(id) == nullptr) return;
    apply(held, Fact{row.command, world_.clock.now(), row.input_hash,
                     TaskFailed{kRefusedError,
                                "the task's answer cannot be stored: " + refusal.mapped().reason,
                                {}}});
  }
}

}  // namespace stepwell::runtime
