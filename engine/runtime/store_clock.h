// StoreClock — the store's time, told by this process: its monotonic clock and a measured offset.
//
// Any thread may read and correct.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "base/time.h"

namespace stepwell::runtime {

class StoreClock {
 public:
  explicit StoreClock(const Clock& clock) : clock_(clock) {}

  Time now() const { return from_unix_ms(clock_.monotonic_ms() + offset_ms_.load()); }

  // The store said `now` in answer to a question asked at `before`.  A slow answer tells little,
  // unless what is known already is older and worse: clocks drift apart.
  void correct(Time now, std::int64_t before) {
    const std::int64_t after = clock_.monotonic_ms();
    const std::int64_t drifted_ms = (after - set_ms_) / kDriftPerMs;
    if (is_set_ && after - before > std::max(kTooSlowMs, slowness_ms_ + drifted_ms)) return;
    offset_ms_ = unix_ms(now) - (before + after) / 2;
    slowness_ms_ = after - before;
    set_ms_ = after;
    is_set_ = true;
  }

 private:
  static constexpr std::int64_t kTooSlowMs = 20;
  static constexpr std::int64_t kDriftPerMs = 1'000;  // One in a thousand: worse than any clock.
  const Clock& clock_;
  std::atomic<std::int64_t> offset_ms_{0};
  std::atomic<std::int64_t> slowness_ms_{0}, set_ms_{0};  // Of the answer that set it, and when.
  std::atomic<bool> is_set_{false};
};

}  // namespace stepwell::runtime
