// Knobs — how badly one vendor behaves.  Set at the start and by PUT /__ctl while it runs.
//
// Shares are of requests, from 0 to 1.  docs/providers/fake.md has the list for users; the table in
// knobs.cc is where a new one is added.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/value.h"
#include "providers/fake/truth.h"

namespace stepwell::fake {

// Requests about these days answer so, unless they ask for at most max_days at once.
struct Trouble {
  Span span;
  double max_days = 0;
  int status = 500;  // 0: served, but only after slow_ms.
};

struct Knobs {
  double errors = 0;            // 500, 502 with HTML, 503 with Retry-After; nothing is done.
  double resets = 0;            // The connection is closed before the reply; nothing is done.
  double limited = 0;           // 429 with Retry-After, out of the blue.
  double truncated = 0;         // Half the reply.
  double slow = 0;              // The reply comes slow_ms later.
  double commit_then_fail = 0;  // Of writes: done, and then 500.
  double land_late = 0;  // Of writes: the connection breaks, and land_late_ms later it is done.
  double pending = 0;    // Of writes: the operation is not done for pending_ms.
  std::int64_t latency_ms = 0, slow_ms = 2'000, land_late_ms = 300, pending_ms = 200;
  std::int64_t retry_after_s = 1;
  std::int64_t quota = 0, quota_s = 900;  // Requests in each aligned window; 0: no limit.
  std::int64_t access_ttl_s = 3'600;
  std::string rotation = "rotate";  // Of refresh tokens: none | rotate | single_use.
  std::string client_ids =
      "ignored";  // Does a create honour the name it is given?  honoured | ignored.
  std::vector<Trouble> bad_windows;   // status 500, until cleared.
  std::vector<Trouble> slow_windows;  // status 413 or no answer, when more than max_days.

  // Sets what `change` names, all or nothing.  The error names what is wrong.
  Status set(const Value& change);
  Value to_value() const;
};

}  // namespace stepwell::fake
