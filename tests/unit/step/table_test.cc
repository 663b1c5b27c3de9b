// Every kind of state against every kind of fact: what it does, or that it does nothing.
#include <map>

#include "tests/unit/step/driver.h"

namespace stepwell {
namespace {

using testing::Driver;

// A workflow that, once started, waits in a state of that kind (or has ended, or goes on for ever).
const std::map<std::string, std::string> kWaiting = {
    {"Task", R"({"StartAt":"S","States":{"S":{"Type":"Task","Resource":"t.t","End":true}}})"},
    {"Wait", R"({"StartAt":"S","States":{"S":{"Type":"Wait","Seconds":5,"End":true}}})"},
    {"Retry", R"({"StartAt":"S","States":{"S":{"Type":"Task","Resource":"t.t","End":true,
        "Retry":[{"ErrorEquals":["States.ALL"],"MaxAttempts":1}]}}})"},
    {"Map", R"({"StartAt":"S","States":{"S":{"Type":"Map","ItemsPath":"$.items","End":true,
        "ItemProcessor":{"StartAt":"T","States":{
          "T":{"Type":"Task","Resource":"t.t","End":true}}}}}})"},
    {"Parallel", R"({"StartAt":"S","States":{"S":{"Type":"Parallel","End":true,"Branches":[
        {"StartAt":"T","States":{"T":{"Type":"Task","Resource":"t.t","End":true}}}]}}})"},
    {"Pass", R"({"StartAt":"S","States":{"S":{"Type":"Pass","Next":"S"}}})"},
    {"Choice", R"({"StartAt":"S","States":{"S":{"Type":"Choice","Default":"S","Choices":[
        {"Variable":"$.items","IsPresent":false,"Next":"S"}]}}})"},
    {"Succeed", R"({"StartAt":"S","States":{"S":{"Type":"Succeed"}}})"},
    {"Fail", R"({"StartAt":"S","States":{"S":{"Type":"Fail","Error":"E","Cause":"c"}}})"},
};

struct Row {
  std::string state;
  std::string fact;
  std::string then;  // "no-op", or the execution's end after the fact, with what is outstanding.
};

FactBody body_of(const std::string& fact) {
  if (fact == "started") return Started{};
  if (fact == "succeeded") return TaskSucceeded{Value(7)};
  if (fact == "failed") return TaskFailed{"E", "c", std::nullopt};
  if (fact == "timed out") return TaskTimedOut{};
  if (fact == "fired") return TimerFired{};
  if (fact == "continued") return Continued{};
  if (fact == "stopped") return Stopped{"Stop", "by hand"};
  return Redriven{};
}

// What the only outstanding command is answered with.
CommandId command_of(const Driver& driver, const std::string& fact) {
  if (fact == "started" || fact == "stopped" || fact == "redriven") return CommandId{};
  for (const Command& command : outstanding(*driver.program, driver.execution)) {
    if (const auto* task = std::get_if<RunTask>(&command)) return task->id;
    if (const auto* timer = std::get_if<SetTimer>(&command)) return timer->id;
    if (const auto* go_on = std::get_if<Continue>(&command)) return go_on->id;
  }
  return CommandId{1};
}

class StateAndFact : public ::testing::TestWithParam<Row> {};

TEST_P(StateAndFact, DoesWhatTheTableSays) {
  const Row& row = GetParam();
  Limits limits;
  limits.slice_transitions = 3;
  Driver driver(kWaiting.at(row.state), R"({"items":[1]})", limits);
  if (row.state == "Retry") driver.fail("First");
  const Execution before = driver.execution;
  const bool changed = driver.deliver(command_of(driver, row.fact), body_of(row.fact));
  std::string then = "no-op";
  if (changed) {
    then = driver.end();
    for (const Command& command : outstanding(*driver.program, driver.execution)) {
      const char* const kinds[] = {" +task", " +timer", " +continue"};
      then += kinds[command.index()];
    }
  } else {
    EXPECT_TRUE(driver.execution.same_as(before)) << "a no-op leaves the execution as it was";
    EXPECT_TRUE(driver.commands.empty());
  }
  EXPECT_EQ(then, row.then) << row.state << " x " << row.fact;
}

const Row kTable[] = {
    {"Task", "started", "no-op"},
    {"Task", "succeeded", "SUCCEEDED 7"},
    {"Task", "failed", "FAILED E: c"},
    {"Task", "timed out", "FAILED States.Timeout"},
    {"Task", "fired", "no-op"},
    {"Task", "continued", "no-op"},
    {"Task", "stopped", "ABORTED Stop: by hand"},
    {"Task", "redriven", "no-op"},
    {"Wait", "started", "no-op"},
    {"Wait", "succeeded", "no-op"},
    {"Wait", "failed", "no-op"},
    {"Wait", "timed out", "no-op"},
    {"Wait", "fired", R"(SUCCEEDED {"items":[1]})"},
    {"Wait", "continued", "no-op"},
    {"Wait", "stopped", "ABORTED Stop: by hand"},
    {"Wait", "redriven", "no-op"},
    {"Retry", "started", "no-op"},
    {"Retry", "succeeded", "no-op"},
    {"Retry", "failed", "no-op"},
    {"Retry", "timed out", "no-op"},
    {"Retry", "fired", "RUNNING +task"},
    {"Retry", "continued", "no-op"},
    {"Retry", "stopped", "ABORTED Stop: by hand"},
    {"Retry", "redriven", "no-op"},
    {"Map", "started", "no-op"},
    {"Map", "succeeded", "SUCCEEDED [7]"},
    {"Map", "failed", "FAILED E: c"},
    {"Map", "timed out", "FAILED States.Timeout"},
    {"Map", "fired", "no-op"},
    {"Map", "continued", "no-op"},
    {"Map", "stopped", "ABORTED Stop: by hand"},
    {"Map", "redriven", "no-op"},
    {"Parallel", "started", "no-op"},
    {"Parallel", "succeeded", "SUCCEEDED [7]"},
    {"Parallel", "failed", "FAILED E: c"},
    {"Parallel", "timed out", "FAILED States.Timeout"},
    {"Parallel", "fired", "no-op"},
    {"Parallel", "continued", "no-op"},
    {"Parallel", "stopped", "ABORTED Stop: by hand"},
    {"Parallel", "redriven", "no-op"},
    {"Pass", "started", "no-op"},
    {"Pass", "succeeded", "no-op"},
    {"Pass", "failed", "no-op"},
    {"Pass", "timed out", "no-op"},
    {"Pass", "fired", "no-op"},
    {"Pass", "continued", "RUNNING +continue"},
    {"Pass", "stopped", "ABORTED Stop: by hand"},
    {"Pass", "redriven", "no-op"},
    {"Choice", "started", "no-op"},
    {"Choice", "succeeded", "no-op"},
    {"Choice", "failed", "no-op"},
    {"Choice", "timed out", "no-op"},
    {"Choice", "fired", "no-op"},
    {"Choice", "continued", "RUNNING +continue"},
    {"Choice", "stopped", "ABORTED Stop: by hand"},
    {"Choice", "redriven", "no-op"},
    {"Succeed", "started", "no-op"},
    {"Succeed", "succeeded", "no-op"},
    {"Succeed", "failed", "no-op"},
    {"Succeed", "timed out", "no-op"},
    {"Succeed", "fired", "no-op"},
    {"Succeed", "continued", "no-op"},
    {"Succeed", "stopped", "no-op"},
    {"Succeed", "redriven", "no-op"},
    {"Fail", "started", "no-op"},
    {"Fail", "succeeded", "no-op"},
    {"Fail", "failed", "no-op"},
    {"Fail", "timed out", "no-op"},
    {"Fail", "fired", "no-op"},
    {"Fail", "continued", "no-op"},
    {"Fail", "stopped", "no-op"},
    {"Fail", "redriven", "FAILED E: c"},
};

INSTANTIATE_TEST_SUITE_P(Table, StateAndFact, ::testing::ValuesIn(kTable));

TEST(AnyFact, BeforeTheStartIsANoOp) {
  Driver driver(kWaiting.at("Task"));
  for (const char* fact :
       {"succeeded", "failed", "timed out", "fired", "continued", "stopped", "redriven"}) {
    Execution fresh;
    std::vector<Command> commands;
    EXPECT_FALSE(
        step(*driver.program, fresh, Fact{CommandId{1}, Time{}, 0, body_of(fact)}, commands));
    EXPECT_FALSE(fresh.is_started());
  }
}

}  // namespace
}  // namespace stepwell
