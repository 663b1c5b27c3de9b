// Health — whether the database answers those of this process who talk to it.
//
// Each probe (the keeper's, a committer's) tells of its own questions.  Any thread may call;
// nothing here blocks.  Times are of the monotonic clock, in milliseconds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/sync/mutex.h"
#include "base/time.h"

namespace stepwell::runtime {

struct HealthLimits {
  Millis told{1'000};       // Trouble that lasts so long is told to people.
  Millis tolerated{2'000};  // Trouble that mends itself so soon is nobody's business.
  Millis silence{10'000};   // No answer for so long is trouble too.
};

class Health {
 public:
  using Probe = std::size_t;

  explicit Health(const HealthLimits& limits) : limits_(limits) {}

  Probe add();
  void asks(Probe probe, std::int64_t now_ms);
  // What came of that question.  Trouble lasts from the first question that failed.
  void works(Probe probe);
  void fails(Probe probe, const Error& error);

  // What is wrong, for longer than is tolerated; empty when nothing is.
  std::string trouble(std::int64_t now_ms) const;
  // A line for people: once that there is trouble, and once that it is over; mostly empty.
  std::string news(std::int64_t now_ms);

 private:
  struct Talk {
    std::optional<std::int64_t> asked_ms;    // The question that has no answer yet.
    std::optional<std::int64_t> failing_ms;  // Since then nothing worked.
    std::string reason;
  };
  struct Outage {
    std::int64_t since_ms = 0;
    std::string reason;
  };
  std::optional<Outage> longest_outage(std::int64_t now_ms) const REQUIRES(mutex_);

  const HealthLimits limits_;
  mutable Mutex mutex_;
  std::vector<Talk> talks_ GUARDED_BY(mutex_);
  // When the trouble began that people were told of.
  std::optional<std::int64_t> told_ms_ GUARDED_BY(mutex_);
};

}  // namespace stepwell::runtime
