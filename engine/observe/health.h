// Health — whether the database answers those of this process who talk to it.
//
// Each probe (the keeper's, a committer's) tells of its own questions.  Any thread may call;
// nothing here blocks.  Times are of the monotonic clock, in milliseconds.
#pragma once

#include <array>
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

  // What fails of upkeep is told to people, and is no trouble yet: it is done long before it must.
  enum class Weight : std::uint8_t { kVital, kUpkeep };
  Probe add(Weight weight = Weight::kVital);
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
    Weight weight = Weight::kVital;
    std::optional<std::int64_t> asked_ms;    // The question that has no answer yet.
    std::optional<std::int64_t> failing_ms;  // Since then nothing worked.
    std::string reason;
  };
  struct Outage {
    std::int64_t since_ms = 0;
    std::string reason;
  };
  std::optional<Outage> longest_outage(Weight weight, std::int64_t now_ms) const REQUIRES(mutex_);
  std::string news_of(Weight weight, std::int64_t now_ms) REQUIRES(mutex_);

  const HealthLimits limits_;
  mutable Mutex mutex_;
  std::vector<Talk> talks_ GUARDED_BY(mutex_);
  // When the trouble of each weight began that people were told of.
  std::array<std::optional<std::int64_t>, 2> told_ms_ GUARDED_BY(mutex_);
};

}  // namespace stepwell::runtime
