// What the extensions leave in an execution: history, snapshots, and what a redrive finds.
#include "tests/unit/step/driver.h"

namespace stepwell {
namespace {

using testing::Driver;
using testing::json;

// Through a snapshot and back, at every turn.
void reload(Driver& x) {
  auto decoded = Execution::decode(x.execution.encode());
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_TRUE(decoded->same_as(x.execution));
  x.execution = std::move(decoded).value();
}

bool fail_after(Driver& x, const std::string& error, std::optional<Millis> after) {
  const RunTask task = x.open<RunTask>();
  return x.deliver(task.id, TaskFailed{error, "because", after}, task.input_hash);
}

std::int64_t delay(const Driver& x) { return (x.open<SetTimer>().due - x.now).count(); }

constexpr const char* kHonor = R"({"StartAt": "A", "States": {"A": {
  "Type": "Task", "Resource": "x.y", "End": true,
  "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1, "IntervalSeconds": 7,
             "RetryAfter": "HONOR", "MaxRetryAfterSeconds": 60, "MaxRetryAfterCount": 2}]}}})";

TEST(RetryAfter, IsTheDelayAndDoesNotCount) {
  struct Turn {
    std::optional<Millis> after;
    std::int64_t delay_ms;
  };
  const std::vector<Turn> turns{{Millis(250), 250},           // Shorter than the retrier's own.
                                {Millis(3'600'000), 60'000},  // Cut.
                                {Millis(20'000), 20'000}};    // The third counts: at least that.
  Driver x(kHonor);
  for (const Turn& turn : turns) {
    ASSERT_TRUE(fail_after(x, "Busy", turn.after));
    EXPECT_EQ(delay(x), turn.delay_ms);
    reload(x);
    ASSERT_TRUE(x.fire());
  }
  EXPECT_EQ(x.open<RunTask>().attempt, 4u);
  ASSERT_TRUE(fail_after(x, "Busy", Millis(1)));
  EXPECT_EQ(x.end(), "FAILED Busy: because");
}

TEST(RetryAfter, NeverGoesBack) {
  Driver x(kHonor);
  ASSERT_TRUE(fail_after(x, "Busy", Millis(-5000)));
  EXPECT_EQ(delay(x), 0);
}

TEST(RetryAfter, BeginsAnewAfterRedrive) {
  Driver x(kHonor);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(fail_after(x, "Busy", Millis(10)));
    ASSERT_TRUE(x.fire());
  }
  ASSERT_TRUE(fail_after(x, "Busy", Millis(10)));
  ASSERT_TRUE(x.deliver(CommandId{}, Redriven{}));
  reload(x);
  ASSERT_TRUE(fail_after(x, "Busy", Millis(10)));
  EXPECT_EQ(delay(x), 10);
}

constexpr const char* kTolerant = R"({"StartAt": "M", "States": {"M": {
  "Type": "Map", "End": true, "TolerateFailures": true, "MaxConcurrency": 2, %
  "ItemProcessor": {"StartAt": "T", "States": {
    "T": {"Type": "Task", "Resource": "x.y", "End": true}}}}}})";

std::string tolerant(const std::string& fields) {
  std::string text = kTolerant;
  return text.replace(text.find('%'), 1, fields);
}

TEST(TolerateFailures, TellsWhichFailedWhateverCameFirst) {
  Driver x(tolerant(""), "[1,2,3]");
  ASSERT_TRUE(x.fail("B", 1));
  reload(x);
  ASSERT_TRUE(x.fail("A", 0));
  reload(x);
  ASSERT_TRUE(x.succeed("\"c\""));
  EXPECT_EQ(x.end(), R"(SUCCEEDED {"Results":[null,null,"c"],"Failures":[)"
                     R"({"Index":0,"Error":"A","Cause":"because"},)"
                     R"({"Index":1,"Error":"B","Cause":"because"}]})");
  EXPECT_EQ(x.told(),
            "ExecutionStarted(0) MapStateEntered(0) MapStateStarted(2) MapIterationStarted(3) "
            "MapIterationStarted(3) TaskStateEntered(4) TaskScheduled(6) TaskStateEntered(5) "
            "TaskScheduled(8) TaskStarted(7) TaskStarted(9) TaskFailed(11) "
            "MapIterationFailed(12) TaskStateAborted(12) MapIterationStarted(12) "
            "TaskStateEntered(15) TaskScheduled(16) TaskStarted(17) TaskFailed(10) "
            "MapIterationFailed(19) TaskStateAborted(19) TaskSucceeded(18) "
            "TaskStateExited(22) MapIterationSucceeded(23) MapStateSucceeded(24) "
            "MapStateExited(24) ExecutionSucceeded(26)");
}

TEST(TolerateFailures, UpToAShare) {
  Driver x(tolerant("\"ToleratedFailurePercentage\": 34,"), "[1,2,3]");
  ASSERT_TRUE(x.fail("A"));
  EXPECT_EQ(x.end(), "RUNNING");
  ASSERT_TRUE(x.fail("A"));
  EXPECT_EQ(x.end(),
            "FAILED States.ExceedToleratedFailureThreshold: The specified tolerated failure "
            "threshold was exceeded");
  // What was tolerated stays so; what broke the Map runs again.
  ASSERT_TRUE(x.deliver(CommandId{}, Redriven{}));
  EXPECT_EQ(x.open_count(), 2u);
  ASSERT_TRUE(x.succeed("1"));
  ASSERT_TRUE(x.succeed("2"));
  EXPECT_EQ(x.end(), R"(SUCCEEDED {"Results":[null,1,2],"Failures":[)"
                     R"({"Index":0,"Error":"A","Cause":"because"}]})");
}

TEST(TolerateFailures, DoesNotTolerateMistakesOfTheWorkflow) {
  Driver x(R"({"StartAt": "M", "States": {"M": {"Type": "Map", "End": true,
    "TolerateFailures": true, "ItemProcessor": {"StartAt": "P", "States": {
      "P": {"Type": "Pass", "InputPath": "$.nowhere", "End": true}}}}}})",
           "[{}]");
  EXPECT_EQ(
      x.end(),
      "FAILED States.Runtime: An error occurred while executing the state 'P' (entered at the "
      "event id #5). Invalid path '$.nowhere' : No results for path: $['nowhere']");
}

TEST(TolerateFailures, ChangesNothingInPlainAsl) {
  Driver x(R"({"StartAt": "M", "States": {"M": {"Type": "Map", "End": true,
    "ToleratedFailureCount": 5, "ItemProcessor": {"StartAt": "T", "States": {
      "T": {"Type": "Task", "Resource": "x.y", "End": true}}}}}})",
           "[1,2]");
  ASSERT_TRUE(x.fail("A"));
  EXPECT_EQ(x.end(), "FAILED A: because");
}

constexpr const char* kGroup = R"({"StartAt": "A",
  "Groups": {"G": {"States": ["A", "B"],
    "Retry": [{"ErrorEquals": ["Again"], "MaxAttempts": 2, "IntervalSeconds": 3,
               "RetryAfter": "HONOR"}],
    "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Z", "ResultPath": "$.why"}]}},
  "States": {
    "A": {"Type": "Task", "Resource": "x.a", "ResultPath": "$.a", "Assign": {"seen": 1},
          "Next": "B"},
    "B": {"Type": "Parallel", "ResultPath": "$.b", "Next": "Z", "Branches": [
      {"StartAt": "B1", "States": {"B1": {"Type": "Task", "Resource": "x.b", "End": true}}},
      {"StartAt": "B2", "States": {"B2": {"Type": "Task", "Resource": "x.b", "End": true}}}]},
    "Z": {"Type": "Succeed"}}})";

TEST(Group, BeginsAgainWithWhatItWasEnteredWith) {
  Driver x(kGroup, R"({"in":1})");
  ASSERT_TRUE(x.succeed("\"a-1\""));
  ASSERT_TRUE(x.fail("Again", 1));
  reload(x);
  EXPECT_EQ(x.open_count(), 1u) << "the sibling is cancelled";
  EXPECT_EQ(delay(x), 3000);
  EXPECT_EQ(x.execution.frames.begin()->second.variables, json("{}"));
  ASSERT_TRUE(x.fire());
  reload(x);
  EXPECT_EQ(x.open<RunTask>().resource, "x.a");
  EXPECT_EQ(x.open<RunTask>().input, json(R"({"in":1})"));
  ASSERT_TRUE(x.succeed("\"a-2\""));
  ASSERT_TRUE(x.succeed("1"));
  ASSERT_TRUE(x.succeed("2"));
  EXPECT_EQ(x.end(), R"(SUCCEEDED {"in":1,"a":"a-2","b":[1,2]})");
}

TEST(Group, TellsItsHistory) {
  Driver x(kGroup, "{}");
  ASSERT_TRUE(fail_after(x, "Again", Millis(50)));
  EXPECT_EQ(delay(x), 50);
  ASSERT_TRUE(x.fire());
  ASSERT_TRUE(x.fail("Other"));
  EXPECT_EQ(x.told(),
            "ExecutionStarted(0) TaskStateEntered(0) TaskScheduled(2) TaskStarted(3) TaskFailed(4) "
            "TaskStateEntered(5) TaskScheduled(6) TaskStarted(7) TaskFailed(8) TaskStateExited(9) "
            "SucceedStateEntered(10) SucceedStateExited(11) ExecutionSucceeded(12)");
  EXPECT_EQ(x.end(), R"(SUCCEEDED {"why":{"Error":"Other","Cause":"because"}})");
}

TEST(Group, IsLeftWithItsCounts) {
  // Z leads back: a group that is entered anew has all its attempts.
  Driver x(R"({"StartAt": "A", "Groups": {"G": {"States": ["A"],
      "Retry": [{"ErrorEquals": ["Again"], "MaxAttempts": 1}]}},
    "States": {"A": {"Type": "Task", "Resource": "x.a", "Next": "Z"},
               "Z": {"Type": "Pass", "Next": "A"}}})",
           "{}");
  for (int lap = 0; lap < 2; ++lap) {
    ASSERT_TRUE(x.fail("Again"));
    ASSERT_TRUE(x.fire());
    ASSERT_TRUE(x.succeed("{}"));
  }
  ASSERT_TRUE(x.fail("Again"));
  ASSERT_TRUE(x.fire());
  ASSERT_TRUE(x.fail("Again"));
  EXPECT_EQ(x.end(), "FAILED Again: because");
}

TEST(Group, RedriveGoesOnWhereItFailed) {
  Driver x(R"({"StartAt": "A", "Groups": {"G": {"States": ["A", "B"],
      "Retry": [{"ErrorEquals": ["Again"], "MaxAttempts": 1}],
      "Catch": [{"ErrorEquals": ["Caught"], "Next": "Z"}]}},
    "States": {"A": {"Type": "Task", "Resource": "x.a", "Next": "B"},
               "B": {"Type": "Task", "Resource": "x.b", "Next": "Z"},
               "Z": {"Type": "Succeed"}}})",
           R"({"in":1})");
  ASSERT_TRUE(x.succeed("{\"a\":1}"));
  ASSERT_TRUE(x.fail("Other"));
  EXPECT_EQ(x.end(), "FAILED Other: because");
  reload(x);
  ASSERT_TRUE(x.deliver(CommandId{}, Redriven{}));
  EXPECT_EQ(x.open<RunTask>().input, json(R"({"a":1})"));
  ASSERT_TRUE(x.fail("Again"));
  ASSERT_TRUE(x.fire());
  EXPECT_EQ(x.open<RunTask>().input, json(R"({"in":1})"));
}

TEST(Group, CatchesAFailState) {
  Driver x(R"({"StartAt": "F", "Groups": {"G": {"States": ["F"],
      "Catch": [{"ErrorEquals": ["Mine"], "Next": "Z"}]}},
    "States": {"F": {"Type": "Fail", "Error": "Mine", "Cause": "why"},
               "Z": {"Type": "Succeed"}}})",
           "{}");
  EXPECT_EQ(x.end(), R"(SUCCEEDED {"Error":"Mine","Cause":"why"})");
  EXPECT_EQ(x.told(),
            "ExecutionStarted(0) FailStateEntered(0) SucceedStateEntered(2) SucceedStateExited(3) "
            "ExecutionSucceeded(4)");
}

TEST(Group, SpeaksJsonata) {
  Driver x(R"({"QueryLanguage": "JSONata", "StartAt": "A", "Groups": {"G": {"States": ["A", "B"],
      "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Z",
                 "Output": "{% $merge([$states.input, {'why': $states.errorOutput.Error}]) %}"}]}},
    "States": {"A": {"Type": "Pass", "Output": {"gone": true}, "Next": "B"},
               "B": {"Type": "Task", "Resource": "x.b", "Next": "Z"},
               "Z": {"Type": "Succeed"}}})",
           R"({"in":1})");
  ASSERT_TRUE(x.fail("Other"));
  EXPECT_EQ(x.end(), R"(SUCCEEDED {"in":1,"why":"Other"})");
}

TEST(Group, LeavesSnapshotsOfOthersAsTheyWere) {
  Driver x(R"({"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "x.a", "End": true,
    "Retry": [{"ErrorEquals": ["Again"]}]}}})");
  ASSERT_TRUE(x.fail("Again"));
  const std::string bytes = x.execution.encode();
  Driver y(R"({"StartAt": "A", "Groups": {"G": {"States": ["A"],
    "Retry": [{"ErrorEquals": ["Again"]}]}}, "States": {"A": {"Type": "Task", "Resource": "x.a",
    "End": true, "Retry": [{"ErrorEquals": ["Again"]}]}}})");
  ASSERT_TRUE(y.fail("Again"));
  EXPECT_LT(bytes.size(), y.execution.encode().size());
}

}  // namespace
}  // namespace stepwell
