// MemoryState — the tables of MemoryStore, and the functions of sql/engine over them: the same
// rules, the same order, the same answers, one function here for one there.  tests/store holds the
// two against each other (differential_test).
// One class in five files: memory_starts.cc, memory_commit.cc, memory_claim.cc, memory_lanes.cc
// (processes, lanes, deliveries, what the keeper does) and memory_dump.cc (all tables as text).
// Not thread-safe: whoever holds it locks.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/random.h"
#include "engine/store/batch_parts.h"
#include "engine/store/lane_wire.h"
#include "engine/store/memory_store.h"
#include "engine/store/store.h"

namespace stepwell::store {

struct MemoryInboxRow {
  InboxRow row;
  std::optional<Uuid> for_writer;
  Time arrived_at;
};

struct MemoryNotice {
  Notice notice;
  std::optional<Uuid> for_writer;
  Time at;
};

struct MemoryExecution {
  ExecutionRow row;  // `name` is empty when nobody gave one.
  int kind = 0;      // 1: a slice of a distributed Map.
  int semantics = 1;
  Priority priority = Priority::kNormal;
  std::uint32_t version = 0;
  std::string origin;
  std::uint64_t input_hash = 0;
  std::uint64_t inbox_seq = 0;
  std::uint64_t claim_seq = 0;     // The journal's last seq when it was claimed.
  std::int64_t claim_n = 0;        // The number of the call that claimed it.
  std::uint32_t deaths = 0;        // Of owners, without progress.
  std::uint32_t alone_deaths = 0;  // Of those, while it was the only suspect of its node.
  bool claimed_alone = false;
  Time claimed_at;
  std::map<std::uint64_t, JournalRow> journal;
  std::map<std::uint64_t, MemoryInboxRow> inbox;
  std::map<std::string, MemoryNotice> notices;
  std::map<std::uint64_t, SnapshotRow> snapshots;

  std::uint64_t last_seq() const { return journal.empty() ? 0 : journal.rbegin()->first; }
  bool went_on() const { return last_seq() > claim_seq; }
  bool is_running() const { return row.status == ExecutionStatus::kRunning; }
  // As people see it.
  std::string shown_name() const { return row.name.empty() ? row.id.text() : row.name; }
  ExecutionRow shown() const;
};

struct MemoryNode {
  Millis lease{0};
  Time lease_until, renewed_at, steady_since;
  bool renews_by_itself = true;  // Until expire(), or its object's end.
  bool is_gone = false;          // Its object is; with its lanes' connections: evidence of death.
  std::uint64_t lapses = 0;      // Renewals that came too late.
};

struct MemoryWriter {
  Uuid node;
  std::int64_t conn = 1;
  bool alive = true;
  bool freed = false;        // Nothing names it any more.
  bool is_connected = true;  // Its wire has not been destroyed or cut.
  std::set<std::int64_t> batches;
};

class MemoryState {
 public:
  explicit MemoryState(const MemoryStoreOptions& options);

  Time now() const;
  Uuid new_id();

  // memory_starts.cc, memory_commit.cc
  std::vector<StartOutcome> start_unowned(const std::vector<Start>& starts);
  Reply<CommitReply> commit(Uuid writer, std::int64_t conn, std::int64_t n, const Batch& batch);
  std::vector<ExecutionId> lost_in(Uuid writer, const Batch& batch);
  // memory_claim.cc
  Reply<ClaimReply> claim(Uuid writer, std::int64_t conn, std::int64_t n,
                          const ClaimRequest& request);
  // memory_lanes.cc
  Status deliver(const Namespace& ns, const Delivery& delivery);
  void put_notice(const Notice& notice);
  void join(Uuid node, Millis lease, bool renews_by_itself);
  void renew(Uuid node);
  void expire(Uuid node);
  void restart();
  bool register_writer(Uuid writer, Uuid node);
  // The newest number that has landed.  Nothing: fenced.
  std::optional<std::int64_t> reconnect(Uuid writer);
  Reply<Unit> close(Uuid writer, std::int64_t conn);
  void give_up(Uuid writer);
  Look look(const LookRequest& request);
  SweepReport sweep();

  const ExecutionSet& owned_by(Uuid writer) const;
  // Of another namespace: it does not exist.
  Result<MemoryExecution*> find(const Namespace& ns, ExecutionId id);
  // Every table, a line for each row, as the differential test reads Postgres's.
  std::string dump() const;

  using StartKey = std::tuple<Namespace, std::string, std::string>;  // And workflow, and name.
  struct KeyRow {
    ExecutionId execution;
    std::uint64_t input_hash = 0;
  };
  using WorkflowName = std::pair<Namespace, std::string>;

  std::map<ExecutionId, MemoryExecution> executions;
  std::map<StartKey, KeyRow> start_keys;
  std::map<Uuid, MemoryNode> nodes;
  std::map<Uuid, MemoryWriter> writers;
  std::map<std::string, StoredProgram> programs;
  std::map<WorkflowName, std::vector<std::string>> versions;  // Hashes, from version 1 on.
  std::map<WorkflowName, std::string> heads;

 private:
  struct Started {
    ExecutionSet losers;
    std::vector<bool> is_new;
    std::vector<StartKey> keys;  // Inserted.
    bool is_taken = false;       // An id was there already.
  };
  // What a start would do; the keys are in when it returns.
  Started try_starts(const std::vector<Start>& starts, bool by_lane);
  void insert(const Start& start, std::optional<Uuid> writer);
  std::vector<StartOutcome> outcomes_of(const std::vector<Start>& starts) const;
  std::optional<Trouble> refused(Uuid writer, const Batch& batch, const Started& started) const;
  void apply(Uuid writer, const Batch& batch);
  const MemoryExecution* row_of(ExecutionId id) const;
  bool fence(Uuid writer, std::int64_t conn) const;
  // Notes the number; false: it has landed before.
  bool take_number(Uuid writer, std::int64_t n);

  bool is_claimable(const MemoryExecution& execution, const std::vector<std::string>& pools,
                    int semantics) const;
  std::optional<Time> next_due(const std::vector<std::string>& pools, int semantics,
                               bool suspects) const;
  // Unowned ones that are due, the longest waiting first.
  template <class IsWanted>
  std::vector<ExecutionId> due(int semantics, const IsWanted& is_wanted) const;
  struct Budget {
    std::optional<std::int64_t> bytes;
    bool is_full = false;  // Something was left for its size.
  };
  std::size_t fitting(const std::vector<ExecutionId>& ids, Budget& budget, bool first) const;
  void claim_suspects(Uuid writer, std::int64_t n, const ClaimRequest& request, Budget& budget,
                      std::vector<ExecutionId>& ids);
  void claim_due(Uuid writer, std::int64_t n, const ClaimRequest& request, Budget& budget,
                 std::vector<ExecutionId>& ids);
  void claim_slices(Uuid writer, std::int64_t n, const ClaimRequest& request, Budget& budget,
                    std::vector<ExecutionId>& ids);
  struct Wanted {
    std::string pool;
    int kind = 0;
    Priority priority = Priority::kNormal;
  };
  std::size_t claim_some(Uuid writer, std::int64_t n, const Wanted& wanted, int semantics,
                         std::size_t limit, Budget& budget, std::vector<ExecutionId>& ids);
  void take(Uuid writer, std::int64_t n, MemoryExecution& execution, bool alone);
  void acquit(Uuid node);
  bool holds_suspect(Uuid node) const;
  void tell_messages(Uuid writer, const std::vector<ExecutionId>& claimed, ClaimResult& result);

  void renew_all();
  bool missed(const MemoryNode& node) const;
  bool has_witness() const;
  bool is_gone(Uuid node) const;
  bool may_be_marked(const MemoryWriter& writer) const;
  void free_from(MemoryExecution& execution);
  std::uint32_t wake();

  void set_owner(MemoryExecution& execution, std::optional<Uuid> owner);
  void give_back(MemoryExecution& execution, std::optional<Time> wake_at);

  MemoryStoreOptions options_;
  Random random_;
  Time restarted_at_;                   // When all connections were last cut off.
  ExecutionSet unowned_;                // Running, and nobody's.
  std::map<Uuid, ExecutionSet> owned_;  // By writer.
  ExecutionSet with_messages_;          // May have something in their inbox, or notices.
};

}  // namespace stepwell::store
