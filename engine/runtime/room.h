// Room — how many executions a lane may hold, and when it should claim again after it was full.
//
// Belongs to its lane's thread.
#pragma once

#include <cstddef>

namespace stepwell::runtime {

class Room {
 public:
  explicit Room(std::size_t most) : most_(most) {}

  bool has(std::size_t taken) const { return taken < most_; }
  // How many more fit beside the `taken` ones.  With none left the lane is full until
  // has_reopened() says otherwise.
  std::size_t left(std::size_t taken) {
    if (has(taken)) return most_ - taken;
    is_full_ = true;
    return 0;
  }
  // True once after the lane was full, when more than a quarter of it is free again: not at each
  // execution that leaves, or every end would be followed by a claim of one.
  bool has_reopened(std::size_t taken) {
    if (!is_full_ || taken >= most_ - most_ / 4) return false;
    is_full_ = false;
    return true;
  }

 private:
  const std::size_t most_;
  bool is_full_ = false;
};

}  // namespace stepwell::runtime
