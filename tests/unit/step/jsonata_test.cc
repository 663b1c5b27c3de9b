// JSONata states: what each field sees, what leaves the state, and how it fails.
#include "tests/unit/step/driver.h"

namespace stepwell {
namespace {

using testing::Driver;

// A machine of JSONata: the first of `states` is the first to run.
std::string machine(const std::string& start, const std::string& states) {
  return R"({"QueryLanguage":"JSONata","StartAt":")" + start + R"(","States":{)" + states + "}}";
}
std::string failed(const std::string& state, int event, const std::string& what) {
  return "FAILED States.QueryEvaluationError: An error occurred while executing the state '" +
         state + "' (entered at the event id #" + std::to_string(event) + "). " + what;
}
std::string details_of(const Driver& driver, std::string_view type) {
  for (const HistoryEvent& event : driver.history) {
    if (event.type == type) return event.details.to_json();
  }
  return "no " + std::string(type);
}

// ---- what leaves a state ----------------------------------------------------------------------

struct Flow {
  std::string name, states, input, end;
};

class DataFlow : public ::testing::TestWithParam<Flow> {};

TEST_P(DataFlow, EndsAsTheTableSays) {
  Driver driver(machine("S", GetParam().states), GetParam().input);
  EXPECT_EQ(driver.end(), GetParam().end);
}

const Flow kFlows[] = {
    {"PassWithoutOutputKeepsItsInput", R"("S":{"Type":"Pass","End":true})", R"({"a":1})",
     R"(SUCCEEDED {"a":1})"},
    {"OutputIsAnyJson", R"("S":{"Type":"Pass","End":true,"Output":[1,"x",null,{"a":true}]})", "{}",
     R"(SUCCEEDED [1,"x",null,{"a":true}])"},
    {"OutputComputesInPlaces",
     R"("S":{"Type":"Pass","End":true,"Output":{"n":"{% $states.input.a + 1 %}","l":["{% 2 %}"]}})",
     R"({"a":1})", R"(SUCCEEDED {"n":2,"l":[2]})"},
    {"ABlankAroundTheDelimitersMakesAString",
     R"("S":{"Type":"Pass","End":true,"Output":" {% 1 %} "})", "{}", R"(SUCCEEDED " {% 1 %} ")"},
    {"ADollarKeyIsOnlyAKey", R"("S":{"Type":"Pass","End":true,"Output":{"a.$":"$.b"}})", "{}",
     R"(SUCCEEDED {"a.$":"$.b"})"},
    {"NullIsAValue", R"("S":{"Type":"Pass","End":true,"Output":"{% $states.input.a %}"})",
     R"({"a":null})", "SUCCEEDED null"},
    {"SucceedHasAnOutput", R"("S":{"Type":"Succeed","Output":"{% $states.input.a %}"})",
     R"({"a":7})", "SUCCEEDED 7"},
    {"FailTakesExpressions",
     R"("S":{"Type":"Fail","Error":"{% $states.input.e %}","Cause":"{% 'no ' & 'luck' %}"})",
     R"({"e":"Bad"})", "FAILED Bad: no luck"},
    {"AVariableIsSeenByTheNextState",
     R"("S":{"Type":"Pass","Assign":{"x":"{% $states.input.a %}","y":5},"Next":"T"},
        "T":{"Type":"Pass","End":true,"Output":"{% $x + $y %}"})",
     R"({"a":3})", "SUCCEEDED 8"},
    {"AssignAndOutputSeeTheVariablesOfTheEntry",
     R"("S":{"Type":"Pass","Assign":{"x":1},"Next":"T"},
        "T":{"Type":"Pass","Assign":{"x":"{% $x + 1 %}"},"Output":{"was":"{% $x %}"},"Next":"U"},
        "U":{"Type":"Pass","Output":["{% $states.input.was %}","{% $x %}"],"End":true})",
     "{}", "SUCCEEDED [1,2]"},
    {"ChoiceTakesTheFirstTrueRule",
     R"("S":{"Type":"Choice","Choices":[
          {"Condition":"{% $states.input.n > 10 %}","Next":"T","Output":"large"},
          {"Condition":"{% $states.input.n > 5 %}","Next":"T","Output":"{% 'over ' & 5 %}"}],
          "Default":"T","Output":"small"},
        "T":{"Type":"Succeed"})",
     R"({"n":7})", R"(SUCCEEDED "over 5")"},
    {"TheOutputOfAChoiceIsThatOfItsDefault",
     R"("S":{"Type":"Choice","Choices":[{"Condition":false,"Next":"T"}],"Default":"T",
          "Output":{"d":"{% $states.input.n %}"},"Assign":{"v":"default"}},
        "T":{"Type":"Pass","End":true,"Output":["{% $states.input.d %}","{% $v %}"]})",
     R"({"n":7})", R"(SUCCEEDED [7,"default"])"},
    {"ARuleWithoutOutputKeepsTheInput",
     R"("S":{"Type":"Choice","Choices":[{"Condition":true,"Next":"T","Assign":{"v":1}}],
          "Default":"T","Output":"of the default","Assign":{"v":2}},
        "T":{"Type":"Pass","End":true,"Output":["{% $states.input %}","{% $v %}"]})",
     R"({"n":7})", R"(SUCCEEDED [{"n":7},1])"},
    {"NoRuleAndNoDefault", R"("S":{"Type":"Choice","Choices":[{"Condition":false,"Next":"T"}]},
        "T":{"Type":"Succeed"})",
     "{}",
     "FAILED States.Runtime: An error occurred while executing the state 'S' (entered at the event "
     "id #2). Failed to transition out of the state. The state does not point to a next state."},
    {"ParallelTakesArguments",
     R"("S":{"Type":"Parallel","End":true,"Arguments":{"n":"{% $states.input.a * 2 %}"},
          "Output":{"r":"{% $states.result %}","i":"{% $states.input %}"},
          "Branches":[{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},
            {"StartAt":"B","States":{"B":{"Type":"Pass","End":true,
              "Output":"{% $states.input.n %}"}}}]})",
     R"({"a":2})", R"(SUCCEEDED {"r":[{"n":4},4],"i":{"a":2}})"},
    {"MapTakesItemsAndSelectsThem",
     R"("S":{"Type":"Map","End":true,"Items":"{% $states.input.list %}",
          "ItemSelector":{"v":"{% $states.context.Map.Item.Value %}",
            "i":"{% $states.context.Map.Item.Index %}","all":"{% $count($states.input.list) %}"},
          "ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}})",
     R"({"list":["a","b"]})", R"(SUCCEEDED [{"v":"a","i":0,"all":2},{"v":"b","i":1,"all":2}])"},
    {"MapItemsMayBeAList",
     R"("S":{"Type":"Map","End":true,"Items":[1,"{% 1 + 1 %}"],
          "Output":"{% $sum($states.result) %}",
          "ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}})",
     "{}", "SUCCEEDED 3"},
    {"MapWithoutItemsTakesItsInput",
     R"("S":{"Type":"Map","End":true,
          "ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Pass","End":true,
            "Output":"{% $states.input * 10 %}"}}}})",
     "[1,2]", "SUCCEEDED [10,20]"},
    {"MapNumbersAreComputed",
     R"("S":{"Type":"Map","End":true,"Items":"{% [1..3] %}","MaxConcurrency":"{% 1 + 1 %}",
          "ToleratedFailureCount":"{% 1 %}","ToleratedFailurePercentage":"{% 50.5 %}",
          "ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}})",
     "{}", "SUCCEEDED [1,2,3]"},
    {"IterationsSeeTheContextOfTheirItem",
     R"("S":{"Type":"Map","End":true,"Items":["x"],
          "ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Pass","End":true,
            "Output":"{% $states.context.Map.Item.Value & $states.context.State.Name %}"}}}})",
     "{}", R"(SUCCEEDED ["xA"])"},
    {"InnerVariablesDoNotLeakOut",
     R"("S":{"Type":"Pass","Assign":{"x":1},"Next":"P"},
        "P":{"Type":"Parallel","Next":"T","Branches":[{"StartAt":"A","States":{
          "A":{"Type":"Pass","Assign":{"x":"{% $x + 41 %}"},"Next":"B"},
          "B":{"Type":"Pass","Output":"{% $x %}","End":true}}}]},
        "T":{"Type":"Pass","Output":["{% $states.input %}","{% $x %}"],"End":true})",
     "{}", "SUCCEEDED [[42],1]"},
    {"TheContextObject",
     R"("S":{"Type":"Pass","End":true,"Output":["{% $states.context.Execution.Name %}",
          "{% $states.context.StateMachine.Name %}","{% $states.context.State.Name %}"]})",
     "{}", R"(SUCCEEDED ["run","m","S"])"},
    {"AZeroWaitAndAPastTimestampPass",
     R"("S":{"Type":"Wait","Seconds":"{% $states.input.s %}","Next":"T"},
        "T":{"Type":"Wait","Timestamp":"{% '2001-01-01T00:00:00Z' %}","End":true,
          "Output":"{% 'waited' %}"})",
     R"({"s":0})", R"(SUCCEEDED "waited")"},
};

INSTANTIATE_TEST_SUITE_P(Jsonata, DataFlow, ::testing::ValuesIn(kFlows),
                         [](const auto& row) { return row.param.name; });

// ---- what goes wrong --------------------------------------------------------------------------

const Flow kFaults[] = {
    {"UndefinedOutput", R"("S":{"Type":"Pass","End":true,"Output":{"r":"{% $nothing %}"}})", "{}",
     failed("S", 2,
            "The JSONata expression '$nothing' specified for the field 'Output/r' returned nothing "
            "(undefined).")},
    {"UndefinedAssign", R"("S":{"Type":"Pass","End":true,"Assign":{"r":"{% $nothing %}"}})", "{}",
     failed("S", 2,
            "The JSONata expression '$nothing' specified for the field 'Assign/r' returned nothing "
            "(undefined).")},
    {"ConditionMustBeTrueOrFalse",
     R"("S":{"Type":"Choice","Choices":[{"Condition":false,"Next":"T"},
          {"Condition":"{% 'yes' %}","Next":"T"}]},"T":{"Type":"Succeed"})",
     "{}",
     failed("S", 2,
            "The JSONata expression ''yes'' specified for the field 'Choices[1]/Condition' "
            "returned an unexpected result type. Expected 'boolean', but was 'string' for value: "
            "\"yes\"")},
    {"ItemsMustBeAnArray",
     R"("S":{"Type":"Map","End":true,"Items":"{% $states.input %}",
          "ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}})",
     R"("a")",
     failed("S", 2,
            "The JSONata expression '$states.input' specified for the field 'Items' returned an "
            "unexpected result type. Expected 'array', but was 'string' for value: \"a\"")},
    {"AMapWithoutItemsNeedsAnArray",
     R"("S":{"Type":"Map","End":true,
          "ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}})",
     "1", failed("S", 2, "Map state input must be an array but was: 1")},
    {"SecondsMustBeANumber", R"("S":{"Type":"Wait","Seconds":"{% $states.input.s %}","End":true})",
     R"({"s":"5"})",
     failed("S", 2,
            "The JSONata expression '$states.input.s' specified for the field 'Seconds' returned "
            "an unexpected result type. Expected 'number', but was 'string' for value: \"5\"")},
    {"SecondsMustBeWhole", R"("S":{"Type":"Wait","Seconds":"{% 1.5 %}","End":true})", "{}",
     failed("S", 2, "The Seconds field cannot be parsed as a long value: 1.5")},
    {"SecondsMustNotBeNegative", R"("S":{"Type":"Wait","Seconds":"{% -1 %}","End":true})", "{}",
     failed("S", 2, "The Seconds field cannot be negative: -1")},
    {"TimestampMustBeOne", R"("S":{"Type":"Wait","Timestamp":"{% 'tomorrow' %}","End":true})", "{}",
     failed("S", 2,
            "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format "
            "string: tomorrow")},
    {"CauseMustBeAString", R"("S":{"Type":"Fail","Cause":"{% [1] %}"})", "{}",
     failed("S", 2,
            "The JSONata expression '[1]' specified for the field 'Cause' returned an unexpected "
            "result type. Expected 'string', but was 'array' for value: [1]")},
};

INSTANTIATE_TEST_SUITE_P(JsonataFaults, DataFlow, ::testing::ValuesIn(kFaults),
                         [](const auto& row) { return row.param.name; });

TEST(EvaluationFailed, FollowsFromWhatWasBeforeItsStateAndNamesThePlace) {
  Driver driver(machine("A", R"("A":{"Type":"Pass","Next":"B"},
      "B":{"Type":"Pass","End":true,"Output":{"r":"{% $nothing %}"}})"));
  EXPECT_EQ(driver.told(),
            "ExecutionStarted(0) PassStateEntered(0) PassStateExited(2) PassStateEntered(3) "
            "EvaluationFailed(3) ExecutionFailed(5)");
  EXPECT_EQ(details_of(driver, "EvaluationFailed"),
            R"({"error":"States.QueryEvaluationError","cause":"An error occurred while executing )"
            R"(the state 'B' (entered at the event id #4). The JSONata expression '$nothing' )"
            R"(specified for the field 'Output/r' returned nothing (undefined).",)"
            R"("location":"Output/r","state":"B"})");
}

TEST(EvaluationFailed, OfAMapFailsTheMap) {
  Driver driver(machine("M", R"("M":{"Type":"Map","End":true,"Items":"{% 1 %}",
      "ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}})"));
  EXPECT_EQ(driver.told(),
            "ExecutionStarted(0) MapStateEntered(0) EvaluationFailed(0) MapStateFailed(3) "
            "ExecutionFailed(4)");
}

TEST(EvaluationFailed, WithoutAnExpressionHasNoLocation) {
  Driver driver(machine("M", R"("M":{"Type":"Map","End":true,
      "ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}})"),
                "1");
  EXPECT_EQ(details_of(driver, "EvaluationFailed"),
            R"({"error":"States.QueryEvaluationError","cause":"An error occurred while executing )"
            R"(the state 'M' (entered at the event id #2). Map state input must be an array but )"
            R"(was: 1","state":"M"})");
}

TEST(EvaluationFailed, InAnIterationFailsIterationAndMap) {
  Driver driver(machine("M", R"("M":{"Type":"Map","End":true,"Items":[1],
      "ItemProcessor":{"StartAt":"A","States":{
        "A":{"Type":"Pass","End":true,"Output":"{% $nothing %}"}}}})"));
  EXPECT_EQ(driver.told(1),
            "MapStateEntered(0) MapStateStarted(2) MapIterationStarted(3) PassStateEntered(4) "
            "EvaluationFailed(4) MapIterationFailed(6) MapStateFailed(6) ExecutionFailed(8)");
}

// ---- tasks ------------------------------------------------------------------------------------

std::string task(const std::string& more) {
  return machine("T", R"("T":{"Type":"Task","Resource":"t.t",)" + more +
                          R"("Next":"Done"},"Done":{"Type":"Succeed"},
      "Caught":{"Type":"Pass","End":true,"Output":{"i":"{% $states.input %}"}})");
}

TEST(JsonataTask, TakesArgumentsAndLimitsAndGivesItsResult) {
  Driver driver(task(R"("Arguments":{"q":"{% $states.input.a %}"},"TimeoutSeconds":"{% 60 * 2 %}",
      "HeartbeatSeconds":"{% $states.input.beat %}",)"),
                R"({"a":[1],"beat":5})");
  const RunTask open = driver.open<RunTask>();
  EXPECT_EQ(open.input.to_json(), R"({"q":[1]})");
  EXPECT_EQ(open.timeout, Millis(120'000));
  EXPECT_EQ(open.heartbeat, Millis(5'000));
  driver.succeed(R"({"r":1})");
  EXPECT_EQ(driver.end(), R"(SUCCEEDED {"r":1})");
}

TEST(JsonataTask, WithoutArgumentsTakesItsInput) {
  Driver driver(task(R"("Output":["{% $states.result %}","{% $states.input.a %}"],)"),
                R"({"a":1})");
  EXPECT_EQ(driver.open<RunTask>().input.to_json(), R"({"a":1})");
  driver.succeed("2");
  EXPECT_EQ(driver.end(), "SUCCEEDED [2,1]");
}

TEST(JsonataTask, AFailingArgumentIsRetriedAndTold) {
  Driver driver(task(R"("Arguments":"{% $nothing %}","Retry":[{"ErrorEquals":[
      "States.QueryEvaluationError"],"MaxAttempts":1}],)"));
  driver.fire();
  EXPECT_EQ(driver.told(1),
            "TaskStateEntered(0) EvaluationFailed(0) EvaluationFailed(3) ExecutionFailed(4)");
}

TEST(JsonataTask, AFailingArgumentIsCaught) {
  Driver driver(task(R"("Arguments":"{% $nothing %}","Catch":[{"ErrorEquals":["States.ALL"],
      "Output":"{% $states.errorOutput.Error %}","Next":"Caught"}],)"));
  EXPECT_EQ(driver.end(), R"(SUCCEEDED {"i":"States.QueryEvaluationError"})");
}

TEST(JsonataTask, AFailingOutputFollowsFromTheResult) {
  Driver driver(task(R"("Output":"{% $nothing %}",)"));
  const std::size_t from = driver.history.size();
  driver.succeed("1");
  EXPECT_EQ(driver.told(from), "TaskSucceeded(4) EvaluationFailed(5) ExecutionFailed(6)");
}

TEST(JsonataCatch, SeesTheErrorAndTheInput) {
  Driver driver(task(R"("Assign":{"never":1},"Catch":[{"ErrorEquals":["E"],"Next":"Caught",
      "Assign":{"why":"{% $states.errorOutput.Cause %}"},
      "Output":{"e":"{% $states.errorOutput %}","in":"{% $states.input.a %}"}}],)"),
                R"({"a":1})");
  driver.fail("E");
  EXPECT_EQ(driver.end(), R"(SUCCEEDED {"i":{"e":{"Error":"E","Cause":"because"},"in":1}})");
  EXPECT_EQ(details_of(driver, "TaskStateExited"),
            R"({"name":"T","output":"{\"e\":{\"Error\":\"E\",\"Cause\":\"because\"},\"in\":1}",)"
            R"("assignedVariables":{"why":"\"because\""},)"
            R"("assignedVariablesDetails":{"truncated":false}})");
}

TEST(JsonataCatch, WithoutOutputGivesTheError) {
  Driver driver(task(R"("Catch":[{"ErrorEquals":["States.ALL"],"Next":"Caught"}],)"));
  driver.fail("E");
  EXPECT_EQ(driver.end(), R"(SUCCEEDED {"i":{"Error":"E","Cause":"because"}})");
}

TEST(JsonataCatch, ThatFailsFailsItsStateASecondTime) {
  Driver driver(machine("P", R"("P":{"Type":"Parallel","End":true,
      "Branches":[{"StartAt":"F","States":{"F":{"Type":"Fail","Error":"E"}}}],
      "Catch":[{"ErrorEquals":["Other"],"Next":"Q"},
               {"ErrorEquals":["E"],"Next":"Q","Output":{"v":"{% $nothing %}"}},
               {"ErrorEquals":["States.ALL"],"Next":"Q"}]},
      "Q":{"Type":"Succeed"})"));
  EXPECT_EQ(driver.end(),
            failed("P", 2,
                   "The JSONata expression '$nothing' specified for the field 'Catch[1]/Output/v' "
                   "returned nothing (undefined)."));
  EXPECT_EQ(driver.told(1),
            "ParallelStateEntered(0) ParallelStateStarted(2) FailStateEntered(3) "
            "ParallelStateFailed(4) EvaluationFailed(4) ParallelStateFailed(6) ExecutionFailed(7)");
}

TEST(JsonataCatch, ThatFailsCanBeCaughtOutside) {
  Driver driver(machine("P", R"("P":{"Type":"Parallel","End":true,
      "Branches":[{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"t.t","End":true,
        "Catch":[{"ErrorEquals":["States.ALL"],"Next":"U","Output":"{% $nothing %}"}]},
        "U":{"Type":"Succeed"}}}],
      "Catch":[{"ErrorEquals":["States.QueryEvaluationError"],"Next":"Q","Output":"outside"}]},
      "Q":{"Type":"Succeed"})"));
  driver.fail("E");
  EXPECT_EQ(driver.end(), R"(SUCCEEDED "outside")");
}

TEST(JsonataCatch, WhoseOutputIsTooLargeFailsItsState) {
  Limits limits;
  limits.max_payload_bytes = 60;
  const std::string definition = task(R"("Catch":[{"ErrorEquals":["States.ALL"],"Next":"Caught",
      "Output":"{% $pad('', 70, '-') %}"}],)");
  Driver driver(definition, "{}", limits);
  driver.fail("E");
  EXPECT_EQ(driver.end(),
            "FAILED States.DataLimitExceeded: The state/task 'T' returned a result with a size "
            "exceeding the maximum number of bytes service limit.");
}

TEST(JsonataMap, AnItemSelectorThatFailsFailsTheMapWhichCatchesIt) {
  Driver driver(machine("M", R"("M":{"Type":"Map","End":true,"Items":[1,2],
      "ItemSelector":{"v":"{% $states.context.Map.Item.Value.no %}"},
      "ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},
      "Catch":[{"ErrorEquals":["States.QueryEvaluationError"],"Next":"C",
        "Output":"{% $states.errorOutput.Cause %}"}]},
      "C":{"Type":"Succeed"})"));
  EXPECT_EQ(driver.end(),
            R"(SUCCEEDED "An error occurred while executing the state 'M' (entered at the event )"
            R"(id #2). The JSONata expression '$states.context.Map.Item.Value.no' specified for )"
            R"(the field 'ItemSelector/v' returned nothing (undefined).")");
  EXPECT_EQ(driver.told(1),
            "MapStateEntered(0) MapStateStarted(2) MapIterationStarted(3) MapIterationStarted(3) "
            "EvaluationFailed(3) MapStateFailed(6) MapStateExited(7) SucceedStateEntered(8) "
            "SucceedStateExited(9) ExecutionSucceeded(10)");
}

TEST(JsonataMap, WhoseOutputFailsIsRunAgainAsAWhole) {
  Driver driver(machine("M", R"("M":{"Type":"Map","End":true,"Items":[1],"Output":"{% $nothing %}",
      "ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"t.t","End":true}}},
      "Retry":[{"ErrorEquals":["States.ALL"],"MaxAttempts":1}]})"));
  driver.succeed("1");
  EXPECT_EQ(driver.end(), "RUNNING");
  driver.fire();
  const std::size_t from = driver.history.size();
  driver.succeed("1");
  EXPECT_EQ(driver.told(from),
            "TaskSucceeded(17) TaskStateExited(18) MapIterationSucceeded(19) MapStateSucceeded(20) "
            "EvaluationFailed(20) MapStateFailed(22) ExecutionFailed(23)");
}

// ---- languages mixed, clocks and dice ---------------------------------------------------------

TEST(Languages, AStateOfJsonataInAMachineOfJsonPath) {
  Driver driver(R"({"StartAt":"A","States":{
      "A":{"Type":"Pass","Assign":{"x":"a"},"Result":{"n":1},"Next":"B"},
      "B":{"Type":"Map","QueryLanguage":"JSONata","Items":"{% [$x, $states.input.n] %}","Next":"C",
        "ItemProcessor":{"StartAt":"I","States":{
          "I":{"Type":"Pass","Parameters":{"v.$":"$"},"End":true}}},
        "Assign":{"y":"{% $count($states.result) %}"}},
      "C":{"Type":"Pass","Parameters":{"all.$":"$","y.$":"$y"},"End":true}}})");
  EXPECT_EQ(driver.end(), R"(SUCCEEDED {"all":[{"v":"a"},{"v":1}],"y":2})");
}

TEST(Languages, TimeIsThatOfTheFact) {
  Driver driver(machine("S", R"("S":{"Type":"Pass","End":true,"Output":"{% $millis() %}"})"));
  EXPECT_EQ(driver.end(), "SUCCEEDED 1700000000000");
}

TEST(Languages, AWaitIsAsLongAsComputed) {
  Driver driver(machine("S", R"("S":{"Type":"Wait","Seconds":"{% $states.input.s * 60 %}",
      "End":true,"Output":"{% $states.input.s %}"})"),
                R"({"s":2})");
  EXPECT_EQ(driver.open<SetTimer>().due, driver.now + Millis(120'000));
  driver.fire();
  EXPECT_EQ(driver.end(), "SUCCEEDED 2");
}

// ---- limits -----------------------------------------------------------------------------------

TEST(VariableLimits, OfOneAssignAndOfAllTogether) {
  Limits limits;
  limits.max_payload_bytes = 100;
  const std::string assign = machine("S", R"("S":{"Type":"Pass","End":true,
      "Assign":{"x":"{% $states.input & $states.input %}"}})");
  const std::string text(60, 'a');
  Driver one(assign, '"' + text + '"', limits);
  EXPECT_EQ(one.end(),
            "FAILED States.DataLimitExceeded: The state/task 'S' returned a result with a size "
            "exceeding the maximum number of bytes service limit.");
  limits.max_payload_bytes = 200;
  Driver raised(assign, '"' + text + '"', limits);
  EXPECT_EQ(raised.execution.status, ExecutionStatus::kSucceeded);
}

// Fifty states, each with a variable of its own that nearly fills a payload.
std::string of_many_variables() {
  std::string states;
  for (int i = 0; i < 50; ++i) {
    const std::string n = std::to_string(i);
    states += R"("S)" + n + R"(":{"Type":"Pass","Assign":{"v)" + n +
              R"(":"{% $states.input %}"},"Next":"S)" + std::to_string(i + 1) + R"("},)";
  }
  return machine("S0", states + R"("S50":{"Type":"Succeed"})");
}

TEST(VariableLimits, AreThoseOfTheSemanticsThatItBeganUnder) {
  Limits limits;
  limits.max_payload_bytes = 100;
  const std::string input = '"' + std::string(80, 'a') + '"';
  Driver now(of_many_variables(), input, limits);
  // 40 payloads of 100 bytes: 45 variables of 88 bytes or so fit.
  EXPECT_EQ(now.end(),
            "FAILED States.DataLimitExceeded: The variables in sight of the state 'S45' exceed the "
            "maximum of 4000 bytes.");
  Driver then(of_many_variables(), input, limits, 1);
  EXPECT_EQ(then.end(), "SUCCEEDED " + input);
}

TEST(VariableLimits, CountWhatIsThereAndNotWhatWas) {
  Limits limits;
  limits.max_payload_bytes = 100;
  limits.max_transitions = 200;
  Driver driver(machine("S", R"("S":{"Type":"Pass","Assign":{"x":"{% $states.input %}"},
      "Next":"S"})"),
                '"' + std::string(80, 'a') + '"', limits);
  EXPECT_EQ(*driver.execution.error, "States.Runtime") << "it ends at its budget of states";
}

TEST(VariableLimits, CanBeCaughtOnceOnly) {
  Limits limits;
  limits.max_payload_bytes = 100;
  std::string states = of_many_variables();
  const std::string caught = R"("Catch":[{"ErrorEquals":["States.ALL"],"Next":"S50",
      "Assign":{"more":"{% $states.input %}"}}],)";
  const std::size_t at = states.find(R"("Type":"Pass","Assign":{"v46")");
  states.replace(at, 14,
                 R"("Type":"Parallel",)" + caught +
                     R"("Branches":[{"StartAt":"F","States":{"F":{"Type":"Fail"}}}],)");
  Driver driver(states, '"' + std::string(77, 'a') + '"', limits);
  EXPECT_EQ(driver.execution.error.value_or(""), "States.DataLimitExceeded") << driver.end();
}

}  // namespace
}  // namespace stepwell
