// Alarms — calls functions when their time has come, on one thread of its own.
//
// For the waits of an engine's callers, who are on no loop.  What a lane's executions wait for is
// kept by Deadlines (deadlines.h), which is made of two Timers (timers.h: only the heaps).
// Thread-safety: any thread may call.  A function that is called must not block; it may set and
// cancel alarms.  Ownership: the destructor drops what is set, and waits for the one that runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <thread>
#include <utility>

#include "base/sync/mutex.h"
#include "base/time.h"

namespace stepwell::runtime {

class Alarms {
 public:
  using Moment = std::chrono::steady_clock::time_point;
  using Key = std::pair<Moment, std::uint64_t>;

  Alarms();
  ~Alarms();
  Alarms(const Alarms&) = delete;
  Alarms& operator=(const Alarms&) = delete;

  Key at(Moment moment, std::function<void()> ring);
  void cancel(const Key& key);  // Of one that rings or has rung: nothing.
  void stop();                  // Idempotent; not from an alarm.

 private:
  void run();

  Mutex mutex_;
  CondVar changed_;
  std::map<Key, std::function<void()>> set_ GUARDED_BY(mutex_);
  Moment sleeps_until_ GUARDED_BY(mutex_) = Moment::max();
  std::uint64_t count_ GUARDED_BY(mutex_) = 0;
  bool is_stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace stepwell::runtime
