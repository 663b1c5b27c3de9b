// Gathering — how long a committer keeps the next batch open for starts that are about to come.
//
// Whoever was told that a start is durable often starts the next one at once.  A batch that is sent
// the instant after carries half of those and leaves the other half for the batch behind it, and so
// on for ever: twice the batches, and most of what a small batch costs is the same whatever is in
// it.  So the next batch waits until as many starts have come as were answered, but no longer than
// the last batch took.  Callers who do not come back are waited for ever more rarely.
// Thread-safety: none.  Times are monotonic microseconds.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace stepwell::runtime {

class Gathering {
 public:
  static constexpr std::int64_t kLongestUs = 5'000;
  static constexpr unsigned kRarest = 6;  // After that many vain ones in a row: one in 64.

  // A batch with that many new starts is durable, and took that long.  One start alone shares its
  // batch with nobody: nothing is gathered after it.
  void landed(std::size_t starts, std::int64_t took_us, std::int64_t now_us) {
    wanted_ = 0;
    if (starts < 2) return;
    if (passes_ > 0) {
      --passes_;
      return;
    }
    wanted_ = starts;
    until_us_ = now_us + std::min(took_us, kLongestUs);
  }

  // How much longer the next batch, with that many starts so far, is kept open.  0: no longer.
  std::int64_t left_us(std::size_t starts, std::int64_t now_us) {
    if (wanted_ == 0) return 0;
    if (starts < wanted_ && now_us < until_us_) return until_us_ - now_us;
    const bool was_vain = starts * 2 < wanted_;
    vain_ = was_vain ? std::min(vain_ + 1, kRarest) : 0;
    passes_ = (1u << vain_) - 1;
    wanted_ = 0;
    return 0;
  }

  // The number of starts that ends the wait; 0: nothing is gathered.
  std::size_t wanted() const { return wanted_; }

 private:
  std::size_t wanted_ = 0;
  std::int64_t until_us_ = 0;
  unsigned vain_ = 0;    // In a row.
  unsigned passes_ = 0;  // Batches after which nothing is gathered.
};

}  // namespace stepwell::runtime
