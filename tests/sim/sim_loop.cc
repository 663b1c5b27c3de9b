#include "tests/sim/sim_loop.h"

#include <algorithm>

namespace stepwell::sim {

SimLoop::SimLoop(Scheduler& scheduler, const Clock& clock, LifeRef life)
    : scheduler_(scheduler),
      clock_(clock),
      life_(std::move(life)),
      round_ms_(clock.monotonic_ms()) {}

void SimLoop::post(std::function<void()> work) {
  posted_.push_back(std::move(work));
  wake(scheduler_.now() + scheduler_.between(1, 200));
}

loop::TimerId SimLoop::after(Millis delay, std::function<void()> fire) {
  return arm(delay, Millis(0), std::move(fire));
}

loop::TimerId SimLoop::every(Millis period, std::function<void()> fire) {
  return arm(period, period, std::move(fire));
}

loop::TimerId SimLoop::arm(Millis delay, Millis period, std::function<void()> fire) {
  const Micros due = scheduler_.now() + delay.count() * 1'000;
  timers_[++last_timer_] = {due, period.count() * 1'000, std::move(fire)};
  wake(due);
  return last_timer_;
}

void SimLoop::hold(Micros how_long) {
  if (is_in_round_) {
    ends_at_ = std::max(ends_at_, scheduler_.now() + how_long);
  } else {
    held_ = how_long;
  }
}

void SimLoop::run_here(const std::function<void()>& work) {
  is_running_ = true;
  work();
  is_running_ = false;
}

void SimLoop::wake(Micros when) {
  if (is_in_round_ || is_running_) return;  // Its end looks again.
  if (wakes_at_ != 0 && wakes_at_ <= when) return;
  wakes_at_ = when;
  scheduler_.at(life_, when, [this, number = ++wakes_] {
    if (number == wakes_) begin_round();
  });
}

void SimLoop::begin_round() {
  wakes_at_ = 0;
  is_running_ = true;
  round_ms_ = clock_.monotonic_ms();
  std::vector<std::function<void()>> work;
  work.swap(posted_);
  for (auto& one : work) one();
  fire_timers();
  is_running_ = false;
  is_in_round_ = true;
  // A round takes time: the committer goes on meanwhile.
  const bool is_long = scheduler_.chance(0.02);
  const Micros takes = is_long ? scheduler_.between(1'000, 20'000) : scheduler_.between(1, 100);
  ends_at_ = scheduler_.now() + std::max(takes, std::exchange(held_, 0));
  scheduler_.at(life_, ends_at_, [this] { end_round(); });
}

void SimLoop::fire_timers() {
  std::vector<std::pair<Micros, loop::TimerId>> due;
  for (const auto& [id, timer] : timers_) {
    if (timer.due <= scheduler_.now()) due.emplace_back(timer.due, id);
  }
  std::sort(due.begin(), due.end());
  for (const auto& [when, id] : due) {
    const auto found = timers_.find(id);
    if (found == timers_.end()) continue;  // Cancelled by another.
    const auto fire = found->second.fire;
    if (found->second.period > 0) {
      found->second.due = scheduler_.now() + found->second.period;
    } else {
      timers_.erase(found);
    }
    fire();
  }
}

void SimLoop::end_round() {
  if (ends_at_ > scheduler_.now()) {  // It was held meanwhile.
    scheduler_.at(life_, ends_at_, [this] { end_round(); });
    return;
  }
  is_in_round_ = false;
  is_running_ = true;
  if (before_wait_) before_wait_();
  is_running_ = false;
  if (!posted_.empty()) return wake(scheduler_.now() + 1);
  Micros next = 0;
  for (const auto& [id, timer] : timers_) {
    if (next == 0 || timer.due < next) next = timer.due;
  }
  if (next != 0) wake(std::max(next, scheduler_.now() + 1));
}

}  // namespace stepwell::sim
