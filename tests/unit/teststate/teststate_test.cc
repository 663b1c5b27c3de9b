// One state tried out: whole answers, in the words of the API.
#include "authoring/teststate/teststate.h"

#include <gtest/gtest.h>

namespace stepwell::teststate {
namespace {

struct Row {
  const char* what;
  const char* call;    // The request; definition, input, ... as JSON, not yet as text.
  const char* answer;  // inspectionData as JSON, too; a refusal as {code, message}.
};

Value json(const char* text) {
  auto parsed = parse_json(text);
  EXPECT_TRUE(parsed.ok()) << text;
  return parsed.ok() ? std::move(parsed).value() : Value();
}

// What the API has as text.
Value as_call(const Value& call) {
  Object made = call.as_object();
  for (const char* name : {"definition", "input", "variables", "context"}) {
    if (const Value* part = call.find(name)) made.set(name, part->to_json());
  }
  return made;
}

Value with_values(const Value& answer) {
  const auto read = [](const Value& text) {
    auto parsed = parse_json(text.is_string() ? text.as_string() : text.to_json());
    return parsed.ok() ? std::move(parsed).value() : text;
  };
  Object made = answer.as_object();
  if (const Value* output = answer.find("output")) made.set("output", read(*output));
  if (const Value* inspection = answer.find("inspectionData")) {
    Object stages;
    for (const auto& [name, text] : inspection->as_object()) stages.set(name, read(text));
    made.set("inspectionData", std::move(stages));
  }
  return made;
}

Value answer_to(const Value& call, const Setting& setting = {}) {
  const auto refused = [](const Refusal& refusal) {
    return Value(Object{{"code", refusal.code}, {"message", refusal.message}});
  };
  const auto request = read_request(as_call(call));
  if (const auto* refusal = std::get_if<Refusal>(&request)) return refused(*refusal);
  const auto tried = test_state(std::get<Request>(request), setting);
  if (const auto* refusal = std::get_if<Refusal>(&tried)) return refused(*refusal);
  return with_values(to_json(std::get<Tried>(tried), "TRACE"));
}

class Answers : public ::testing::TestWithParam<Row> {};

TEST_P(Answers, AreWhole) {
  const Value answer = answer_to(json(GetParam().call));
  EXPECT_EQ(answer, json(GetParam().answer)) << GetParam().what << "\n" << answer.to_json();
}

const Row kRows[] = {
    {"every stage of a task",
     R"({"definition":{"Type":"Task","Resource":"bank.charge","InputPath":"$.order",
         "Parameters":{"sum.$":"$.amount"},"ResultSelector":{"id.$":"$.receipt"},
         "ResultPath":"$.paid","OutputPath":"$.paid","Assign":{"last.$":"$.receipt"},"Next":"On"},
         "input":{"order":{"amount":7}},"mock":{"result":"{\"receipt\":\"r-1\"}"}})",
     R"({"inspectionData":{"input":{"order":{"amount":7}},"afterInputPath":{"amount":7},
         "afterParameters":{"sum":7},"result":{"receipt":"r-1"},"afterResultSelector":{"id":"r-1"},
         "afterResultPath":{"order":{"amount":7},"paid":{"id":"r-1"}},
         "variables":{"last":"r-1"}},
         "output":{"id":"r-1"},"nextState":"On","status":"SUCCEEDED"})"},
    {"the fourth retry",
     R"({"definition":{"Type":"Task","Resource":"bank.charge","End":true,
         "Retry":[{"ErrorEquals":["Other"]},
                  {"ErrorEquals":["Busy"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":5}]},
         "mock":{"errorOutput":{"error":"Busy","cause":"later"}},
         "stateConfiguration":{"retrierRetryCount":4}})",
     R"({"error":"Busy","cause":"later","status":"RETRIABLE",
         "inspectionData":{"input":{},"afterInputPath":{},"afterParameters":{},
         "errorDetails":{"retryIndex":1,"retryBackoffIntervalSeconds":16}}})"},
    {"retries used up, then caught",
     R"({"definition":{"Type":"Task","Resource":"bank.charge","End":true,
         "Retry":[{"ErrorEquals":["Busy"],"MaxAttempts":2}],
         "Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.why","Next":"Sorry"}]},
         "input":{"n":1},"mock":{"errorOutput":{"error":"Busy"}},
         "stateConfiguration":{"retrierRetryCount":2}})",
     R"({"error":"Busy","status":"CAUGHT_ERROR","nextState":"Sorry",
         "output":{"n":1,"why":{"Error":"Busy","Cause":null}},
         "inspectionData":{"input":{"n":1},"afterInputPath":{"n":1},"afterParameters":{"n":1},
         "errorDetails":{"catchIndex":0}}})"},
    {"a Wait is over at once, and may lead to itself",
     R"({"definition":{"Type":"Wait","Seconds":100000,"Next":"StateName"},"input":[1]})",
     R"({"inspectionData":{"input":[1],"afterInputPath":[1]},"output":[1],
         "nextState":"StateName","status":"SUCCEEDED"})"},
    {"a state deep inside, with variables",
     R"({"definition":{"StartAt":"All","States":{"All":{"Type":"Map","End":true,
         "ItemProcessor":{"StartAt":"One","States":{
           "One":{"Type":"Pass","QueryLanguage":"JSONata",
                  "Output":"{% $states.input + $more %}","Next":"Two"},
           "Two":{"Type":"Succeed"}}}}}},
         "stateName":"One","input":2,"variables":{"more":40}})",
     R"({"inspectionData":{"input":2,"variables":{"more":40}},"output":42,"nextState":"Two",
         "status":"SUCCEEDED"})"},
    {"a Map is what its mock is; each item is shown",
     R"({"definition":{"Type":"Map","ItemsPath":"$.list","MaxConcurrency":3,
         "ToleratedFailureCount":1,
         "ItemSelector":{"i.$":"$$.Map.Item.Index","v.$":"$$.Map.Item.Value"},
         "ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},
           "StartAt":"P","States":{"P":{"Type":"Pass","End":true}}},"End":true},
         "input":{"list":[5,6]},"mock":{"result":"[50, 60]"},
         "stateConfiguration":{"mapIterationFailureCount":1}})",
     R"({"inspectionData":{"input":{"list":[5,6]},"afterInputPath":{"list":[5,6]},
         "maxConcurrency":3,"afterItemsPath":[5,6],"toleratedFailureCount":1,
         "afterItemSelector":[{"i":0,"v":5},{"i":1,"v":6}],
         "afterResultSelector":[50,60],"afterResultPath":[50,60]},
         "output":[50,60],"status":"SUCCEEDED"})"},
    {"more of a Map's iterations fail than it tolerates",
     R"({"definition":{"Type":"Map","ToleratedFailureCount":1,
         "ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},
           "StartAt":"P","States":{"P":{"Type":"Pass","End":true}}},"End":true},
         "input":[1,2],"mock":{"result":"[1]"},
         "stateConfiguration":{"mapIterationFailureCount":2}})",
     R"({"inspectionData":{"input":[1,2],"afterInputPath":[1,2],"maxConcurrency":0,
         "afterItemsPath":[1,2],"toleratedFailureCount":1},
         "error":"States.ExceedToleratedFailureThreshold",
         "cause":"The specified tolerated failure threshold was exceeded","status":"FAILED"})"},
    {"a path that leads nowhere", R"({"definition":{"Type":"Pass","InputPath":"$.no","End":true}})",
     R"({"inspectionData":{"input":{}},"error":"States.Runtime","status":"FAILED",
         "cause":"An error occurred while executing the state 'StateName' (entered at the )"
     R"(event id #2). Invalid path '$.no' : No results for path: $['no']"})"},
    {"a context of one's own",
     R"({"definition":{"Type":"Pass","QueryLanguage":"JSONata","End":true,
         "Output":"{% $states.context.State.Name & $states.context.Execution.Name %}"},
         "context":{"State":{"Name":"Mine"}}})",
     R"({"inspectionData":{"input":{}},"output":"Minetest-state","status":"SUCCEEDED"})"},
    {"a Map without a mock",
     R"({"definition":{"Type":"Map","End":true,
         "ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}}})",
     R"({"code":"ValidationException",
         "message":"A mock must be specified when testing a Map state"})"},
    {"a Task that nobody runs",
     R"({"definition":{"Type":"Task","Resource":"bank.charge","End":true}})",
     R"({"code":"ValidationException",
         "message":"Nobody runs 'bank.charge' here: a mock must be specified"})"},
    {"a workflow without a state's name",
     R"({"definition":{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}})",
     R"({"code":"ValidationException",
         "message":"The definition is a workflow: stateName has to say which of its )"
     R"(states to test"})"},
    {"a state that is not there",
     R"({"definition":{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}},"stateName":"Q"})",
     R"({"code":"ValidationException","message":"State 'Q' does not exist in the definition"})"},
    {"a definition that does not compile",
     R"({"definition":{"Type":"Pass","InputPath":7,"End":true}})",
     R"({"code":"InvalidDefinition",
         "message":"Invalid State Machine Definition: '\"InputPath\" must be a )"
     R"(path in a string, or null, not the number 7 at /States/StateName/InputPath'"})"},
    {"nothing", R"({})",
     R"({"code":"ValidationException",
         "message":"definition is missing: the state or the workflow, as JSON text"})"},
};

INSTANTIATE_TEST_SUITE_P(TestState, Answers, ::testing::ValuesIn(kRows), [](const auto& row) {
  std::string name = row.param.what;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
});

struct MockRow {
  const char* resource;
  const char* result;
  const char* mode;
  const char* problem;  // Empty: it is taken.
};

TEST(Mocks, AreHeldAgainstWhatTheServiceAnswers) {
  const MockRow rows[] = {
      {"arn:aws:states:::sqs:sendMessage", R"({"MessageId":7})", "STRICT",
       "Field 'MessageId' must be a string"},
      {"arn:aws:states:::sqs:sendMessage", R"({"MessageId":7})", "NONE", ""},
      {"arn:aws:states:::sqs:sendMessage", R"({"New":7})", "STRICT", ""},
      {"arn:aws:states:::aws-sdk:sfn:startExecution", R"({"StartDate":"x"})", "STRICT",
       "Required field 'ExecutionArn' is missing"},
      {"arn:aws:states:::states:startExecution", R"({"StartDate":"x"})", "PRESENT", ""},
      {"arn:aws:states:::states:startExecution.sync:2", R"({"ExecutionArn":"x"})", "STRICT",
       "Required field 'StateMachineArn' is missing"},
      {"arn:aws:states:::events:putEvents", R"({"Entries":[{"EventId":1}]})", "STRICT",
       "Field 'EventId' must be a string"},
      {"arn:aws:states:::lambda:invoke", R"({"Payload":7,"StatusCode":200})", "STRICT", ""},
      {"bank.charge", "7", "STRICT", ""},
  };
  for (const MockRow& row : rows) {
    const Value call =
        Object{{"definition", Object{{"Type", "Task"}, {"Resource", row.resource}, {"End", true}}},
               {"mock", Object{{"result", row.result}, {"fieldValidationMode", row.mode}}}};
    const Value answer = answer_to(call);
    const Value* message = answer.find("message");
    const std::string problem = *row.problem == 0 ? ""
                                                  : std::string(
                                                        "Mock result schema validation "
                                                        "error: ") +
                                                        row.problem;
    EXPECT_EQ(message != nullptr ? message->as_string() : "", problem)
        << row.resource << ' ' << row.result << ' ' << row.mode;
  }
}

TEST(Tasks, AreRunBySomebody) {
  Setting setting;
  setting.run = [](const RunTask& task) -> FactBody { return TaskSucceeded{task.input}; };
  const Value call = json(
      R"({"definition":{"Type":"Task","Resource":"bank.charge","Parameters":{"a":1},"End":true}})");
  EXPECT_EQ(*answer_to(call, setting).find("output"), json(R"({"a":1})"));
  setting.as_aws = true;
  EXPECT_EQ(answer_to(call, setting).find("message")->as_string(),
            "RoleArn must be specified when testing a Task state");
}

TEST(Texts, OfAMockStayAsTheyWereWritten) {
  Request request;
  request.definition = R"({"Type":"Parallel","End":true,
      "Branches":[{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}]})";
  request.mock.emplace().result = "[ 1,\n 2 ]";
  const auto tried = test_state(request, Setting{});
  ASSERT_TRUE(std::holds_alternative<Tried>(tried));
  EXPECT_EQ(std::get<Tried>(tried).output->json, "[ 1,\n 2 ]");
}

}  // namespace
}  // namespace stepwell::teststate
