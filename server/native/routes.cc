// The native API, route by route.  A new route is a function and a line of the table below.
#include "server/native/routes.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"

namespace stepwell::server {
namespace {

using http::refusal;

constexpr unsigned kMaxPage = 1000;
constexpr unsigned kDefaultPage = 50;
constexpr unsigned kDefaultHistoryPage = 1000;
constexpr std::size_t kMaxKeyBytes = 255;

// What a route gets, and may move from: the parts of the path that were in braces, in order.
struct Call {
  runtime::AsyncEngine& engine;
  Request request;
  std::vector<std::string> parts;
  OnResponse reply;
  Namespace ns = {};  // Of the caller's credential; until there are credentials the default.
};

// A JSON object as text.  Inputs and outputs go in as they came: no number is rounded on the way.
class JsonObject {
 public:
  JsonObject& text(std::string_view name, std::string_view value) {
    return raw(name, json_quote(value));
  }
  JsonObject& text_or_null(std::string_view name, const std::string& value) {
    return raw(name, value.empty() ? "null" : json_quote(value));
  }
  JsonObject& raw(std::string_view name, std::string_view json) {
    body_ += body_.empty() ? "{" : ",";
    body_ += json_quote(name);
    body_ += ':';
    body_ += json.empty() ? "null" : json;
    return *this;
  }
  std::string done() const { return (body_.empty() ? "{" : body_) + "}"; }

 private:
  std::string body_;
};

// An engine's error as HTTP: status, word and what to do.
struct Meaning {
  Code code;
  int status;
  const char* word;
  const char* hint;
};
constexpr Meaning kMeanings[] = {
    {Code::kInvalid, 400, "invalid", "Fix the request; sending it again as it is cannot help."},
    {Code::kNotFound, 404, "not_found", "GET /v1/executions lists what there is."},
    {Code::kConflict, 409, "conflict", "GET the execution to see the state it is in."},
    {Code::kUnavailable, 503, "unavailable",
     "Try again in a moment, with the same Idempotency-Key; GET /readyz tells when."},
    {Code::kTooLarge, 413, "too_large", "Send less, or a reference to it."},
    {Code::kDenied, 403, "denied", "The server's configuration does not allow this."},
    {Code::kTimeout, 504, "timeout", "Try again; the same Idempotency-Key starts nothing twice."},
    {Code::kInternal, 500, "internal", "The server's log says more."},
};

Response failure(Code code, const std::string& message) {
  for (const Meaning& meaning : kMeanings) {
    if (meaning.code != code) continue;
    Response response = refusal(meaning.status, meaning.word, message, meaning.hint);
    if (meaning.status == 503) response.headers.emplace_back("Retry-After", "1");
    return response;
  }
  return refusal(500, "internal", message, "");
}

// The number in `?name=`, or `fallback` when there is none; nothing when it is not in 1..most.
std::optional<unsigned> count_of(const Request& request, const char* name, unsigned fallback,
                                 unsigned most) {
  const std::string text = request.query_value(name);
  if (text.empty()) return fallback;
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1 || number > most) {
    return std::nullopt;
  }
  return number;
}

Response bad_limit(unsigned most) {
  return refusal(400, "invalid", "limit is not a number from 1 to " + std::to_string(most),
                 "Leave it out for the default.");
}

// The members that a body may have, for a refusal of one that it may not.
Response unknown_member(const std::string& name, std::string_view known) {
  return refusal(400, "invalid", "the body has a member " + json_quote(name) + " that is unknown",
                 "It may have " + std::string(known) + ".");
}

// {"input": ..., "tags": [...], "redrive_of": "ID"}, all optional.  On failure `refused` is the
// answer.
std::optional<runtime::StartRequest> read_start_body(const std::string& text, Response& refused) {
  runtime::StartRequest start;
  if (text.empty()) return start;
  const char* const hint = R"(Send {"input": {...}}, or no body for an empty input.)";
  JsonLimits limits;
  limits.refuse_duplicate_keys = true;
  auto value = parse_json(text, limits);
  if (!value.ok() || !value->is_object()) {
    refused = refusal(400, "invalid",
                      value.ok() ? "the body is not a JSON object" : value.error().message, hint);
    return std::nullopt;
  }
  for (const auto& [name, member] : value->as_object()) {
    if (name == "input") {
      start.input = member;
    } else if (name == "tags" && member.is_array()) {
      for (const Value& tag : member.as_array()) {
        if (!tag.is_string()) {
          refused = refusal(400, "invalid", "a tag is not a string", hint);
          return std::nullopt;
        }
        start.options.tags.push_back(tag.as_string());
      }
    } else if (name == "redrive_of" && member.is_string()) {
      start.options.redrive_of = member.as_string();
    } else {
      refused = unknown_member(name, "input, tags as a list of strings, redrive_of as an id");
      return std::nullopt;
    }
  }
  return start;
}

Response response_of(const Answer<StartedExecution>& started, const std::string& workflow) {
  if (!started) return failure(started.code, started.error);
  Response response =
      Response::json(202, JsonObject()
                              .text("id", started.value.id)
                              .text("workflow", workflow)
                              .raw("existed", started.value.existed ? "true" : "false")
                              .done());
  response.headers.emplace_back("Location", "/v1/executions/" + started.value.id);
  return response;
}

void start(Call& call) {
  // Nothing is to pile up for a database that is known to be away.
  if (const auto ready = call.engine.ready(); !ready) {
    return call.reply(failure(ready.code, ready.error));
  }
  const std::string key = call.request.header("idempotency-key");
  if (key.empty() || key.size() > kMaxKeyBytes || !is_utf8(key)) {
    return call.reply(
        refusal(400, "invalid", "the header Idempotency-Key is missing or longer than 255 bytes",
                "Send one key per thing you want done, and the same key when you try again."));
  }
  Response refused;
  auto request = read_start_body(call.request.body, refused);
  if (!request) return call.reply(std::move(refused));
  request->workflow = call.parts[0];
  request->options.name = key;
  call.engine.start(
      call.ns, std::move(*request),
      [workflow = std::move(call.parts[0]), reply = std::move(call.reply)](
          const Answer<StartedExecution>& started) { reply(response_of(started, workflow)); });
}

Response response_of(const Answer<std::vector<ExecutionView>>& found, unsigned limit) {
  if (!found) return failure(found.code, found.error);
  std::string items;
  for (const ExecutionView& view : found.value) {
    items += (items.empty() ? "" : ",") + execution_json(view);
  }
  const bool is_full = found.value.size() == limit;
  return Response::json(200, JsonObject()
                                 .raw("executions", "[" + items + "]")
                                 .text_or_null("next", is_full ? found.value.back().id : "")
                                 .done());
}

void list(Call& call) {
  const auto limit = count_of(call.request, "limit", kDefaultPage, kMaxPage);
  if (!limit) return call.reply(bad_limit(kMaxPage));
  call.engine.list(call.ns,
                   {call.request.query_value("workflow"), call.request.query_value("status"),
                    *limit, call.request.query_value("before")},
                   [limit = *limit, reply = std::move(call.reply)](const auto& found) {
                     reply(response_of(found, limit));
                   });
}

void describe(Call& call) {
  call.engine.describe(call.ns, call.parts[0],
                       [reply = std::move(call.reply)](const Answer<ExecutionView>& found) {
                         reply(found ? Response::json(200, execution_json(found.value))
                                     : failure(found.code, found.error));
                       });
}

Response response_of(const Answer<HistoryPage>& page) {
  if (!page) return failure(page.code, page.error);
  std::string events, places;
  for (const std::string& event : page.value.events) events += (events.empty() ? "" : ",") + event;
  for (const HistoryPlace& place : page.value.places) {
    places +=
        (places.empty() ? "" : ",") +
        JsonObject().text_or_null("where", place.where).text_or_null("value", place.value).done();
  }
  return Response::json(200, JsonObject()
                                 .raw("events", "[" + events + "]")
                                 .raw("places", "[" + places + "]")
                                 .text_or_null("next", page.value.next)
                                 .done());
}

void history(Call& call) {
  const auto limit = count_of(call.request, "limit", kDefaultHistoryPage, kMaxPage);
  if (!limit) return call.reply(bad_limit(kMaxPage));
  const std::string order = call.request.query_value("order");
  if (!order.empty() && order != "newest" && order != "oldest") {
    return call.reply(refusal(400, "invalid", "order is neither newest nor oldest",
                              "Leave it out for the oldest first."));
  }
  HistoryOptions options;
  options.limit = *limit;
  options.next = call.request.query_value("next");
  options.newest_first = order == "newest";
  call.engine.history(call.ns, call.parts[0], options,
                      [reply = std::move(call.reply)](const Answer<HistoryPage>& page) {
                        reply(response_of(page));
                      });
}

// What a stop or a redrive is answered, once it is delivered.
runtime::OnAnswer<Nothing> told_delivered(Call& call) {
  return [id = call.parts[0], reply = std::move(call.reply)](const Answer<Nothing>& done) {
    reply(done ? Response::json(202, JsonObject().text("id", id).done())
               : failure(done.code, done.error));
  };
}

void stop(Call& call) {
  const char* const hint = R"(Send {"error": "...", "cause": "..."}, or no body.)";
  std::string error, cause;
  if (!call.request.body.empty()) {
    const auto body = parse_json(call.request.body);
    if (!body.ok() || !body->is_object()) {
      return call.reply(refusal(400, "invalid",
                                body.ok() ? "the body is not a JSON object" : body.error().message,
                                hint));
    }
    for (const auto& [name, member] : body->as_object()) {
      if (name != "error" && name != "cause") {
        return call.reply(unknown_member(name, "error and cause"));
      }
      if (!member.is_string()) {
        return call.reply(refusal(400, "invalid", name + " is not a string", hint));
      }
      (name == "error" ? error : cause) = member.as_string();
    }
  }
  call.engine.stop_execution(call.ns, call.parts[0], error, cause, told_delivered(call));
}

void redrive(Call& call) {
  const std::string& body = call.request.body;
  if (!body.empty()) {
    const auto parsed = parse_json(body);
    if (!parsed.ok() || !parsed->is_object() || !parsed->as_object().empty()) {
      return call.reply(
          refusal(400, "invalid", "the body of a redrive is not empty", "Send none, or {}."));
    }
  }
  call.engine.redrive(call.ns, call.parts[0], told_delivered(call));
}

void healthz(Call& call) { call.reply(Response::json(200, R"({"status":"alive"})")); }

void readyz(Call& call) {
  const auto ready = call.engine.ready();
  call.reply(ready ? Response::json(200, R"({"status":"ready"})")
                   : failure(ready.code, ready.error));
}

struct Route {
  const char* method;
  const char* path;  // {} stands for one part.
  void (*answer)(Call&);
  const char* queries = "";  // The parameters it takes, between spaces.
};
constexpr Route kRoutes[] = {
    {"POST", "/v1/workflows/{}/executions", &start},
    {"GET", "/v1/executions", &list, " workflow status limit before "},
    {"GET", "/v1/executions/{}", &describe},
    {"GET", "/v1/executions/{}/history", &history, " limit next order "},
    {"POST", "/v1/executions/{}/stop", &stop},
    {"POST", "/v1/executions/{}/redrive", &redrive},
    {"GET", "/healthz", &healthz},
    {"GET", "/readyz", &readyz},
};

// Ignored, a mistyped filter would answer with all there is.
std::optional<Response> refuse_unknown_query(const Route& route, const Request& request) {
  const std::string_view known = route.queries;
  for (const auto& [name, value] : request.query) {
    if (!name.empty() && known.find(" " + name + " ") != std::string_view::npos) continue;
    std::string list;
    for (const char c : known.empty() ? known : known.substr(1, known.size() - 2)) {
      list += c == ' ' ? std::string(", ") : std::string(1, c);
    }
    return refusal(400, "invalid", "the query parameter " + json_quote(name) + " is unknown here",
                   list.empty() ? "This route takes none." : "There are " + list + ".");
  }
  return std::nullopt;
}

// The parts of `path` where `pattern` has braces, or nothing when it does not fit.
std::optional<std::vector<std::string>> fit(std::string_view pattern, std::string_view path) {
  std::vector<std::string> parts;
  while (!pattern.empty() && !path.empty()) {
    if (pattern.substr(0, 2) == "{}") {
      const std::size_t end = std::min(path.find('/'), path.size());
      if (end == 0) return std::nullopt;
      parts.emplace_back(path.substr(0, end));
      path.remove_prefix(end);
      pattern.remove_prefix(2);
    } else if (pattern.front() == path.front()) {
      pattern.remove_prefix(1);
      path.remove_prefix(1);
    } else {
      return std::nullopt;
    }
  }
  if (!pattern.empty() || !path.empty()) return std::nullopt;
  return parts;
}

// A page of another site that is open in the same browser must not start executions here.
bool is_foreign(const Request& request) {
  const std::string origin = request.header("origin");
  const std::string host = request.header("host");
  return !origin.empty() && origin != "http://" + host && origin != "https://" + host;
}

}  // namespace

std::optional<Code> code_named(std::string_view word) {
  for (const Meaning& meaning : kMeanings) {
    if (meaning.word == word) return meaning.code;
  }
  return std::nullopt;
}

std::string execution_json(const ExecutionView& view) {
  return JsonObject()
      .text("id", view.id)
      .text("workflow", view.workflow)
      .text("name", view.name)
      .text("status", view.status)
      .raw("input", view.input)
      .raw("output", view.output)
      .text_or_null("error", view.error.value_or(""))
      .text_or_null("cause", view.cause.value_or(""))
      .text("started_at", view.started_at)
      .text_or_null("ended_at", view.ended_at)
      .raw("redrive_count", std::to_string(view.redrive_count))
      .raw("waiting", view.waiting)
      .text_or_null("quarantined", view.quarantined)
      .done();
}

namespace {

Response unanswered(const std::string& why, bool is_read) {
  return failure(Code::kUnavailable,
                 is_read ? why : why + "; whether what was asked for happens is in doubt");
}

}  // namespace

Response too_late(Millis waited, bool is_read) {
  return unanswered("the database has not answered within " + to_human(waited), is_read);
}

Response stopping(bool is_read) {
  return unanswered("the server stops, and the database has not answered yet", is_read);
}

void route(runtime::AsyncEngine& engine, Request request, OnResponse reply) {
  if (is_foreign(request)) {
    return reply(refusal(403, "denied", "requests from pages of another origin are refused",
                         "Call the API from a program, or from a page that it serves."));
  }
  std::string allowed;
  for (const Route& route : kRoutes) {
    auto parts = fit(route.path, request.path);
    if (!parts) continue;
    if (request.method == route.method) {
      if (auto refused = refuse_unknown_query(route, request)) return reply(std::move(*refused));
      Call call{engine, std::move(request), std::move(*parts), std::move(reply)};
      return route.answer(call);
    }
    allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
  }
  if (allowed.empty()) {
    return reply(refusal(404, "not_found", "there is nothing at " + request.path,
                         "docs/http.md lists the routes; they begin with /v1."));
  }
  Response response =
      refusal(405, "invalid", request.method + " is not possible here", "Use " + allowed + ".");
  response.headers.emplace_back("Allow", allowed);
  reply(std::move(response));
}

}  // namespace stepwell::server
