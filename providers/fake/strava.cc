// The Strava face: GET /athlete/activities, GET /activities/{id}.  Shapes as the vendor's reference
// names them.
#include <algorithm>

#include "providers/fake/world.h"

namespace stepwell::fake {
namespace {

using server::Request;
using server::Response;

constexpr std::int64_t kMostPerPage = 200;

const char* sport_type(const std::string& sport) {
  if (sport == "running") return "Run";
  if (sport == "cycling") return "Ride";
  if (sport == "walking") return "Walk";
  if (sport == "swimming") return "Swim";
  return "Hike";
}

std::string iso(std::int64_t seconds) {
  std::string text = to_rfc3339(from_unix_ms(seconds * 1000));
  return text.substr(0, 19) + "Z";
}

Value summary(const Workout& workout, bool is_detailed) {
  Object activity{{"resource_state", is_detailed ? 3 : 2},
                  {"id", workout.id},
                  {"external_id", "device_" + std::to_string(workout.id)},
                  {"name", workout.title},
                  {"sport_type", sport_type(workout.sport)},
                  {"start_date", iso(workout.start)},
                  {"start_date_local", iso(workout.start + workout.offset_s)},
                  {"timezone", "(GMT+01:00) Europe/Berlin"},
                  {"utc_offset", workout.offset_s},
                  {"elapsed_time", workout.elapsed_s},
                  {"moving_time", workout.moving_s},
                  {"distance", static_cast<double>(workout.distance_dm) / 10},
                  {"total_elevation_gain", workout.climb_m},
                  {"manual", false}};
  if (workout.heart_rate != 0) activity.set("average_heartrate", workout.heart_rate);
  if (is_detailed) {
    activity.set("calories", workout.energy_kcal);
    activity.set("device_name", "Forerunner 265");
    activity.set("description", "");
  }
  return activity;
}

std::int64_t number(const Request& request, const char* name, std::int64_t otherwise) {
  const std::string text = request.query_value(name);
  return text.empty() ? otherwise : std::atoll(text.c_str());
}

// Nothing: the range may be listed.
std::optional<Response> refuse_range(const Knobs& knobs, std::int64_t from, std::int64_t to) {
  for (const Span& span : knobs.bad) {
    if (span.overlaps(from, to)) return error(500, "backend for this range is down");
  }
  for (const Span& span : knobs.large) {
    if (span.overlaps(from, to) && to - from > knobs.large_days * 86'400) {
      return error(413, "range too large");
    }
  }
  return std::nullopt;
}

// Newest first with `before` alone, oldest first with `after`: as the vendor does.
Response list(World& world, const std::string& user, const Request& request) {
  const std::int64_t after = number(request, "after", 0);
  const std::int64_t before = number(request, "before", world.truth.until());
  const std::int64_t page = std::max<std::int64_t>(1, number(request, "page", 1));
  const std::int64_t size =
      std::clamp<std::int64_t>(number(request, "per_page", 30), 1, kMostPerPage);
  if (const auto refused = refuse_range(world.knobs, after + 1, before)) return *refused;
  auto workouts = world.truth.workouts(user, after + 1, before);
  if (request.query_value("after").empty()) std::reverse(workouts.begin(), workouts.end());
  Value::Array activities;
  for (auto i = static_cast<std::size_t>((page - 1) * size);
       i < workouts.size() && activities.size() < static_cast<std::size_t>(size); ++i) {
    activities.push_back(summary(workouts[i], false));
  }
  Response response = Response::json(200, Value(std::move(activities)).to_json());
  response.headers.emplace_back("X-ReadRateLimit-Limit", "100,1000");
  response.headers.emplace_back("X-ReadRateLimit-Usage", "1,1");
  return response;
}

}  // namespace

void strava(World& world, const Request& request, const std::string& path,
            const server::Reply& reply) {
  const std::string user = world.oauth.user_of("strava", request, world.now());
  if (user.empty()) return reply(error(401, "Authorization Error"));
  const bool is_list = path == "/athlete/activities";
  const std::string prefix = "/activities/";
  Visit visit(world, user, is_list ? "GET activities" : "GET activity");
  if (const auto fault = visit.fault_before()) return reply(*fault);
  if (request.method != "GET") return reply(error(405, "method not allowed"));
  if (is_list) return reply(visit.maybe_spoiled(list(world, user, request)));
  if (path.rfind(prefix, 0) == 0) {
    const auto workout = world.truth.workout(user, std::atoll(path.c_str() + prefix.size()));
    if (!workout) return reply(error(404, "Record Not Found"));
    return reply(visit.maybe_spoiled(Response::json(200, summary(*workout, true).to_json())));
  }
  ++world.unknown_routes;
  reply(error(404, "no such path: " + path));
}

}  // namespace stepwell::fake
