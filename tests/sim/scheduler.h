// Scheduler — virtual time: one queue of events, and the dice of a seed.
//
// Events are ordered by time, then by a drawn number, then by the order of their making; nothing
// else may decide what comes first.  Not thread-safe: a simulation has one thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/random.h"

namespace stepwell::sim {

using Micros = std::int64_t;  // Virtual; of the scheduler.

// A process, or a thread of one: what runs there does not when it is dead, and later when it is
// frozen.
struct Life {
  bool is_dead = false;
  Micros frozen_until = 0;
  std::shared_ptr<const Life> process;  // Of a thread.

  bool is_over() const { return is_dead || (process != nullptr && process->is_over()); }
  Micros wakes() const {
    return process == nullptr ? frozen_until : std::max(frozen_until, process->wakes());
  }
};
using LifeRef = std::shared_ptr<const Life>;

class Scheduler {
 public:
  explicit Scheduler(std::uint64_t seed) : dice_(seed) {}

  Micros now() const { return now_; }
  // What nobody's death prevents: the database, clients, the world.
  void at(Micros when, std::function<void()> work);
  void at(const LifeRef& life, Micros when, std::function<void()> work);
  // The next event; false when there is none.
  bool run_one();

  std::uint64_t draw() { return dice_.next(); }
  bool chance(double probability) { return dice_.unit() < probability; }
  double unit() { return dice_.unit(); }
  // Both included.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(dice_.below(static_cast<std::uint64_t>(high - low + 1)));
  }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(dice_.below(bound)); }

 private:
  struct Event {
    Micros when = 0;
    std::uint64_t tie = 0, count = 0;
    LifeRef life;
    std::function<void()> work;
  };
  static bool is_later(const Event& a, const Event& b);
  void push(Event event);

  Random dice_;
  Micros now_ = 1'000'000'000;  // Not 0, which means "none" in many places.
  std::uint64_t count_ = 0;
  std::vector<Event> heap_;
};

// The monotonic clock of one process.
class SimClock final : public Clock {
 public:
  SimClock(const Scheduler& scheduler, Micros offset) : scheduler_(scheduler), offset_(offset) {}
  std::int64_t monotonic_ms() const override { return monotonic_us() / 1'000; }
  std::int64_t monotonic_us() const override { return scheduler_.now() + offset_; }

 private:
  const Scheduler& scheduler_;
  const Micros offset_;
};

}  // namespace stepwell::sim
