// Answers — results of tasks on their way back to the lane, from whatever thread.
//
// Thread-safety: deliver() from any thread, and still after the lane is gone.
#pragma once

#include <memory>
#include <vector>

#include "base/sync/mutex.h"
#include "engine/task/task.h"
#include "net/loop/loop.h"

namespace stepwell::runtime {

struct TaskAnswered {
  ExecutionId execution;
  CommandId command;
  std::uint64_t run = 0;
  std::optional<TaskResult> result;  // None: a heartbeat.
};

class Answers {
 public:
  // `arrived` runs on the loop when answers came from elsewhere.
  Answers(loop::Loop& loop, std::function<void()> arrived)
      : loop_(&loop), arrived_(std::move(arrived)) {}

  void deliver(TaskAnswered answered) {
    const MutexLock lock(mutex_);
    if (loop_ == nullptr) return;
    waiting_.push_back(std::move(answered));
    // On the lane's own thread it looks by itself before it waits.
    if (waiting_.size() == 1 && !loop_->on_loop_thread()) loop_->post(arrived_);
  }
  void take(std::vector<TaskAnswered>& into) {
    const MutexLock lock(mutex_);
    into.swap(waiting_);
  }
  // The lane ends: what arrives later is dropped.
  void close() {
    const MutexLock lock(mutex_);
    loop_ = nullptr;
    waiting_.clear();
  }

 private:
  Mutex mutex_;
  loop::Loop* loop_ GUARDED_BY(mutex_);  // Null once the lane has ended.
  const std::function<void()> arrived_;
  std::vector<TaskAnswered> waiting_ GUARDED_BY(mutex_);
};

}  // namespace stepwell::runtime
