// VendorApi — one vendor's routes and shapes: ground truth to its JSON, its writes to points.
//
// Tokens, quotas and faults are the server's; a vendor API sees only what gets past them.
// Thread-safety: none; one thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/http/http.h"
#include "providers/fake/destination.h"
#include "providers/fake/knobs.h"
#include "providers/fake/truth.h"

namespace stepwell::fake {

struct Call {
  std::shared_ptr<const http::Request> request;
  std::string path;  // Below the vendor: "/athlete/activities".
  std::uint32_t user = 0;
  bool is_pending = false;  // A write is to be answered before it is done.
};

class VendorApi {
 public:
  virtual ~VendorApi() = default;
  // A name for what is asked, the same for every id in it; empty when there is no such route.
  virtual std::string route(const std::string& method, const std::string& path) const = 0;
  virtual bool is_write(const std::string& route) const = 0;
  // The part of time that the request is about, if any.
  virtual std::optional<Span> period_of(const Call& call) const = 0;
  virtual http::Response answer(const Call& call) = 0;
  // An error as this vendor words it.
  virtual http::Response vendor_error(int status, const std::string& message) const = 0;
  // Quotas are per user, or of the whole app.
  virtual bool has_quota_per_user() const = 0;
  // Headers on every answer that tell of the quota.
  virtual http::Headers quota_headers(std::int64_t limit, std::int64_t used) const = 0;
};

// Calls that again after a while.
using Later = std::function<void(Millis, std::function<void()>)>;

std::unique_ptr<VendorApi> make_strava_api(const Truth& truth);
// All of them outlive the vendor API.
std::unique_ptr<VendorApi> make_google_api(Destination& destination, const Knobs& knobs,
                                           Later later);

}  // namespace stepwell::fake
