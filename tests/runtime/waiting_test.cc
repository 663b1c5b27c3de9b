// Executions that wait: parked, told about, and woken.
#include "tests/runtime/world.h"

namespace stepwell::runtime {
namespace {

constexpr const char* kSleep = R"(
StartAt: Sleep
States:
  Sleep: {Type: Wait, Seconds: 3600, Next: Done}
  Done: {Type: Pass, Result: {"woke": true}, End: true}
)";
constexpr const char* kNobody = R"(
StartAt: Ask
States:
  Ask: {Type: Task, Resource: test.elsewhere, End: true}
)";
constexpr const char* kRetry = R"(
StartAt: Try
States:
  Try:
    Type: Task
    Resource: test.slow
    Retry: [{ErrorEquals: [Again], IntervalSeconds: 5, MaxAttempts: 2}]
    End: true
)";

class Waiting : public World {
 protected:
  static std::string first_reason(const std::string& waiting) {
    const auto json = parse_json(waiting);
    if (!json.ok()) return "";
    const Value* waits = json->find("for");
    if (waits == nullptr || waits->size() == 0) return "";
    return waits->as_array()[0].find("reason")->as_string();
  }
};

TEST_F(Waiting, ForTheFarFutureNeedsNoOwner) {
  auto one = engine();
  deploy(*one, "sleep", kSleep);
  const std::string id = start(*one, "sleep");
  eventually("it is parked", [&] { return !row(id).owner; });
  const store::ExecutionRow parked = row(id);
  EXPECT_EQ(*parked.wake_at - parked.started_at, Millis(3'600'000));
  EXPECT_EQ(first_reason(parked.waiting), "timer");
  eventually("it is counted", [&] { return one->async().counters().parked == 1; });
  pass(Millis(3'600'000));
  EXPECT_EQ(outcome(ended(*one, id)), R"(SUCCEEDED {"woke":true})");
  EXPECT_EQ(one->async().counters().reissued, 0u);
}

TEST_F(Waiting, IsEndedByAStop) {
  auto one = engine();
  deploy(*one, "sleep", kSleep);
  const std::string id = start(*one, "sleep");
  eventually("it is parked", [&] { return !row(id).owner; });
  EXPECT_TRUE(one->stop_execution(id, "No", "more"));
  EXPECT_EQ(outcome(ended(*one, id)), "ABORTED No: more");
}

TEST_F(Waiting, ForAHandlerThatNobodyHasIsVisible) {
  settings_.unserved_retry = Millis(10);
  auto one = engine();
  deploy(*one, "nobody", kNobody);
  const std::string id = start(*one, "nobody", R"({"q":1})");
  eventually("it says for what", [&] { return first_reason(row(id).waiting) == "handler"; });
  EXPECT_EQ(row(id).status, ExecutionStatus::kRunning);
  EXPECT_NE(row(id).waiting.find("test.elsewhere"), std::string::npos) << row(id).waiting;
  one->stop();
  auto tasks = std::make_shared<ManualTasks>(std::vector<std::string>{"test.elsewhere"});
  auto other = engine(tasks);
  auto begun = tasks->next();
  begun.done(TaskSucceeded{begun.call.input});
  EXPECT_EQ(outcome(ended(*other, id)), R"(SUCCEEDED {"q":1})");
}

TEST_F(Waiting, ForATaskOrARetryIsToldAfterAWhile) {
  auto tasks = std::make_shared<ManualTasks>(std::vector<std::string>{"test.slow"});
  auto one = engine(tasks);
  deploy(*one, "retry", kRetry);
  const std::string id = start(*one, "retry");
  auto begun = tasks->next();
  eventually("it waits for a task", [&] { return first_reason(row(id).waiting) == "task"; });
  begun.done(TaskFailed{"Again", "later", {}});
  eventually("it waits to retry", [&] { return first_reason(row(id).waiting) == "retry"; });
  EXPECT_NE(row(id).waiting.find(R"("last_error":"Again")"), std::string::npos) << row(id).waiting;
  pass(Millis(5'000));
  auto second = tasks->next();
  EXPECT_EQ(second.call.attempt, 2u);
  second.done(TaskSucceeded{Value(1)});
  EXPECT_EQ(outcome(ended(*one, id)), "SUCCEEDED 1");
  EXPECT_EQ(row(id).waiting, "");
}

TEST_F(Waiting, OfACallerEndsWhenTheTimeIsOver) {
  auto one = engine();
  deploy(*one, "sleep", kSleep);
  const auto view = one->wait(start(*one, "sleep"), Millis(20));
  EXPECT_EQ(view.code, Code::kTimeout);
  EXPECT_EQ(view.value.status, "RUNNING");
}

TEST_F(Waiting, OfOneProcessIsEndedByAnother) {
  auto tasks = std::make_shared<ManualTasks>(std::vector<std::string>{"test.slow"});
  auto worker = engine(tasks);
  deploy(*worker, "retry", kRetry);
  const auto caller = idle_engine();  // Runs no lanes.
  const std::string id = start(*caller, "retry", "5");
  auto begun = tasks->next();
  begun.done(TaskSucceeded{begun.call.input});
  EXPECT_EQ(outcome(ended(*caller, id)), "SUCCEEDED 5");
}

}  // namespace
}  // namespace stepwell::runtime
