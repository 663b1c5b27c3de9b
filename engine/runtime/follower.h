// Follower — takes up hints that something may be due, and tells people how the database is: it
// never waits for the database itself.
//
// By one thread.  Ownership: what it refers to outlives it.
#pragma once

#include <functional>
#include <string>

#include "base/clock.h"
#include "engine/observe/health.h"
#include "engine/runtime/settings.h"

namespace stepwell::runtime {

class Follower {
 public:
  Follower(const Clock& mono, const Settings& settings, Health& health, std::function<void()> wake)
      : mono_(mono), settings_(settings), health_(health), wake_(std::move(wake)) {}

  // After a hint, or after the time that it answered last time is over: how long to wait for the
  // next hint.
  Millis turn(bool is_hinted);

 private:
  void tell_news();

  const Clock& mono_;
  const Settings& settings_;
  Health& health_;
  const std::function<void()> wake_;
};

}  // namespace stepwell::runtime
