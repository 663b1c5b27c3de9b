// Timers — moments of one lane in their order: a heap, with entries that are crossed out and left
// in it.  It knows no clock and calls nobody: Deadlines (deadlines.h) does.  Alarms (alarms.h) are
// the callers' of an engine, not a lane's.
//
// Not thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <unordered_set>
#include <vector>

#include "base/ids.h"

namespace stepwell::runtime {

using TimerKey = std::uint64_t;  // 0: none.

class Timers {
 public:
  struct Entry {
    std::int64_t at_ms = 0;
    TimerKey key = 0;
    ExecutionId execution;
    CommandId command;
  };

  TimerKey add(std::int64_t at_ms, ExecutionId execution, CommandId command) {
    heap_.push_back({at_ms, ++last_key_, execution, command});
    std::push_heap(heap_.begin(), heap_.end(), is_due_later);
    live_.insert(last_key_);
    return last_key_;
  }
  void cancel(TimerKey key) {
    live_.erase(key);
    if (heap_.size() > kSlack && heap_.size() > 2 * live_.size()) sweep();
  }
  // The earliest that is due at `now_ms`, taken out.
  std::optional<Entry> take_due(std::int64_t now_ms) {
    drop_crossed_out();
    if (heap_.empty() || heap_.front().at_ms > now_ms) return std::nullopt;
    const Entry entry = pop();
    live_.erase(entry.key);
    return entry;
  }
  std::optional<std::int64_t> next_ms() {
    drop_crossed_out();
    if (heap_.empty()) return std::nullopt;
    return heap_.front().at_ms;
  }
  std::size_t size() const { return live_.size(); }
  void clear() {
    heap_.clear();
    live_.clear();
  }

 private:
  static constexpr std::size_t kSlack = 256;
  static bool is_due_later(const Entry& a, const Entry& b) {
    return a.at_ms != b.at_ms ? a.at_ms > b.at_ms : a.key > b.key;
  }
  Entry pop() {
    std::pop_heap(heap_.begin(), heap_.end(), is_due_later);
    const Entry entry = heap_.back();
    heap_.pop_back();
    return entry;
  }
  void drop_crossed_out() {
    while (!heap_.empty() && !live_.contains(heap_.front().key)) pop();
  }
  void sweep() {
    std::erase_if(heap_, [this](const Entry& entry) { return !live_.contains(entry.key); });
    std::make_heap(heap_.begin(), heap_.end(), is_due_later);
  }

  std::vector<Entry> heap_;
  std::unordered_set<TimerKey> live_;
  TimerKey last_key_ = 0;
};

}  // namespace stepwell::runtime
