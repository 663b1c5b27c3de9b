// LaneChoice — which lane a start goes to: the one that is gathering starts.
//
// A batch with ten starts costs little more than a batch with one, so starts that come together
// share a lane until it has enough of them, or has had its turn; then the next lane gathers.  A
// turn is many batches long: what follows from the starts of one batch is in the next one, with the
// next starts.  Enough is not many: while one lane's batch is written, the other lane's starts are
// prepared, so that 20 callers keep two cores busy with two lanes and only one with one.
// Thread-safety: any thread may call.  Two that call at the same instant may both begin a turn;
// that costs a batch and nothing else.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace stepwell::runtime {

class LaneChoice {
 public:
  // Starts under way on a lane.
  static constexpr unsigned kEnough = 10;
  // However many come, a lane that is held up gathers no longer than this.
  static constexpr std::int64_t kTurnMs = 50;

  explicit LaneChoice(std::size_t lanes) : under_way_(lanes) {}

  // The lane for one more start, which is under way from now on.
  std::size_t choose(std::int64_t now_ms) {
    std::size_t lane = gathering_;
    const unsigned there = under_way_[lane];
    if (there >= kEnough || now_ms - since_ms_ >= kTurnMs) {
      lane = next_after(lane);
      gathering_ = lane;
      since_ms_ = now_ms;
    }
    ++under_way_[lane];
    return lane;
  }
  void answered(std::size_t lane) { --under_way_[lane]; }

 private:
  // The next one that has not enough; when all have, the one with the fewest.
  std::size_t next_after(std::size_t lane) const {
    std::size_t fewest = lane;
    for (std::size_t i = 1; i <= under_way_.size(); ++i) {
      const std::size_t next = (lane + i) % under_way_.size();
      if (under_way_[next] < kEnough) return next;
      if (under_way_[next] < under_way_[fewest]) fewest = next;
    }
    return fewest;
  }

  std::vector<std::atomic<unsigned>> under_way_;
  std::atomic<std::size_t> gathering_{0};
  std::atomic<std::int64_t> since_ms_{0};
};

}  // namespace stepwell::runtime
