#include "tests/sim/seed.h"

#include <fmt/core.h>

#include <optional>
#include <vector>

#include "tests/sim/definitions.h"
#include "tests/sim/process.h"

namespace stepwell::sim {
namespace {

constexpr unsigned kProcesses = 2;
constexpr unsigned kExecutions = 20;
constexpr Micros kSecond = 1'000'000;
constexpr Micros kHealed = 20 * kSecond;     // Nothing fails after that,
constexpr Micros kPatience = 600 * kSecond;  // and in so much time all must have ended.
constexpr double kPoisoned = 0.04;           // Seeds with an execution that kills its process.

class Cluster {
 public:
  Cluster(std::uint64_t seed, Mutant mutant, Tally& tally);
  ~Cluster();

  void run();  // Throws Broken.
  std::string take_log() { return std::move(world_.text); }

 private:
  struct Wanted {  // By a client, under its own name.
    const Definition* definition = nullptr;
    std::string name;
  };

  void plan();
  void plan_faults();
  void at_some_time(std::function<void()> work);

  void boot(unsigned number);
  void crash(unsigned number, Micros down);
  void shut_down(unsigned number);
  void forget(unsigned number);  // Counts what it did, and destroys it.
  Process* any_process();        // That answers; null: none does.

  void ask_for(std::size_t wanted);
  runtime::Beginning beginning(const Wanted& wanted, const Process& process);
  void start_without_lane(std::size_t wanted, runtime::Beginning beginning, Process& process);
  void stop_some();
  void stop(ExecutionId id);
  void redrive_some();
  bool deliver(store::Delivery delivery);

  World world_;
  Scheduler& scheduler_ = world_.scheduler;
  Witness witness_;
  const Micros begin_ = world_.scheduler.now();
  std::vector<Wanted> wanted_;
  std::vector<std::unique_ptr<Process>> processes_{kProcesses};
  std::uint64_t deliveries_ = 0;
};

Cluster::Cluster(std::uint64_t seed, Mutant mutant, Tally& tally)
    : world_(seed, mutant, tally), witness_(world_, program_of) {
  world_.told = [this] {
    for (const auto& process : processes_) {
      if (process != nullptr) process->on_hint();
    }
  };
  for (unsigned i = 0; i < kExecutions; ++i) {
    wanted_.push_back({&definition(scheduler_.below(kDefinitions)), fmt::format("x{}", i)});
  }
  if (scheduler_.chance(kPoisoned)) wanted_.push_back({&poison(), "poison"});
  for (const Wanted& wanted : wanted_) {
    const Definition& one = *wanted.definition;
    store::StoredProgram program;
    program.hash = one.program->hash;
    program.workflow = one.workflow;
    program.source = program.definition = one.text;
    (void)world_.database->put_program({}, program);
  }
}

Cluster::~Cluster() {
  world_.told = nullptr;
  processes_.clear();
}

void Cluster::run() {
  plan();
  const store::MemoryState& tables = world_.database->state();
  while (scheduler_.run_one()) {
    const Micros passed = scheduler_.now() - begin_;
    if (passed > kPatience) throw Broken("not all ended in ten minutes");
    const bool all_began = tables.executions.size() == wanted_.size();
    if (world_.is_healed() && all_began && witness_.running() == 0) break;
  }
  for (unsigned i = 0; i < kProcesses; ++i) forget(i);
  witness_.at_the_end();
}

void Cluster::at_some_time(std::function<void()> work) {
  scheduler_.at(begin_ + scheduler_.between(kSecond / 10, 15 * kSecond), std::move(work));
}

void Cluster::plan() {
  for (unsigned i = 0; i < kProcesses; ++i) boot(i);
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    scheduler_.at(begin_ + scheduler_.between(0, 5 * kSecond), [this, i] { ask_for(i); });
  }
  for (std::size_t i = scheduler_.below(4); i > 0; --i) at_some_time([this] { stop_some(); });
  for (std::size_t i = scheduler_.below(3); i > 0; --i) at_some_time([this] { redrive_some(); });
  plan_faults();
  scheduler_.at(begin_ + kHealed, [this] {
    world_.log("healed");
    world_.heal();
  });
}

void Cluster::plan_faults() {
  for (std::size_t i = scheduler_.chance(0.6) ? scheduler_.below(4) : 0; i > 0; --i) {
    at_some_time([this] {
      world_.tally.count("fault: crash");
      crash(static_cast<unsigned>(scheduler_.below(kProcesses)),
            scheduler_.between(kSecond / 10, 3 * kSecond));
    });
  }
  if (scheduler_.chance(0.3)) {
    at_some_time([this] { shut_down(static_cast<unsigned>(scheduler_.below(kProcesses))); });
  }
  for (std::size_t i = scheduler_.chance(0.6) ? scheduler_.below(3) : 0; i > 0; --i) {
    at_some_time([this] {  // Beyond its lease, mostly.
      Process* process = any_process();
      if (process == nullptr) return;
      world_.log("a process stands still");
      world_.tally.count("fault: process stands still");
      process->freeze(scheduler_.now() + scheduler_.between(kSecond, 6 * kSecond));
    });
  }
  for (std::size_t i = scheduler_.chance(0.4) ? scheduler_.below(3) : 0; i > 0; --i) {
    at_some_time([this] {  // Its lanes are in the middle of their tasks when they are marked dead.
      Process* process = any_process();
      if (process == nullptr) return;
      world_.log("a heart stands still");
      world_.tally.count("fault: heart stands still");
      process->store().freeze_heart(scheduler_.now() + scheduler_.between(3, 6) * kSecond);
    });
  }
  for (std::size_t i = scheduler_.chance(0.5) ? scheduler_.below(10) : 0; i > 0; --i) {
    at_some_time([this] {
      Process* process = any_process();
      if (process == nullptr) return;
      SimLane& lane = process->any_lane();
      const Micros until = scheduler_.now() + scheduler_.between(1'000, 2 * kSecond);
      const bool is_loop = scheduler_.chance(0.5);
      world_.tally.count(is_loop ? "fault: lane stands still" : "fault: committer stands still");
      is_loop ? lane.freeze_loop(until) : lane.freeze_committer(until);
    });
  }
  if (scheduler_.chance(0.5)) {
    at_some_time([this] {
      world_.log("the database restarts");
      world_.tally.count("fault: database restarts");
      world_.away_until = scheduler_.now() + scheduler_.between(10'000, 5 * kSecond);
      world_.database->restart();
    });
  }
}

// ---- processes

void Cluster::boot(unsigned number) {
  if (processes_[number] != nullptr) return;
  Fates fates;
  fates.crash = [this, number] {
    // After the event that it is in.
    scheduler_.at(scheduler_.now(),
                  [this, number] { crash(number, scheduler_.between(kSecond / 10, kSecond)); });
  };
  fates.stop_execution = [this](ExecutionId id) { stop(id); };
  auto process = std::make_unique<Process>(world_, witness_, number, draw_settings(scheduler_),
                                           std::move(fates));
  const double known = scheduler_.chance(0.1) ? 0.5 : 1;
  for (const Wanted& wanted : wanted_) {
    const Definition& one = *wanted.definition;
    if (scheduler_.chance(known)) process->know(one.workflow, one.program);
  }
  if (process->boot().ok()) {
    world_.log(fmt::format("n{} runs", number));
    processes_[number] = std::move(process);
    return;
  }
  scheduler_.at(scheduler_.now() + kSecond / 10, [this, number] { boot(number); });
}

void Cluster::crash(unsigned number, Micros down) {
  if (processes_[number] == nullptr) return;
  world_.log(fmt::format("n{} crashes", number));
  forget(number);
  scheduler_.at(scheduler_.now() + down, [this, number] { boot(number); });
}

void Cluster::shut_down(unsigned number) {
  Process* process = processes_[number].get();
  if (process == nullptr || process->is_frozen() || process->is_stopping()) return;
  world_.log(fmt::format("n{} stops", number));
  world_.tally.count("fault: process stops");
  process->shut_down([this, number] {
    scheduler_.at(scheduler_.now(), [this, number] {
      if (processes_[number] == nullptr || !processes_[number]->is_stopping()) return;
      world_.tally.count("recovery: stopped in order");
      crash(number, scheduler_.between(kSecond / 10, kSecond));
    });
  });
}

void Cluster::forget(unsigned number) {
  if (processes_[number] == nullptr) return;
  const runtime::Counters& counters = processes_[number]->counters();
  Tally& tally = world_.tally;
  tally.count("recovery: refused", counters.refused);
  tally.count("recovery: reconciled", counters.reconciled);
  tally.count("recovery: parked", counters.parked);
  tally.count("recovery: folded", counters.folded);
  tally.count("recovery: from a snapshot", counters.snapshots);
  tally.count("recovery: held back", counters.held_back);
  tally.count("recovery: marked by evidence", counters.marked_by_evidence);
  tally.count("recovery: marked by lease", counters.marked_by_lease);
  tally.count("recovery: freed", counters.freed);
  const std::uint64_t wrong = counters.reissued + counters.lost;
  processes_[number].reset();
  if (wrong > 0) throw Broken("a lane has lost something");
}

Process* Cluster::any_process() {
  Process* process = processes_[scheduler_.below(kProcesses)].get();
  const bool answers = process != nullptr && !process->is_frozen() && !process->is_stopping();
  return answers ? process : nullptr;
}

// ---- clients

// Again and again under the same name, until it is there.
void Cluster::ask_for(std::size_t number) {
  const Wanted& wanted = wanted_[number];
  if (world_.database->find({}, wanted.definition->workflow, wanted.name)->has_value()) return;
  Process* process = any_process();
  if (process == nullptr) {
    scheduler_.at(scheduler_.now() + 50'000, [this, number] { ask_for(number); });
    return;
  }
  runtime::Beginning begun = beginning(wanted, *process);
  if (scheduler_.chance(0.2)) return start_without_lane(number, std::move(begun), *process);
  process->begin(std::move(begun), [this, number](const Result<store::StartOutcome>& told) {
    world_.log(fmt::format("start {}: {}", number, told.ok()));
  });
  scheduler_.at(scheduler_.now() + scheduler_.between(kSecond / 2, 2 * kSecond),
                [this, number] { ask_for(number); });
}

void Cluster::start_without_lane(std::size_t number, runtime::Beginning begun, Process& process) {
  begun.row.first = {begun.row.id,          1, FactKind::kStarted,        {},
                     process.clock().now(), 0, encode_payload(begun.fact)};
  if (process.store().start({begun.row}).ok()) return;
  scheduler_.at(scheduler_.now() + kSecond / 10, [this, number] { ask_for(number); });
}

runtime::Beginning Cluster::beginning(const Wanted& wanted, const Process& process) {
  runtime::Beginning begun;
  const Definition& definition = *wanted.definition;
  const std::int64_t now = unix_ms(process.clock().now());
  begun.program = definition.program;
  begun.row.id = ExecutionId{Uuid::v7(now, scheduler_.draw(), scheduler_.draw())};
  begun.row.workflow = definition.workflow;
  begun.row.program_hash = definition.program->hash;
  begun.row.name = wanted.name;
  begun.row.input = definition.input.to_json();
  begun.row.input_hash = definition.input.hash();
  begun.fact.pins.program_hash = begun.row.program_hash;
  begun.fact.pins.execution_name = wanted.name;
  begun.fact.pins.machine_name = definition.workflow;
  begun.fact.pins.seed = scheduler_.draw();
  begun.fact.input = definition.input;
  return begun;
}

void Cluster::stop_some() {
  const auto& executions = world_.database->state().executions;
  if (executions.empty()) return;
  auto chosen = executions.begin();
  std::advance(chosen, static_cast<std::ptrdiff_t>(scheduler_.below(executions.size())));
  stop(chosen->first);
}

void Cluster::stop(ExecutionId id) {
  store::Delivery delivery;
  delivery.execution = id;
  delivery.kind = FactKind::kStopped;
  delivery.payload = encode_payload(Stopped{"Stop", {}});
  if (deliver(std::move(delivery))) world_.tally.count("client: stop");
}

void Cluster::redrive_some() {
  for (const auto& [id, one] : world_.database->state().executions) {
    if (one.is_running() || one.row.status == ExecutionStatus::kSucceeded) continue;
    store::Delivery delivery;
    delivery.execution = id;
    delivery.kind = FactKind::kRedriven;
    delivery.payload = encode_payload(Redriven{});
    if (deliver(std::move(delivery))) world_.tally.count("client: redrive");
    return;
  }
}

// By some process of the API that is not simulated.
bool Cluster::deliver(store::Delivery delivery) {
  delivery.dedupe_key = fmt::format("{}", ++deliveries_);
  const bool done = world_.database->deliver({}, delivery).ok();
  world_.log(
      fmt::format("{} to {}: {}", fact_name(delivery.kind), brief(delivery.execution), done));
  witness_.after_statement();
  return done;
}

}  // namespace

Outcome run_seed(std::uint64_t seed, Mutant mutant, Tally& tally) {
  Outcome outcome;
  Cluster cluster(seed, mutant, tally);
  try {
    cluster.run();
  } catch (const std::exception& broken) {
    outcome.broken = broken.what();
  }
  outcome.log = cluster.take_log();
  return outcome;
}

}  // namespace stepwell::sim
