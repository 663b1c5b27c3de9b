// ThreadPool — a few threads that take work from one queue.
//
// Any thread may call.  The destructor lets what runs finish and drops what waits.
#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/sync/mutex.h"
#include "engine/task/pool.h"

namespace stepwell::runtime {

class ThreadPool final : public Pool {
 public:
  explicit ThreadPool(unsigned threads) {
    for (unsigned i = 0; i < threads; ++i) {
      threads_.emplace_back([this] { work(); });
    }
  }
  ~ThreadPool() override { stop(); }
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  void run(std::function<void()> work) override {
    {
      const MutexLock lock(mutex_);
      if (stopping_) return;
      queue_.push_back(std::move(work));
    }
    changed_.notify_one();
  }

  // Idempotent; not from one of the threads.
  void stop() override {
    {
      const MutexLock lock(mutex_);
      stopping_ = true;
      queue_.clear();
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }

 private:
  void work() {
    while (true) {
      std::function<void()> one;
      {
        const MutexLock lock(mutex_);
        while (!stopping_ && queue_.empty()) changed_.wait(mutex_);
        if (stopping_) return;
        one = std::move(queue_.front());
        queue_.pop_front();
      }
      one();
    }
  }

  Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> queue_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace stepwell::runtime
