#include "engine/runtime/deadlines.h"

#include <algorithm>
#include <utility>

namespace stepwell::runtime {
namespace {

constexpr std::int64_t kFarMs = 60'000;  // No alarm is set for later than this.

}  // namespace

Deadlines::Deadlines(loop::Loop& loop, const Clock& mono, const StoreClock& clock,
                     DeadlineCalls calls)
    : loop_(loop), mono_(mono), clock_(clock), calls_(std::move(calls)) {}

TimerKey Deadlines::add_timer(Time due, ExecutionId execution, CommandId command) {
  const TimerKey key = timers_.add(unix_ms(due), execution, command);
  arm();
  return key;
}

TimerKey Deadlines::add_look(std::int64_t monotonic_ms, ExecutionId execution, CommandId command) {
  const TimerKey key = looks_.add(monotonic_ms, execution, command);
  arm();
  return key;
}

void Deadlines::clear() {
  timers_.clear();
  looks_.clear();
}

void Deadlines::arm() {
  const std::int64_t now = mono_.monotonic_ms();
  std::int64_t at = now + kFarMs;
  if (const auto next = timers_.next_ms()) {
    at = std::min(at, now + *next - unix_ms(clock_.now()));
  }
  if (const auto next = looks_.next_ms()) at = std::min(at, *next);
  if (alarm_ != 0 && alarm_at_ms_ <= at) return;
  if (alarm_ != 0) loop_.cancel(alarm_);
  alarm_at_ms_ = at;
  alarm_ = loop_.after(Millis(std::max<std::int64_t>(0, at - now)), [this] { ring(); });
}

void Deadlines::ring() {
  alarm_ = 0;
  const Time now = clock_.now();
  while (const auto entry = timers_.take_due(unix_ms(now))) calls_.due(*entry, now);
  while (const auto entry = looks_.take_due(mono_.monotonic_ms())) calls_.look(*entry);
  arm();
}

}  // namespace stepwell::runtime
