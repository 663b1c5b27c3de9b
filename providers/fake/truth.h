// Truth — what every user did, as a pure function of the seed.
//
// Nothing is stored: workout i of user u on day d is a hash of (seed, u, d, i).  Only the number of
// workouts before each day is kept per user (4 bytes a day, made on first use), so "those from a to
// b" is found in a step.  The records are canonical; a vendor API turns them into a vendor's words.
// Thread-safety: none (the cache); one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/value.h"

namespace stepwell::fake {

using Seconds = std::int64_t;  // Since 1970, UTC.

struct Span {  // Half-open.
  Seconds from = 0, to = 0;
  bool holds(Seconds t) const { return t >= from && t < to; }
  bool meets(const Span& other) const { return from < other.to && other.from < to; }
};

// One activity in three vocabularies.
struct Sport {
  const char* canonical;
  const char* strava;
  const char* google;
  bool has_distance;
};
const std::vector<Sport>& sports();
// Index into sports(), or nothing.
std::optional<std::size_t> sport_of_google(std::string_view word);

struct Workout {
  std::uint32_t user = 0, ordinal = 0;
  std::int64_t id = 0;  // At the source.
  Seconds start = 0;
  std::int64_t elapsed_s = 0, moving_s = 0;
  int offset_s = 0;  // Seconds east of UTC there and then.
  std::size_t sport = 0;
  std::string title;
  std::int64_t distance_dm = 0;               // Tenths of a metre; 0: the sport has none.
  int elevation_m = 0, hr_bpm = 0, kcal = 0;  // 0: not known.
  bool is_manual = false;

  Seconds end() const { return start + elapsed_s; }
  Value to_canonical() const;
};

struct TruthOptions {
  std::uint64_t seed = 7;
  std::uint32_t users = 1;
  std::uint32_t days = 365;
  Seconds until = 0;  // Midnight UTC after the last day.
};

class Truth {
 public:
  explicit Truth(const TruthOptions& options) : options_(options) {}

  const TruthOptions& options() const { return options_; }
  bool has_user(std::uint32_t user) const { return user >= 1 && user <= options_.users; }
  Span all() const {
    return {options_.until - static_cast<Seconds>(options_.days) * 86'400, options_.until};
  }

  std::uint32_t count(std::uint32_t user) const;
  // By start; CHECKs ordinal < count(user).
  Workout workout(std::uint32_t user, std::uint32_t ordinal) const;
  // Ordinals [first, last) of those that start within the span.
  std::pair<std::uint32_t, std::uint32_t> within(std::uint32_t user, const Span& span) const;
  std::optional<Workout> find(std::uint32_t user, Seconds start) const;
  std::optional<Workout> by_id(std::int64_t id) const;

 private:
  const std::vector<std::uint32_t>& before_day(std::uint32_t user) const;
  std::uint32_t first_at(std::uint32_t user, Seconds t) const;
  std::uint64_t hash(std::uint32_t user, std::uint32_t day, std::uint32_t what) const;
  Workout on_day(std::uint32_t user, std::uint32_t day, std::uint32_t i) const;

  TruthOptions options_;
  mutable std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> before_day_;
};

// A number in [0, 1) from the top bits of a hash.
double unit_of(std::uint64_t hash);
// Mixes words into one; the same on every machine.
std::uint64_t mix(std::uint64_t a, std::uint64_t b);

}  // namespace stepwell::fake
