// HintBox — "something may be due", from anybody to whoever waits.
//
// A hint that arrives between two waits of a thread is not missed.  Hints carry no promise: the
// sweep finds what a lost hint would have told.
// Any thread may call.
#pragma once

#include <cstdint>
#include <map>
#include <thread>
#include <utility>

#include "base/sync/mutex.h"
#include "base/time.h"

namespace stepwell::store {

class HintBox {
 public:
  void post() {
    {
      const MutexLock lock(mutex_);
      ++posted_;
    }
    changed_.notify_all();
  }

  // Until a hint came since this thread's last wait: true; or the time is over: false.
  bool wait(Millis at_most) {
    const auto until = std::chrono::steady_clock::now() + at_most;
    const MutexLock lock(mutex_);
    std::uint64_t& seen = seen_[std::this_thread::get_id()];
    while (posted_ == seen && changed_.wait_until(mutex_, until)) {
    }
    return std::exchange(seen, posted_) != posted_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::uint64_t posted_ GUARDED_BY(mutex_) = 0;
  std::map<std::thread::id, std::uint64_t> seen_ GUARDED_BY(mutex_);
};

}  // namespace stepwell::store
