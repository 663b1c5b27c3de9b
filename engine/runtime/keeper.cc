#include "engine/runtime/keeper.h"

#include <algorithm>

namespace stepwell::runtime {
namespace {

constexpr std::int64_t kMaintainEveryMs = 3'600'000, kMaintainAgainMs = 60'000;
constexpr Millis kAfterDue{20};

bool is_due(const std::optional<Time>& when, Time now) { return when && *when <= now; }

}  // namespace

Millis Keeper::turn() {
  look_at_lease();
  world_.health.asks(probe_, world_.mono.monotonic_ms());
  // What is stale for longer than a look tells of is swept with the upkeep.
  const bool is_time = world_.mono.monotonic_ms() >= maintain_ms_;
  if (is_time) maintain();
  const auto seen = look();
  const Status swept = seen.ok() && (is_time || seen->needs_sweep()) ? sweep() : ok_status();
  if (!seen.ok() || !swept.ok()) {
    world_.health.fails(probe_, seen.ok() ? swept.error() : seen.error());
    return world_.settings.look_period;
  }
  world_.health.works(probe_);
  if (is_due(seen->next_due, seen->now) || is_due(seen->next_suspect, seen->now) ||
      seen->has_inbox) {
    wake_();
  }
  return pause(*seen);
}

// The heartbeat is on a connection of its own: the database may answer all others.
void Keeper::look_at_lease() {
  world_.health.asks(lease_, world_.mono.monotonic_ms());
  if (!world_.membership.is_lease_over()) return world_.health.works(lease_);
  world_.health.fails(
      lease_, {ErrorCode::kUnavailable, "this process cannot renew its lease: its tasks wait"});
}

Result<store::Look> Keeper::look() {
  const std::int64_t before = world_.mono.monotonic_ms();
  store::LookRequest request;
  request.pools = world_.settings.pools;
  request.node = world_.membership.node();
  store::Look seen = TRY(world_.store.look(request));
  world_.clock.correct(seen.now, before);
  return seen;
}

Status Keeper::sweep() {
  const store::SweepReport report = TRY(world_.store.sweep());
  (report.by_evidence ? world_.counters.marked_by_evidence : world_.counters.marked_by_lease) +=
      report.writers_marked;
  world_.counters.freed += report.executions_freed;
  if (report.executions_freed + report.inbox_woken > 0) wake_();
  return ok_status();
}

// A start without a partition is refused, so it does not depend on what else there is to do.
void Keeper::maintain() {
  maintain_ms_ = world_.mono.monotonic_ms() + kMaintainEveryMs;
  world_.maintainers.run([this] {
    const Status status = world_.store.maintain();
    world_.health.asks(maintaining_, world_.mono.monotonic_ms());  // It may well take its time.
    if (status.ok()) return world_.health.works(maintaining_);
    world_.health.fails(maintaining_, status.error());
    maintain_ms_ = world_.mono.monotonic_ms() + kMaintainAgainMs;
  });
}

// Sooner when something becomes due before that.  Behind what is due now the look does not see what
// is due next: while the lanes take things up it looks again soon, and seldomer when they do not.
Millis Keeper::pause(const store::Look& look) {
  const Settings& settings = world_.settings;
  const std::int64_t now = world_.mono.monotonic_ms();
  const bool is_busy = holds_() || look.has_inbox || look.needs_sweep() ||
                       is_due(look.next_due, look.now) || is_due(look.next_suspect, look.now);
  if (is_busy) busy_ms_ = now;
  const bool is_idle = now - busy_ms_ >= settings.idle_after.count();
  const Millis longest = is_idle ? settings.idle_look_period : settings.look_period;
  Millis pause = longest;
  if (is_due(look.next_due, look.now)) {
    due_pause_ = look.next_due == seen_due_ ? due_pause_ * 2 : kAfterDue;
    seen_due_ = look.next_due;
    pause = std::min(longest, due_pause_);
  }
  for (const auto& due : {look.next_due, look.next_suspect}) {
    if (due && *due > look.now) pause = std::min(pause, *due - look.now + Millis(1));
  }
  return pause;
}

}  // namespace stepwell::runtime
