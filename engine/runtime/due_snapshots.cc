#include "engine/runtime/due_snapshots.h"

#include <utility>

namespace stepwell::runtime {

void DueSnapshots::consider(OwnedExecution& held) {
  if (held.snapshot_under_way || held.facts_since_snapshot < least_facts_ ||
      held.bytes_since_snapshot < held.snapshot_bytes) {
    return;
  }
  held.snapshot_under_way = true;
  held.facts_since_snapshot = held.bytes_since_snapshot = 0;
  due_[held.id] = {held.seq, held.journal_hash, held.x};
}

std::optional<DueSnapshot> DueSnapshots::take(const OwnedExecution& held) {
  const auto found = due_.find(held.id);
  if (found == due_.end() || found->second.seq > held.durable) return std::nullopt;
  DueSnapshot due = std::move(found->second);
  due_.erase(found);
  return due;
}

void DueSnapshots::written(OwnedExecution& held, std::size_t bytes) {
  held.snapshot_under_way = false;
  held.snapshot_bytes = bytes;
}

}  // namespace stepwell::runtime
