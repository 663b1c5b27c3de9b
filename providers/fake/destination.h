// Destination — what has arrived at the fake destination, and whether it is what should have.
//
// The comparison is by content (type, start, end, main values), never by the writer's key: a writer
// whose keys are wrong must not be able to hide it.
// Thread-safety: none; one thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/value.h"
#include "providers/fake/truth.h"

namespace stepwell::fake {

struct Point {
  std::string id;
  std::string client_id;  // The name it came with; may be empty.
  Seconds start = 0;
  int offset_s = 0;
  Value exercise;  // As it was sent.
};

// How what is there compares with what should be; zeros but for the first two are exact.
struct Verdict {
  std::int64_t expected = 0, found = 0;
  std::int64_t missing = 0, duplicates = 0, unexpected = 0, corrupt = 0;
  std::vector<std::string> examples;  // At most ten, for people.

  bool is_exact() const { return missing + duplicates + unexpected + corrupt == 0; }
  void add(const Verdict& other);
};

class Destination {
 public:
  void add(std::uint32_t user, Point point);
  const Point* find(std::uint32_t user, const std::string& id) const;
  // Replaces the contents; false when there is none.
  bool change(std::uint32_t user, const Point& point);
  bool remove(std::uint32_t user, const std::string& id);
  std::size_t count(std::uint32_t user) const;
  // Newest first, those whose local start lies within the span.
  std::vector<const Point*> by_civil_start(std::uint32_t user, const Span& civil) const;

  Verdict compare(const Truth& truth, std::uint32_t user, const Span& span) const;

 private:
  struct Shelf {
    std::multimap<Seconds, std::string> by_start;
    std::map<std::string, Point> points;
  };
  std::map<std::uint32_t, Shelf> shelves_;
};

// The main values of a point and of the workout that it should be, in one form.  A point that says
// nothing of energy is not asked about it: lists of activities do not have it either.
std::string content_of(const Point& point);
std::string content_of(const Workout& workout, bool with_energy);

}  // namespace stepwell::fake
