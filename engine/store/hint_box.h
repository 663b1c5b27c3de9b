// HintBox — "something may be due", from anybody to whoever waits.
//
// A hint that arrives between two waits of a thread is not missed.  Hints carry no promise: the
// sweep finds what a lost hint would have told.
// Any thread may call.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <thread>

#include "base/time.h"

namespace stepwell::store {

class HintBox {
 public:
  void post() {
    {
      const std::scoped_lock lock(mutex_);
      ++posted_;
    }
    changed_.notify_all();
  }

  // Until a hint came since this thread's last wait, or the time is over.
  void wait(Millis at_most) {
    std::unique_lock lock(mutex_);
    std::uint64_t& seen = seen_[std::this_thread::get_id()];
    changed_.wait_for(lock, at_most, [&] { return posted_ != seen; });
    seen = posted_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t posted_ = 0;
  std::map<std::thread::id, std::uint64_t> seen_;
};

}  // namespace stepwell::store
