// A worker process of the crash test: an Engine with the test's tasks, until it is killed.
#pragma once

#include <string>

#include "base/time.h"
#include "tests/e2e/chaos/tally.h"

namespace stepwell::chaos {

// Short, so that a minute sees many of them end.
inline constexpr Millis kLease{3'000};

struct WorkerOptions {
  std::string database_url;
  int number = 0;
};

// Never returns normally: the parent kills it.  Exits with 1 when the engine gives up.
[[noreturn]] void work(const WorkerOptions& options, Tally& tally);

}  // namespace stepwell::chaos
