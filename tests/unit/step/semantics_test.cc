// What an execution comes to by the semantics that it began under: an old journal folds as it did.
#include "tests/unit/step/driver.h"

namespace stepwell {
namespace {

using testing::Driver;

struct Case {
  std::string name, definition, input;
  std::string before, after;  // Its end by semantics 3, and by 4.
};

class Semantics : public ::testing::TestWithParam<Case> {};

TEST_P(Semantics, AreThoseOfItsStart) {
  const Case& one = GetParam();
  const auto end_by = [&](std::uint32_t semantics) {
    return Driver(one.definition, one.input, {}, semantics).end();
  };
  EXPECT_EQ(end_by(3), one.before);
  EXPECT_EQ(end_by(4), one.after);
}

std::string pass(const std::string& field) {
  return R"({"StartAt":"S","States":{"S":{"Type":"Pass","End":true,)" + field + "}}}";
}
std::string map(const std::string& fields) {
  return R"({"StartAt":"M","States":{"M":{"Type":"Map","End":true,)" + fields +
         R"("ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}}}}})";
}
std::string failed(const std::string& error, const std::string& cause) {
  return "FAILED " + error + ": An error occurred while executing the state " + cause;
}

// 1'700'000'000 s is 2023-11-14T22:13:20Z.
const Case kCases[] = {
    {"TimesOfTheContext",
     pass(R"("Parameters":{"s.$":"$$.Execution.StartTime","e.$":"$$.State.EnteredTime"})"), "{}",
     R"(SUCCEEDED {"s":"2023-11-14T22:13:20.000Z","e":"2023-11-14T22:13:20.000Z"})",
     R"(SUCCEEDED {"s":"2023-11-14T22:13:20Z","e":"2023-11-14T22:13:20Z"})"},
    {"TimesOfTheContextInJsonata",
     pass(R"("QueryLanguage":"JSONata","Output":"{% $states.context.Execution.StartTime %}")"),
     "{}", R"(SUCCEEDED "2023-11-14T22:13:20.000Z")", R"(SUCCEEDED "2023-11-14T22:13:20Z")"},
    {"TheSourceOfAnItem", map(R"("ItemSelector":{"from.$":"$$.Map.Item.Source"},)"), "[1]",
     failed("States.Runtime",
            "'M' (entered at the event id #2). The JSONPath '$$.Map.Item.Source' specified for the "
            "field 'from.$' could not be found in the input '[1]'"),
     R"(SUCCEEDED [{"from":"STATE_DATA"}])"},
    {"TheSourceOfAnItemInJsonata",
     map(R"("QueryLanguage":"JSONata","ItemSelector":"{% $states.context.Map %}",)"), "[7]",
     R"(SUCCEEDED [{"Item":{"Index":0,"Value":7}}])",
     R"(SUCCEEDED [{"Item":{"Index":0,"Value":7,"Source":"STATE_DATA"}}])"},
    {"AMapOverAnObject", map(""), R"({"b":1,"a":{"c":2}})",
     failed("States.Runtime",
            "'M' (entered at the event id #2). Reference path \"$\" must point to array."),
     R"(SUCCEEDED [{"Key":"b","Value":1},{"Key":"a","Value":{"c":2}}])"},
    {"AMapOverAnObjectWithASelector",
     map(R"("ItemsPath":"$.o","ItemSelector":{"k.$":"$$.Map.Item.Key","v.$":"$$.Map.Item.Value",
            "i.$":"$$.Map.Item.Index"},)"),
     R"({"o":{"b":1,"a":[]}})",
     failed("States.Runtime",
            "'M' (entered at the event id #2). Reference path \"$.o\" must point to array."),
     R"(SUCCEEDED [{"k":"b","v":1,"i":0},{"k":"a","v":[],"i":1}])"},
    {"AMapOverAnObjectInJsonata", map(R"("QueryLanguage":"JSONata","Items":"{% $states.input %}",
            "ItemSelector":"{% $states.context.Map.Item.Key %}",)"),
     R"({"b":1,"a":2})",
     failed("States.QueryEvaluationError",
            "'M' (entered at the event id #2). The JSONata expression '$states.input' specified "
            "for the field 'Items' returned an unexpected result type. Expected 'array', but was "
            "'object' for value: {\"b\":1,\"a\":2}"),
     R"(SUCCEEDED ["b","a"])"},
    {"AMapOverNothing", map(""), "{}",
     failed("States.Runtime",
            "'M' (entered at the event id #2). Reference path \"$\" must point to array."),
     "SUCCEEDED []"},
    {"AMapOverANumber", map(R"("ItemsPath":"$.n",)"), R"({"n":3})",
     failed("States.Runtime",
            "'M' (entered at the event id #2). Reference path \"$.n\" must point to array."),
     failed("States.Runtime",
            "'M' (entered at the event id #2). Reference path \"$.n\" must point to array.")},
    {"EscapesOutsideOfAPattern", pass(R"x("Parameters":{"l.$":"States.Array('\\{', 'a\\\\b')"})x"),
     "{}", R"(SUCCEEDED {"l":["\\{","a\\b"]})", R"(SUCCEEDED {"l":["{","a\\b"]})"},
    {"EscapesInAPattern", pass(R"x("Parameters":{"t.$":"States.Format('\\{ {}', 1)"})x"), "{}",
     R"(SUCCEEDED {"t":"{ 1"})", R"(SUCCEEDED {"t":"{ 1"})"},
    {"ABackslashBeforeABraceInAPattern",
     pass(R"x("Parameters":{"t.$":"States.Format('\\\\{}', 1)"})x"), "{}",
     failed("States.IntrinsicFailure",
            "'S' (entered at the event id #2). The function 'States.Format('\\\\{}', 1)' had the "
            "following error: The number of arguments does not match the number of occurrences of "
            "{}"),
     R"(SUCCEEDED {"t":"\\1"})"},
    {"ABraceAlone", pass(R"x("Parameters":{"t.$":"States.Format('a { b {}', $.n)"})x"),
     R"({"n":"x"})", R"(SUCCEEDED {"t":"a { b x"})",
     failed("States.IntrinsicFailure",
            "'S' (entered at the event id #2). The function 'States.Format('a { b {}', $.n)' had "
            "the following error: Invalid template in States.Format: matching '}' not found for "
            "'{'")},
    {"WhatIsNotBase64",
     pass(R"x("QueryLanguage":"JSONata","Output":"{% $base64decode('!!!') & 'x' %}")x"), "{}",
     R"(SUCCEEDED "x")",
     failed("States.QueryEvaluationError",
            "'S' (entered at the event id #2). The JSONata expression '$base64decode('!!!') & 'x'' "
            "specified for the field 'Output' threw an internal error during evaluation.")},
};

INSTANTIATE_TEST_SUITE_P(Step, Semantics, ::testing::ValuesIn(kCases),
                         [](const auto& about) { return about.param.name; });

// An object of items in memory and in a snapshot: between two of its iterations, after a redrive.
TEST(Semantics, AMapOverAnObjectGoesOnFromASnapshot) {
  Driver driver(R"({"StartAt":"M","States":{"M":{"Type":"Map","MaxConcurrency":1,"End":true,
      "ItemProcessor":{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"t",
        "Parameters":{"key.$":"$$.Map.Item.Key","in.$":"$"},"End":true}}}}}})",
                R"({"b":1,"a":2})");
  EXPECT_EQ(driver.open<RunTask>().input.to_json(), R"({"key":"b","in":{"Key":"b","Value":1}})");
  driver.succeed("1");
  driver.execution = Execution::decode(driver.execution.encode()).value();
  EXPECT_EQ(driver.open<RunTask>().input.to_json(), R"({"key":"a","in":{"Key":"a","Value":2}})");
  driver.fail("Broke");
  driver.deliver(CommandId{}, Redriven{});
  driver.succeed("2");
  EXPECT_EQ(driver.end(), "SUCCEEDED [1,2]");
  EXPECT_EQ(driver.execution.map_progress(*driver.program).front().total, 2u);
}

// Three Maps in each other: 27,000 iterations, of which not all are open at once, and all run.
TEST(Semantics, OpenIterationsAreBounded) {
  const std::string path = R"("ItemsPath":"$.l","ItemSelector":{"l.$":"$.l"},"ResultSelector":)";
  const std::string each = path + R"x({"n.$":"States.ArrayLength($)"},"End":true)x";
  std::string machine = R"("StartAt":"P","States":{"P":{"Type":"Pass","Result":1,"End":true}})";
  for (const char* name : {"A", "B", "C"}) {
    machine = std::string(R"("StartAt":")") + name + R"(","States":{")" + name +
              R"(":{"Type":"Map",)" + each + R"(,"ItemProcessor":{)" + machine + "}}}";
  }
  Value::Array list(30, Value(1));
  Driver driver("{" + machine + "}", Value(Object{{"l", std::move(list)}}).to_json());
  std::size_t most = 0, open = 0;
  for (int facts = 0; driver.execution.is_running(); ++facts) {
    most = std::max<std::size_t>(most, driver.execution.frames.size());
    open = std::max<std::size_t>(open, driver.execution.open);
    if (facts == 1) {
      const Execution again = Execution::decode(driver.execution.encode()).value();
      ASSERT_EQ(again.open, driver.execution.open);
    }
    driver.deliver(driver.open<Continue>().id, Continued{});
  }
  EXPECT_EQ(driver.end(), R"(SUCCEEDED {"n":30})");
  EXPECT_GE(open, kMostOpen / 2);
  EXPECT_LE(open, 2 * kMostOpen);
  EXPECT_LE(most, 2 * kMostOpen);
  EXPECT_EQ(driver.execution.open, 0u);
}

// A large input counts for more, because each iteration may be given all of it.
TEST(Semantics, OpenIterationsOfALargeInputAreFewer) {
  Value::Array list;
  for (int i = 0; i < 2'000; ++i) list.emplace_back(std::string(100, 'x'));
  Driver driver(R"({"StartAt":"M","States":{"M":{"Type":"Map","End":true,"ItemProcessor":{
      "StartAt":"T","States":{"T":{"Type":"Task","Resource":"t","End":true}}}}}})",
                Value(list).to_json());
  const std::size_t weight = 1 + Value(list).json_size() / 16'384;
  EXPECT_EQ(driver.open_count(), kMostOpen / weight);
  driver.succeed("1");
  EXPECT_EQ(driver.open_count(), kMostOpen / weight);
  driver.fail("Broke");
  EXPECT_EQ(driver.execution.status, ExecutionStatus::kFailed);
  driver.deliver(CommandId{}, Redriven{});
  EXPECT_EQ(driver.open_count(), kMostOpen / weight);
}

}  // namespace
}  // namespace stepwell
