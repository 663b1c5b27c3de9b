// Progress — what is to be seen of a running execution, folded from its history events.
//
// Pure: fed with events (JSON, as the history gives them) in order; asked for a line of text.
// Thread-safety: a plain value.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "base/value.h"

namespace stepwell::cli {

struct MapProgress {
  std::string name;
  std::uint64_t total = 0, done = 0, failed = 0;
  Time began;
  bool is_over = false;
};

class Progress {
 public:
  void feed(const Value& event);

  // The Map that runs now (the outermost one with most items), or nullptr.
  const MapProgress* map() const;
  // The state entered last, outside of any Map.
  const std::string& state() const { return state_; }
  // Attempts of tasks that failed and were followed by another: nothing to worry about.
  std::uint64_t retries() const { return retries_; }
  std::uint64_t last_event() const { return last_event_; }

  // One line of at most `width` columns: a bar while a Map runs, else the state.
  std::string line(std::size_t width, Time now) const;
  // The same for a log: no bar, no estimate.
  std::string plain() const;
  // Per cent of the running Map; nothing outside of one.
  std::optional<unsigned> percent() const;

 private:
  MapProgress* running(const std::string& name);

  std::vector<MapProgress> maps_;
  std::map<std::uint64_t, std::string> entered_maps_;  // By the id of the event that entered.
  std::string state_;
  std::set<std::uint64_t> failures_;  // Events after which the task may be tried again.
  std::uint64_t retries_ = 0;
  std::uint64_t last_event_ = 0;
};

// Why an execution stands still, of the `waiting` that describe() shows: a task that nobody serves,
// the deaths of its process, else timers and retries that are all a while away.  Empty when it
// moves, or is not known to rest.
std::string standstill(const Value& waiting, Time now);

}  // namespace stepwell::cli
