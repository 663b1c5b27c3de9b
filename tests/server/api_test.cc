// The native API over real HTTP, on an engine that keeps everything in memory.
#include "server/native/api.h"

#include <gtest/gtest.h>
#include <stepwell/engine.h>

#include <algorithm>
#include <future>
#include <thread>

#include "base/value.h"
#include "engine/runtime/blocking_engine.h"
#include "tests/server/http_client.h"

namespace stepwell::server {
namespace {

constexpr const char* kGreet = R"(
StartAt: Greet
States:
  Greet: {Type: Task, Resource: test.greet, End: true}
)";
constexpr const char* kSleeper = R"(
StartAt: Sleep
States:
  Sleep: {Type: Wait, Seconds: 86400, End: true}
)";
constexpr const char* kFailing = R"(
StartAt: No
States:
  No: {Type: Fail, Error: Test.No, Cause: because}
)";

constexpr const char* kTyped = R"(
InputSchema: {type: object, required: [id], properties: {id: {type: integer}}}
StartAt: Done
States:
  Done: {Type: Succeed}
)";

class ApiTest : public ::testing::Test {
 protected:
  ApiTest() {
    Options options;
    options.database_url = "memory:";
    options.lanes = 1;
    auto opened = runtime::BlockingEngine::open(options);
    EXPECT_TRUE(opened) << opened.error;
    engine_ = std::move(opened.value);
    engine_->task("test.greet", [](const TaskInput& input) { return TaskAnswer::ok(input.input); });
    EXPECT_TRUE(engine_->run());
    for (const auto& [name, text] : {std::pair("greet", kGreet), std::pair("sleeper", kSleeper),
                                     std::pair("bad", kFailing), std::pair("typed", kTyped)}) {
      const auto deployed = engine_->deploy_text(name, text);
      EXPECT_TRUE(deployed) << deployed.error;
    }
    auto api = Api::serve(loop_, engine_->async(), {});
    api_ = std::move(api.value());
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~ApiTest() override {
    loop_.post([this] {
      api_.reset();
      loop_.stop();
    });
    thread_.join();
    engine_->stop();
  }

  Answer call(const std::string& method, const std::string& target, const std::string& body = "",
              const std::string& headers = "") {
    HttpClient client(api_->port());
    return client.call(method, target, body, headers);
  }
  Answer start(const std::string& workflow, const std::string& key, const std::string& body) {
    return call("POST", "/v1/workflows/" + workflow + "/executions", body,
                "Idempotency-Key: " + key + "\r\n");
  }
  static std::string field(const Answer& answer, const char* name) {
    const auto body = parse_json(answer.body);
    const Value* value = body.ok() ? body->find(name) : nullptr;
    if (value == nullptr) return "(none in " + answer.body + ")";
    return value->is_string() ? value->as_string() : value->to_json();
  }
  void wait_for_end(const std::string& id) {
    const auto ended = engine_->wait(id, std::chrono::seconds(20));
    EXPECT_TRUE(ended) << ended.error;
  }

  std::unique_ptr<runtime::BlockingEngine> engine_;
  loop::UvLoop loop_;
  std::unique_ptr<Api> api_;
  std::thread thread_;
};

TEST_F(ApiTest, StartsAnExecutionAndShowsItsEnd) {
  const Answer started = start("greet", "k-1", R"({"input":{"name":"Ada","n":1.50}})");
  ASSERT_EQ(started.status, 202) << started.body;
  const std::string id = field(started, "id");
  EXPECT_EQ(started.headers.at("location"), "/v1/executions/" + id);
  EXPECT_EQ(field(started, "existed"), "false");
  wait_for_end(id);
  const Answer shown = call("GET", "/v1/executions/" + id);
  EXPECT_EQ(shown.status, 200);
  EXPECT_EQ(field(shown, "status"), "SUCCEEDED");
  EXPECT_EQ(field(shown, "workflow"), "greet");
  EXPECT_EQ(field(shown, "name"), "k-1");
  EXPECT_EQ(field(shown, "output"), R"({"name":"Ada","n":1.5})");
}

TEST_F(ApiTest, RefusesAnInputThatDoesNotFitTheSchema) {
  const Answer refused = start("typed", "k-typed", R"({"input":{"id":"7"}})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(field(refused, "code"), "invalid");
  EXPECT_EQ(field(refused, "message"),
            "the input does not fit the workflow's InputSchema (line 2): /id must be a whole "
            "number, not the string \"7\"");
  EXPECT_EQ(field(call("GET", "/v1/executions?workflow=typed"), "executions"), "[]");
  EXPECT_EQ(start("typed", "k-typed", R"({"input":{"id":7}})").status, 202);
}

TEST_F(ApiTest, RefusesAStartWithoutAKey) {
  const Answer refused = call("POST", "/v1/workflows/greet/executions", "{}");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.body,
            R"({"code":"invalid","message":"the header Idempotency-Key is missing or longer than )"
            R"(255 bytes","hint":"Send one key per thing you want done, and the same key when )"
            R"(you try again."})");
}

TEST_F(ApiTest, TheSameKeyAnswersTheSameExecution) {
  const Answer first = start("greet", "same", R"({"input":{"a":1}})");
  const Answer again = start("greet", "same", R"({"input":{"a":1}})");
  EXPECT_EQ(again.status, 202);
  EXPECT_EQ(field(again, "id"), field(first, "id"));
  EXPECT_EQ(field(again, "existed"), "true");
  const Answer other = start("greet", "same", R"({"input":{"a":2}})");
  EXPECT_EQ(other.status, 409) << other.body;
  EXPECT_EQ(field(other, "code"), "conflict");
}

TEST_F(ApiTest, RefusesBodiesThatAreNotUnderstood) {
  EXPECT_EQ(start("greet", "k", "{").status, 400);
  EXPECT_EQ(start("greet", "k", "[1]").status, 400);
  EXPECT_EQ(start("greet", "k", R"({"tags":[1]})").status, 400);
  EXPECT_EQ(start("greet", "k", R"({"input":1,"input":2})").status, 400);
  const Answer unknown = start("greet", "k", R"({"imput":{}})");
  EXPECT_EQ(field(unknown, "message"), "the body has a member \"imput\" that is unknown");
}

TEST_F(ApiTest, RefusesWhatItDoesNotKnowInQueriesAndBodies) {
  const auto refused = [&](const Answer& answer) {
    return std::to_string(answer.status) + " " + field(answer, "message") + " | " +
           field(answer, "hint");
  };
  EXPECT_EQ(refused(call("GET", "/v1/executions?statuss=FAILED")),
            "400 the query parameter \"statuss\" is unknown here | There are workflow, status, "
            "limit, before.");
  EXPECT_EQ(refused(call("GET", "/healthz?a=1")),
            "400 the query parameter \"a\" is unknown here | This route takes none.");
  const std::string id = field(start("sleeper", "unknown", ""), "id");
  const std::string one = "/v1/executions/" + id;
  EXPECT_EQ(refused(call("GET", one + "/history?order=newst")),
            "400 order is neither newest nor oldest | Leave it out for the oldest first.");
  EXPECT_EQ(refused(call("POST", one + "/stop", R"({"Cause":"x"})")),
            "400 the body has a member \"Cause\" that is unknown | It may have error and cause.");
  EXPECT_EQ(call("POST", one + "/stop", R"({"error":7})").status, 400);
  EXPECT_EQ(refused(call("POST", one + "/redrive", "not json")),
            "400 the body of a redrive is not empty | Send none, or {}.");
  EXPECT_EQ(field(call("GET", one), "status"), "RUNNING") << "nothing of it was done";
}

TEST_F(ApiTest, AnUnknownWorkflowOrExecutionIs404) {
  EXPECT_EQ(start("nobody", "k", "").status, 404);
  const Answer missing = call("GET", "/v1/executions/019aa5a8-0000-7000-8000-000000000001");
  EXPECT_EQ(missing.status, 404) << missing.body;
  EXPECT_EQ(field(missing, "code"), "not_found");
  EXPECT_EQ(call("GET", "/v1/executions/not-an-id").status / 100, 4);
  EXPECT_EQ(call("GET", "/v2").status, 404);
}

TEST_F(ApiTest, AWrongMethodSaysWhichIsRight) {
  const Answer wrong = call("DELETE", "/v1/executions");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.headers.at("allow"), "GET");
  EXPECT_EQ(field(wrong, "hint"), "Use GET.");
}

TEST_F(ApiTest, ListsByPages) {
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    ids.push_back(field(start("greet", "list-" + std::to_string(i), ""), "id"));
    wait_for_end(ids.back());
  }
  std::vector<std::string> seen;
  std::string next;
  do {
    const Answer page = call("GET", "/v1/executions?workflow=greet&limit=2&before=" + next);
    ASSERT_EQ(page.status, 200) << page.body;
    const Value body = parse_json(page.body).value();
    for (const Value& item : body.find("executions")->as_array()) {
      seen.push_back(item.find("id")->as_string());
    }
    next = body.find("next")->is_string() ? body.find("next")->as_string() : "";
  } while (!next.empty());
  // Newest first; within a millisecond by id.
  std::sort(ids.rbegin(), ids.rend());
  EXPECT_EQ(seen, ids);
  EXPECT_EQ(call("GET", "/v1/executions?limit=0").status, 400);
  EXPECT_EQ(call("GET", "/v1/executions?limit=ten").status, 400);
}

TEST_F(ApiTest, ReadsTheHistoryByPages) {
  const std::string id = field(start("greet", "h", ""), "id");
  wait_for_end(id);
  std::vector<std::int64_t> event_ids;
  std::string next;
  do {
    const Answer page = call("GET", "/v1/executions/" + id + "/history?limit=2&next=" + next);
    ASSERT_EQ(page.status, 200) << page.body;
    const Value body = parse_json(page.body).value();
    for (const Value& event : body.find("events")->as_array()) {
      event_ids.push_back(event.find("id")->as_int());
    }
    next = body.find("next")->is_string() ? body.find("next")->as_string() : "";
  } while (!next.empty());
  ASSERT_GE(event_ids.size(), 5u);
  for (std::size_t i = 0; i < event_ids.size(); ++i) {
    EXPECT_EQ(event_ids[i], static_cast<std::int64_t>(i + 1));
  }
}

TEST_F(ApiTest, StopsWhatRunsAndRefusesToStopWhatEnded) {
  const std::string id = field(start("sleeper", "s", ""), "id");
  EXPECT_EQ(call("POST", "/v1/executions/" + id + "/stop", R"({"error":"E","cause":"C"})").status,
            202);
  wait_for_end(id);
  const Answer shown = call("GET", "/v1/executions/" + id);
  EXPECT_EQ(field(shown, "status"), "ABORTED");
  EXPECT_EQ(field(shown, "error"), "E");
  EXPECT_EQ(field(shown, "cause"), "C");
  EXPECT_EQ(call("POST", "/v1/executions/" + id + "/stop", "").status, 409);
}

TEST_F(ApiTest, RedrivesWhatFailedAndRefusesWhatSucceeded) {
  const std::string failed = field(start("bad", "f", ""), "id");
  wait_for_end(failed);
  EXPECT_EQ(field(call("GET", "/v1/executions/" + failed), "status"), "FAILED");
  EXPECT_EQ(call("POST", "/v1/executions/" + failed + "/redrive", "").status, 202);
  const std::string good = field(start("greet", "g", ""), "id");
  wait_for_end(good);
  EXPECT_EQ(call("POST", "/v1/executions/" + good + "/redrive", "").status, 409);
}

TEST_F(ApiTest, TellsThatItIsAliveAndReady) {
  EXPECT_EQ(call("GET", "/healthz").body, R"({"status":"alive"})");
  EXPECT_EQ(call("GET", "/readyz").body, R"({"status":"ready"})");
}

TEST_F(ApiTest, RefusesAPageOfAnotherSite) {
  const Answer foreign =
      call("POST", "/v1/executions/x/redrive", "", "Origin: http://evil.example\r\n");
  EXPECT_EQ(foreign.status, 403);
  EXPECT_EQ(call("GET", "/healthz", "", "Origin: http://localhost\r\n").status, 200);
}

}  // namespace
}  // namespace stepwell::server
