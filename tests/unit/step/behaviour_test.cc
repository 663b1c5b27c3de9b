// Retry, Catch, siblings, variables, slices, limits: each in a workflow of a few lines.
#include "tests/unit/step/driver.h"

namespace stepwell {
namespace {

using testing::Driver;

std::string task_with(const std::string& more) {
  return R"({"StartAt":"T","States":{"T":{"Type":"Task","Resource":"t.t",)" + more +
         R"("Next":"End"},"Caught":{"Type":"Pass","End":true},"End":{"Type":"Pass","End":true}}})";
}

TEST(Retry, BacksOffByTheRateUpToTheMost) {
  Driver driver(task_with(R"("Retry":[{"ErrorEquals":["E"],"IntervalSeconds":2,"MaxAttempts":4,
      "BackoffRate":3,"MaxDelaySeconds":15}],)"));
  std::vector<std::int64_t> delays;
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(driver.open<RunTask>().attempt, static_cast<std::uint32_t>(i + 1));
    driver.fail("E");
    delays.push_back((driver.open<SetTimer>().due - driver.now).count());
    driver.fire();
  }
  EXPECT_EQ(delays, (std::vector<std::int64_t>{2000, 6000, 15000, 15000}));
  driver.fail("E");
  EXPECT_EQ(driver.end(), "FAILED E: because");
}

TEST(Retry, CountsPerRetrierAndAsksTheFirstThatMatches) {
  Driver driver(task_with(R"("Retry":[{"ErrorEquals":["A"],"MaxAttempts":1},
      {"ErrorEquals":["States.ALL"],"MaxAttempts":1}],)"));
  driver.fail("A");
  driver.fire();
  driver.fail("B");
  driver.fire();
  driver.fail("A");  // The first retrier has no attempt left, and the second is not asked.
  EXPECT_EQ(driver.end(), "FAILED A: because");
}

TEST(Retry, TakesTheServersTimeWhenItIsLater) {
  Driver driver(task_with(R"("Retry":[{"ErrorEquals":["E"],"IntervalSeconds":5}],)"));
  const RunTask task = driver.open<RunTask>();
  driver.deliver(task.id, TaskFailed{"E", std::nullopt, Millis(60'000)});
  EXPECT_EQ((driver.open<SetTimer>().due - driver.now).count(), 60'000);
  driver.fire();
  driver.deliver(driver.open<RunTask>().id, TaskFailed{"E", std::nullopt, Millis(10)});
  EXPECT_EQ((driver.open<SetTimer>().due - driver.now).count(), 10'000);
}

TEST(Retry, WithFullJitterWaitsSomewhereInBetween) {
  const std::string definition = task_with(
      R"("Retry":[{"ErrorEquals":["E"],"IntervalSeconds":100,"JitterStrategy":"FULL"}],)");
  Driver first(definition), second(definition);
  first.fail("E");
  second.fail("E");
  const auto delay = (first.open<SetTimer>().due - first.now).count();
  EXPECT_GE(delay, 0);
  EXPECT_LE(delay, 100'000);
  EXPECT_EQ(first.open<SetTimer>().due, second.open<SetTimer>().due) << "the same seed";
}

TEST(Catch, PutsErrorAndCauseAtItsResultPathAndSkipsTheStates) {
  Driver driver(task_with(R"("ResultPath":"$.x","OutputPath":"$.no","Assign":{"v.$":"$.no"},
      "Catch":[{"ErrorEquals":["Other"],"Next":"End"},
               {"ErrorEquals":["States.ALL"],"Next":"Caught","ResultPath":"$.e"}],)"),
                R"({"a":1})");
  driver.fail("E");
  EXPECT_EQ(driver.end(), R"(SUCCEEDED {"a":1,"e":{"Error":"E","Cause":"because"}})");
}

TEST(Catch, ShowsMissingFieldsAsNullAndATimeoutWithAnEmptyCause) {
  const std::string definition =
      task_with(R"("Catch":[{"ErrorEquals":["States.ALL"],"Next":"Caught"}],)");
  Driver bare(definition);
  bare.deliver(bare.open<RunTask>().id, TaskFailed{});
  EXPECT_EQ(bare.end(), R"(SUCCEEDED {"Error":null,"Cause":null})");
  Driver late(definition);
  late.deliver(late.open<RunTask>().id, TaskTimedOut{});
  EXPECT_EQ(late.end(), R"(SUCCEEDED {"Error":"States.Timeout","Cause":""})");
}

TEST(Catch, NamesTakeTheirErrors) {
  const struct {
    const char* name;
    FactBody body;
    bool caught;
  } rows[] = {
      {"States.TaskFailed", TaskFailed{"E", "c", std::nullopt}, true},
      {"States.TaskFailed", TaskTimedOut{}, false},
      {"States.Timeout", TaskTimedOut{}, true},
      {"States.Timeout", TaskTimedOut{true}, true},
      {"States.HeartbeatTimeout", TaskTimedOut{true}, true},
      {"States.HeartbeatTimeout", TaskTimedOut{}, false},
      {"State.ALL", TaskFailed{"E", "c", std::nullopt}, false},
  };
  for (const auto& row : rows) {
    Driver driver(task_with(R"("Catch":[{"ErrorEquals":[")" + std::string(row.name) +
                            R"("],"Next":"Caught"}],)"));
    driver.deliver(driver.open<RunTask>().id, row.body);
    EXPECT_EQ(driver.execution.status == ExecutionStatus::kSucceeded, row.caught) << row.name;
  }
}

TEST(RuntimeErrors, AreNeverCaughtNotEvenByName) {
  Driver driver(task_with(R"("ResultPath":"$.r","OutputPath":"$.no.such",
      "Catch":[{"ErrorEquals":["States.Runtime"],"Next":"Caught"},
               {"ErrorEquals":["States.ALL"],"Next":"Caught"}],)"));
  driver.succeed("1");
  EXPECT_EQ(driver.end(),
            "FAILED States.Runtime: An error occurred while executing the state 'T' (entered at "
            "the event id #2). Invalid path '$.no.such' : Missing property in path $['no']");
}

TEST(DataLimit, IsCaughtAndNamesTheTask) {
  Limits limits;
  limits.max_payload_bytes = 100;
  Driver driver(task_with(R"("Catch":[{"ErrorEquals":["States.ALL"],"Next":"Caught"}],)"), "{}",
                limits);
  driver.succeed('"' + std::string(99, 'a') + '"');
  ASSERT_EQ(driver.execution.status, ExecutionStatus::kFailed)
      << "the catcher's own output is too large here as well";
  limits.max_payload_bytes = 300;
  Driver roomier(task_with(R"("Catch":[{"ErrorEquals":["States.ALL"],"Next":"Caught"}],)"), "{}",
                 limits);
  roomier.succeed('"' + std::string(299, 'a') + '"');
  EXPECT_EQ(roomier.execution.status, ExecutionStatus::kSucceeded);
  EXPECT_EQ(roomier.execution.output.find("Error")->as_string(), "States.DataLimitExceeded");
}

TEST(Slices, AnEndlessLoopIsVisibleCanBeStoppedAndEndsAtItsBudget) {
  Limits limits;
  limits.slice_transitions = 100;
  limits.max_transitions = 250;
  Driver driver(R"({"StartAt":"A","States":{"A":{"Type":"Pass","Next":"A"}}})", "{}", limits);
  EXPECT_EQ(driver.execution.transitions, 100u);
  EXPECT_EQ(driver.execution.warning(), "");
  EXPECT_TRUE(driver.deliver(driver.open<Continue>().id, Continued{}));
  EXPECT_EQ(driver.execution.transitions, 200u);
  EXPECT_EQ(driver.execution.warning(),
            "entered 200 states of the 250 that it may enter; then it fails");
  EXPECT_TRUE(driver.deliver(driver.open<Continue>().id, Continued{}));
  EXPECT_EQ(driver.execution.status, ExecutionStatus::kFailed);
  EXPECT_EQ(*driver.execution.error, "States.Runtime");
}

TEST(WorkflowTimeout, EndsItWithoutErrorInDescribe) {
  Driver driver(R"({"StartAt":"T","TimeoutSeconds":30,"States":{
      "T":{"Type":"Task","Resource":"t.t","End":true}}})");
  driver.fire();
  EXPECT_EQ(driver.end(), "TIMED_OUT");
  EXPECT_EQ(driver.history.back().type, "ExecutionTimedOut");
  EXPECT_EQ(driver.commands.size(), 2u) << "the task is cancelled, and the end is told";
}

constexpr const char* kMapOfTasks = R"({"StartAt":"M","States":{"M":{"Type":"Map","End":true,
    "MaxConcurrency":2,"ItemProcessor":{"StartAt":"T","States":{
      "T":{"Type":"Task","Resource":"t.t","End":true}}}}}})";

TEST(Map, StartsNoMoreThanItsConcurrencyAndKeepsTheOrder) {
  Driver driver(kMapOfTasks, "[10,11,12]");
  EXPECT_EQ(driver.open_count(), 2u);
  driver.succeed("\"second\"", 1);
  EXPECT_EQ(driver.open<RunTask>(1).input, Value(12));
  driver.succeed("\"third\"", 1);
  driver.succeed("\"first\"");
  EXPECT_EQ(driver.end(), R"(SUCCEEDED ["first","second","third"])");
}

TEST(Map, AFailureAbortsTheSiblings) {
  Driver driver(kMapOfTasks, "[10,11,12]");
  const std::size_t from = driver.history.size();
  driver.fail("E", 0);
  EXPECT_EQ(driver.end(), "FAILED E: because");
  EXPECT_EQ(driver.told(from),
            "TaskFailed(10) MapIterationFailed(12) TaskStateAborted(12) MapIterationAborted(12) "
            "TaskStateAborted(12) MapStateFailed(12) ExecutionFailed(17)");
  ASSERT_EQ(driver.commands.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<Cancel>(driver.commands[0]));
  EXPECT_TRUE(std::holds_alternative<Finish>(driver.commands[1]));
}

TEST(Map, IsRetriedAsAWholeWithoutBeingEnteredAgain) {
  Driver driver(R"({"StartAt":"M","States":{"M":{"Type":"Map","End":true,
      "Retry":[{"ErrorEquals":["E"],"MaxAttempts":1}],
      "ItemProcessor":{"StartAt":"T","States":{
        "T":{"Type":"Task","Resource":"t.t","End":true}}}}}})",
                "[1]");
  driver.fail("E");
  EXPECT_EQ(driver.open_count(), 1u);
  const std::size_t from = driver.history.size();
  driver.fire();
  EXPECT_EQ(driver.told(from),
            "MapStateStarted(8) MapIterationStarted(11) TaskStateEntered(12) TaskScheduled(13) "
            "TaskStarted(14)");
  driver.succeed("5");
  EXPECT_EQ(driver.end(), "SUCCEEDED [5]");
}

TEST(Map, AnItemSelectorThatFailsFailsTheMapWhichCatchesIt) {
  Driver driver(R"json({"StartAt":"M","States":{
      "M":{"Type":"Map","ItemSelector":{"n.$":"States.MathAdd($$.Map.Item.Value, 1)"},
        "Catch":[{"ErrorEquals":["States.ALL"],"Next":"C"}],"End":true,
        "ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}},
      "C":{"Type":"Pass","Parameters":{"error.$":"$.Error"},"End":true}}})json",
                R"([1,"no number",3])");
  EXPECT_EQ(driver.end(), R"(SUCCEEDED {"error":"States.IntrinsicFailure"})");
}

TEST(Variables, AreSeenInsideAndDoNotLeakOut) {
  Driver driver(R"({"StartAt":"A","States":{
      "A":{"Type":"Pass","Assign":{"x":1},"Next":"M"},
      "M":{"Type":"Map","Next":"Z","ItemProcessor":{"StartAt":"I","States":{
        "I":{"Type":"Pass","Assign":{"x.$":"$"},"Next":"J"},
        "J":{"Type":"Pass","Parameters":{"inner.$":"$x"},"End":true}}}},
      "Z":{"Type":"Pass","Parameters":{"outer.$":"$x","all.$":"$"},"End":true}}})",
                "[7,8]");
  EXPECT_EQ(driver.end(), R"(SUCCEEDED {"outer":1,"all":[{"inner":7},{"inner":8}]})");
}

TEST(Variables, ReferencesSeeTheValuesAtEntry) {
  Driver driver(R"({"StartAt":"A","States":{
      "A":{"Type":"Pass","Assign":{"x":42},"Next":"B"},
      "B":{"Type":"Pass","Result":{"n":1},"Assign":{"x.$":"$.n"},"OutputPath":"$x","Next":"C"},
      "C":{"Type":"Pass","Parameters":{"then.$":"$","now.$":"$x"},"End":true}}})");
  EXPECT_EQ(driver.end(), R"(SUCCEEDED {"then":42,"now":1})");
}

TEST(Wait, EndsAtOnceWhenTheTimeIsPast) {
  Driver driver(R"({"StartAt":"W","States":{
      "W":{"Type":"Wait","Timestamp":"2016-03-14T01:59:00Z","End":true}}})");
  EXPECT_EQ(driver.end(), "SUCCEEDED {}");
}

TEST(Facts, TimeNeverRunsBackwards) {
  Driver driver(task_with(R"("Retry":[{"ErrorEquals":["E"],"IntervalSeconds":1}],)"));
  const Time start = driver.now;
  driver.now = start - Millis(10'000);
  driver.fail("E");
  EXPECT_EQ(driver.open<SetTimer>().due, start + Millis(1000));
  EXPECT_EQ(driver.execution.last_at, start);
}

TEST(Facts, WithAnotherInputHashDoNotFit) {
  Driver driver(task_with(""));
  const RunTask task = driver.open<RunTask>();
  EXPECT_THROW(driver.deliver(task.id, TaskSucceeded{Value(1)}, task.input_hash + 1), FoldMismatch);
}

TEST(DistributedMap, HasItsToleranceAndOtherwiseFailsAsAMapRun) {
  const auto run = [](const std::string& tolerance) {
    Driver driver(R"({"StartAt":"M","States":{"M":{"Type":"Map","End":true,)" + tolerance +
                      R"("Catch":[{"ErrorEquals":["States.ExceedToleratedFailureThreshold"],
        "Next":"C"}],"ItemProcessor":{
        "ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},
        "StartAt":"P","States":{"P":{"Type":"Pass","Parameters":{"v.$":"$.v"},"End":true}}}},
      "C":{"Type":"Pass","End":true}}})",
                  R"([{"v":1},{},{"v":3}])");
    return driver.end();
  };
  EXPECT_EQ(run(""), R"(SUCCEEDED {"Error":"States.ExceedToleratedFailureThreshold",)"
                     R"("Cause":"The specified tolerated failure threshold was exceeded"})");
  EXPECT_EQ(run(R"("ToleratedFailureCount":1,)"), R"(SUCCEEDED [{"v":1},null,{"v":3}])");
  EXPECT_EQ(run(R"("ToleratedFailurePercentage":50,)"), R"(SUCCEEDED [{"v":1},null,{"v":3}])");
}

TEST(DistributedMap, WithAnItemReaderFailsAndSaysSo) {
  Driver driver(R"({"StartAt":"M","States":{"M":{"Type":"Map","End":true,
      "ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"JSON"},
        "Parameters":{"Bucket":"b","Key":"k"}},
      "ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},
        "StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}}}})");
  EXPECT_EQ(driver.end(),
            "FAILED States.Runtime: An error occurred while executing the state 'M' (entered at "
            "the event id #2). A Map with ItemReader cannot be run by this version of Stepwell.");
}

}  // namespace
}  // namespace stepwell
