// World — what all faces of the fake share, and the requests they answer.  Internal.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/random.h"
#include "engine/loop/loop.h"
#include "providers/fake/destination.h"
#include "providers/fake/knobs.h"
#include "providers/fake/oauth.h"
#include "providers/fake/truth.h"
#include "server/http/http.h"

namespace stepwell::fake {

struct World {
  loop::Loop& loop;
  std::uint64_t seed;
  Truth truth;
  Knobs knobs;
  OAuth oauth;
  Destination destination;

  std::map<std::string, std::uint64_t> ordinals;      // Requests so far, by user and route.
  std::map<std::string, std::int64_t> limited_until;  // By user and route, epoch milliseconds.
  std::map<std::string, StoredPoint> operations;  // Not done yet, by name; see google_health.cc.
  std::map<std::string, std::string> operation_users;
  std::uint64_t next_point = 1;
  std::uint64_t requests = 0, faults = 0, while_limited = 0, unknown_routes = 0;

  std::int64_t now_ms() const;
  std::int64_t now() const { return now_ms() / 1000; }
};

// One request of a user on a route ("GET activities"): its dice and its faults.
class Visit {
 public:
  Visit(World& world, const std::string& user, const std::string& route);
  // True with that probability; each call draws anew.
  bool happens(double probability);
  // A fault before anything was done; nothing when there is none.
  std::optional<server::Response> fault_before();
  // What may happen to a good answer of a request that is safe to repeat.
  server::Response maybe_spoiled(server::Response response);

 private:
  World& world_;
  std::string key_;
  Random random_;
};

server::Response error(int status, const std::string& message);

// The faces.  `path` is what follows "/strava" or "/google_health".
void strava(World& world, const server::Request& request, const std::string& path,
            const server::Reply& reply);
void google_health(World& world, const server::Request& request, const std::string& path,
                   const server::Reply& reply);

}  // namespace stepwell::fake
