// Google Health v4, as a destination for exercise: create, change, delete, list, operations.
#include <algorithm>
#include <charconv>
#include <map>

#include "base/hash.h"
#include "base/time.h"
#include "providers/fake/vendor_api.h"

namespace stepwell::fake {
namespace {

constexpr std::size_t kMaxPage = 25;  // Of exercise and sleep.
const std::string kPoints = "/users/me/dataTypes/exercise/dataPoints";
const std::string kCivilStart = "exercise.interval.civil_start_time";

std::string text_of(const Value& object, const char* name) {
  const Value* member = object.find(name);
  return member != nullptr && member->is_string() ? member->as_string() : std::string();
}

// "3600s"
int offset_of(const Value& interval, const char* name) {
  const std::string text = text_of(interval, name);
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// "2026-03-01" or "2026-03-01T06:30:00", as if it were UTC.
std::optional<Seconds> civil(std::string text) {
  if (text.size() == 10) text += "T00:00:00";
  const auto time = parse_rfc3339(text + "Z");
  if (!time) return std::nullopt;
  return unix_ms(*time) / 1000;
}

// FIELD >= "LITERAL" AND FIELD < "LITERAL"; nothing when it is another filter.
std::optional<Span> read_filter(const std::string& filter) {
  Span span{-(Seconds{1} << 40), Seconds{1} << 40};
  for (std::size_t from = 0; from < filter.size();) {
    const std::size_t end = std::min(filter.find(" AND ", from), filter.size());
    const std::string clause = filter.substr(from, end - from);
    from = end + 5;
    if (clause.rfind(kCivilStart + " ", 0) != 0) return std::nullopt;
    const std::size_t open = clause.find('"'), close = clause.rfind('"');
    if (open == std::string::npos || close <= open) return std::nullopt;
    const auto time = civil(clause.substr(open + 1, close - open - 1));
    const std::string comparison =
        clause.substr(kCivilStart.size() + 1, open - kCivilStart.size() - 2);
    if (!time || close + 1 != clause.size()) return std::nullopt;
    if (comparison == ">=") {
      span.from = std::max(span.from, *time);
    } else if (comparison == "<") {
      span.to = std::min(span.to, *time);
    } else {
      return std::nullopt;
    }
  }
  return span;
}

class GoogleApi : public VendorApi {
 public:
  GoogleApi(Destination& destination, const Knobs& knobs, Later later)
      : destination_(destination), knobs_(knobs), later_(std::move(later)) {}

  std::string route(const std::string& method, const std::string& path) const override {
    const bool is_get = method == "GET", is_post = method == "POST";
    if (path == "/users/me/identity") return is_get ? "identity" : "";
    if (path == "/users/me/pairedDevices") return is_get ? "devices" : "";
    if (path.rfind("/operations/", 0) == 0) return is_get ? "operation" : "";
    if (path == kPoints) return is_get ? "list" : is_post ? "create" : "";
    if (path == kPoints + ":batchDelete") return is_post ? "delete" : "";
    if (path.rfind(kPoints + "/", 0) == 0) return method == "PATCH" ? "change" : "";
    return "";
  }

  bool is_write(const std::string& route) const override {
    return route == "create" || route == "change" || route == "delete";
  }

  std::optional<Span> period_of(const Call& call) const override {
    const std::string name = route(call.request->method, call.path);
    if (name == "list") return read_filter(call.request->query_value("filter"));
    if (name != "create") return std::nullopt;
    const auto body = parse_json(call.request->body);
    const auto point = body.ok() ? point_of(*body) : std::nullopt;
    if (!point) return std::nullopt;
    return Span{point->start, point->start + 1};
  }

  http::Response answer(const Call& call) override {
    const std::string name = route(call.request->method, call.path);
    if (name == "identity") {
      return json(
          Object{{"name", "users/me/identity"}, {"healthUserId", std::to_string(call.user)}});
    }
    if (name == "devices") return json(Object{{"pairedDevices", Value::Array()}});
    if (name == "operation") return operation(call.path.substr(12));
    if (name == "list") return list(call);
    if (name == "create") return create(call);
    return name == "change" ? change(call) : remove(call);
  }

  http::Response vendor_error(int status, const std::string& message) const override {
    const char* word = status == 400   ? "INVALID_ARGUMENT"
                       : status == 401 ? "UNAUTHENTICATED"
                       : status == 404 ? "NOT_FOUND"
                       : status == 409 ? "ALREADY_EXISTS"
                       : status == 429 ? "RESOURCE_EXHAUSTED"
                       : status == 503 ? "UNAVAILABLE"
                                       : "INTERNAL";
    const Value error(Object{{"code", status}, {"message", message}, {"status", word}});
    return http::Response::json(status, Value(Object{{"error", error}}).to_json());
  }

  bool has_quota_per_user() const override { return true; }
  http::Headers quota_headers(std::int64_t, std::int64_t) const override { return {}; }

 private:
  static http::Response json(Object body) {
    return http::Response::json(200, Value(std::move(body)).to_json());
  }

  static std::string name_of(const std::string& id) {
    return "users/me/dataTypes/exercise/dataPoints/" + id;
  }

  static std::optional<Point> point_of(const Value& body) {
    const Value* exercise = body.find("exercise");
    const Value* interval = exercise == nullptr ? nullptr : exercise->find("interval");
    if (interval == nullptr) return std::nullopt;
    const auto start = parse_rfc3339(text_of(*interval, "startTime"));
    const auto end = parse_rfc3339(text_of(*interval, "endTime"));
    if (!start || !end || *end < *start) return std::nullopt;
    if (text_of(*exercise, "exerciseType").empty()) return std::nullopt;
    Point point;
    const std::string name = text_of(body, "name");
    const std::size_t slash = name.rfind('/');
    point.client_id = slash == std::string::npos ? name : name.substr(slash + 1);
    point.start = unix_ms(*start) / 1000;
    point.offset_s = offset_of(*interval, "startUtcOffset");
    point.exercise = *exercise;
    return point;
  }

  static Value render(const Point& point) {
    return Value(Object{{"name", name_of(point.id)},
                        {"dataSource", Value(Object{{"recordingMethod", "ACTIVELY_MEASURED"}})},
                        {"exercise", point.exercise}});
  }

  http::Response list(const Call& call) const {
    const std::string filter = call.request->query_value("filter");
    const auto span = read_filter(filter);
    if (!span) return vendor_error(400, "INVALID_DATA_POINT_FILTER");
    std::size_t size = kMaxPage, from = 0;
    const std::string size_text = call.request->query_value("pageSize");
    std::from_chars(size_text.data(), size_text.data() + size_text.size(), size);
    if (size == 0 || size > kMaxPage) size = kMaxPage;
    const std::string seal = "." + std::to_string(hash64(filter) % 100'000);
    const std::string token = call.request->query_value("pageToken");
    if (!token.empty()) {
      const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), from);
      if (error != std::errc() || std::string(end, token.data() + token.size()) != seal) {
        return vendor_error(400, "the page token is of another request");
      }
    }
    const auto found = destination_.by_civil_start(call.user, *span);
    Value::Array points;
    for (std::size_t i = from; i < found.size() && i < from + size; ++i) {
      points.push_back(render(*found[i]));
    }
    Object body{{"dataPoints", Value(std::move(points))}};
    if (from + size < found.size()) body.set("nextPageToken", std::to_string(from + size) + seal);
    return json(std::move(body));
  }

  // Runs the write now, or after a while; the operation says which.
  http::Response start(const Call& call, std::function<Value()> write) {
    const std::string id = "op-" + std::to_string(++operations_made_);
    if (!call.is_pending) {
      operations_[id] = write();
      return operation(id);
    }
    operations_[id] = std::nullopt;
    later_(Millis(knobs_.pending_ms),
           [this, id, write = std::move(write)] { operations_[id] = write(); });
    return operation(id);
  }

  http::Response operation(const std::string& id) const {
    const auto found = operations_.find(id);
    if (found == operations_.end()) return vendor_error(404, "no such operation");
    Object body{{"name", "operations/" + id}, {"done", found->second.has_value()}};
    if (found->second) {
      const bool is_error = found->second->find("code") != nullptr;
      body.set(is_error ? "error" : "response", *found->second);
    }
    return json(std::move(body));
  }

  http::Response create(const Call& call) {
    const auto body = parse_json(call.request->body);
    auto point = body.ok() ? point_of(*body) : std::nullopt;
    if (!point) return vendor_error(400, "the data point is malformed");
    const bool is_named = knobs_.client_ids == "honoured" && !point->client_id.empty();
    point->id = is_named ? point->client_id : "srv-" + std::to_string(++points_made_);
    if (is_named && destination_.find(call.user, point->id) != nullptr) {
      return vendor_error(409, "the data point exists");
    }
    return start(call, [this, user = call.user, point = *point] {
      const bool exists = destination_.find(user, point.id) != nullptr;
      if (exists) return Value(Object{{"code", 6}, {"message", "the data point exists"}});
      destination_.add(user, point);
      return render(point);
    });
  }

  http::Response change(const Call& call) {
    const auto body = parse_json(call.request->body);
    auto point = body.ok() ? point_of(*body) : std::nullopt;
    if (!point) return vendor_error(400, "the data point is malformed");
    point->id = call.path.substr(kPoints.size() + 1);
    if (destination_.find(call.user, point->id) == nullptr)
      return vendor_error(404, "no such point");
    return start(call, [this, user = call.user, point = *point] {
      if (destination_.change(user, point)) return render(point);
      return Value(Object{{"code", 5}, {"message", "no such point"}});
    });
  }

  http::Response remove(const Call& call) {
    const auto body = parse_json(call.request->body);
    const Value* names = body.ok() ? body->find("names") : nullptr;
    if (names == nullptr || !names->is_array()) return vendor_error(400, "names are missing");
    return start(call, [this, user = call.user, list = *names] {
      for (const Value& name : list.as_array()) {
        const std::string text = name.is_string() ? name.as_string() : "";
        destination_.remove(user, text.substr(text.rfind('/') + 1));
      }
      return Value(Object());
    });
  }

  Destination& destination_;
  const Knobs& knobs_;
  Later later_;
  std::map<std::string, std::optional<Value>> operations_;
  std::uint64_t operations_made_ = 0, points_made_ = 0;
};

}  // namespace

std::unique_ptr<VendorApi> make_google_api(Destination& destination, const Knobs& knobs,
                                           Later later) {
  return std::make_unique<GoogleApi>(destination, knobs, std::move(later));
}

}  // namespace stepwell::fake
