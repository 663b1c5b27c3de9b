// MemoryState — the tables of MemoryStore and the rules over them.  Not thread-safe: whoever
// holds it locks.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/random.h"
#include "engine/store/batch_parts.h"
#include "engine/store/memory_store.h"
#include "engine/store/store.h"

namespace stepwell::store {

struct MemoryExecution {
  ExecutionRow row;
  int semantics = 1;
  std::uint64_t input_hash = 0;
  std::uint64_t inbox_seq = 0;
  std::uint64_t claim_seq = 0;     // The journal's last seq when it was claimed.
  std::uint32_t deaths = 0;        // Of owners, without progress.
  std::uint32_t alone_deaths = 0;  // Of those, while it was the only suspect of its node.
  bool claimed_alone = false;
  Time claimed_at;
  std::map<std::uint64_t, JournalRow> journal;
  std::map<std::uint64_t, InboxRow> inbox;
  std::map<std::uint64_t, SnapshotRow> snapshots;

  std::uint64_t last_seq() const { return journal.empty() ? 0 : journal.rbegin()->first; }
  bool is_running() const { return row.status == ExecutionStatus::kRunning; }
};

struct MemoryNode {
  Millis lease{0};
  bool expired = false;  // By a test.
  bool gone = false;     // Its Node object is: evidence of death.
};

struct MemoryWriter {
  Uuid node;
  bool alive = true;
  bool ended = false;  // Closed in order.
  std::uint64_t batch = 0;
  Ack ack;  // Of that batch.
};

class MemoryState {
 public:
  explicit MemoryState(MemoryStoreOptions options);

  Time now() const;
  Uuid new_id();

  std::vector<StartOutcome> start(const std::vector<Start>& starts, std::optional<Uuid> writer);
  Result<Ack> commit(Uuid writer, const Batch& batch);
  Result<ClaimResult> claim(Uuid writer, const ClaimRequest& request);
  Status deliver(const Namespace& ns, const Delivery& delivery);
  Look look(const LookRequest& request) const;
  // Of another namespace: it does not exist.
  Result<MemoryExecution*> find(const Namespace& ns, ExecutionId id);
  SweepReport sweep();
  Status close(Uuid writer);

  const ExecutionSet& owned_by(Uuid writer) const;

  std::map<ExecutionId, MemoryExecution> executions;
  std::map<std::tuple<Namespace, std::string, std::string>, ExecutionId> names;  // workflow, name
  std::map<Uuid, MemoryNode> nodes;
  std::map<Uuid, MemoryWriter> writers;
  std::map<std::string, StoredProgram> programs;
  // By workflow: hashes by version, and the one deployed last.
  using WorkflowName = std::pair<Namespace, std::string>;
  std::map<WorkflowName, std::vector<std::string>> versions;
  std::map<WorkflowName, std::string> current;

 private:
  bool is_alive(Uuid writer) const;
  bool is_late(const MemoryWriter& writer) const;
  MemoryExecution* owned_by(Uuid writer, ExecutionId id);
  ExecutionSet lost_in(Uuid writer, const Batch& batch);
  ExecutionSet losers_in(const Batch& batch, const std::vector<StartOutcome>& outcomes) const;
  void apply(Uuid writer, const Batch& batch);
  void apply_finish(const FinishRow& finish);
  void set_owner(MemoryExecution& execution, std::optional<Uuid> owner);
  void give_back(MemoryExecution& execution, std::optional<Time> wake_at);
  std::vector<ExecutionId> due(const ClaimRequest& request, bool suspects) const;
  bool has_suspect(Uuid node);
  void take(Uuid writer, MemoryExecution& execution, bool alone);
  std::vector<ExecutionId> suspects_to_try(Uuid node, const ClaimRequest& request);
  bool quarantine_if_deadly(MemoryExecution& execution);
  void free_from_dead(MemoryExecution& execution);

  MemoryStoreOptions options_;
  Random random_;
  ExecutionSet unowned_;                // Running, and nobody's.
  std::map<Uuid, ExecutionSet> owned_;  // By writer.
  ExecutionSet with_inbox_;             // May have something in it.
};

}  // namespace stepwell::store
