// SimLoop — a lane's loop in virtual time; SimPool — a pool of threads in it.
//
// A round is two events: what was posted and what is due; then, later, before_wait.  What is posted
// in between waits for the next round.  As one event a round would hide every race between a lane
// and its committer.
#pragma once

#include <map>

#include "engine/task/pool.h"
#include "net/loop/loop.h"
#include "tests/sim/scheduler.h"

namespace stepwell::sim {

class SimLoop final : public loop::Loop {
 public:
  SimLoop(Scheduler& scheduler, const Clock& clock, LifeRef life);

  void post(std::function<void()> work) override;
  bool on_loop_thread() const override { return is_running_; }
  void before_wait(std::function<void()> work) override { before_wait_ = std::move(work); }
  loop::TimerId after(Millis delay, std::function<void()> fire) override;
  loop::TimerId every(Millis period, std::function<void()> fire) override;
  void cancel(loop::TimerId timer) override { timers_.erase(timer); }
  std::int64_t monotonic_ms() const override { return round_ms_; }

  // Of handlers that talk to the world; there are none here.
  loop::WatchId watch(int, bool, bool, std::function<void(bool, bool)>) override { std::abort(); }
  void change(loop::WatchId, bool, bool) override { std::abort(); }
  void unwatch(loop::WatchId) override { std::abort(); }
  void* native() const override { std::abort(); }

  // The round that runs, or else the next one, takes so long.
  void hold(Micros how_long);
  // As if on the loop's thread, for what ends a lane.
  void run_here(const std::function<void()>& work);

 private:
  struct Timer {
    Micros due = 0, period = 0;
    std::function<void()> fire;
  };
  loop::TimerId arm(Millis delay, Millis period, std::function<void()> fire);
  void wake(Micros when);
  void begin_round();
  void fire_timers();
  void end_round();

  Scheduler& scheduler_;
  const Clock& clock_;
  const LifeRef life_;
  std::vector<std::function<void()>> posted_;
  std::map<loop::TimerId, Timer> timers_;
  std::function<void()> before_wait_;
  loop::TimerId last_timer_ = 0;
  std::uint64_t wakes_ = 0;  // Of those planned only the newest counts.
  Micros wakes_at_ = 0;      // 0: none is planned.
  Micros ends_at_ = 0;       // Of the round that runs.
  Micros held_ = 0;          // The next round.
  std::int64_t round_ms_;
  bool is_running_ = false, is_in_round_ = false;
};

class SimPool final : public runtime::Pool {
 public:
  SimPool(Scheduler& scheduler, LifeRef life) : scheduler_(scheduler), life_(std::move(life)) {}
  void run(std::function<void()> work) override {
    scheduler_.at(life_, scheduler_.now() + scheduler_.between(10, 2'000), std::move(work));
  }
  void stop() override {}  // With its process.

 private:
  Scheduler& scheduler_;
  const LifeRef life_;
};

}  // namespace stepwell::sim
