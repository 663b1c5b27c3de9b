// StoreClock — the store's time, told by this process: its monotonic clock and a measured offset.
//
// Any thread may read and correct.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "base/time.h"

namespace stepwell::runtime {

class StoreClock {
 public:
  explicit StoreClock(const Clock& clock) : clock_(clock) {}

  Time now() const { return from_unix_ms(clock_.monotonic_ms() + offset_ms_.load()); }

  // The store said `now` in answer to a question asked at `before`.  A slow answer tells little.
  void correct(Time now, std::int64_t before) {
    const std::int64_t after = clock_.monotonic_ms();
    if (is_set_ && after - before > kTooSlowMs) return;
    offset_ms_ = unix_ms(now) - (before + after) / 2;
    is_set_ = true;
  }

 private:
  static constexpr std::int64_t kTooSlowMs = 20;
  const Clock& clock_;
  std::atomic<std::int64_t> offset_ms_{0};
  std::atomic<bool> is_set_{false};
};

}  // namespace stepwell::runtime
