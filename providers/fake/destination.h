// Destination — what was written to the fake, and whether it is what it should be.
//
// Records are compared by content (start, end, sport, distance, heart rate), never by a key of
// ours: a sync that makes up new keys must not look right.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "providers/fake/truth.h"

namespace stepwell::fake {

struct StoredPoint {
  std::string id;  // Of the data point.
  std::int64_t start = 0, end = 0, offset_s = 0;
  std::string sport;
  std::int64_t distance_dm = 0, heart_rate = 0;
  std::string body;  // As it was sent: JSON.
};

struct Audit {
  std::uint64_t expected = 0, stored = 0;
  std::uint64_t missing = 0;  // Expected and not there.
  std::uint64_t extra = 0;    // There twice, or never happened.
  std::uint64_t corrupt = 0;  // There, with other content.
};

class Destination {
 public:
  void add(const std::string& user, StoredPoint point);
  bool replace(const std::string& user, const StoredPoint& point);  // False: no such id.
  bool remove(const std::string& user, const std::string& id);
  // With from <= start < to, newest first.
  std::vector<StoredPoint> list(const std::string& user, std::int64_t from, std::int64_t to) const;
  Audit audit(const Truth& truth, const std::string& user, std::int64_t from,
              std::int64_t to) const;
  std::uint64_t size(const std::string& user) const;

 private:
  std::map<std::string, std::multimap<std::int64_t, StoredPoint>> users_;  // By start.
};

}  // namespace stepwell::fake
