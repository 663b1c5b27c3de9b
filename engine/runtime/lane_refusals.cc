// Facts that the store refuses.  The task whose answer cannot be kept fails: its execution is
// folded again from what is durable, and goes on with that failure.
#include "engine/runtime/lane.h"
#include "engine/store/batch_parts.h"

namespace stepwell::runtime {
namespace {

constexpr const char* kRefusedError = "Stepwell.DataRefused";

}  // namespace

void Lane::on_refused(const Landed& landed) {
  refusals_.count();
  store::ExecutionSet ids;
  for (const store::Refused& refused : landed.ack.refused) ids.insert(refused.execution);
  open_.batch = store::without(open_.batch, ids);  // What follows from a refused fact is void.
  for (const store::Refused& refused : landed.ack.refused) {
    ++world_.counters.refused;
    fold_without(refused, landed.batch);
  }
}

void Lane::fold_without(const store::Refused& refused, const store::Batch& batch) {
  const ExecutionId id = refused.execution;
  OwnedExecution* held = find(id);
  if (held == nullptr || held->durable == 0) return;  // A start: it is answered as one.
  // Failures that are not durable yet stay; if one of them was refused too, there is no way on.
  std::vector<RefusedAnswer> replaced;
  if (held->refused_at == held->durable) replaced = std::move(held->replaced);
  if (!refusals_.keep(refused, batch, std::move(replaced))) {
    return quarantine(*held, "the store refuses what it wrote: " + refused.reason);
  }
  const Namespace ns = held->ns;
  drop(id);
  folding_.try_emplace(id);
  world_.folders.run([this, ns, id, epoch = epoch_] {
    auto folded =
        std::make_shared<Folded>(refold(ns, id, world_.programs, world_.store, world_.mono));
    loop_.post([this, folded, epoch] { on_folded(std::move(*folded), epoch); });
  });
}

void Lane::fail_refused(OwnedExecution& held) {
  const std::vector<RefusedAnswer> answers = refusals_.take(held.id);
  if (answers.empty()) return;
  held.refused_at = held.durable;
  held.replaced = answers;
  const ExecutionId id = held.id;
  for (const RefusedAnswer& answer : answers) {
    if (find(id) == nullptr) return;
    apply(held,
          Fact{answer.command, world_.clock.now(), answer.input_hash,
               TaskFailed{
                   kRefusedError, "the task's answer cannot be stored: " + answer.reason, {}}});
  }
}

}  // namespace stepwell::runtime
