// OpenRequests — the requests that are not answered yet, in the order in which their time is over.
//
// Any thread may call.  Whoever takes a request out answers it: the engine, or the alarm.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/sync/mutex.h"
#include "net/http/http.h"

namespace stepwell::server {

class OpenRequests {
 public:
  struct Open {
    http::Reply reply;
    bool is_read = false;  // It changes nothing: whether it happened is never in doubt.
    std::int64_t ends_ms = 0;
  };

  // `ends_ms` never decreases from call to call.
  std::uint64_t add(Open request) {
    const MutexLock lock(mutex_);
    open_.emplace(++last_, std::move(request));
    return last_;
  }

  // Nothing: it has been taken already.
  std::optional<http::Reply> take(std::uint64_t ticket) {
    const MutexLock lock(mutex_);
    const auto found = open_.find(ticket);
    if (found == open_.end()) return std::nullopt;
    std::optional<http::Reply> reply = std::move(found->second.reply);
    open_.erase(found);
    return reply;
  }

  // Those whose time is over by `now_ms`.
  std::vector<Open> take_over(std::int64_t now_ms) {
    std::vector<Open> over;
    const MutexLock lock(mutex_);
    while (!open_.empty() && open_.begin()->second.ends_ms <= now_ms) {
      over.push_back(std::move(open_.begin()->second));
      open_.erase(open_.begin());
    }
    return over;
  }
  std::vector<Open> take_all() { return take_over(std::numeric_limits<std::int64_t>::max()); }

  // When the next one's time is over.
  std::optional<std::int64_t> next_ms() {
    const MutexLock lock(mutex_);
    if (open_.empty()) return std::nullopt;
    return open_.begin()->second.ends_ms;
  }

 private:
  Mutex mutex_;
  std::map<std::uint64_t, Open> open_ GUARDED_BY(mutex_);
  std::uint64_t last_ GUARDED_BY(mutex_) = 0;
};

}  // namespace stepwell::server
