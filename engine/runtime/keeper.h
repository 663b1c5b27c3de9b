// Keeper — looks, in one cheap call, for what is due and who is dead; frees what the dead owned,
// and wakes the lanes when there is something to claim.  Once an hour it has the store maintained.
//
// The idle cost of a process is this look: every 300 ms while there is anything to do, and after a
// minute without, every 1.5 s.  One look and when to look again: Runtime drives it on a thread, the
// simulation in virtual time.
// By one thread.  Ownership: what it refers to outlives it.
#pragma once

#include <atomic>
#include <functional>
#include <optional>

#include "base/clock.h"
#include "engine/observe/counters.h"
#include "engine/observe/health.h"
#include "engine/runtime/membership.h"
#include "engine/runtime/settings.h"
#include "engine/runtime/store_clock.h"
#include "engine/store/store.h"
#include "engine/task/pool.h"

namespace stepwell::runtime {

struct KeeperWorld {
  const Clock& mono;
  const Settings& settings;
  store::Store& store;
  const Membership& membership;
  StoreClock& clock;
  Counters& counters;
  Health& health;
  Pool& maintainers;  // Where the store is maintained: it may take longer than a lease.
};

class Keeper {
 public:
  // `wake`: there is something to claim.  `holds`: do the lanes of this process hold anything?
  Keeper(const KeeperWorld& world, std::function<void()> wake, std::function<bool()> holds)
      : world_(world),
        wake_(std::move(wake)),
        holds_(std::move(holds)),
        probe_(world_.health.add()),
        maintaining_(world_.health.add(Health::Weight::kUpkeep)),
        lease_(world_.health.add()),
        busy_ms_(world_.mono.monotonic_ms()),
        maintain_ms_(busy_ms_) {}

  // One look; answers when to look again.
  Millis turn();

 private:
  void look_at_lease();
  Result<store::Look> look();
  Status sweep();
  Millis pause(const store::Look& look);
  void maintain();

  const KeeperWorld world_;
  const std::function<void()> wake_;
  const std::function<bool()> holds_;
  const Health::Probe probe_, maintaining_, lease_;
  std::int64_t busy_ms_;          // When there was something to do last; times are monotonic.
  std::optional<Time> seen_due_;  // What was due already at the last look, and
  Millis due_pause_{0};           // how long it rested after that.
  std::atomic<std::int64_t> maintain_ms_;  // When the store is to be maintained next.
};

}  // namespace stepwell::runtime
