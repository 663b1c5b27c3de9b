// Deadlines — when each of many connections has waited long enough, at a constant cost for each.
//
// Every kind of waiting has one duration, so those that wait for the same kind fall due in the
// order in which they began: a list per kind, and no timer per connection.  Thread-safety: none.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <optional>

#include "net/http/http.h"

namespace stepwell::http {

class Connection;

class Deadlines {
 public:
  enum Kind : std::uint8_t {
    kNone,    // The handler works: its time is its own.
    kIdle,    // For a request to begin.
    kHead,    // For the rest of a head.
    kBody,    // For the rest of a request.
    kStall,   // For the client to take some of its answer.
    kLinger,  // For the client to close, after its last answer.
    kAsk,     // To ask the socket again whether all was received.
    kKinds
  };
  struct Place {
    Connection* connection;
    Kind kind;
    std::int64_t at_ms;
  };
  using Entry = std::list<Place>::iterator;

  explicit Deadlines(const Limits& limits)
      : durations_{0,
                   limits.idle_timeout.count(),
                   limits.head_timeout.count(),
                   limits.body_timeout.count(),
                   limits.stall_timeout.count(),
                   kLingerMs,
                   kAskMs} {}

  Entry add(Connection& connection) {
    return lists_[kNone].insert(lists_[kNone].end(), {&connection, kNone, 0});
  }
  // Waits for `kind` from now on, and for nothing else.
  void wait(Entry entry, Kind kind, std::int64_t now_ms) {
    auto& from = lists_[entry->kind];
    lists_[kind].splice(lists_[kind].end(), from, entry);
    entry->kind = kind;
    entry->at_ms = now_ms + durations_[kind];
  }
  void remove(Entry entry) { lists_[entry->kind].erase(entry); }

  // The one that has waited longest beyond its time.  It has to be moved or removed.
  Connection* due(std::int64_t now_ms) const {
    for (std::size_t kind = kIdle; kind < kKinds; ++kind) {
      const auto& list = lists_[kind];
      if (!list.empty() && list.front().at_ms <= now_ms) return list.front().connection;
    }
    return nullptr;
  }
  std::optional<std::int64_t> next_ms() const {
    std::optional<std::int64_t> next;
    for (std::size_t kind = kIdle; kind < kKinds; ++kind) {
      const auto& list = lists_[kind];
      if (!list.empty() && (!next || list.front().at_ms < *next)) next = list.front().at_ms;
    }
    return next;
  }
  Connection* longest_idle() const {
    return lists_[kIdle].empty() ? nullptr : lists_[kIdle].front().connection;
  }

 private:
  // The rest of a body that was refused takes its time on a slow line.
  static constexpr std::int64_t kLingerMs = 2'000;
  static constexpr std::int64_t kAskMs = 50;

  std::array<std::int64_t, kKinds> durations_;
  std::array<std::list<Place>, kKinds> lists_;
};

}  // namespace stepwell::http
