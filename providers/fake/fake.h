// FakeServer — the vendors, faked on one port: /strava/... and /google_health/...
//
//   auto fake = FakeServer::start(loop, {.endpoint = {.port = 9100}, .users = 1});
//   GET  /__tokens?provider=strava&user=1      what to give to `stepwell connect`
//   PUT  /__ctl {"strava": {"errors": 0.05}}   faults, at run time (knobs.h); {"preset": "rough"}
//   GET  /__expected?user=1&type=workout       what the destination should hold
//   GET  /__audit?user=1                       whether it does, and how its clients behaved
//
// Users are 1 to N; data is a function of the seed (truth.h).  Faults are a function of (seed,
// vendor, route, user, how many requests there were before), so a run repeats itself whatever runs
// beside it. Thread-safety: everything on the loop's thread.  The loop outlives the server.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "base/value.h"
#include "net/http/http.h"
#include "net/loop/loop.h"

namespace stepwell::fake {

struct FakeOptions {
  http::Endpoint endpoint = {};
  std::uint64_t seed = 7;
  std::uint32_t users = 1;
  std::uint32_t years = 3;
  std::optional<Time> until = {};  // Data ends at this midnight; default: the one before now.
  Value knobs = {};                // As for PUT /__ctl; null: none.
};

class FakeServer {
 public:
  static Result<std::unique_ptr<FakeServer>> start(loop::Loop& loop, const FakeOptions& options);
  ~FakeServer();
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  int port() const;
  std::string url() const;  // "http://127.0.0.1:9100"
  // What the admin routes do, without HTTP.
  Status control(const Value& change);
  Result<Value> tokens(const std::string& provider, std::uint32_t user);
  Value audit(std::optional<std::uint32_t> user = std::nullopt) const;

 private:
  struct Parts;
  explicit FakeServer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace stepwell::fake
