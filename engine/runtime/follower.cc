#include "engine/runtime/follower.h"

#include <fmt/core.h>

namespace stepwell::runtime {
namespace {

constexpr Millis kWait{200};  // How long stop() may have to wait for the follower.

}  // namespace

Millis Follower::turn(bool is_hinted) {
  tell_news();
  if (is_hinted) wake_();
  return kWait;
}

void Follower::tell_news() {
  const std::string line = health_.news(mono_.monotonic_ms());
  if (line.empty()) return;
  if (settings_.tell) return settings_.tell(line);
  fmt::print(stderr, "stepwell: {}\n", line);
}

}  // namespace stepwell::runtime
