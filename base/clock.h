// Clock — the monotonic clock of a process, as a parameter: the simulation has its own.
//
// Any thread may ask.  The real one is engine/runtime/steady_clock.h.
#pragma once

#include <cstdint>

namespace stepwell {

class Clock {
 public:
  virtual ~Clock() = default;
  // Never runs backwards; where it begins means nothing.
  virtual std::int64_t monotonic_ms() const = 0;
  // The same, as exactly as the clock can tell.
  virtual std::int64_t monotonic_us() const { return monotonic_ms() * 1'000; }
};

}  // namespace stepwell
