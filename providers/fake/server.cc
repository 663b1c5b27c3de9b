#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <vector>

#include "providers/fake/fake.h"
#include "providers/fake/vendor.h"

namespace stepwell::fake {
namespace {

using http::Request;
using http::Response;

Millis wall_clock() {
  return std::chrono::duration_cast<Millis>(std::chrono::system_clock::now().time_since_epoch());
}

Response refuse(int status, const std::string& message) {
  return Response::json(status, Value(Object{{"error", message}}).to_json());
}

Response say(const Value& value) { return Response::json(200, value.to_pretty_json() + "\n"); }

// Sets of knobs with a name.
std::optional<Value> preset(const std::string& name) {
  const char* text = nullptr;
  if (name == "calm") {
    text = R"({"errors":0,"resets":0,"limited":0,"truncated":0,"slow":0,"commit_then_fail":0,
               "land_late":0,"pending":0,"bad_windows":[],"slow_windows":[]})";
  } else if (name == "rough") {
    text = R"({"errors":0.05,"resets":0.01,"limited":0.01,"truncated":0.01,
               "commit_then_fail":0.05,"land_late":0.02,"pending":0.1})";
  }
  if (text == nullptr) return std::nullopt;
  auto value = parse_json(text);
  CHECK(value.ok(), "a preset is JSON");
  return std::move(*value);
}

std::optional<Seconds> instant(std::string text) {
  if (text.size() == 10) text += "T00:00:00Z";
  const auto time = parse_rfc3339(text);
  if (!time) return std::nullopt;
  return unix_ms(*time) / 1000;
}

TruthOptions truth_options(const FakeOptions& options) {
  const Seconds now = options.until ? unix_ms(*options.until) / 1000 : wall_clock().count() / 1000;
  return {options.seed, options.users, options.years * 365, now / 86'400 * 86'400};
}

}  // namespace

struct FakeServer::Parts {
  Parts(loop::Loop& on, const FakeOptions& options) : loop(on), truth(truth_options(options)) {
    const Later later = [this](Millis delay, std::function<void()> work) {
      loop.after(delay, [alive = alive, work = std::move(work)] {
        if (*alive) work();
      });
    };
    auto& strava = vendors["strava"] = std::make_unique<Vendor>("strava", options.seed, later);
    strava->set_api(make_strava_api(truth));
    auto& google = vendors["google_health"] =
        std::make_unique<Vendor>("google_health", options.seed, later);
    google->set_api(make_google_api(destination, google->knobs(), later));
  }
  ~Parts() { *alive = false; }

  void handle(const Request& request, http::Reply reply);
  Response admin(const Request& request);
  Status control(const Value& change);
  Value knobs() const;
  Response expected(const Request& request) const;
  Response audit_page(const Request& request) const;
  Value audit(std::optional<std::uint32_t> user, const Span& span) const;
  // 0 when absent or no number.
  static std::uint32_t user_in(const Request& request);
  // The error says which parameter is malformed.
  Result<Span> span_in(const Request& request) const;

  loop::Loop& loop;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
  Truth truth;
  Destination destination;
  std::map<std::string, std::unique_ptr<Vendor>> vendors;
  std::unique_ptr<http::Server> server;
};

void FakeServer::Parts::handle(const Request& request, http::Reply reply) {
  for (const auto& [name, vendor] : vendors) {
    const std::string prefix = "/" + name + "/";
    if (request.path.rfind(prefix, 0) != 0) continue;
    return vendor->handle(request, request.path.substr(prefix.size() - 1), wall_clock(),
                          std::move(reply));
  }
  reply(admin(request));
}

Response FakeServer::Parts::admin(const Request& request) {
  const std::string what = request.method + " " + request.path;
  if (what == "GET /healthz") return Response::text(200, "ok\n");
  if (what == "GET /__expected") return expected(request);
  if (what == "GET /__audit") return audit_page(request);
  if (what == "GET /__ctl") return say(knobs());
  if (what == "PUT /__ctl") {
    const auto change = parse_json(request.body);
    const Status done = change.ok() ? control(*change) : change.error();
    return done.ok() ? say(knobs()) : refuse(400, done.error().message);
  }
  if (what == "GET /__tokens" || what == "POST /__revoke") {
    const auto vendor = vendors.find(request.query_value("provider"));
    const std::uint32_t user = user_in(request);
    if (vendor == vendors.end()) return refuse(404, "there is no such provider");
    if (!truth.has_user(user)) return refuse(404, "there is no such user");
    Accounts& accounts = vendor->second->accounts();
    if (what == "GET /__tokens") {
      return say(accounts.tokens(user, vendor->second->knobs(), wall_clock()));
    }
    accounts.revoke(user);
    return say(Value(Object{{"revoked", user}}));
  }
  return refuse(404, "there is no " + what +
                         "; there are /strava/..., /google_health/..., /__ctl, /__tokens, "
                         "/__revoke, /__expected, /__audit");
}

// {"preset": "rough"} for all, or {"strava": {"preset": "rough", "errors": 0.1}, ...}; all or
// nothing.
Status FakeServer::Parts::control(const Value& change) {
  if (!change.is_object()) return Error{ErrorCode::kInvalid, "knobs are an object"};
  std::map<std::string, Knobs> next;
  for (const auto& [name, vendor] : vendors) next[name] = vendor->knobs();
  const auto apply_preset = [](Knobs& knobs, const Value& name) -> Status {
    const auto found = name.is_string() ? preset(name.as_string()) : std::nullopt;
    if (!found) return Error{ErrorCode::kInvalid, "the presets are calm and rough"};
    return knobs.set(*found);
  };
  if (const Value* given = change.find("preset")) {
    for (auto& [vendor, knobs] : next) TRY(apply_preset(knobs, *given));
  }
  for (const auto& [name, value] : change.as_object()) {
    if (name == "preset") continue;
    const auto vendor = next.find(name);
    if (vendor == next.end() || !value.is_object()) {
      return Error{ErrorCode::kInvalid, name + " is not a provider with an object of knobs"};
    }
    Object members = value.as_object();
    if (const Value* given = members.find("preset")) {
      TRY(apply_preset(vendor->second, Value(*given)));
      members.erase("preset");
    }
    TRY(vendor->second.set(Value(std::move(members))));
  }
  for (auto& [name, knobs] : next) vendors.at(name)->knobs() = std::move(knobs);
  return ok_status();
}

Value FakeServer::Parts::knobs() const {
  Object out;
  for (const auto& [name, vendor] : vendors) out.set(name, vendor->knobs().to_value());
  return Value(std::move(out));
}

std::uint32_t FakeServer::Parts::user_in(const Request& request) {
  return static_cast<std::uint32_t>(std::strtoul(request.query_value("user").c_str(), nullptr, 10));
}

Result<Span> FakeServer::Parts::span_in(const Request& request) const {
  Span span = truth.all();
  for (const char* name : {"from", "to"}) {
    const std::string text = request.query_value(name);
    if (text.empty()) continue;
    const auto time = instant(text);
    if (!time) {
      return Error{ErrorCode::kInvalid, std::string(name) + " is neither YYYY-MM-DD nor RFC 3339"};
    }
    (name[0] == 'f' ? span.from : span.to) = *time;
  }
  return span;
}

Response FakeServer::Parts::expected(const Request& request) const {
  const std::uint32_t user = user_in(request);
  if (!truth.has_user(user)) return refuse(404, "there is no such user");
  const auto span = span_in(request);
  if (!span.ok()) return refuse(400, span.error().message);
  const std::string type = request.query_value("type");
  if (!type.empty() && type != "workout") return refuse(400, "the fake only knows workout");
  const auto [first, last] = truth.within(user, *span);
  Value::Array records;
  for (std::uint32_t ordinal = first; ordinal < last; ++ordinal) {
    records.push_back(truth.workout(user, ordinal).to_canonical());
  }
  return say(Value(Object{{"count", last - first}, {"records", Value(std::move(records))}}));
}

Response FakeServer::Parts::audit_page(const Request& request) const {
  const auto span = span_in(request);
  if (!span.ok()) return refuse(400, span.error().message);
  const std::uint32_t user = user_in(request);
  if (request.query_value("user").empty()) return say(audit(std::nullopt, *span));
  if (!truth.has_user(user)) return refuse(404, "there is no such user");
  return say(audit(user, *span));
}

Value FakeServer::Parts::audit(std::optional<std::uint32_t> user, const Span& span) const {
  Verdict verdict;
  const std::uint32_t first = user.value_or(1), last = user.value_or(truth.options().users);
  for (std::uint32_t each = first; each <= last; ++each) {
    verdict.add(destination.compare(truth, each, span));
  }
  Value::Array examples(verdict.examples.begin(), verdict.examples.end());
  Object behaviour;
  for (const auto& [name, vendor] : vendors) behaviour.set(name, vendor->behaviour());
  return Value(Object{{"exact", verdict.is_exact()},
                      {"expected", verdict.expected},
                      {"found", verdict.found},
                      {"missing", verdict.missing},
                      {"extra", verdict.duplicates + verdict.unexpected},
                      {"duplicates", verdict.duplicates},
                      {"unexpected", verdict.unexpected},
                      {"corrupt", verdict.corrupt},
                      {"examples", Value(std::move(examples))},
                      {"clients", Value(std::move(behaviour))}});
}

Result<std::unique_ptr<FakeServer>> FakeServer::start(loop::Loop& loop,
                                                      const FakeOptions& options) {
  if (options.users < 1 || options.users > 10'000'000 || options.years < 1 || options.years > 50) {
    return Error{ErrorCode::kInvalid, "users are 1 to 10000000, years 1 to 50"};
  }
  auto parts = std::make_unique<Parts>(loop, options);
  if (!options.knobs.is_null()) TRY(parts->control(options.knobs));
  parts->server = TRY(http::Server::listen(
      loop, options.endpoint, [self = parts.get()](const Request& request, http::Reply reply) {
        self->handle(request, std::move(reply));
      }));
  return std::unique_ptr<FakeServer>(new FakeServer(std::move(parts)));
}

FakeServer::FakeServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
FakeServer::~FakeServer() = default;

int FakeServer::port() const { return parts_->server->port(); }
std::string FakeServer::url() const { return parts_->server->url(); }
Status FakeServer::control(const Value& change) { return parts_->control(change); }

Result<Value> FakeServer::tokens(const std::string& provider, std::uint32_t user) {
  const auto vendor = parts_->vendors.find(provider);
  if (vendor == parts_->vendors.end() || !parts_->truth.has_user(user)) {
    return Error{ErrorCode::kNotFound,
                 "there is no user " + std::to_string(user) + " at " + provider};
  }
  return vendor->second->accounts().tokens(user, vendor->second->knobs(), wall_clock());
}

Value FakeServer::audit(std::optional<std::uint32_t> user) const {
  return parts_->audit(user, parts_->truth.all());
}

}  // namespace stepwell::fake
