// Vendor — one faked vendor: its API, accounts and knobs, and what it noticed of its clients.
//
// Decides the fate of each request (served, refused, cut off, done but not told) and carries it
// out. Thread-safety: none; one thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/random.h"
#include "providers/fake/accounts.h"
#include "providers/fake/knobs.h"
#include "providers/fake/vendor_api.h"

namespace stepwell::fake {

// Called once, with the answer.
using Respond = std::function<void(http::Response)>;

class Vendor {
 public:
  Vendor(std::string name, std::uint64_t seed, Later later);

  // The API may look at knobs(), so it is set after construction.
  void set_api(std::unique_ptr<VendorApi> api) { api_ = std::move(api); }
  Knobs& knobs() { return knobs_; }
  const Knobs& knobs() const { return knobs_; }
  Accounts& accounts() { return accounts_; }

  // `path` is below the vendor's name.  `now` is of the wall clock.
  void handle(const http::Request& request, const std::string& path, Millis now, Respond respond);
  // Counters, for the audit.
  Value behaviour() const;

 private:
  enum class Fate : std::uint8_t {
    kServe,
    kError,
    kReset,
    kLimited,
    kTruncated,
    kSlow,
    kCommitThenFail,
    kLandLate
  };
  struct Limit {
    Millis since{0}, until{0};
  };

  void serve(http::Request request, const std::string& path, std::uint32_t user, Millis now,
             Respond respond);
  http::Response authorize(const http::Request& request) const;
  std::optional<http::Response> over_limit(std::uint32_t user, Millis now);
  http::Response too_many(std::uint32_t user, Millis now, Millis wait);
  const Trouble* trouble_of(const Call& call) const;
  Fate fate_of(Random& dice, bool is_write) const;
  void carry_out(Fate fate, Random& dice, const Call& call, const Respond& respond);
  http::Response error_of(std::uint64_t dice) const;
  http::Response answer(const Call& call) const;

  std::string name_;
  std::uint64_t seed_;
  Later later_;
  Knobs knobs_;
  Accounts accounts_;
  std::unique_ptr<VendorApi> api_;

  std::map<std::string, std::uint64_t> ordinals_;  // Requests so far, by user and route.
  std::map<std::uint32_t, Limit> limits_;          // By user, or 0 for the whole app.
  std::map<std::uint32_t, std::pair<std::int64_t, std::int64_t>> used_;  // Window, requests in it.
  std::map<int, std::int64_t> statuses_;
  std::map<std::string, std::int64_t> routes_;
  std::map<std::uint32_t, std::int64_t> in_flight_;
  std::int64_t requests_ = 0, faults_ = 0, while_limited_ = 0, unknown_routes_ = 0;
  std::int64_t writes_without_key_ = 0, most_in_flight_ = 0;
  std::string last_unknown_route_;
};

}  // namespace stepwell::fake
