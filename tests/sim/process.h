// Process — one process of the cluster, as Runtime builds it, on simulated threads: lanes,
// committers, keeper, follower and pools are the real ones.
//
// Destroying one is kill -9: between two events, and nothing of it happens any more.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/runtime/end_waiters.h"
#include "engine/runtime/follower.h"
#include "engine/runtime/keeper.h"
#include "engine/runtime/lane.h"
#include "tests/sim/sim_loop.h"
#include "tests/sim/sim_store.h"
#include "tests/sim/sim_tasks.h"

namespace stepwell::sim {

// A lane with two threads to stand still.
class SimLane {
 public:
  SimLane(const runtime::LaneWorld& lane_world, World& world, const LifeRef& process,
          unsigned number);

  Status start(std::shared_ptr<SimTasks> tasks);
  runtime::Lane& lane() { return lane_; }
  SimTasks& tasks() { return *tasks_; }
  void freeze_loop(Micros until) { loop_life_->frozen_until = until; }
  void freeze_committer(Micros until) { committer_life_->frozen_until = until; }
  // What it stages next is with the committer only after a while.
  void hold_round(Micros how_long) { loop_.hold(how_long); }
  // As LaneThread does it: no claim is under way and none will be; then everything is given back.
  void end_claims(std::function<void()> ended);
  void stop(std::function<void()> stopped);

 private:
  void drive_committer(Micros when);
  void after_turn();

  Scheduler& scheduler_;
  const std::shared_ptr<Life> loop_life_, committer_life_;
  SimLoop loop_;
  runtime::Lane lane_;
  std::shared_ptr<SimTasks> tasks_;
  Micros turn_at_ = 0;  // Of the committer's next turn; 0: none is planned.
  std::uint64_t turns_ = 0;
  std::function<void()> claims_ended_, stopped_;  // To be told.
};

// What a process may make happen to itself.
struct Fates {
  std::function<void()> crash;
  std::function<void(ExecutionId)> stop_execution;
};

// Small numbers, so that a short run meets what they bring about.
runtime::Settings draw_settings(Scheduler& scheduler);

class Process {
 public:
  Process(World& world, Witness& witness, unsigned number, runtime::Settings settings, Fates fates);
  ~Process();

  // Joins and begins to look, claim and run.  An error: the database is away; destroy it.
  Status boot();
  // Stops in order; `gone` is called when it may be destroyed.
  void shut_down(const std::function<void()>& gone);

  bool is_frozen() const { return life_->frozen_until > world_.scheduler.now(); }
  void freeze(Micros until) { life_->frozen_until = until; }
  void begin(runtime::Beginning beginning, runtime::StartAnswer answer);
  void on_hint();
  // Else it has to ask the database for the program.
  void know(const std::string& workflow, const ProgramRef& program) {
    programs_.put({}, workflow, program);
  }
  SimLane& any_lane();

  SimStore& store() { return store_; }
  const runtime::StoreClock& clock() const { return store_clock_; }
  const runtime::Counters& counters() const { return counters_; }
  bool is_stopping() const { return is_stopping_; }

 private:
  Aims aims();
  void on_fenced();
  void keep_later(Millis pause);
  void follow_later(Millis pause);
  void wake();
  bool holds() const;
  void stop_from(std::size_t lane, const std::function<void()>& gone);

  World& world_;
  const Fates fates_;
  const std::shared_ptr<Life> life_ = std::make_shared<Life>();
  const SimClock mono_;
  const runtime::Settings settings_;
  SimStore store_;
  Witness& witness_;
  runtime::Health health_{runtime::HealthLimits{}};
  runtime::Membership membership_;
  runtime::StoreClock store_clock_;
  runtime::Counters counters_;
  runtime::Programs programs_;
  runtime::EndWaiters ends_;
  SimPool folders_, archivists_;
  runtime::Keeper keeper_;
  runtime::Follower follower_;
  std::vector<std::unique_ptr<SimLane>> lanes_;
  std::uint64_t followed_ = 0;  // Of the follower's planned turns only the newest counts.
  unsigned next_lane_ = 0;
  store::ExecutionSet given_back_;  // By lanes that have stopped.
  bool is_stopping_ = false;
};

}  // namespace stepwell::sim
