// A monotonic clock that the test moves.
#pragma once

#include "base/clock.h"

namespace stepwell::runtime {

struct FakeClock final : Clock {
  std::int64_t monotonic_ms() const override { return now_ms; }
  std::int64_t now_ms = 1'000'000;
};

}  // namespace stepwell::runtime
