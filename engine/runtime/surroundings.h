// Surroundings — what a Runtime gets from outside: the machine's by default, others in a
// simulation.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <type_traits>

#include "base/clock.h"
#include "engine/task/pool.h"

namespace stepwell::runtime {

struct Surroundings {
  const Clock& clock;
  std::function<std::unique_ptr<Pool>(unsigned threads)> make_pool;
};

// Of this machine.
const Surroundings& real_surroundings();

// Fills a plain value with the system's random bytes: ids, and what executions roll for themselves.
// One system call, so whoever needs several numbers asks for them together.
void roll(void* bytes, std::size_t count);
template <class T>
T rolled() {
  static_assert(std::has_unique_object_representations_v<T>, "nothing but bytes");
  T value;
  roll(&value, sizeof value);
  return value;
}

}  // namespace stepwell::runtime
