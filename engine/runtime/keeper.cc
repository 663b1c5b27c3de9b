#include "engine/runtime/keeper.h"

namespace stepwell::runtime {

Millis Keeper::turn() {
  world_.health.asks(probe_, world_.mono.monotonic_ms());
  const Status swept = sweep();
  const Status told = ask_time();
  if (swept.ok() && told.ok()) {
    world_.health.works(probe_);
  } else {
    world_.health.fails(probe_, told.ok() ? swept.error() : told.error());
  }
  return period_;
}

Status Keeper::sweep() {
  const store::SweepReport report = TRY(world_.store.sweep());
  (report.by_evidence ? world_.counters.marked_by_evidence : world_.counters.marked_by_lease) +=
      report.writers_marked;
  world_.counters.freed += report.executions_freed;
  if (report.executions_freed + report.inbox_woken > 0) wake_();
  return ok_status();
}

Status Keeper::ask_time() {
  const std::int64_t before = world_.mono.monotonic_ms();
  world_.clock.correct(TRY(world_.store.now()), before);
  return ok_status();
}

}  // namespace stepwell::runtime
