#include "providers/fake/truth.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/check.h"
#include "base/random.h"
#include "base/time.h"

namespace stepwell::fake {
namespace {

constexpr Seconds kDay = 86'400;
constexpr std::int64_t kFirstId = 10'000'000'000, kIdsPerUser = 1'000'000;

// Offsets of a year's two halves: some users live where clocks change, some by half hours.
constexpr std::array<std::array<int, 2>, 6> kZones = {{{3'600, 7'200},
                                                       {0, 3'600},
                                                       {-28'800, -25'200},
                                                       {19'800, 19'800},
                                                       {-10'800, -10'800},
                                                       {43'200, 46'800}}};

bool is_summer(Seconds t) {
  const Seconds day_of_year = (t / kDay) % 365;
  return day_of_year > 100 && day_of_year < 290;
}

std::string rfc3339(Seconds t) { return to_rfc3339(from_unix_ms(t * 1000)).substr(0, 19) + "Z"; }

}  // namespace

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  return Random(a ^ (b * 0xff51afd7ed558ccdULL + 0x2545f4914f6cdd1dULL)).next();
}

double unit_of(std::uint64_t hash) { return static_cast<double>(hash >> 11) * 0x1.0p-53; }

const std::vector<Sport>& sports() {
  static const std::vector<Sport> kSports = {
      {"running", "Run", "RUNNING", true},
      {"trail_running", "TrailRun", "TRAIL_RUN", true},
      {"cycling", "Ride", "BIKING", true},
      {"mountain_biking", "MountainBikeRide", "MOUNTAIN_BIKE", true},
      {"e_biking", "EBikeRide", "ELECTRIC_BIKE", true},
      {"walking", "Walk", "WALKING", true},
      {"hiking", "Hike", "HIKING", true},
      {"rowing", "Rowing", "ROWING", true},
      {"strength_training", "WeightTraining", "STRENGTH_TRAINING", false},
      {"yoga", "Yoga", "YOGA", false},
      {"hiit", "HighIntensityIntervalTraining", "HIIT", false},
      {"climbing", "RockClimbing", "CLIMBING", false},
      {"tennis", "Tennis", "TENNIS", false},
      {"pickleball", "Pickleball", "PICKELBALL", false},
  };
  return kSports;
}

std::optional<std::size_t> sport_of_google(std::string_view word) {
  const auto& all = sports();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const Sport& sport) { return sport.google == word; });
  if (found == all.end()) return std::nullopt;
  return static_cast<std::size_t>(found - all.begin());
}

Value Workout::to_canonical() const {
  const Sport& what = sports()[sport];
  Object data{{"sport", what.canonical},
              {"title", title},
              {"elapsed_s", elapsed_s},
              {"moving_s", moving_s}};
  if (distance_dm > 0) data.set("distance_m", static_cast<double>(distance_dm) / 10);
  if (elevation_m > 0) data.set("elevation_gain_m", elevation_m);
  if (hr_bpm > 0) data.set("hr_avg_bpm", hr_bpm);
  if (kcal > 0) data.set("energy_total_kcal", kcal);
  return Value(Object{{"schema", "workout/1.0"},
                      {"source", Value(Object{{"id", std::to_string(id)},
                                              {"origin", is_manual ? "manual" : "device"}})},
                      {"time", Value(Object{{"start", rfc3339(start)},
                                            {"end", rfc3339(end())},
                                            {"start_offset_s", offset_s}})},
                      {"data", Value(std::move(data))}});
}

std::uint64_t Truth::hash(std::uint32_t user, std::uint32_t day, std::uint32_t what) const {
  return mix(mix(options_.seed, std::uint64_t{user} << 32 | day), what);
}

// Workouts on that day: mostly none or one, so that three years hold about 700.
static std::uint32_t workouts_for(std::uint64_t hash) {
  const double dice = unit_of(hash);
  return dice < 0.45 ? 0 : dice < 0.91 ? 1 : 2;
}

const std::vector<std::uint32_t>& Truth::before_day(std::uint32_t user) const {
  std::vector<std::uint32_t>& sums = before_day_[user];
  if (sums.empty()) {
    sums.reserve(options_.days + 1);
    sums.push_back(0);
    for (std::uint32_t day = 0; day < options_.days; ++day) {
      sums.push_back(sums.back() + workouts_for(hash(user, day, 0)));
    }
  }
  return sums;
}

std::uint32_t Truth::count(std::uint32_t user) const {
  return has_user(user) ? before_day(user).back() : 0;
}

Workout Truth::on_day(std::uint32_t user, std::uint32_t day, std::uint32_t i) const {
  const auto& sums = before_day(user);
  const Seconds slot = kDay / (sums[day + 1] - sums[day]);
  Random dice(hash(user, day, i + 1));
  Workout w;
  w.user = user;
  w.ordinal = sums[day] + i;
  w.id = kFirstId + user * kIdsPerUser + w.ordinal;
  w.start = all().from + day * kDay + i * slot +
            static_cast<Seconds>(dice.below(static_cast<std::uint64_t>(slot)));
  w.elapsed_s = 600 + static_cast<std::int64_t>(dice.below(6'600));
  w.moving_s = w.elapsed_s -
               static_cast<std::int64_t>(dice.below(static_cast<std::uint64_t>(w.elapsed_s) / 10));
  w.offset_s = kZones[mix(options_.seed, user) % kZones.size()][is_summer(w.start) ? 1 : 0];
  w.sport = dice.below(sports().size());
  if (sports()[w.sport].has_distance) {
    w.distance_dm = w.moving_s * static_cast<std::int64_t>(20 + dice.below(40));
    w.elevation_m = static_cast<int>(dice.below(600));
  }
  if (dice.unit() < 0.85) w.hr_bpm = static_cast<int>(95 + dice.below(80));
  w.kcal = static_cast<int>(80 + dice.below(900));
  w.is_manual = dice.unit() < 0.05;
  static const std::array<const char*, 4> kNames = {"Morning", "Lunch", "Evening", "Épic 🏔"};
  char mark[24];
  std::snprintf(mark, sizeof mark, " %06x", static_cast<unsigned>(dice.next() & 0xffffff));
  w.title = std::string(kNames[dice.below(kNames.size())]) + " " + sports()[w.sport].strava + mark;
  return w;
}

Workout Truth::workout(std::uint32_t user, std::uint32_t ordinal) const {
  const auto& sums = before_day(user);
  CHECK(ordinal < sums.back(), "no such workout");
  const auto after = std::upper_bound(sums.begin(), sums.end(), ordinal);
  const auto day = static_cast<std::uint32_t>(after - sums.begin() - 1);
  return on_day(user, day, ordinal - sums[day]);
}

std::uint32_t Truth::first_at(std::uint32_t user, Seconds t) const {
  const auto& sums = before_day(user);
  if (t <= all().from) return 0;
  if (t >= all().to) return sums.back();
  const auto day = static_cast<std::uint32_t>((t - all().from) / kDay);
  std::uint32_t at = sums[day];
  while (at < sums[day + 1] && on_day(user, day, at - sums[day]).start < t) ++at;
  return at;
}

std::pair<std::uint32_t, std::uint32_t> Truth::within(std::uint32_t user, const Span& span) const {
  if (!has_user(user) || span.from >= span.to) return {0, 0};
  return {first_at(user, span.from), first_at(user, span.to)};
}

std::optional<Workout> Truth::find(std::uint32_t user, Seconds start) const {
  const auto [first, last] = within(user, {start, start + 1});
  if (first == last) return std::nullopt;
  return workout(user, first);
}

std::optional<Workout> Truth::by_id(std::int64_t id) const {
  if (id < kFirstId + kIdsPerUser) return std::nullopt;
  const auto user = static_cast<std::uint32_t>((id - kFirstId) / kIdsPerUser);
  const auto ordinal = static_cast<std::uint32_t>((id - kFirstId) % kIdsPerUser);
  if (!has_user(user) || ordinal >= count(user)) return std::nullopt;
  return workout(user, ordinal);
}

}  // namespace stepwell::fake
