// Reconnects — how often this process's lanes lost their connection, and what became of the batch
// that was under way: for the crash test and for operators.
//
// Any thread may read.
#pragma once

#include <atomic>
#include <cstdint>

namespace stepwell::postgres {

struct Reconnects {
  std::atomic<std::uint64_t> reconnected{0};
  std::atomic<std::uint64_t> had_landed{0};  // The batch was committed; only its answer was lost.
  std::atomic<std::uint64_t> sent_again{0};  // It was not.
};

// Of the whole process.
Reconnects& reconnects();

}  // namespace stepwell::postgres
