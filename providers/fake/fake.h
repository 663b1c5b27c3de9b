// FakeServer — Strava and Google Health, made up: enough of their APIs to sync against, with
// faults, and the proof whether a sync was exact.
//
//   /strava/...          the source: OAuth, list and detail of activities
//   /google_health/...   the destination: OAuth, create, list, patch of exercise data points
//   /__tokens            GET ?provider=&user=     what OAuth's first consent would have given
//   /__expected          GET ?user=&from=&to=     what a destination must hold
//   /__audit             GET ?user=&from=&to=     missing, extra, corrupt; requests against the
//   rules
//   /__ctl               PUT {knob: value, ...}   changes the faults; GET tells them
//
// What the users did is a function of the seed (truth.h); faults are a function of the seed and of
// how many requests this user made on this route, so a failing seed fails again.
// Thread-safety: everything on the loop's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "engine/loop/loop.h"
#include "providers/fake/knobs.h"
#include "server/http/http.h"

namespace stepwell::fake {

struct FakeOptions {
  server::Endpoint endpoint;
  std::uint64_t seed = 7;
  int users = 10;
  int years = 5;
  std::int64_t until = 0;  // Epoch seconds at which the data ends; 0: now.
  Knobs knobs;
};

class FakeServer {
 public:
  static Result<std::unique_ptr<FakeServer>> start(loop::Loop& loop, const FakeOptions& options);
  ~FakeServer();
  int port() const;
  std::string url() const;  // "http://127.0.0.1:9100"

 private:
  struct Parts;
  explicit FakeServer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace stepwell::fake
