#include "providers/fake/destination.h"

#include <algorithm>

namespace stepwell::fake {
namespace {

bool is_same(const Workout& workout, const StoredPoint& point) {
  return point.end == workout.start + workout.elapsed_s && point.sport == workout.sport &&
         point.distance_dm == workout.distance_dm && point.heart_rate == workout.heart_rate &&
         point.offset_s == workout.offset_s;
}

}  // namespace

void Destination::add(const std::string& user, StoredPoint point) {
  const std::int64_t start = point.start;
  users_[user].emplace(start, std::move(point));
}

bool Destination::replace(const std::string& user, const StoredPoint& point) {
  if (!remove(user, point.id)) return false;
  add(user, point);
  return true;
}

bool Destination::remove(const std::string& user, const std::string& id) {
  auto& points = users_[user];
  const auto found = std::find_if(points.begin(), points.end(),
                                  [&](const auto& point) { return point.second.id == id; });
  if (found == points.end()) return false;
  points.erase(found);
  return true;
}

std::vector<StoredPoint> Destination::list(const std::string& user, std::int64_t from,
                                           std::int64_t to) const {
  std::vector<StoredPoint> found;
  const auto points = users_.find(user);
  if (points == users_.end()) return found;
  for (auto at = points->second.lower_bound(from); at != points->second.end() && at->first < to;
       ++at) {
    found.push_back(at->second);
  }
  std::reverse(found.begin(), found.end());
  return found;
}

Audit Destination::audit(const Truth& truth, const std::string& user, std::int64_t from,
                         std::int64_t to) const {
  Audit audit;
  std::multimap<std::int64_t, StoredPoint> left;
  if (const auto points = users_.find(user); points != users_.end()) left = points->second;
  audit.stored = left.size();
  for (const Workout& workout : truth.workouts(user, from, to)) {
    ++audit.expected;
    const auto [first, last] = left.equal_range(workout.start);
    const auto same = std::find_if(
        first, last, [&](const auto& point) { return is_same(workout, point.second); });
    if (same != last) {
      left.erase(same);
    } else if (first != last) {
      ++audit.corrupt;
      left.erase(first);
    } else {
      ++audit.missing;
    }
  }
  audit.extra = left.size();
  return audit;
}

std::uint64_t Destination::size(const std::string& user) const {
  const auto points = users_.find(user);
  return points == users_.end() ? 0 : points->second.size();
}

}  // namespace stepwell::fake
