// Ends — who waits for the end of an execution, and which executions this process holds.
//
// An execution that a lane here holds tells its end at once; any other has to be asked for.
// Any thread may call.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace stepwell::runtime {

class Ends {
 public:
  void hold(ExecutionId id);
  void release(ExecutionId id);
  bool is_held(ExecutionId id);
  // Calls `told` once, when it is released, on the lane's thread; it must not block.  0: it is not
  // held, and `told` was not called.
  std::uint64_t when_released(ExecutionId id, std::function<void()> told);
  void forget(ExecutionId id, std::uint64_t key);
  // Until it is released or the time is over.  False: not held to begin with, or time over.
  bool wait(ExecutionId id, Millis at_most);

 private:
  struct Waiter {
    std::uint64_t key = 0;
    std::function<void()> told;
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_map<ExecutionId, std::vector<Waiter>> held;
  };
  Shard& shard(ExecutionId id) { return shards_[id.uuid.bytes[15] % shards_.size()]; }
  std::array<Shard, 16> shards_;
  std::atomic<std::uint64_t> last_key_{0};
};

}  // namespace stepwell::runtime
