// RateGates — which (provider, bucket) must not be asked before when.
//
// It honours what providers answered.  The hosts of a process share one, so that what one lane was
// told holds for all; any thread may call.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/sync/mutex.h"
#include "net/client/http_client.h"
#include "providers/host/broker/manifest.h"

namespace stepwell::host {

class RateGates {
 public:
  struct Wait {
    Millis left{0};
    std::string bucket;
  };
  // How long this request has to wait, and for which bucket.
  Wait wait_for(const Manifest& manifest, const std::string& method, const std::string& connection,
                Millis now) const;
  // Notes a 429; returns the longest wait that it asks for.  It closes the limits that the answer
  // shows as used up, or the narrowest where it shows none, for as long as it says: but for an
  // hour at most, or for the limit's own time where that is longer.  Who asks then finds out.
  // `now` is of the monotonic clock, `clock` Unix time.
  Wait refused(const Manifest& manifest, const std::string& method, const std::string& connection,
               const HttpReply& reply, Millis now, Millis clock);
  // An answer that was no 429: the doubling starts anew.
  void passed(const Manifest& manifest, const std::string& method, const std::string& connection);

 private:
  struct Gate {
    Millis until{0};
    int refusals = 0;  // In a row, without a time given.
  };
  Millis close(const std::string& key, const RateLimit& limit, const HttpReply& reply, Millis now,
               Millis clock) REQUIRES(mutex_);

  mutable Mutex mutex_;
  std::map<std::string, Gate> gates_ GUARDED_BY(mutex_);
};

// Of a Retry-After header: seconds, or a date against `clock`.
std::optional<Millis> retry_after_of(const HttpReply& reply, Millis clock);

}  // namespace stepwell::host
