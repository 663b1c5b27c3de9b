// ThreadPool — a few threads that take work from one queue.
//
// Any thread may call.  The destructor lets what runs finish and drops what waits.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/sync/cpu_time.h"
#include "base/sync/mutex.h"
#include "engine/task/pool.h"

namespace stepwell::runtime {

class ThreadPool final : public Pool {
 public:
  // After each piece of work a thread rests `rests` times as long as that has kept a core busy: so
  // much of the machine is left to others, whatever waits.  (A low priority would not do: where
  // Linux shares cores among groups of processes, it counts within ours only, and not for
  // Postgres.)
  explicit ThreadPool(unsigned threads, int rests = 0) : rests_(rests) {
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
    resting_.notify_all();
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
      if (rests_ == 0) {  // The clock below costs a system call.
        one();
        continue;
      }
      const auto before = thread_cpu_time();
      one();
      rest((thread_cpu_time() - before) * rests_);
    }
  }

  void rest(std::chrono::nanoseconds how_long) {
    const auto until = std::chrono::steady_clock::now() + how_long;
    const MutexLock lock(mutex_);
    while (!stopping_ && resting_.wait_until(mutex_, until)) {
    }
  }

  Mutex mutex_;
  const int rests_;
  CondVar changed_, resting_;
  std::deque<std::function<void()>> queue_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace stepwell::runtime
