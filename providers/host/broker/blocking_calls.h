// BlockingCalls — what would block a lane's loop (the ledger, the connections): runs on the
// providers' threads, and what comes next runs on the loop again.
//
// On the loop's thread.  Ownership: the loop and the threads outlive it; what comes back after it
// has ended is dropped.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "base/result.h"
#include "base/sync/mutex.h"
#include "engine/task/bounded_pool.h"
#include "net/loop/loop.h"

namespace stepwell::host {

// What a call answers whose work did not run.
inline Error too_many_wait() {
  return {ErrorCode::kUnavailable, "too many calls wait for the ledger and the connections"};
}

class BlockingCalls {
 public:
  BlockingCalls(loop::Loop& loop, runtime::BoundedPool& threads)
      : threads_(threads), way_back_(std::make_shared<WayBack>(loop)) {}
  ~BlockingCalls() { way_back_->close(); }
  BlockingCalls(const BlockingCalls&) = delete;
  BlockingCalls& operator=(const BlockingCalls&) = delete;

  // `done` comes on the loop, never from inside; without `work` when too much waits already.
  void run(std::function<void()> work, std::function<void()> done) {
    auto both = [way_back = way_back_, work = std::move(work), done](bool may_run) {
      if (may_run) work();
      way_back->post(done);
    };
    if (!threads_.run(std::move(both))) way_back_->post(std::move(done));
  }

 private:
  class WayBack {
   public:
    explicit WayBack(loop::Loop& loop) : loop_(&loop) {}
    void post(std::function<void()> done) {
      const MutexLock lock(mutex_);
      if (loop_ != nullptr) loop_->post(std::move(done));
    }
    void close() {
      const MutexLock lock(mutex_);
      loop_ = nullptr;
    }

   private:
    Mutex mutex_;
    loop::Loop* loop_ GUARDED_BY(mutex_);
  };

  runtime::BoundedPool& threads_;
  const std::shared_ptr<WayBack> way_back_;
};

}  // namespace stepwell::host
