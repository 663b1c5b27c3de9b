// What of a workflow its tests went through.
#include "authoring/transcript/coverage.h"

#include <gtest/gtest.h>

#include "authoring/transcript/transcript.h"

namespace stepwell::transcript {
namespace {

constexpr const char* kWorkflow = R"(StartAt: Charge
States:
  Charge:
    Type: Task
    Resource: bank.charge
    Retry:
      - ErrorEquals: [Bank.Busy]
      - ErrorEquals: [Bank.Shut]
    Catch:
      - ErrorEquals: [Bank.No]
        Next: Sorry
      - ErrorEquals: [States.ALL]
        Next: Which
    Next: Which
  Which:
    Type: Choice
    Choices:
      - Variable: $.n
        NumericEquals: 1
        Next: One
      - Variable: $.n
        NumericEquals: 2
        Next: Sorry
    Default: Many
  One: {Type: Succeed}
  Many:
    Type: Map
    ItemsPath: $.items
    ItemProcessor:
      StartAt: Each
      States:
        Each: {Type: Pass, Next: Last}
        Last: {Type: Pass, End: true}
    End: true
  Sorry: {Type: Fail}
)";

// "line:column kind what", with a "+" before what was reached.
std::string listed(const std::vector<Part>& parts) {
  std::string text;
  for (const Part& part : parts) {
    text += std::string(part.reached ? "+ " : "- ") + std::to_string(part.line) + ":" +
            std::to_string(part.column) + " " + to_string(part.kind) + " " + part.what + "\n";
  }
  return text;
}

Report run(const std::string& cases) {
  const ReadFile read = [](const std::string&) -> Result<std::string> {
    return std::string(kWorkflow);
  };
  return run_tests("workflow: charge.yaml\n" + cases, "charge.test.yaml", read);
}

TEST(Coverage, TellsWhatWasReached) {
  const Report report = run(R"(
cases:
  - name: busy, then one
    tasks: {bank.charge: [fail Bank.Busy, {n: 1}]}
    status: SUCCEEDED
  - name: another error leads where success does
    tasks: {bank.charge: fail Other}
    status: FAILED
)");
  EXPECT_EQ(report.diagnosis, "");
  EXPECT_EQ(report.workflow, "charge.yaml");
  EXPECT_EQ(listed(report.parts), R"(+ 3:3 state Charge
+ 3:3 transition Charge -> Which
+ 7:9 retrier Charge, Retry of Bank.Busy
- 8:9 retrier Charge, Retry of Bank.Shut
- 10:9 catcher Charge -> Sorry, Catch of Bank.No
+ 12:9 catcher Charge -> Which, Catch of States.ALL
+ 15:3 state Which
- 15:3 transition Which -> Many, Default
+ 18:9 transition Which -> One, rule 1
- 21:9 transition Which -> Sorry, rule 2
+ 25:3 state One
- 26:3 state Many
- 32:9 state Each
- 32:9 transition Each -> Last
- 33:9 state Last
- 35:3 state Sorry
)");
}

// A catcher that leads where Next does is not Next.
TEST(Coverage, TellsCatchersFromNext) {
  const Report report = run("tasks: {bank.charge: fail Other}\nstatus: FAILED\n");
  const auto reached = [&](const std::string& what) {
    for (const Part& part : report.parts) {
      if (part.what == what) return part.reached;
    }
    ADD_FAILURE() << "no part " << what;
    return false;
  };
  EXPECT_FALSE(reached("Charge -> Which"));
  EXPECT_TRUE(reached("Charge -> Which, Catch of States.ALL"));
}

TEST(Coverage, AddsUp) {
  std::vector<Part> all;
  merge(all, run("tasks: {bank.charge: {n: 1}}\nstatus: SUCCEEDED\n").parts);
  merge(all, run("tasks: {bank.charge: {items: [1], n: 3}}\nstatus: SUCCEEDED\n").parts);
  merge(all, run("tasks: {bank.charge: {n: 2}}\nstatus: FAILED\n").parts);
  std::string missing;
  for (const Part& part : all) missing += part.reached ? "" : part.what + "\n";
  EXPECT_EQ(missing, R"(Charge, Retry of Bank.Busy
Charge, Retry of Bank.Shut
Charge -> Sorry, Catch of Bank.No
Charge -> Which, Catch of States.ALL
)");
}

}  // namespace
}  // namespace stepwell::transcript
