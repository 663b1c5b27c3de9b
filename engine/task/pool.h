// Pool — where work goes that would hold up a lane: folds, snapshots, functions that wait.
//
// Any thread may call.
#pragma once

#include <functional>

namespace stepwell::runtime {

class Pool {
 public:
  virtual ~Pool() = default;
  // Runs `work` soon, or not at all once the pool was stopped.
  virtual void run(std::function<void()> work) = 0;
  // Lets what runs finish and drops what waits.  Idempotent; not from work of this pool.
  virtual void stop() = 0;
};

}  // namespace stepwell::runtime
