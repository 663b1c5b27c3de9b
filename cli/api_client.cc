// Executions over the API of a server: docs/http.md, from the other side.
#include <stepwell/engine.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "base/ids.h"
#include "base/value.h"
#include "cli/executions.h"
#include "engine/runtime/surroundings.h"
#include "net/client/http_client.h"
#include "net/http/http.h"
#include "server/native/routes.h"

namespace stepwell::cli {
namespace {

using Steady = std::chrono::steady_clock;
constexpr Millis kTimeout{60'000};
constexpr std::size_t kMostBytes = 1u << 30;  // A page of a history with large values.
constexpr Millis kFirstPause{5}, kLongestPause{250};

// Empty when it is null or not there.
std::string text_at(const Value& object, const char* name) {
  const Value* value = object.find(name);
  return value != nullptr && value->is_string() ? value->as_string() : "";
}

std::string json_at(const Value& object, const char* name) {
  const Value* value = object.find(name);
  return value == nullptr || value->is_null() ? "" : value->to_json();
}

std::optional<std::string> maybe_at(const Value& object, const char* name) {
  const Value* value = object.find(name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return value->as_string();
}

ExecutionView view_of(const Value& object) {
  ExecutionView view;
  view.id = text_at(object, "id");
  view.workflow = text_at(object, "workflow");
  view.name = text_at(object, "name");
  view.status = text_at(object, "status");
  view.input = json_at(object, "input");
  // A null is an output when the execution succeeded.
  const Value* output = object.find("output");
  view.output = view.status == "SUCCEEDED" && output != nullptr ? output->to_json() : "";
  view.error = maybe_at(object, "error");
  view.cause = maybe_at(object, "cause");
  view.started_at = text_at(object, "started_at");
  view.ended_at = text_at(object, "ended_at");
  const Value* redrives = object.find("redrive_count");
  if (redrives != nullptr && redrives->is_int()) {
    view.redrive_count = static_cast<std::uint32_t>(redrives->as_int());
  }
  view.waiting = json_at(object, "waiting");
  view.quarantined = text_at(object, "quarantined");
  return view;
}

HistoryPage page_of(const Value& object) {
  HistoryPage page;
  page.next = text_at(object, "next");
  if (const Value* events = object.find("events"); events && events->is_array()) {
    for (const Value& event : events->as_array()) page.events.push_back(event.to_json());
  }
  if (const Value* places = object.find("places"); places && places->is_array()) {
    for (const Value& place : places->as_array()) {
      page.places.push_back({text_at(place, "where"), text_at(place, "value")});
    }
  }
  page.places.resize(page.events.size());
  return page;
}

std::string query(const std::vector<std::pair<const char*, std::string>>& parameters) {
  std::string text;
  for (const auto& [name, value] : parameters) {
    if (value.empty()) continue;
    text += (text.empty() ? "?" : "&") + std::string(name) + "=" + http::url_encode(value);
  }
  return text;
}

// For a start without a name of the caller's: the API wants a key.
std::string random_key() {
  const auto words = runtime::rolled<std::array<std::uint64_t, 2>>();
  return Uuid::v4(words[0], words[1]).text();
}

class OverApi final : public Executions {
 public:
  OverApi(std::string url, std::string token) : url_(std::move(url)), token_(std::move(token)) {
    while (!url_.empty() && url_.back() == '/') url_.pop_back();
  }

  Answer<StartedExecution> start(const std::string& workflow, const std::string& input_json,
                                 const StartOptions& options) override {
    Object body;
    body.set("input", parse_json(input_json).value());
    if (!options.tags.empty()) {
      Value::Array tags(options.tags.begin(), options.tags.end());
      body.set("tags", Value(std::move(tags)));
    }
    if (!options.redrive_of.empty()) body.set("redrive_of", Value(options.redrive_of));
    const auto answer =
        ask("POST", "/v1/workflows/" + http::url_encode(workflow) + "/executions", "existed",
            Value(std::move(body)).to_json(), options.name.empty() ? random_key() : options.name);
    if (!answer) return {{}, answer.code, answer.error};
    const Value* existed = answer.value.find("existed");
    return {{text_at(answer.value, "id"), existed && existed->is_bool() && existed->as_bool()},
            Code::kOk,
            {}};
  }

  Answer<ExecutionView> describe(const std::string& id) override {
    const auto answer = ask("GET", path_of(id), "workflow");
    if (!answer) return {{}, answer.code, answer.error};
    return {view_of(answer.value), Code::kOk, {}};
  }

  Answer<std::vector<ExecutionView>> list(const ListQuestion& question) override {
    const auto answer = ask("GET",
                            "/v1/executions" + query({{"workflow", question.workflow},
                                                      {"status", question.status},
                                                      {"limit", std::to_string(question.limit)},
                                                      {"before", question.before}}),
                            "executions");
    if (!answer) return {{}, answer.code, answer.error};
    std::vector<ExecutionView> views;
    if (const Value* items = answer.value.find("executions"); items && items->is_array()) {
      for (const Value& item : items->as_array()) views.push_back(view_of(item));
    }
    return {std::move(views), Code::kOk, {}};
  }

  Answer<HistoryPage> history(const std::string& id, const HistoryOptions& options) override {
    const auto answer = ask("GET",
                            path_of(id) + "/history" +
                                query({{"limit", std::to_string(options.limit)},
                                       {"next", options.next},
                                       {"order", options.newest_first ? "newest" : ""}}),
                            "events");
    if (!answer) return {{}, answer.code, answer.error};
    return {page_of(answer.value), Code::kOk, {}};
  }

  // The API has no wait yet: it is asked again and again, ever less often.
  Answer<ExecutionView> wait(const std::string& id, std::chrono::milliseconds at_most) override {
    const auto deadline = Steady::now() + at_most;
    for (Millis pause = kFirstPause;; pause = std::min(pause * 2, kLongestPause)) {
      auto found = describe(id);
      if (!found || found.value.status != "RUNNING" || !found.value.quarantined.empty()) {
        return found;
      }
      const auto rest = std::chrono::duration_cast<Millis>(deadline - Steady::now());
      if (rest <= Millis(0)) {
        return {std::move(found.value), Code::kTimeout, "execution " + id + " is still running"};
      }
      std::this_thread::sleep_for(std::min(pause, rest));
    }
  }

  Answer<Nothing> stop(const std::string& id, const std::string& error,
                       const std::string& cause) override {
    Object body;
    if (!error.empty()) body.set("error", Value(error));
    if (!cause.empty()) body.set("cause", Value(cause));
    const auto answer = ask("POST", path_of(id) + "/stop", "id", Value(std::move(body)).to_json());
    return {{}, answer.code, answer.error};
  }

  Answer<Nothing> redrive(const std::string& id) override {
    const auto answer = ask("POST", path_of(id) + "/redrive", "id", "{}");
    return {{}, answer.code, answer.error};
  }

 private:
  static std::string path_of(const std::string& id) {
    return "/v1/executions/" + http::url_encode(id);
  }

  // `member`: what every good answer of that route has, and hardly that of another program.
  Answer<Value> ask(const std::string& method, const std::string& target, const char* member,
                    const std::string& body = "", const std::string& key = "") const {
    host::HttpRequest request;
    request.method = method;
    request.url = url_ + target;
    request.body = body;
    request.timeout = kTimeout;
    request.max_bytes = kMostBytes;
    if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
    if (!key.empty()) request.headers.emplace_back("Idempotency-Key", key);
    if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_);
    const host::HttpReply reply =
        host::HttpClient::send_blocking(std::move(request), host::Reach::kAnyAddress);
    if (reply.failure != host::HttpReply::Failure::kNone) {
      return {{}, Code::kUnavailable, "cannot reach the server at " + url_ + ": " + reply.problem};
    }
    auto answer = parse_json(reply.body);
    const bool is_object = answer.ok() && answer->is_object();
    const bool is_good = is_object && reply.status < 300 && answer->find(member) != nullptr;
    if (is_good) return {std::move(*answer), Code::kOk, {}};
    const std::string word = is_object ? text_at(*answer, "code") : "";
    if (const auto code = server::code_named(word)) {
      return {{}, *code, text_at(*answer, "message")};
    }
    return stranger(reply.status);
  }

  // The answer of a proxy, or of whatever else there is.
  Answer<Value> stranger(int status) const {
    const std::string what = "what answers at " + url_;
    const std::string how = ": status " + std::to_string(status);
    if (status == 401 || status == 403 || status == 407) {
      const char* token = token_.empty() ? "; STEPWELL_TOKEN would be sent as a token"
                                         : "; is STEPWELL_TOKEN right?";
      return {{}, Code::kDenied, what + " refuses" + how + token};
    }
    if (status == 502 || status == 503 || status == 504) {
      return {{}, Code::kUnavailable, what + " has no server behind it now" + how};
    }
    return {{},
            Code::kUnavailable,
            what + " is not a Stepwell server" + how + ", and no answer of its API"};
  }

  std::string url_;
  const std::string token_;
};

}  // namespace

std::unique_ptr<Executions> executions_over_api(std::string url, std::string token) {
  return std::make_unique<OverApi>(std::move(url), std::move(token));
}

}  // namespace stepwell::cli
