// RateGates — which (provider, bucket) must not be asked before when.
//
// In this process only: it honours what providers answered.  On the loop's thread.
#pragma once

#include <map>
#include <optional>
#include <string>

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
  // Notes a 429; returns the wait that it asks for.  `clock` is Unix milliseconds.
  Wait refused(const Manifest& manifest, const std::string& method, const std::string& connection,
               const HttpReply& reply, Millis now, Millis clock);
  // An answer that was no 429: the doubling starts anew.
  void passed(const Manifest& manifest, const std::string& method, const std::string& connection);

 private:
  struct Gate {
    Millis until{0};
    int refusals = 0;  // In a row, without a Retry-After.
  };
  std::map<std::string, Gate> gates_;
};

// Of a Retry-After header: seconds, or a date against `clock`.
std::optional<Millis> retry_after_of(const HttpReply& reply, Millis clock);

}  // namespace stepwell::host
