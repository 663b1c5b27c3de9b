// Runtime — the lanes of one process, and the threads that look for what is due and who is dead.
//
// Thread-safety: run() and stop() by one thread; the rest by any while it runs.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/runtime/lane.h"
#include "engine/runtime/steady_clock.h"
#include "engine/task/thread_pool.h"

namespace stepwell::runtime {

class Runtime {
 public:
  Runtime(store::Store& store, Programs& programs, Settings settings);
  ~Runtime();

  Status run(const std::vector<HandlerFactory>& factories);
  void stop();  // Idempotent.

  void begin(Beginning beginning, StartAnswer answer);
  // Something was delivered or became due.
  void wake();
  StoreClock& clock() { return clock_; }
  Ends& ends() { return ends_; }
  Figures& figures() { return figures_; }
  // What is wrong with the database, for longer than is tolerated; empty when nothing is.
  std::string trouble() const { return health_.trouble(mono_.monotonic_ms()); }

 private:
  Status prepare();
  void sweep_until_stopped();
  Status sweep();
  void follow_hints();
  void tell_news();
  bool pause(Millis how_long);  // False: stopped.

  store::Store& store_;
  const Settings settings_;
  Figures figures_;
  Health health_;
  const Clock& mono_ = steady_clock();
  StoreClock clock_{mono_};
  Ends ends_;
  Membership membership_;
  Programs& programs_;
  ThreadPool folders_{2};
  ThreadPool archivists_{1};
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::atomic<unsigned> next_lane_{0};
  std::thread sweeper_, follower_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;  // Guarded by mutex_.
  bool is_running_ = false;
};

}  // namespace stepwell::runtime
