#include "engine/store/memory_wire.h"

namespace stepwell::store {
namespace {

Trouble lost() { return {Trouble::Kind::kLost, "", "the connection is lost"}; }

}  // namespace

MemoryWire::~MemoryWire() {
  const MutexLock lock(tables_->mutex);
  MemoryWriter& writer = tables_->state.writers.at(writer_);
  if (writer.conn == conn_) writer.is_connected = false;
}

WireFault MemoryWire::fault(WireStatement kind) const {
  return tables_->options.fault ? tables_->options.fault(writer_, kind) : WireFault::kNone;
}

bool MemoryWire::is_connected() const {
  const MutexLock lock(tables_->mutex);
  const MemoryWriter& writer = tables_->state.writers.at(writer_);
  return writer.is_connected && writer.conn == conn_;
}

template <class Statement>
auto MemoryWire::run(WireStatement kind, const Statement& statement)
    -> decltype(statement(std::declval<MemoryState&>())) {
  const WireFault fault = this->fault(kind);
  const MutexLock lock(tables_->mutex);
  MemoryWriter& writer = tables_->state.writers.at(writer_);
  switch (fault) {
    case WireFault::kNone: return statement(tables_->state);
    case WireFault::kTooMuch:
      return Trouble{Trouble::Kind::kBusy, "57014", "canceling statement due to timeout"};
    case WireFault::kReplyLost: statement(tables_->state); break;
    case WireFault::kRequestLost:
    case WireFault::kAway: break;
  }
  writer.is_connected = false;
  return lost();
}

Result<std::optional<std::int64_t>> MemoryWire::reconnect() {
  const WireFault fault = this->fault(WireStatement::kConnect);
  const MutexLock lock(tables_->mutex);
  const Error away{ErrorCode::kUnavailable, "the database is away"};
  if (fault != WireFault::kNone && fault != WireFault::kReplyLost) return away;
  const auto newest = tables_->state.reconnect(writer_);
  if (fault == WireFault::kReplyLost) {
    tables_->state.writers.at(writer_).is_connected = false;
    return away;
  }
  conn_ = tables_->state.writers.at(writer_).conn;
  return newest;
}

Reply<CommitReply> MemoryWire::commit(std::int64_t n, const Batch& batch) {
  return run(WireStatement::kCommit,
             [&](MemoryState& state) { return state.commit(writer_, conn_, n, batch); });
}

Reply<ClaimReply> MemoryWire::claim(std::int64_t n, const ClaimRequest& request) {
  return run(WireStatement::kClaim,
             [&](MemoryState& state) { return state.claim(writer_, conn_, n, request); });
}

Reply<std::vector<ExecutionId>> MemoryWire::lost_in(const Batch& batch) {
  return run(WireStatement::kAsk, [&](MemoryState& state) -> Reply<std::vector<ExecutionId>> {
    return state.lost_in(writer_, batch);
  });
}

Reply<std::vector<ExecutionId>> MemoryWire::owned() {
  return run(WireStatement::kAsk, [&](MemoryState& state) -> Reply<std::vector<ExecutionId>> {
    const ExecutionSet& ids = state.owned_by(writer_);
    return std::vector<ExecutionId>(ids.begin(), ids.end());
  });
}

Reply<Unit> MemoryWire::close() {
  return run(WireStatement::kClose,
             [&](MemoryState& state) { return state.close(writer_, conn_); });
}

Reply<Unit> MemoryWire::give_up() {
  return run(WireStatement::kAsk, [&](MemoryState& state) -> Reply<Unit> {
    state.give_up(writer_);
    return Unit{};
  });
}

}  // namespace stepwell::store
