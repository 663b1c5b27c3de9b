#include "engine/store/memory_store.h"

#include <algorithm>
#include <set>

#include "engine/store/lane_session.h"
#include "engine/store/memory_state.h"
#include "engine/store/memory_wire.h"

namespace stepwell::store {
namespace {

using Shared = std::shared_ptr<MemoryTables>;

class MemoryNodeHandle : public Node {
 public:
  MemoryNodeHandle(Shared tables, Uuid id, Millis lease)
      : tables_(std::move(tables)), id_(id), lease_(lease) {}
  ~MemoryNodeHandle() override {
    const MutexLock lock(tables_->mutex);
    tables_->state.nodes.at(id_).is_gone = true;
  }

  Uuid id() const override { return id_; }
  Millis lease() const override { return lease_; }
  Millis age() const override {
    const MutexLock lock(tables_->mutex);
    const MemoryNode& node = tables_->state.nodes.at(id_);
    if (node.renews_by_itself) return Millis{0};
    // Since the renewal that its lease is of.
    return std::chrono::duration_cast<Millis>(tables_->state.now() - (node.lease_until - lease_));
  }

  std::uint64_t lapses() const override {
    const MutexLock lock(tables_->mutex);
    return tables_->state.nodes.at(id_).lapses;
  }

  Result<std::unique_ptr<Session>> open_session() override {
    const MutexLock lock(tables_->mutex);
    const Uuid writer = tables_->state.new_id();
    if (!tables_->state.register_writer(writer, id_)) {
      return Error{ErrorCode::kConflict, "this process's lease is over: it must join anew"};
    }
    return std::unique_ptr<Session>(
        std::make_unique<LaneSession>(std::make_unique<MemoryWire>(tables_, writer), writer));
  }

 private:
  Shared tables_;
  Uuid id_;
  Millis lease_;
};

class MemoryStoreTables : public MemoryStore {
 public:
  explicit MemoryStoreTables(const MemoryStoreOptions& options)
      : tables_(std::make_shared<MemoryTables>(options)) {}

  Result<std::unique_ptr<Node>> join(const NodeOptions& options) override {
    const MutexLock lock(tables_->mutex);
    const Uuid id = tables_->state.new_id();
    tables_->state.join(id, options.lease, tables_->options.renews_by_itself);
    return std::unique_ptr<Node>(std::make_unique<MemoryNodeHandle>(tables_, id, options.lease));
  }

  Result<std::vector<StartOutcome>> start(const std::vector<Start>& starts) override {
    for (const Start& start : starts) {
      if (std::string why = why_refused(start); !why.empty()) {
        return Error{ErrorCode::kRefusedData, why};
      }
    }
    std::vector<StartOutcome> outcomes;
    {
      const MutexLock lock(tables_->mutex);
      outcomes = tables_->state.start_unowned(starts);
    }
    tables_->hint();
    return outcomes;
  }

  Status deliver(const Namespace& ns, const Delivery& delivery) override {
    if (std::string why = why_refused(delivery); !why.empty()) {
      return Error{ErrorCode::kRefusedData, why};
    }
    {
      const MutexLock lock(tables_->mutex);
      TRY(tables_->state.deliver(ns, delivery));
    }
    tables_->hint();
    return ok_status();
  }

  Result<ExecutionRow> describe(const Namespace& ns, ExecutionId id) override {
    const MutexLock lock(tables_->mutex);
    return TRY(tables_->state.find(ns, id))->shown();
  }

  Result<std::optional<ExecutionId>> find(const Namespace& ns, const std::string& workflow,
                                          const std::string& name) override {
    const MutexLock lock(tables_->mutex);
    const auto found = tables_->state.start_keys.find({ns, workflow, name});
    if (found != tables_->state.start_keys.end()) {
      return std::optional<ExecutionId>(found->second.execution);
    }
    const auto id = Uuid::parse(name);
    if (!id) return std::optional<ExecutionId>();
    const auto execution = tables_->state.find(ns, ExecutionId{*id});
    if (!execution.ok() || (*execution)->row.workflow != workflow ||
        !(*execution)->row.name.empty()) {
      return std::optional<ExecutionId>();
    }
    return std::optional<ExecutionId>(ExecutionId{*id});
  }

  Result<std::vector<ExecutionRow>> list(const Namespace& ns, const ListFilter& filter) override {
    const MutexLock lock(tables_->mutex);
    std::vector<ExecutionRow> rows;
    const auto& executions = tables_->state.executions;
    for (auto item = executions.rbegin(); item != executions.rend(); ++item) {
      const ExecutionRow& row = item->second.row;
      if (rows.size() >= std::min<std::uint32_t>(filter.limit, kLongestPage)) break;
      if (row.ns != ns || item->second.kind != 0) continue;  // Slices are not for people.
      if (filter.before && row.id >= *filter.before) continue;
      if (!filter.workflow.empty() && row.workflow != filter.workflow) continue;
      if (filter.status && row.status != *filter.status) continue;
      rows.push_back(item->second.shown());
      if (filter.with_payloads) continue;
      rows.back().input.clear();
      rows.back().output.clear();
    }
    return rows;
  }

  Result<std::vector<JournalRow>> journal(const Namespace& ns, ExecutionId id, std::uint64_t after,
                                          std::uint32_t limit) override {
    const MutexLock lock(tables_->mutex);
    std::vector<JournalRow> rows;
    const auto& journal = TRY(tables_->state.find(ns, id))->journal;
    for (auto row = journal.upper_bound(after); row != journal.end(); ++row) {
      if (rows.size() >= limit) break;
      rows.push_back(row->second);
    }
    return rows;
  }

  Status save_snapshot(const SnapshotRow& snapshot) override {
    const MutexLock lock(tables_->mutex);
    const auto found = tables_->state.executions.find(snapshot.execution);
    if (found == tables_->state.executions.end()) {
      return Error{ErrorCode::kNotFound, "there is no execution " + snapshot.execution.text()};
    }
    found->second.snapshots[snapshot.seq] = snapshot;
    return ok_status();
  }

  Result<std::optional<SnapshotRow>> load_snapshot(const Namespace& ns, ExecutionId id,
                                                   std::uint64_t at_most) override {
    const MutexLock lock(tables_->mutex);
    const auto found = tables_->state.find(ns, id);
    if (!found.ok()) return std::optional<SnapshotRow>();
    const auto& snapshots = (*found)->snapshots;
    const auto after = snapshots.upper_bound(at_most);
    if (after == snapshots.begin()) return std::optional<SnapshotRow>();
    return std::optional<SnapshotRow>(std::prev(after)->second);
  }

  Result<std::uint32_t> put_program(const Namespace& ns, const StoredProgram& program) override {
    const MutexLock lock(tables_->mutex);
    MemoryState& state = tables_->state;
    state.programs.try_emplace(program.hash, program);
    std::vector<std::string>& versions = state.versions[{ns, program.workflow}];
    const auto known = std::find(versions.begin(), versions.end(), program.hash);
    const auto version = static_cast<std::uint32_t>(known - versions.begin()) + 1;
    if (known == versions.end()) versions.push_back(program.hash);
    state.heads[{ns, program.workflow}] = program.hash;
    return version;
  }

  Result<StoredProgram> program_by_hash(const Namespace& ns, const std::string& hash) override {
    const MutexLock lock(tables_->mutex);
    for (const auto& [workflow, hashes] : tables_->state.versions) {
      const auto known = std::find(hashes.begin(), hashes.end(), hash);
      if (workflow.first != ns || known == hashes.end()) continue;
      StoredProgram program = tables_->state.programs.at(hash);
      program.workflow = workflow.second;
      program.version = static_cast<std::uint32_t>(known - hashes.begin()) + 1;
      return program;
    }
    return Error{ErrorCode::kNotFound, "there is no program " + hash};
  }

  Result<StoredProgram> program_by_name(const Namespace& ns, const std::string& workflow) override {
    const MutexLock lock(tables_->mutex);
    const auto current = tables_->state.heads.find({ns, workflow});
    if (current == tables_->state.heads.end()) {
      return Error{ErrorCode::kNotFound, "there is no workflow " + workflow};
    }
    StoredProgram program = tables_->state.programs.at(current->second);
    program.workflow = workflow;
    program.version = version_of(ns, workflow, current->second);
    return program;
  }

  Result<Look> look(const LookRequest& request) override {
    const MutexLock lock(tables_->mutex);
    return tables_->state.look(request);
  }

  Result<SweepReport> sweep() override {
    SweepReport report;
    {
      const MutexLock lock(tables_->mutex);
      report = tables_->state.sweep();
    }
    if (report.executions_freed + report.inbox_woken > 0) tables_->hint();
    return report;
  }

  Result<Time> now() override {
    const MutexLock lock(tables_->mutex);
    return tables_->state.now();
  }

  Status maintain() override { return ok_status(); }  // It has no partitions, and forgets nothing.
  bool wait_for_hint(Millis at_most) override { return tables_->hints.wait(at_most); }
  Status check(bool) override { return ok_status(); }

  void renew(Uuid node) override {
    const MutexLock lock(tables_->mutex);
    tables_->state.renew(node);
  }
  void expire(Uuid node) override {
    const MutexLock lock(tables_->mutex);
    tables_->state.expire(node);
  }
  void restart() override {
    const MutexLock lock(tables_->mutex);
    tables_->state.restart();
  }
  void cut(Uuid writer) override {
    const MutexLock lock(tables_->mutex);
    tables_->state.writers.at(writer).is_connected = false;
  }
  void put_notice(const Notice& notice) override {
    const MutexLock lock(tables_->mutex);
    tables_->state.put_notice(notice);
  }
  std::string dump() override {
    const MutexLock lock(tables_->mutex);
    return tables_->state.dump();
  }

  MemoryState& state() override { return tables_->state; }

  std::size_t journal_rows() override {
    const MutexLock lock(tables_->mutex);
    std::size_t rows = 0;
    for (const auto& [id, execution] : tables_->state.executions) rows += execution.journal.size();
    return rows;
  }

 private:
  static constexpr std::uint32_t kLongestPage = 1'000;

  std::uint32_t version_of(const Namespace& ns, const std::string& workflow,
                           const std::string& hash) const REQUIRES(tables_->mutex) {
    const std::vector<std::string>& versions = tables_->state.versions.at({ns, workflow});
    const auto found = std::find(versions.begin(), versions.end(), hash);
    return static_cast<std::uint32_t>(found - versions.begin()) + 1;
  }

  Shared tables_;
};

}  // namespace

std::unique_ptr<MemoryStore> make_memory_store(const MemoryStoreOptions& options) {
  return std::make_unique<MemoryStoreTables>(options);
}

std::unique_ptr<Store> make_memory_store() { return make_memory_store(MemoryStoreOptions{}); }

}  // namespace stepwell::store
