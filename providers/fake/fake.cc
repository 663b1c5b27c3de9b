#include "providers/fake/fake.h"

#include <chrono>

#include "base/hash.h"
#include "providers/fake/world.h"

namespace stepwell::fake {
namespace {

using server::Request;
using server::Response;

std::int64_t wall_ms() {
  return std::chrono::duration_cast<Millis>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

bool begins(const std::string& text, const std::string& with) { return text.rfind(with, 0) == 0; }

// A query's instant: "2024-03-01", RFC 3339 or epoch seconds.
std::int64_t instant(const Request& request, const std::string& name, std::int64_t otherwise) {
  const std::string text = request.query_value(name);
  if (text.empty()) return otherwise;
  const auto time = parse_rfc3339(text.size() == 10 && text[4] == '-' ? text + "T00:00:00Z" : text);
  return time ? unix_ms(*time) / 1000 : std::atoll(text.c_str());
}

Value as_json(const Workout& workout) {
  return Object{{"id", std::to_string(workout.id)},
                {"type", "workout"},
                {"start", to_rfc3339(from_unix_ms(workout.start * 1000))},
                {"elapsed_s", workout.elapsed_s},
                {"sport", workout.sport},
                {"distance_m", static_cast<double>(workout.distance_dm) / 10},
                {"hr_avg_bpm", workout.heart_rate == 0 ? Value() : Value(workout.heart_rate)}};
}

}  // namespace

std::int64_t World::now_ms() const { return wall_ms(); }

Response error(int status, const std::string& message) {
  return Response::json(
      status, Value(Object{{"error", Object{{"code", status}, {"message", message}}}}).to_json());
}

Visit::Visit(World& world, const std::string& user, const std::string& route)
    : world_(world),
      key_(user + " " + route),
      random_(hash64(key_ + " " + std::to_string(world.ordinals[key_]++), world.seed)) {
  ++world.requests;
  const auto limited = world.limited_until.find(key_);
  if (limited != world.limited_until.end() && world.now_ms() < limited->second)
    ++world.while_limited;
}

bool Visit::happens(double probability) {
  const bool does = random_.unit() < probability;
  if (does) ++world_.faults;
  return does;
}

std::optional<Response> Visit::fault_before() {
  const Knobs& knobs = world_.knobs;
  if (happens(knobs.limited_429)) {
    world_.limited_until[key_] =
        world_.now_ms() + 900;  // A little less: the client's clock may be ahead.
    Response response = error(429, "Rate Limit Exceeded");
    response.headers.emplace_back("Retry-After", "1");
    return response;
  }
  if (happens(knobs.error_500)) return error(500, "Internal error");
  if (happens(knobs.unavailable_503)) {
    Response response = error(503, "Service unavailable");
    response.headers.emplace_back("Retry-After", "1");
    return response;
  }
  if (happens(knobs.cut)) {
    Response response = error(500, "");
    response.cut = Response::Cut::kBeforeReply;
    return response;
  }
  return std::nullopt;
}

Response Visit::maybe_spoiled(Response response) {
  if (happens(world_.knobs.truncated)) response.cut = Response::Cut::kHalfway;
  return response;
}

struct FakeServer::Parts {
  World world;
  std::unique_ptr<server::HttpServer> http;

  void answer(const Request& request, const server::Reply& reply) {
    const std::string& path = request.path;
    for (const std::string provider : {"strava", "google_health"}) {
      if (!begins(path, "/" + provider + "/")) continue;
      const std::string rest = path.substr(provider.size() + 1);
      if (rest == "/oauth/token") {
        return reply(world.oauth.token(provider, request, world.now(), world.knobs));
      }
      return provider == "strava" ? strava(world, request, rest, reply)
                                  : google_health(world, request, rest, reply);
    }
    reply(admin(request));
  }

  Response admin(const Request& request) {
    if (request.path == "/__ctl") return control(request);
    const std::string user = request.query_value("user");
    if (!world.truth.has_user(user)) return error(404, "there is no user \"" + user + "\"");
    const std::int64_t from = instant(request, "from", world.truth.first());
    const std::int64_t to = instant(request, "to", world.truth.until());
    if (request.path == "/__tokens") {
      const std::string provider = request.query_value("provider");
      return Response::json(
          200, world.oauth.consent(provider, user, world.now(), world.knobs).to_json());
    }
    if (request.path == "/__expected") return expected(user, from, to);
    if (request.path == "/__audit") return audit(user, from, to);
    ++world.unknown_routes;
    return error(404, "no such path: " + request.path);
  }

  Response control(const Request& request) {
    if (request.method == "PUT") {
      const auto wanted = parse_json(request.body);
      if (!wanted.ok()) return error(400, wanted.error().message);
      if (const Status changed = world.knobs.change(*wanted); !changed.ok()) {
        return error(400, changed.error().message);
      }
    }
    return Response::json(200, Value(Object{{"error_500", world.knobs.error_500},
                                            {"limited_429", world.knobs.limited_429},
                                            {"commit_then_fail", world.knobs.commit_then_fail},
                                            {"bad", world.knobs.bad.size()},
                                            {"large", world.knobs.large.size()}})
                                   .to_json());
  }

  Response expected(const std::string& user, std::int64_t from, std::int64_t to) {
    Value::Array records;
    for (const Workout& workout : world.truth.workouts(user, from, to)) {
      records.push_back(as_json(workout));
    }
    const std::size_t count = records.size();
    return Response::json(
        200, Value(Object{{"count", count}, {"records", std::move(records)}}).to_json());
  }

  Response audit(const std::string& user, std::int64_t from, std::int64_t to) {
    const Audit audit = world.destination.audit(world.truth, user, from, to);
    return Response::json(200, Value(Object{{"expected", audit.expected},
                                            {"stored", audit.stored},
                                            {"missing", audit.missing},
                                            {"extra", audit.extra},
                                            {"corrupt", audit.corrupt},
                                            {"requests", world.requests},
                                            {"faults", world.faults},
                                            {"sent_while_limited", world.while_limited},
                                            {"dead_tokens_used", world.oauth.dead_tokens_used()},
                                            {"unknown_routes", world.unknown_routes}})
                                   .to_json());
  }
};

FakeServer::FakeServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
FakeServer::~FakeServer() = default;
int FakeServer::port() const { return parts_->http->port(); }
std::string FakeServer::url() const { return parts_->http->url(); }

Result<std::unique_ptr<FakeServer>> FakeServer::start(loop::Loop& loop,
                                                      const FakeOptions& options) {
  const std::int64_t until = options.until != 0 ? options.until : wall_ms() / 1000;
  Truth truth(options.seed, options.users, options.years, until);
  auto parts = std::unique_ptr<Parts>(
      new Parts{World{loop, options.seed, truth, options.knobs, {}, {}, {}, {}, {}, {}}, nullptr});
  Parts* raw = parts.get();
  parts->http = TRY(server::HttpServer::listen(
      loop, options.endpoint,
      [raw](Request request, server::Reply reply) { raw->answer(request, reply); }));
  return std::unique_ptr<FakeServer>(new FakeServer(std::move(parts)));
}

}  // namespace stepwell::fake
