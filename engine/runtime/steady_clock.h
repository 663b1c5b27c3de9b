// The machine's monotonic clock.
#pragma once

#include <chrono>

#include "base/clock.h"

namespace stepwell::runtime {

class SteadyClock final : public Clock {
 public:
  std::int64_t monotonic_ms() const override { return monotonic_us() / 1'000; }
  std::int64_t monotonic_us() const override {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
};

inline const Clock& steady_clock() {
  static const SteadyClock kClock;
  return kClock;
}

}  // namespace stepwell::runtime
