// Mocks in the format of Step Functions Local.
#include <gtest/gtest.h>

#include "authoring/transcript/transcript.h"

namespace stepwell::transcript {
namespace {

const std::string kWorkflow =
    "StartAt: Charge\n"
    "States:\n"
    "  Charge:\n"
    "    Type: Task\n"
    "    Resource: bank.charge\n"
    "    Retry: [{ErrorEquals: [Bank.Busy]}]\n"
    "    Next: Tell\n"
    "  Tell: {Type: Task, Resource: mail.send, End: true}\n";

const std::string kMocks = R"({
  "StateMachines": {
    "Orders": {"TestCases": {
      "Retries": {"Charge": "BusyThenPaid", "Tell": "Sent"},
      "Half": {"Charge": "BusyThenPaid"},
      "Misspelt": {"Charge": "BusyThenPayed"}
    }}
  },
  "MockedResponses": {
    "BusyThenPaid": {
      "0-1": {"Throw": {"Error": "Bank.Busy", "Cause": "later"}},
      "2": {"Return": {"receipt": "r-1"}}
    },
    "Sent": {"0": {"Return": true}}
  }
})";

Report run(const std::string& text, const std::string& mocks = kMocks) {
  const ReadFile read = [&](const std::string& path) -> Result<std::string> {
    if (path == "orders.yaml") return kWorkflow;
    if (path == "mocks.json") return mocks;
    return Error{ErrorCode::kNotFound, "there is no file " + path};
  };
  return run_tests(text, "orders.test.yaml", read);
}

TEST(MockConfig, AnswersAttemptByAttempt) {
  const Report report = run(R"(workflow: orders.yaml
mock_config: mocks.json
test_case: Retries
transcript: |
  0s  started
  0s  Charge     entered  bank.charge {}
  0s  Charge     failed   Bank.Busy: later, retry 1 in 1s
  1s  Charge     failed   Bank.Busy: later, retry 2 in 2s
  3s  Charge     exited   {"receipt":"r-1"}
  3s  Tell       entered  mail.send {"receipt":"r-1"}
  3s  Tell       exited   true
  3s  succeeded           true
)");
  ASSERT_EQ(report.cases.size(), 1u) << report.diagnosis;
  EXPECT_EQ(report.cases[0].problem, "");
}

TEST(MockConfig, WhatTheTestFileSaysGoesFirst) {
  const Report report =
      run("workflow: orders.yaml\nmock_config: mocks.json\ntest_case: Orders#Half\n"
          "tasks: {Charge: 1, Tell: 2}\noutput: 2\n");
  ASSERT_EQ(report.cases.size(), 1u) << report.diagnosis;
  EXPECT_EQ(report.cases[0].problem, "");
}

TEST(MockConfig, SaysWhatIsWrong) {
  const std::string head = "workflow: orders.yaml\n";
  const struct {
    std::string text, mocks, says;
  } table[] = {
      {"mock_config: mocks.json\n", kMocks, "\"mock_config\" and \"test_case\" go together"},
      {"mock_config: other.json\ntest_case: Retries\n", kMocks, "there is no file other.json"},
      {"mock_config: mocks.json\ntest_case: Retires\n", kMocks,
       "there is no test case \"Retires\""},
      {"mock_config: mocks.json\ntest_case: Order#Retries\n", kMocks,
       "there is no state machine \"Order\""},
      {"mock_config: mocks.json\ntest_case: Misspelt\n", kMocks,
       "there is no mocked response \"BusyThenPayed\""},
      {"mock_config: mocks.json\ntest_case: A\n",
       R"({"StateMachines": {"M": {"TestCases": {"A": {"Charge": "R"}}}},
           "MockedResponses": {"R": {"1": {"Return": 1}}}})",
       "attempt 0 has no response"},
      {"mock_config: mocks.json\ntest_case: A\n",
       R"({"StateMachines": {"M": {"TestCases": {"A": {"Charge": "R"}}}},
           "MockedResponses": {"R": {"0-2": {"Return": 1}, "2": {"Return": 1}}}})",
       "attempt 2 has two responses"},
      {"mock_config: mocks.json\ntest_case: A\n",
       R"({"StateMachines": {"M": {"TestCases": {"A": {"Charge": "R"}}}},
           "MockedResponses": {"R": {"first": {"Return": 1}}}})",
       "\"first\" is not an attempt"},
      {"mock_config: mocks.json\ntest_case: A\n",
       R"({"StateMachines": {"M": {"TestCases": {"A": {"Charge": "R"}}}},
           "MockedResponses": {"R": {"0": {"Return": 1, "Throw": {"Error": "E"}}}}})",
       "an attempt needs either \"Return\" or \"Throw\""},
      {"mock_config: mocks.json\ntest_case: A\n",
       R"({"StateMachines": {"M": {"TestCases": {"A": {"Charge": "R"}}},
                             "N": {"TestCases": {}}}, "MockedResponses": {}})",
       "several state machines have test cases"},
      {"mock_config: mocks.json\ntest_case: A\n", R"({"StateMachines": []})",
       "\"StateMachines\" must be there, and an object"},
      {"mock_config: mocks.json\ntest_case: A\n", "{", "error"},
  };
  for (const auto& row : table) {
    const Report report = run(head + row.text + "status: SUCCEEDED\n", row.mocks);
    EXPECT_FALSE(report.passed());
    EXPECT_TRUE(report.cases.empty()) << row.text;
    EXPECT_NE(report.diagnosis.find(row.says), std::string::npos) << row.says << " in\n"
                                                                  << report.diagnosis;
  }
}

}  // namespace
}  // namespace stepwell::transcript
