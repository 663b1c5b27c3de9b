// Strava v3, the reading side: the athlete, the list of activities, one activity.
#include <charconv>

#include "base/time.h"
#include "providers/fake/vendor_api.h"

namespace stepwell::fake {
namespace {

constexpr std::int64_t kDefaultPage = 30, kMaxPage = 200;

std::optional<std::int64_t> number(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string clock_text(Seconds t) { return to_rfc3339(from_unix_ms(t * 1000)).substr(0, 19) + "Z"; }

// As in a list; a whole activity has more.
Object summary_of(const Workout& w) {
  const Sport& sport = sports()[w.sport];
  Object out{{"resource_state", 2},
             {"id", w.id},
             {"external_id", w.is_manual ? Value() : Value("fake_ping_" + std::to_string(w.id))},
             {"athlete", Value(Object{{"id", w.user}, {"resource_state", 1}})},
             {"name", w.title},
             {"sport_type", sport.strava},
             {"start_date", clock_text(w.start)},
             {"start_date_local", clock_text(w.start + w.offset_s)},
             {"utc_offset", static_cast<double>(w.offset_s)},
             {"elapsed_time", w.elapsed_s},
             {"moving_time", w.moving_s},
             {"distance", static_cast<double>(w.distance_dm) / 10},
             {"total_elevation_gain", static_cast<double>(w.elevation_m)},
             {"manual", w.is_manual},
             {"has_heartrate", w.hr_bpm > 0}};
  if (w.hr_bpm > 0) out.set("average_heartrate", static_cast<double>(w.hr_bpm));
  return out;
}

class StravaApi : public VendorApi {
 public:
  explicit StravaApi(const Truth& truth) : truth_(truth) {}

  std::string route(const std::string& method, const std::string& path) const override {
    if (method != "GET") return "";
    if (path == "/athlete") return "athlete";
    if (path == "/athlete/activities") return "list";
    return path.rfind("/activities/", 0) == 0 && number(path.substr(12)) ? "activity" : "";
  }

  bool is_write(const std::string&) const override { return false; }

  std::optional<Span> period_of(const Call& call) const override {
    if (call.path == "/athlete/activities") return period_of_list(*call.request);
    if (call.path.rfind("/activities/", 0) != 0) return std::nullopt;
    const auto workout = truth_.by_id(number(call.path.substr(12)).value_or(0));
    if (!workout) return std::nullopt;
    return Span{workout->start, workout->start + 1};
  }

  http::Response answer(const Call& call) override {
    if (call.path == "/athlete") {
      return http::Response::json(
          200, Value(Object{{"id", call.user}, {"resource_state", 2}}).to_json());
    }
    return call.path == "/athlete/activities" ? list(call) : activity(call);
  }

  http::Response vendor_error(int status, const std::string& message) const override {
    return http::Response::json(
        status, Value(Object{{"message", message}, {"errors", Value::Array()}}).to_json());
  }

  bool has_quota_per_user() const override { return false; }

  http::Headers quota_headers(std::int64_t limit, std::int64_t used) const override {
    const std::string limits = std::to_string(limit) + ",1000000000";
    const std::string usage = std::to_string(used) + "," + std::to_string(used);
    return {{"X-RateLimit-Limit", limits},
            {"X-RateLimit-Usage", usage},
            {"X-ReadRateLimit-Limit", limits},
            {"X-ReadRateLimit-Usage", usage}};
  }

 private:
  // `after` and `before` are both exclusive.
  Span period_of_list(const http::Request& request) const {
    Span span = truth_.all();
    const std::string after = request.query_value("after"), before = request.query_value("before");
    if (const auto t = number(after)) span.from = *t + 1;
    if (const auto t = number(before)) span.to = *t;
    return span;
  }

  http::Response list(const Call& call) const {
    for (const auto& [name, value] : call.request->query) {
      if ((name != "after" && name != "before" && name != "page" && name != "per_page") ||
          !number(value)) {
        return vendor_error(400, "Bad Request: " + name);
      }
    }
    const std::string page_text = call.request->query_value("page");
    const std::string size_text = call.request->query_value("per_page");
    const std::int64_t page = page_text.empty() ? 1 : *number(page_text);
    const std::int64_t size = size_text.empty() ? kDefaultPage : *number(size_text);
    if (page < 1 || size < 1 || size > kMaxPage) return vendor_error(400, "Bad Request: page");
    const auto [first, last] = truth_.within(call.user, period_of_list(*call.request));
    // Oldest first when asked for what came after something, else newest first.
    const bool is_rising = !call.request->query_value("after").empty();
    Value::Array items;
    const std::int64_t total = last - first;
    for (std::int64_t i = (page - 1) * size; i < page * size && i < total; ++i) {
      const auto ordinal = static_cast<std::uint32_t>(is_rising ? first + i : last - 1 - i);
      items.push_back(Value(summary_of(truth_.workout(call.user, ordinal))));
    }
    return http::Response::json(200, Value(std::move(items)).to_json());
  }

  http::Response activity(const Call& call) const {
    const auto workout = truth_.by_id(number(call.path.substr(12)).value_or(0));
    if (!workout || workout->user != call.user) return vendor_error(404, "Record Not Found");
    Object out = summary_of(*workout);
    out.set("resource_state", 3);
    out.set("calories", static_cast<double>(workout->kcal));
    out.set("device_name", workout->is_manual ? Value() : Value("Fake Watch 2"));
    out.set("laps", Value::Array());
    return http::Response::json(200, Value(std::move(out)).to_json());
  }

  const Truth& truth_;
};

}  // namespace

std::unique_ptr<VendorApi> make_strava_api(const Truth& truth) {
  return std::make_unique<StravaApi>(truth);
}

}  // namespace stepwell::fake
