// Surroundings — what a Runtime gets from outside: the machine's by default, others in a
// simulation.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/clock.h"
#include "engine/task/pool.h"

namespace stepwell::runtime {

struct Surroundings {
  const Clock& clock;
  std::function<std::uint64_t()> random;  // Of ids, and of what executions roll for themselves.
  std::function<std::unique_ptr<Pool>(unsigned threads)> make_pool;
};

// Of this machine.
const Surroundings& real_surroundings();

}  // namespace stepwell::runtime
