// DueSnapshots — copies of executions that wait until their facts are durable and can be written as
// snapshots.
//
// A snapshot is due when the journal since the last one has outgrown it, so that all snapshots
// together cost no more than the journal does.  Belongs to its lane's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "engine/runtime/owned_execution.h"

namespace stepwell::runtime {

struct DueSnapshot {
  std::uint64_t seq = 0, journal_hash = 0;  // Of the newest fact that is in it.
  Execution x;
};

class DueSnapshots {
 public:
  // `least_facts`: a shorter journal is folded faster than a snapshot is read.
  explicit DueSnapshots(std::uint64_t least_facts) : least_facts_(least_facts) {}

  // Called after each fact: keeps a copy when a snapshot is due.
  void consider(OwnedExecution& held);
  // The copy, once all its facts are durable; the caller writes it, then calls written().
  std::optional<DueSnapshot> take(const OwnedExecution& held);
  // `bytes`: of the snapshot, whether or not the store took it.
  static void written(OwnedExecution& held, std::size_t bytes);
  void forget(ExecutionId id) { due_.erase(id); }
  void clear() { due_.clear(); }

 private:
  const std::uint64_t least_facts_;
  std::unordered_map<ExecutionId, DueSnapshot> due_;
};

}  // namespace stepwell::runtime
