// Mocks in the format of Step Functions Local, its MockConfigFile.json:
//
//   {"StateMachines": {"Orders": {"TestCases": {"Retries": {"Charge": "BusyThenPaid"}}}},
//    "MockedResponses": {"BusyThenPaid": {"0-1": {"Throw": {"Error": "Bank.Busy"}},
//                                         "2": {"Return": {"receipt": "r-1"}}}}}
#pragma once

#include <string>
#include <vector>

#include "authoring/transcript/script.h"
#include "dsl/diagnostics/findings.h"
#include "dsl/yaml/document.h"

namespace stepwell::transcript {

// The mocks of a test case: "Retries", or "Orders#Retries" where several machines have one of that
// name.  `place` is where the test file names it; mistakes in the document go to `findings`.
std::vector<TaskMocks> read_mock_config(const dsl::Document& document, const std::string& test_case,
                                        const dsl::Place& place, dsl::Findings& findings);

}  // namespace stepwell::transcript
