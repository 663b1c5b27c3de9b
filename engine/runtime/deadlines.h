// Deadlines — when a lane's executions must hear that time has passed, with one alarm of the loop
// for the earliest.  The moments themselves are in two Timers (timers.h), one for each clock;
// Alarms (alarms.h) are for the callers of an engine, who are on no loop.
//
// Two clocks: an execution's own timers are due by the store's clock, which all processes share;
// how long a task may run or be silent is measured by this process's monotonic clock, so that a
// clock that is set, or a database that was away, fails no task.
// Belongs to its lane's thread.  Ownership: the loop and the clocks outlive it.
#pragma once

#include <cstdint>
#include <functional>

#include "base/clock.h"
#include "base/time.h"
#include "engine/runtime/store_clock.h"
#include "engine/runtime/timers.h"
#include "net/loop/loop.h"

namespace stepwell::runtime {

struct DeadlineCalls {
  // A timer of an execution is due: `now` is the store's time.
  std::function<void(const Timers::Entry&, Time now)> due;
  // A task is to be looked at: it may have run too long, or been silent too long.
  std::function<void(const Timers::Entry&)> look;
};

class Deadlines {
 public:
  Deadlines(loop::Loop& loop, const Clock& mono, const StoreClock& clock, DeadlineCalls calls);

  TimerKey add_timer(Time due, ExecutionId execution, CommandId command);
  TimerKey add_look(std::int64_t monotonic_ms, ExecutionId execution, CommandId command);
  void cancel_timer(TimerKey key) { timers_.cancel(key); }
  void cancel_look(TimerKey key) { looks_.cancel(key); }
  void clear();
  // Sets the alarm anew; also to be called when the store's clock may have been corrected.
  void arm();

 private:
  void ring();

  loop::Loop& loop_;
  const Clock& mono_;
  const StoreClock& clock_;
  const DeadlineCalls calls_;
  Timers timers_;  // By the store's clock.
  Timers looks_;   // By the monotonic clock.
  loop::TimerId alarm_ = 0;
  std::int64_t alarm_at_ms_ = 0;  // Monotonic.
};

}  // namespace stepwell::runtime
