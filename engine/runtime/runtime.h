// Runtime — the lanes of one process, and the threads that look for what is due and who is dead.
//
// Thread-safety: run() and stop() by one thread; the rest by any while it runs.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/sync/mutex.h"
#include "engine/runtime/follower.h"
#include "engine/runtime/keeper.h"
#include "engine/runtime/lane_choice.h"
#include "engine/runtime/lane_thread.h"
#include "engine/runtime/surroundings.h"

namespace stepwell::runtime {

class Runtime {
 public:
  Runtime(store::Store& store, Programs& programs, Settings settings,
          const Surroundings& surroundings = real_surroundings());
  ~Runtime();

  Status run(const std::vector<HandlerFactory>& factories);
  void stop();  // Idempotent.

  void begin(Beginning beginning, StartAnswer answer);
  // Something was delivered or became due.
  void wake();
  StoreClock& clock() { return clock_; }
  EndWaiters& ends() { return ends_; }
  Counters& counters() { return counters_; }
  // What is wrong with the database, for longer than is tolerated; empty when nothing is.
  std::string trouble() const { return health_.trouble(mono_.monotonic_ms()); }

 private:
  Status prepare();
  Status start_lanes(const std::vector<HandlerFactory>& factories);
  bool holds() const;
  void keep_until_stopped();
  void follow_until_stopped();
  bool pause(Millis how_long);  // False: stopped.

  store::Store& store_;
  const Settings settings_;
  const Clock& mono_;
  Counters counters_;
  Health health_;
  StoreClock clock_;
  EndWaiters ends_;
  Membership membership_;
  Programs& programs_;
  const std::unique_ptr<Pool> folders_, archivists_;
  Keeper keeper_;
  Follower follower_;
  std::vector<std::unique_ptr<LaneThread>> lanes_;
  LaneChoice choice_;
  std::thread keeping_, following_;
  Mutex mutex_;
  CondVar changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  bool is_running_ = false;
};

}  // namespace stepwell::runtime
