// MemoryWire — a lane's statements to the memory store, with the faults that somebody throws in.
// Not thread-safe by itself: every call locks the tables.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/sync/mutex.h"
#include "engine/store/hint_box.h"
#include "engine/store/lane_wire.h"
#include "engine/store/memory_state.h"

namespace stepwell::store {

// Shared by the store, its nodes and their sessions, whoever lives longest.
struct MemoryTables {
  explicit MemoryTables(const MemoryStoreOptions& given) : options(given), state(given) {}
  void hint() {
    hints.post();
    if (options.on_hint) options.on_hint();
  }

  const MemoryStoreOptions options;
  Mutex mutex;
  MemoryState state GUARDED_BY(mutex);
  HintBox hints;
};

class MemoryWire : public LaneWire {
 public:
  MemoryWire(std::shared_ptr<MemoryTables> tables, const Uuid& writer)
      : tables_(std::move(tables)), writer_(writer) {}
  ~MemoryWire() override;

  bool is_connected() const override;
  Result<std::optional<std::int64_t>> reconnect() override;
  Reply<CommitReply> commit(std::int64_t n, const Batch& batch) override;
  Reply<ClaimReply> claim(std::int64_t n, const ClaimRequest& request) override;
  Reply<std::vector<ExecutionId>> lost_in(const Batch& batch) override;
  Reply<std::vector<ExecutionId>> owned() override;
  Reply<Unit> close() override;
  Reply<Unit> give_up() override;
  // Whoever has time of its own decides when to call again.
  bool may_try_again(int) override { return false; }

 private:
  // Runs `statement` on the tables, or what the fault makes of it.
  template <class Statement>
  auto run(WireStatement kind, const Statement& statement)
      -> decltype(statement(std::declval<MemoryState&>()));
  WireFault fault(WireStatement kind) const;

  std::shared_ptr<MemoryTables> tables_;
  Uuid writer_;
  std::int64_t conn_ = 1;
};

}  // namespace stepwell::store
