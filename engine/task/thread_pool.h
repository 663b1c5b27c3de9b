// ThreadPool — a few threads that take work from one queue.
//
// Any thread may call.  The destructor lets what runs finish and drops what waits.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

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
      const std::scoped_lock lock(mutex_);
      if (stopping_) return;
      queue_.push_back(std::move(work));
    }
    changed_.notify_one();
  }

  // Idempotent; not from one of the threads.
  void stop() override {
    {
      const std::scoped_lock lock(mutex_);
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
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (stopping_) return;
        one = std::move(queue_.front());
        queue_.pop_front();
      }
      one();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace stepwell::runtime
