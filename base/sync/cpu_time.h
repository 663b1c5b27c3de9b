// For how long the calling thread has kept a core busy: what it has computed, not what it waited.
//
// Any thread may ask, for itself.
#pragma once

#include <time.h>

#include <chrono>

namespace stepwell {

inline std::chrono::nanoseconds thread_cpu_time() {
  timespec spent{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return std::chrono::seconds(spent.tv_sec) + std::chrono::nanoseconds(spent.tv_nsec);
}

}  // namespace stepwell
