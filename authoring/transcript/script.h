// Script — a test file, read and checked.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "dsl/diagnostics/findings.h"
#include "dsl/yaml/document.h"

namespace stepwell::transcript {

// What a mocked task answers.
struct Answer {
  enum class Kind { kValue, kFail, kTimeout, kHeartbeatLost, kEcho };
  Kind kind = Kind::kValue;
  Value value;
  std::string error, cause;
  bool has_cause = false;
  std::optional<Millis> retry_after;
  Millis delay{0};
};

// Answers in order; after the last one it is given again.
struct Mock {
  std::optional<Value> when;  // Only for an input that contains this.
  std::vector<Answer> answers;
};
struct TaskMocks {
  std::string name;  // The name of a state, or a resource.
  dsl::Place place;
  std::vector<Mock> mocks;
};

// What an operator does to the execution: stop or redrive.
struct Action {
  Millis at{0};
  bool is_redrive = false;  // Else: stop.
  std::optional<std::string> error, cause;
};

// Mocks from a file in the format of Step Functions Local.
struct MockConfig {
  std::string file, test_case;
  dsl::Place place;
};

struct Case {
  std::string name;
  std::optional<MockConfig> mock_config;
  Value input;
  std::vector<TaskMocks> tasks;
  std::vector<Action> actions;
  Time start;
  std::uint64_t seed = 1;
  std::optional<std::string> status, error, cause, transcript;
  std::optional<Value> output;

  const dsl::Node* node = nullptr;  // Where it stands, for --update.
};

struct Script {
  std::string workflow;                   // A file, or empty:
  const dsl::Node* definition = nullptr;  // the workflow itself.
  dsl::Place workflow_place;
  std::vector<Case> cases;
};

// Problems go to `findings`; the script is good when that has no errors.
Script read_script(const dsl::Document& document, dsl::Findings& findings);

}  // namespace stepwell::transcript
