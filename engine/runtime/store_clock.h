// StoreClock — the store's time, told by this process: its monotonic clock and a measured offset.
//
// Any thread may read and correct.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/time.h"

namespace stepwell::runtime {

// Milliseconds of the monotonic clock.
inline std::int64_t monotonic_ms() {
  return std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

class StoreClock {
 public:
  Time now() const { return from_unix_ms(monotonic_ms() + offset_ms_.load()); }

  // The store said `now` in answer to a question asked at `before`.  A slow answer tells little.
  void correct(Time now, std::int64_t before) {
    const std::int64_t after = monotonic_ms();
    if (is_set_ && after - before > kTooSlowMs) return;
    offset_ms_ = unix_ms(now) - (before + after) / 2;
    is_set_ = true;
  }

 private:
  static constexpr std::int64_t kTooSlowMs = 20;
  std::atomic<std::int64_t> offset_ms_{0};
  std::atomic<bool> is_set_{false};
};

}  // namespace stepwell::runtime
