#include "providers/fake/vendor.h"

#include <algorithm>
#include <cstdlib>

#include "base/hash.h"
#include "base/random.h"

namespace stepwell::fake {
namespace {

// A client cannot know of a limit before the answer that told of it has arrived.
constexpr Millis kNotYetKnown{250};

std::string bearer_of(const http::Request& request) {
  const std::string header = request.header("authorization");
  return header.rfind("Bearer ", 0) == 0 ? header.substr(7) : std::string();
}

Value to_value(const std::map<std::string, std::int64_t>& counts) {
  Object out;
  for (const auto& [name, count] : counts) out.set(name, count);
  return Value(std::move(out));
}

}  // namespace

Vendor::Vendor(std::string name, std::uint64_t seed, Later later)
    : name_(std::move(name)), seed_(seed), later_(std::move(later)), accounts_(name_, seed) {}

void Vendor::handle(const http::Request& request, const std::string& path, Millis now,
                    Respond respond) {
  ++requests_;
  auto counted = [this, respond = std::move(respond)](http::Response response) {
    ++statuses_[response.cut == http::Response::Cut::kNone ? response.status : 0];
    respond(std::move(response));
  };
  if (path == "/oauth/authorize") return counted(authorize(request));
  if (path == "/oauth/token") {
    return counted(accounts_.grant(parse_form(request.body), knobs_, now));
  }
  const auto user = accounts_.user_of(bearer_of(request), knobs_, now);
  if (!user) return counted(api_->vendor_error(401, "Authorization Error"));
  ++in_flight_[*user];
  most_in_flight_ = std::max(most_in_flight_, in_flight_[*user]);
  serve(request, path, *user, now, [this, user = *user, counted](http::Response response) {
    --in_flight_[user];
    counted(std::move(response));
  });
}

// Consents at once, in the name of ?user=.
http::Response Vendor::authorize(const http::Request& request) const {
  const auto user =
      static_cast<std::uint32_t>(std::strtoul(request.query_value("user").c_str(), nullptr, 10));
  http::Response response;
  response.status = 302;
  response.headers.emplace_back(
      "Location", request.query_value("redirect_uri") +
                      "?code=" + http::url_encode(accounts_.code_for(std::max(user, 1u))) +
                      "&state=" + http::url_encode(request.query_value("state")));
  return response;
}

void Vendor::serve(http::Request request, const std::string& path, std::uint32_t user, Millis now,
                   Respond respond) {
  const std::string route = api_->route(request.method, path);
  if (route.empty()) {
    ++unknown_routes_;
    last_unknown_route_ = request.method + " " + path;
    return respond(api_->vendor_error(404, "there is no " + last_unknown_route_));
  }
  ++routes_[route];
  const std::uint64_t ordinal = ordinals_[std::to_string(user) + " " + route]++;
  if (auto refusal = over_limit(user, now)) return respond(std::move(*refusal));
  Call call{std::make_shared<const http::Request>(std::move(request)), path, user, false};
  Random dice(mix(hash64(name_ + " " + route, seed_), mix(user, ordinal)));
  const bool is_write = api_->is_write(route);
  if (route == "create" && call.request->body.find("\"name\"") == std::string::npos)
    ++writes_without_key_;
  Fate fate = fate_of(dice, is_write);
  call.is_pending = dice.unit() < knobs_.pending && is_write;
  auto timely = [this, respond = std::move(respond)](http::Response response) {
    if (knobs_.latency_ms == 0) return respond(std::move(response));
    later_(Millis(knobs_.latency_ms),
           [respond, response = std::move(response)] { respond(response); });
  };
  if (const Trouble* trouble = trouble_of(call)) {
    ++faults_;
    if (trouble->status > 0) {
      return timely(api_->vendor_error(trouble->status, "this part of time gives trouble"));
    }
    fate = Fate::kSlow;
  }
  if (fate == Fate::kLimited) {
    ++faults_;
    return timely(too_many(user, now, Millis(knobs_.retry_after_s * 1000)));
  }
  carry_out(fate, dice, call, timely);
}

std::optional<http::Response> Vendor::over_limit(std::uint32_t user, Millis now) {
  const std::uint32_t who = api_->has_quota_per_user() ? user : 0;
  const Limit& limit = limits_[who];
  if (limit.until > now) {
    if (now > limit.since + kNotYetKnown) ++while_limited_;
    return too_many(user, now, limit.until - now);
  }
  const std::int64_t window = now.count() / 1000 / knobs_.quota_s;
  auto& [in_window, used] = used_[who];
  if (in_window != window) used = 0;
  in_window = window;
  if (++used <= knobs_.quota || knobs_.quota == 0) return std::nullopt;
  return too_many(user, now, Millis((window + 1) * knobs_.quota_s * 1000) - now);
}

http::Response Vendor::too_many(std::uint32_t user, Millis now, Millis wait) {
  Limit& limit = limits_[api_->has_quota_per_user() ? user : 0];
  if (limit.until <= now) limit = {now, now + wait};
  http::Response response = api_->vendor_error(429, "Rate Limit Exceeded");
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
  response.headers.emplace_back("Retry-After", std::to_string(seconds));
  return response;
}

const Trouble* Vendor::trouble_of(const Call& call) const {
  const auto span = api_->period_of(call);
  if (!span) return nullptr;
  const double days = static_cast<double>(span->to - span->from) / 86'400;
  for (const auto* windows : {&knobs_.bad_windows, &knobs_.slow_windows}) {
    for (const Trouble& trouble : *windows) {
      if (trouble.span.meets(*span) && days > trouble.max_days) return &trouble;
    }
  }
  return nullptr;
}

Vendor::Fate Vendor::fate_of(Random& dice, bool is_write) const {
  struct Chance {
    double share;
    Fate fate;
    bool needs_write;
  };
  const Chance chances[] = {{knobs_.errors, Fate::kError, false},
                            {knobs_.resets, Fate::kReset, false},
                            {knobs_.limited, Fate::kLimited, false},
                            {knobs_.truncated, Fate::kTruncated, false},
                            {knobs_.slow, Fate::kSlow, false},
                            {knobs_.commit_then_fail, Fate::kCommitThenFail, true},
                            {knobs_.land_late, Fate::kLandLate, true}};
  Fate fate = Fate::kServe;
  // Every chance draws its number, so turning one knob leaves the others' faults where they were.
  for (const Chance& chance : chances) {
    const bool hits = dice.unit() < chance.share && (is_write || !chance.needs_write);
    if (hits && fate == Fate::kServe) fate = chance.fate;
  }
  return fate;
}

void Vendor::carry_out(Fate fate, Random& dice, const Call& call, const Respond& respond) {
  using Cut = http::Response::Cut;
  faults_ += fate == Fate::kServe ? 0 : 1;
  const auto cut_off = [](http::Response response, Cut cut) {
    response.cut = cut;
    return response;
  };
  switch (fate) {
    case Fate::kServe:
    case Fate::kLimited: return respond(answer(call));
    case Fate::kError: return respond(error_of(dice.next()));
    case Fate::kReset: return respond(cut_off({}, Cut::kBeforeReply));
    case Fate::kTruncated: return respond(cut_off(answer(call), Cut::kHalfway));
    case Fate::kSlow:
      return later_(Millis(knobs_.slow_ms), [this, call, respond] { respond(answer(call)); });
    case Fate::kCommitThenFail: (void)answer(call); return respond(error_of(dice.next()));
    case Fate::kLandLate:
      later_(Millis(knobs_.land_late_ms), [this, call] { (void)answer(call); });
      return respond(cut_off({}, Cut::kBeforeReply));
  }
}

http::Response Vendor::answer(const Call& call) const {
  http::Response response = api_->answer(call);
  const auto used = used_.find(api_->has_quota_per_user() ? call.user : 0);
  const std::int64_t so_far = used == used_.end() ? 0 : used->second.second;
  const std::int64_t limit = knobs_.quota == 0 ? 1'000'000'000 : knobs_.quota;
  for (auto& header : api_->quota_headers(limit, so_far)) {
    response.headers.push_back(std::move(header));
  }
  return response;
}

http::Response Vendor::error_of(std::uint64_t dice) const {
  switch (dice % 3) {
    case 0: return api_->vendor_error(500, "Internal Error");
    case 1: {
      http::Response response;
      response.status = 502;
      response.headers = {{"Content-Type", "text/html"}};
      response.body = "<html><body><h1>502 Bad Gateway</h1></body></html>";
      return response;
    }
    default: {
      http::Response response = api_->vendor_error(503, "Service Unavailable");
      response.headers.emplace_back("Retry-After", std::to_string(knobs_.retry_after_s));
      return response;
    }
  }
}

Value Vendor::behaviour() const {
  std::map<std::string, std::int64_t> statuses;
  for (const auto& [status, count] : statuses_) {
    statuses[status == 0 ? "cut off" : std::to_string(status)] = count;
  }
  Object out{{"requests", requests_},
             {"routes", to_value(routes_)},
             {"statuses", to_value(statuses)},
             {"faults", faults_},
             {"while_limited", while_limited_},
             {"unknown_routes", unknown_routes_},
             {"writes_without_key", writes_without_key_},
             {"most_in_flight", most_in_flight_},
             {"refreshes", accounts_.figures().refreshes},
             {"dead_access_tokens", accounts_.figures().dead_access_tokens},
             {"dead_refresh_tokens", accounts_.figures().dead_refresh_tokens}};
  if (!last_unknown_route_.empty()) out.set("last_unknown_route", last_unknown_route_);
  return Value(std::move(out));
}

}  // namespace stepwell::fake
