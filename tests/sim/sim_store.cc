#include "tests/sim/sim_store.h"

#include <fmt/core.h>

#include "tests/sim/sim_session.h"

namespace stepwell::sim {
namespace {

// One process in the table of nodes.  Its lease is renewed by an event of the process.
class SimNode final : public store::Node {
 public:
  SimNode(World& world, Witness& witness, const Aims& aims, const LifeRef& heart,
          std::unique_ptr<store::Node> inner, std::string name)
      : world_(world),
        witness_(witness),
        aims_(aims),
        inner_(std::move(inner)),
        name_(std::move(name)) {
    beat(world_, heart, inner_);
  }

  Uuid id() const override { return inner_->id(); }
  Millis lease() const override { return inner_->lease(); }
  Millis age() const override { return inner_->age(); }
  std::uint64_t lapses() const override { return inner_->lapses(); }
  Result<std::unique_ptr<store::Session>> open_session() override {
    if (world_.asks("fault: opening lost")) return away();
    auto session = TRY(inner_->open_session());
    const std::string name = fmt::format("{}.{}", name_, sessions_++);
    world_.log(name + " opened");
    return std::unique_ptr<store::Session>(
        std::make_unique<SimSession>(world_, witness_, aims_, std::move(session), name));
  }

 private:
  // Three times in a lease, as PgStore's.
  static void beat(World& world, const LifeRef& heart, const std::weak_ptr<store::Node>& node) {
    const auto present = node.lock();
    if (present == nullptr) return;
    const Micros when = world.scheduler.now() + present->lease().count() * 1'000 / 3;
    world.scheduler.at(heart, when, [&world, heart, node] {
      const auto still = node.lock();
      if (still == nullptr) return;
      if (still->age() >= still->lease()) world.tally.count("fault: lease over");
      if (!world.asks("fault: heartbeat lost")) world.database->renew(still->id());
      beat(world, heart, node);
    });
  }

  World& world_;
  Witness& witness_;
  const Aims& aims_;
  const std::shared_ptr<store::Node> inner_;
  const std::string name_;
  unsigned sessions_ = 0;
};

}  // namespace

SimStore::SimStore(World& world, Witness& witness, Aims aims, LifeRef life, std::string name)
    : world_(world),
      witness_(witness),
      aims_(std::move(aims)),
      heart_(std::make_shared<Life>(Life{false, 0, std::move(life)})),
      name_(std::move(name)) {}

Result<std::unique_ptr<store::Node>> SimStore::join(const store::NodeOptions& options) {
  if (world_.asks("fault: joining lost")) return away();
  auto joined = TRY(world_.database->join(options));
  const std::string name = fmt::format("{}/{}", name_, joins_++);
  world_.log(name + " joins");
  return std::unique_ptr<store::Node>(
      std::make_unique<SimNode>(world_, witness_, aims_, heart_, std::move(joined), name));
}

Result<std::vector<store::StartOutcome>> SimStore::start(const std::vector<store::Start>& starts) {
  if (world_.asks("fault: start request lost")) return away();
  auto outcomes = world_.database->start(starts);
  world_.log(name_ + " starts for a client");
  witness_.after_statement();
  if (world_.loses("fault: start reply lost")) return away();
  return outcomes;
}

Status SimStore::deliver(const Namespace& ns, const store::Delivery& delivery) {
  if (world_.asks("fault: delivery request lost")) return away();
  const Status status = world_.database->deliver(ns, delivery);
  world_.log(fmt::format("{} delivers {} to {}: {}", name_, fact_name(delivery.kind),
                         brief(delivery.execution), status.ok()));
  witness_.after_statement();
  if (world_.loses("fault: delivery reply lost")) return away();
  return status;
}

Result<store::ExecutionRow> SimStore::describe(const Namespace& ns, ExecutionId id) {
  if (world_.asks("fault: read lost")) return away();
  return world_.database->describe(ns, id);
}

Result<std::optional<ExecutionId>> SimStore::find(const Namespace& ns, const std::string& workflow,
                                                  const std::string& name) {
  if (world_.asks("fault: read lost")) return away();
  return world_.database->find(ns, workflow, name);
}

Result<std::vector<store::ExecutionRow>> SimStore::list(const Namespace& ns,
                                                        const store::ListFilter& filter) {
  if (world_.asks("fault: read lost")) return away();
  return world_.database->list(ns, filter);
}

Result<std::vector<store::JournalRow>> SimStore::journal(const Namespace& ns, ExecutionId id,
                                                         std::uint64_t after, std::uint32_t limit) {
  if (world_.asks("fault: read lost")) return away();
  return world_.database->journal(ns, id, after, limit);
}

Status SimStore::save_snapshot(const store::SnapshotRow& snapshot) {
  if (world_.asks("fault: snapshot lost")) return away();
  world_.log(fmt::format("{} snapshot {} at {}", name_, brief(snapshot.execution), snapshot.seq));
  return world_.database->save_snapshot(snapshot);
}

Result<std::optional<store::SnapshotRow>> SimStore::load_snapshot(const Namespace& ns,
                                                                  ExecutionId id,
                                                                  std::uint64_t at_most) {
  if (world_.asks("fault: read lost")) return away();
  return world_.database->load_snapshot(ns, id, at_most);
}

Result<std::uint32_t> SimStore::put_program(const Namespace& ns,
                                            const store::StoredProgram& program) {
  if (world_.asks("fault: read lost")) return away();
  return world_.database->put_program(ns, program);
}

Result<store::StoredProgram> SimStore::program_by_hash(const Namespace& ns,
                                                       const std::string& hash) {
  if (world_.asks("fault: read lost")) return away();
  return world_.database->program_by_hash(ns, hash);
}

Result<store::StoredProgram> SimStore::program_by_name(const Namespace& ns,
                                                       const std::string& workflow) {
  if (world_.asks("fault: read lost")) return away();
  return world_.database->program_by_name(ns, workflow);
}

Result<store::Look> SimStore::look(const store::LookRequest& request) {
  if (world_.asks("fault: look lost")) return away();
  return world_.database->look(request);
}

Result<store::SweepReport> SimStore::sweep() {
  if (world_.asks("fault: sweep lost")) return away();
  auto report = world_.database->sweep();
  if (report.ok() && report->writers_marked + report->executions_freed + report->inbox_woken > 0) {
    world_.log(fmt::format("{} sweep: marked {} freed {} woken {}", name_, report->writers_marked,
                           report->executions_freed, report->inbox_woken));
  }
  witness_.after_statement();
  return report;
}

Status SimStore::maintain() {
  if (world_.asks("fault: upkeep lost")) return away();
  return world_.database->maintain();
}

Result<Time> SimStore::now() {
  if (world_.asks("fault: read lost")) return away();
  return world_.database->now();
}

}  // namespace stepwell::sim
