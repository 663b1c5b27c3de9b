// The Google Health face: exercise data points, created by operations that may take their time.
#include <algorithm>
#include <cmath>

#include "providers/fake/world.h"

namespace stepwell::fake {
namespace {

using server::Request;
using server::Response;

constexpr const char* kPoints = "/users/me/dataTypes/exercise/dataPoints";
constexpr std::size_t kMostPerPage = 25;

// A member on the way down, or null.
Value at(const Value& value, std::initializer_list<const char*> names) {
  const Value* here = &value;
  for (const char* name : names) {
    here = here->find(name);
    if (here == nullptr) return Value();
  }
  return *here;
}

std::optional<std::int64_t> instant(const Value& text) {
  if (!text.is_string()) return std::nullopt;
  const auto time = parse_rfc3339(text.as_string());
  if (!time) return std::nullopt;
  return unix_ms(*time) / 1000;
}

// "3600s"
std::int64_t seconds(const Value& text) {
  return text.is_string() ? std::atoll(text.as_string().c_str()) : 0;
}

// 64-bit numbers may come as text, as in every proto-JSON.
double number(const Value& value) {
  if (value.is_number()) return value.as_double();
  return value.is_string() ? std::atof(value.as_string().c_str()) : 0;
}

std::string sport(const Value& type) {
  const std::string name = type.is_string() ? type.as_string() : std::string();
  if (name == "RUNNING") return "running";
  if (name == "BIKING") return "cycling";
  if (name == "WALKING") return "walking";
  if (name == "SWIMMING") return "swimming";
  return name == "HIKING" ? "hiking" : "other";
}

// Nothing: the body is no exercise.
std::optional<StoredPoint> read_point(const std::string& body) {
  const auto parsed = parse_json(body);
  if (!parsed.ok()) return std::nullopt;
  const Value exercise = at(*parsed, {"exercise"});
  const auto start = instant(at(exercise, {"interval", "startTime"}));
  const auto end = instant(at(exercise, {"interval", "endTime"}));
  if (!start || !end || *end < *start) return std::nullopt;
  StoredPoint point;
  point.start = *start;
  point.end = *end;
  point.offset_s = seconds(at(exercise, {"interval", "startUtcOffset"}));
  point.sport = sport(at(exercise, {"exerciseType"}));
  point.distance_dm =
      std::llround(number(at(exercise, {"metricsSummary", "distanceMillimeters"})) / 100);
  point.heart_rate =
      std::llround(number(at(exercise, {"metricsSummary", "averageHeartRateBeatsPerMinute"})));
  point.body = exercise.to_json();
  return point;
}

std::string name_of(const StoredPoint& point) {
  return "users/me/dataTypes/exercise/dataPoints/" + point.id;
}

Response done(const std::string& operation, const StoredPoint& point) {
  return Response::json(200, Value(Object{{"name", "operations/" + operation},
                                          {"done", true},
                                          {"response", Object{{"name", name_of(point)}}}})
                                 .to_json());
}

class Create {
 public:
  Create(World& world, std::string user, StoredPoint point)
      : world_(world), user_(std::move(user)), point_(std::move(point)) {
    point_.id = "p" + std::to_string(world_.next_point++);
  }

  void answer(Visit& visit, const server::Reply& reply) {
    if (visit.happens(world_.knobs.lands_late)) {
      // It is done long after the client gave up.
      world_.loop.after(Millis(world_.knobs.late_ms),
                        [&world = world_, user = user_, point = point_, reply] {
                          world.destination.add(user, point);
                          reply(done(point.id, point));
                        });
      return;
    }
    if (visit.happens(world_.knobs.pending)) {
      world_.operations[point_.id] = point_;
      world_.operation_users[point_.id] = user_;
      return reply(Response::json(
          200, Value(Object{{"name", "operations/" + point_.id}, {"done", false}}).to_json()));
    }
    world_.destination.add(user_, point_);
    if (visit.happens(world_.knobs.commit_then_fail)) return reply(error(500, "Internal error"));
    reply(done(point_.id, point_));
  }

 private:
  World& world_;
  std::string user_;
  StoredPoint point_;
};

// exercise.interval.civil_start_time >= "2026-03-01T07:30:00" AND ... < "..."
std::optional<std::int64_t> bound(const std::string& filter, const std::string& relation) {
  const std::string field = "exercise.interval.civil_start_time " + relation + " \"";
  const std::size_t at = filter.find(field);
  if (at == std::string::npos) return std::nullopt;
  const std::size_t begin = at + field.size();
  const std::size_t end = filter.find('"', begin);
  if (end == std::string::npos) return std::nullopt;
  return instant(Value(filter.substr(begin, end - begin) + "Z"));
}

Response list(World& world, const std::string& user, const Request& request) {
  const std::string filter = request.query_value("filter");
  const auto from = bound(filter, ">="), to = bound(filter, "<");
  if (!filter.empty() && !from && !to) return error(400, "INVALID_DATA_POINT_FILTER");
  // Local times: a day on either side, then exactly.
  constexpr std::int64_t kDay = 86'400;
  std::vector<StoredPoint> points;
  for (StoredPoint& point : world.destination.list(user, from.value_or(kDay) - kDay,
                                                   to.value_or(INT64_MAX - kDay) + kDay)) {
    const std::int64_t local = point.start + point.offset_s;
    if ((!from || local >= *from) && (!to || local < *to)) points.push_back(std::move(point));
  }
  const auto skip = static_cast<std::size_t>(std::atoll(request.query_value("pageToken").c_str()));
  Value::Array items;
  for (std::size_t i = skip; i < points.size() && items.size() < kMostPerPage; ++i) {
    auto exercise = parse_json(points[i].body);
    items.push_back(Object{{"name", name_of(points[i])},
                           {"exercise", exercise.ok() ? std::move(*exercise) : Value()}});
  }
  Object answer{{"dataPoints", std::move(items)}};
  if (skip + kMostPerPage < points.size()) {
    answer.set("nextPageToken", std::to_string(skip + kMostPerPage));
  }
  return Response::json(200, Value(std::move(answer)).to_json());
}

Response operation(World& world, const std::string& name) {
  const auto found = world.operations.find(name);
  if (found == world.operations.end()) {
    StoredPoint point;
    point.id = name;
    return done(name, point);
  }
  const StoredPoint point = found->second;
  world.destination.add(world.operation_users[name], point);
  world.operations.erase(found);
  return done(name, point);
}

Response patch(World& world, const std::string& user, const std::string& id,
               const Request& request) {
  auto point = read_point(request.body);
  if (!point) return error(400, "INVALID_DATA_POINT");
  point->id = id;
  if (!world.destination.replace(user, *point)) return error(404, "data point not found");
  return done(id, *point);
}

}  // namespace

void google_health(World& world, const Request& request, const std::string& path,
                   const server::Reply& reply) {
  const std::string user = world.oauth.user_of("google_health", request, world.now());
  if (user.empty()) return reply(error(401, "UNAUTHENTICATED"));
  const std::string operations = "/operations/", one = std::string(kPoints) + "/";
  const bool is_points = path == kPoints, is_operation = path.rfind(operations, 0) == 0;
  Visit visit(world, user, request.method + (is_operation ? " operation" : " dataPoints"));
  if (const auto fault = visit.fault_before()) return reply(*fault);
  if (is_points && request.method == "POST") {
    auto point = read_point(request.body);
    if (!point) return reply(error(400, "INVALID_DATA_POINT"));
    return Create(world, user, std::move(*point)).answer(visit, reply);
  }
  if (is_points && request.method == "GET")
    return reply(visit.maybe_spoiled(list(world, user, request)));
  if (is_operation && request.method == "GET") {
    return reply(operation(world, path.substr(operations.size())));
  }
  if (path.rfind(one, 0) == 0 && request.method == "PATCH") {
    return reply(patch(world, user, path.substr(one.size()), request));
  }
  ++world.unknown_routes;
  reply(error(404, "no such path: " + path));
}

}  // namespace stepwell::fake
