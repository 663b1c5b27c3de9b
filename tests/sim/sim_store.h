// SimStore — the database as one process sees it: over a wire that loses questions and answers, and
// with a lease that ends when the process does not renew it.
#pragma once

#include <memory>
#include <string>

#include "engine/store/store.h"
#include "tests/sim/witness.h"
#include "tests/sim/world.h"

namespace stepwell::sim {

// What a statement may make happen in the process that asked, or to it.
struct Aims {
  // A batch with an end of the process's memory of an execution is on its way.
  std::function<void(ExecutionId)> on_park;
  std::function<void()> on_commit;  // Durable, and the lane has not heard of it.
  std::function<void()> on_fenced;  // Marked dead, and the lane has not heard of it.
  // In order, with the end of a session; and what a claim has taken.
  std::function<void(const store::ExecutionSet&)> on_given_back;
  std::function<void(ExecutionId)> on_claimed;
};

class SimStore final : public store::Store {
 public:
  SimStore(World& world, Witness& witness, Aims aims, LifeRef life, std::string name);

  void freeze_heart(Micros until) { heart_->frozen_until = until; }

  Result<std::unique_ptr<store::Node>> join(const store::NodeOptions& options) override;
  Result<std::vector<store::StartOutcome>> start(const std::vector<store::Start>& starts) override;
  Status deliver(const Namespace& ns, const store::Delivery& delivery) override;
  Result<store::ExecutionRow> describe(const Namespace& ns, ExecutionId id) override;
  Result<std::optional<ExecutionId>> find(const Namespace& ns, const std::string& workflow,
                                          const std::string& name) override;
  Result<std::vector<store::ExecutionRow>> list(const Namespace& ns,
                                                const store::ListFilter& filter) override;
  Result<std::vector<store::JournalRow>> journal(const Namespace& ns, ExecutionId id,
                                                 std::uint64_t after, std::uint32_t limit) override;
  Status save_snapshot(const store::SnapshotRow& snapshot) override;
  Result<std::optional<store::SnapshotRow>> load_snapshot(const Namespace& ns, ExecutionId id,
                                                          std::uint64_t at_most) override;
  Result<std::uint32_t> put_program(const Namespace& ns,
                                    const store::StoredProgram& program) override;
  Result<store::StoredProgram> program_by_hash(const Namespace& ns,
                                               const std::string& hash) override;
  Result<store::StoredProgram> program_by_name(const Namespace& ns,
                                               const std::string& workflow) override;
  Result<store::Look> look(const store::LookRequest& request) override;
  Result<store::SweepReport> sweep() override;
  Result<Time> now() override;
  Status maintain() override;
  bool wait_for_hint(Millis) override { std::abort(); }  // Hints are events here.
  Status check(bool allow_unsafe) override { return world_.database->check(allow_unsafe); }

 private:
  World& world_;
  Witness& witness_;
  const Aims aims_;
  const std::shared_ptr<Life> heart_;  // The thread that renews the lease.
  const std::string name_;
  unsigned joins_ = 0;
};

}  // namespace stepwell::sim
