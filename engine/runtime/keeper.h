// Keeper — looks, in one cheap call, for what is due and who is dead; frees what the dead owned,
// and wakes the lanes when there is something to claim.
//
// The idle cost of a process is this look: every 300 ms while there is anything to do, and after a
// minute without, every 1.5 s.  One look and when to look again: Runtime drives it on a thread, the
// simulation in virtual time.
// By one thread.  Ownership: what it refers to outlives it.
#pragma once

#include <functional>
#include <optional>

#include "base/clock.h"
#include "engine/observe/counters.h"
#include "engine/observe/health.h"
#include "engine/runtime/membership.h"
#include "engine/runtime/settings.h"
#include "engine/runtime/store_clock.h"
#include "engine/store/store.h"

namespace stepwell::runtime {

struct KeeperWorld {
  const Clock& mono;
  const Settings& settings;
  store::Store& store;
  const Membership& membership;
  StoreClock& clock;
  Counters& counters;
  Health& health;
};

class Keeper {
 public:
  // `wake`: there is something to claim.  `holds`: do the lanes of this process hold anything?
  Keeper(const KeeperWorld& world, std::function<void()> wake, std::function<bool()> holds)
      : world_(world),
        wake_(std::move(wake)),
        holds_(std::move(holds)),
        probe_(world_.health.add()),
        busy_ms_(world_.mono.monotonic_ms()) {}

  // One look; answers when to look again.
  Millis turn();

 private:
  Result<store::Look> look();
  Status sweep();
  Millis pause(const store::Look& look);

  const KeeperWorld world_;
  const std::function<void()> wake_;
  const std::function<bool()> holds_;
  const Health::Probe probe_;
  std::int64_t busy_ms_;  // When there was something to do last; monotonic.
};

}  // namespace stepwell::runtime
