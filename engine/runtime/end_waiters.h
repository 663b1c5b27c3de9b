// EndWaiters — which executions this process owns, and who waits for them to end.
//
// A lane holds what it owns; when it lets go it says how the execution ended, so that whoever waits
// needs no read of the database.
// Thread-safety: any thread may call.  Callbacks run on the thread that releases (a lane's),
// outside of all locks; they must not block.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/namespace.h"
#include "base/sync/mutex.h"
#include "engine/store/store.h"

namespace stepwell::runtime {

// The row of an execution that has ended, as its lane wrote it.  Null: it was let go for another
// reason (parked, quarantined, lost), or its lane does not know all of the row.
using EndedRow = std::shared_ptr<const store::ExecutionRow>;
using OnRelease = std::function<void(const EndedRow&)>;

class EndWaiters {
 public:
  void hold(const Namespace& ns, ExecutionId id);
  // It is not owned here any more, and has not ended here.
  void release(ExecutionId id);
  // It has ended: `make_row` answers an EndedRow, and is called only when somebody waits.
  template <class MakeRow>
  void release_ended(ExecutionId id, const MakeRow& make_row) {
    const std::vector<Waiter> waiting = take(id);
    if (!waiting.empty()) tell(waiting, make_row());
  }
  bool is_held(const Namespace& ns, ExecutionId id);

  // Calls `told` once, when it is released.  0: none of that namespace is held under this id, and
  // `told` is not called.
  std::uint64_t when_released(const Namespace& ns, ExecutionId id, OnRelease told);
  // The same for one that is about to be started, before any lane holds it.
  std::uint64_t expect(ExecutionId id, OnRelease told);
  // Crosses a waiter out.  False: it has been told, or is being told now.
  bool forget(ExecutionId id, std::uint64_t key);

 private:
  struct Waiter {
    std::uint64_t key = 0;
    OnRelease told;
  };
  struct Entry {
    bool is_held = false;  // False: it is only expected.
    Namespace ns;          // Of the one that is held.
    std::vector<Waiter> waiters;
  };
  struct Shard {
    Mutex mutex;
    std::unordered_map<ExecutionId, Entry> entries GUARDED_BY(mutex);
  };
  Shard& shard(ExecutionId id) { return shards_[id.uuid.bytes[15] % shards_.size()]; }
  std::vector<Waiter> take(ExecutionId id);
  static void tell(const std::vector<Waiter>& waiting, const EndedRow& row);

  std::array<Shard, 16> shards_;
  std::atomic<std::uint64_t> last_key_{0};
};

}  // namespace stepwell::runtime
