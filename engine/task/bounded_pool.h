// BoundedPool — a few threads for one purpose, and a bound on the work that waits for them.
//
// Work that blocks (a read of the database) is done here, so that it holds up its own kind only.
// Thread-safety: any thread may call.  Ownership: the pool owns its threads; the destructor waits
// for the work that runs, and tells the work that waits that it will not.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <utility>

#include "base/sync/mutex.h"
#include "engine/task/thread_pool.h"

namespace stepwell::runtime {

class BoundedPool {
 public:
  // Called once: on a thread of the pool, or with `may_run` false by stop(), only to say so to
  // whoever waits for the work.
  using Work = std::function<void(bool may_run)>;

  // `rests` as ThreadPool has it.
  BoundedPool(unsigned threads, std::size_t most_waiting, int rests = 0)
      : most_waiting_(most_waiting), threads_(threads, rests) {}
  ~BoundedPool() { stop(); }
  BoundedPool(const BoundedPool&) = delete;
  BoundedPool& operator=(const BoundedPool&) = delete;

  // False: too much waits already, or the pool has ended; the work is not taken.
  bool run(Work work) {
    {
      const MutexLock lock(mutex_);
      if (is_stopped_ || waiting_.size() >= most_waiting_) return false;
      waiting_.push_back(std::move(work));
    }
    threads_.run([this] { run_one(); });
    return true;
  }
  // Before all that waits, whose bound does not hold for it: the caller sees to it that such work
  // is little.  False: the pool has ended.
  bool run_next(Work work) {
    {
      const MutexLock lock(mutex_);
      if (is_stopped_) return false;
      waiting_.push_front(std::move(work));
    }
    threads_.run([this] { run_one(); });
    return true;
  }

  // Idempotent; not from one of the threads.
  void stop() {
    {
      const MutexLock lock(mutex_);
      is_stopped_ = true;
    }
    threads_.stop();
    std::deque<Work> waiting;
    {
      const MutexLock lock(mutex_);
      waiting.swap(waiting_);
    }
    for (const Work& work : waiting) work(false);
  }

 private:
  void run_one() {
    Work work;
    {
      const MutexLock lock(mutex_);
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work(true);
  }

  const std::size_t most_waiting_;
  Mutex mutex_;
  std::deque<Work> waiting_ GUARDED_BY(mutex_);
  bool is_stopped_ GUARDED_BY(mutex_) = false;
  ThreadPool threads_;  // Last: ends first.
};

}  // namespace stepwell::runtime
