#include "tests/sim/scheduler.h"

#include <algorithm>
#include <tuple>

namespace stepwell::sim {

bool Scheduler::is_later(const Event& a, const Event& b) {
  return std::tie(a.when, a.tie, a.count) > std::tie(b.when, b.tie, b.count);
}

void Scheduler::push(Event event) {
  heap_.push_back(std::move(event));
  std::push_heap(heap_.begin(), heap_.end(), is_later);
}

void Scheduler::at(Micros when, std::function<void()> work) { at(nullptr, when, std::move(work)); }

void Scheduler::at(const LifeRef& life, Micros when, std::function<void()> work) {
  push({when, dice_.next(), ++count_, life, std::move(work)});
}

bool Scheduler::run_one() {
  if (heap_.empty()) return false;
  std::pop_heap(heap_.begin(), heap_.end(), is_later);
  Event event = std::move(heap_.back());
  heap_.pop_back();
  now_ = std::max(now_, event.when);
  if (event.life != nullptr) {
    if (event.life->is_over()) return true;
    if (event.life->wakes() > now_) {  // With its old place among those of that moment.
      event.when = event.life->wakes();
      push(std::move(event));
      return true;
    }
  }
  event.work();
  return true;
}

}  // namespace stepwell::sim
