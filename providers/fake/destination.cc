#include "providers/fake/destination.h"

#include <cmath>
#include <cstdlib>

#include "base/time.h"

namespace stepwell::fake {
namespace {

constexpr std::size_t kMaxExamples = 10;
constexpr Seconds kWidestOffset = 18 * 3'600;

std::string text_at(const Value& object, std::initializer_list<const char*> path) {
  const Value* at = &object;
  for (const char* name : path) {
    at = at->find(name);
    if (at == nullptr) return "";
  }
  return at->is_string() ? at->as_string() : at->is_number() ? at->to_json() : "";
}

// A number that came as a number or as text, rounded; 0 when absent.
std::int64_t number_at(const Value& object, std::initializer_list<const char*> path) {
  const std::string text = text_at(object, path);
  return text.empty() ? 0 : std::llround(std::strtod(text.c_str(), nullptr));
}

Seconds instant_at(const Value& object, std::initializer_list<const char*> path) {
  const auto time = parse_rfc3339(text_at(object, path));
  return time ? unix_ms(*time) / 1000 : -1;
}

struct Content {
  Seconds start = 0, end = 0;
  std::int64_t offset_s = 0;
  std::string sport, title;
  std::int64_t active_s = 0, distance_mm = 0, elevation_mm = 0, hr_bpm = 0, kcal = 0;

  std::string text() const {
    std::string out = "workout";
    for (const std::int64_t part :
         {start, end, offset_s, active_s, distance_mm, elevation_mm, hr_bpm, kcal}) {
      out += "|" + std::to_string(part);
    }
    return out + "|" + sport + "|" + title;
  }
};

}  // namespace

std::string content_of(const Point& point) {
  const Value& sent = point.exercise;
  Content content;
  content.start = instant_at(sent, {"interval", "startTime"});
  content.end = instant_at(sent, {"interval", "endTime"});
  content.offset_s = number_at(sent, {"interval", "startUtcOffset"});
  const auto sport = sport_of_google(text_at(sent, {"exerciseType"}));
  content.sport = sport ? sports()[*sport].canonical : text_at(sent, {"exerciseType"});
  content.title = text_at(sent, {"displayName"});
  content.active_s = number_at(sent, {"activeDuration"});
  content.distance_mm = number_at(sent, {"metricsSummary", "distanceMillimeters"});
  content.elevation_mm = number_at(sent, {"metricsSummary", "elevationGainMillimeters"});
  content.hr_bpm = number_at(sent, {"metricsSummary", "averageHeartRateBeatsPerMinute"});
  content.kcal = number_at(sent, {"metricsSummary", "caloriesKcal"});
  return content.text();
}

std::string content_of(const Workout& w, bool with_energy) {
  Content content{w.start, w.end(), w.offset_s, sports()[w.sport].canonical, w.title};
  content.active_s = w.moving_s;
  content.distance_mm = w.distance_dm * 100;
  content.elevation_mm = std::int64_t{w.elevation_m} * 1000;
  content.hr_bpm = w.hr_bpm;
  content.kcal = with_energy ? w.kcal : 0;
  return content.text();
}

void Verdict::add(const Verdict& other) {
  expected += other.expected;
  found += other.found;
  missing += other.missing;
  duplicates += other.duplicates;
  unexpected += other.unexpected;
  corrupt += other.corrupt;
  for (const std::string& example : other.examples) {
    if (examples.size() < kMaxExamples) examples.push_back(example);
  }
}

void Destination::add(std::uint32_t user, Point point) {
  Shelf& shelf = shelves_[user];
  shelf.by_start.emplace(point.start, point.id);
  const std::string id = point.id;
  shelf.points[id] = std::move(point);
}

const Point* Destination::find(std::uint32_t user, const std::string& id) const {
  const auto shelf = shelves_.find(user);
  if (shelf == shelves_.end()) return nullptr;
  const auto point = shelf->second.points.find(id);
  return point == shelf->second.points.end() ? nullptr : &point->second;
}

bool Destination::change(std::uint32_t user, const Point& point) {
  if (!remove(user, point.id)) return false;
  add(user, point);
  return true;
}

bool Destination::remove(std::uint32_t user, const std::string& id) {
  const Point* point = find(user, id);
  if (point == nullptr) return false;
  Shelf& shelf = shelves_[user];
  const auto [first, last] = shelf.by_start.equal_range(point->start);
  for (auto entry = first; entry != last; ++entry) {
    if (entry->second != id) continue;
    shelf.by_start.erase(entry);
    break;
  }
  shelf.points.erase(id);
  return true;
}

std::size_t Destination::count(std::uint32_t user) const {
  const auto shelf = shelves_.find(user);
  return shelf == shelves_.end() ? 0 : shelf->second.points.size();
}

std::vector<const Point*> Destination::by_civil_start(std::uint32_t user, const Span& civil) const {
  std::vector<const Point*> found;
  const auto entry = shelves_.find(user);
  if (entry == shelves_.end()) return found;
  const Shelf& shelf = entry->second;
  auto at = shelf.by_start.lower_bound(civil.to + kWidestOffset);
  while (at != shelf.by_start.begin()) {
    --at;
    if (at->first < civil.from - kWidestOffset) break;
    const Point& point = shelf.points.at(at->second);
    if (civil.holds(point.start + point.offset_s)) found.push_back(&point);
  }
  return found;
}

Verdict Destination::compare(const Truth& truth, std::uint32_t user, const Span& span) const {
  Verdict verdict;
  const auto say = [&](const std::string& what, const std::string& content) {
    if (verdict.examples.size() < kMaxExamples) verdict.examples.push_back(what + " " + content);
  };
  static const Shelf kEmpty;
  const auto entry = shelves_.find(user);
  const Shelf& shelf = entry == shelves_.end() ? kEmpty : entry->second;
  const auto [first, last] = truth.within(user, span);
  for (std::uint32_t ordinal = first; ordinal < last; ++ordinal) {
    const Workout workout = truth.workout(user, ordinal);
    const std::string plain = content_of(workout, false), full = content_of(workout, true);
    ++verdict.expected;
    std::int64_t equal = 0, other = 0;
    const auto [from, to] = shelf.by_start.equal_range(workout.start);
    for (auto at = from; at != to; ++at) {
      const std::string there = content_of(shelf.points.at(at->second));
      const bool is_equal = there == plain || there == full;
      ++(is_equal ? equal : other);
      if (!is_equal) say("corrupt: is " + there + ", should be", full);
    }
    if (equal + other == 0) say("missing", full);
    if (equal > 1) say("duplicate", full);
    verdict.found += equal > 0 ? 1 : 0;
    verdict.missing += equal + other == 0 ? 1 : 0;
    verdict.duplicates += equal > 1 ? equal - 1 : 0;
    verdict.corrupt += other;
  }
  for (auto at = shelf.by_start.lower_bound(span.from);
       at != shelf.by_start.end() && at->first < span.to; ++at) {
    if (truth.find(user, at->first)) continue;
    ++verdict.unexpected;
    say("unexpected", content_of(shelf.points.at(at->second)));
  }
  return verdict;
}

}  // namespace stepwell::fake
