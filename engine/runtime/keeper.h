// Keeper — looks for the dead, frees what they owned, and wakes the lanes when there is something
// to claim.  One look and when to look again: KeeperThread drives it, or the simulation.
//
// By one thread.  Ownership: what it refers to outlives it.
#pragma once

#include <functional>

#include "base/clock.h"
#include "engine/observe/counters.h"
#include "engine/observe/health.h"
#include "engine/runtime/store_clock.h"
#include "engine/store/store.h"

namespace stepwell::runtime {

struct KeeperWorld {
  const Clock& mono;
  store::Store& store;
  StoreClock& clock;
  Counters& counters;
  Health& health;
};

class Keeper {
 public:
  Keeper(const KeeperWorld& world, Millis period, std::function<void()> wake)
      : world_(world), period_(period), wake_(std::move(wake)), probe_(world_.health.add()) {}

  // One look; answers when to look again.
  Millis turn();

 private:
  Status sweep();
  Status ask_time();

  const KeeperWorld world_;
  const Millis period_;
  const std::function<void()> wake_;
  const Health::Probe probe_;
};

}  // namespace stepwell::runtime
