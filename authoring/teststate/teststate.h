// teststate — one state of a workflow, tried out: TestState of Step Functions.
//
// Takes a state (or a workflow and a state's name), its input and, for what would go out into the
// world, a mock; answers with the output, the next state, and every value in between.  Nothing is
// stored and nothing waits: a Wait is over at once.
// Pure but for Setting::run.  Thread-safe: no state.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "base/value.h"
#include "dsl/dsl.h"
#include "engine/step/command.h"
#include "engine/step/fact.h"

namespace stepwell::teststate {

// How closely a mocked result is held against the shape of the service's answer.
enum class Validation : std::uint8_t {
  kStrict,   // What must be there is there, and what is there is of its kind.
  kPresent,  // What is there is of its kind.
  kNone,
};

// What the state's work comes to.
struct Mock {
  std::optional<std::string> result;  // JSON text.
  struct ErrorOutput {
    std::optional<std::string> error, cause;
  };
  std::optional<ErrorOutput> error;
  Validation validation = Validation::kStrict;
};

struct Request {
  // A state, or a workflow (it has States); JSON, or YAML when `file` says so.
  std::string definition;
  std::string file = "definition.json";
  std::string state_name;  // Of a workflow, at any depth.
  // JSON texts; absent: {}.
  std::optional<std::string> input, variables, context;
  std::optional<std::string> role_arn;
  std::optional<Mock> mock;
  // Where in its life the state is.
  std::uint32_t retries = 0;             // How often its retrier has tried already.
  std::uint64_t failed_iterations = 0;   // Of a Map.
  std::optional<std::string> item_data;  // JSON text: what an ItemReader reads.
  std::string error_caused_by;           // The inner state that a mocked error comes from.
};

// Why there was nothing to try: a request that TestState refuses.
struct Refusal {
  std::string code;  // "ValidationException", "InvalidDefinition", "InvalidExecutionInput"
  std::string message;
  std::vector<dsl::Diagnostic> diagnostics;  // Of InvalidDefinition.
};

enum class Outcome : std::uint8_t { kSucceeded, kFailed, kRetriable, kCaughtError };
const char* to_string(Outcome outcome);  // "SUCCEEDED", "FAILED", "RETRIABLE", "CAUGHT_ERROR"

struct Tried {
  // A value, and its text: a mock's stays as its author wrote it.
  struct Text {
    Value value;
    std::string json;
  };
  Outcome outcome = Outcome::kSucceeded;
  std::optional<Text> output;
  std::optional<std::string> error, cause;
  std::optional<std::string> next_state;
  // By the names of InspectionData, in the order of the data flow.
  std::vector<std::pair<std::string, Text>> stages;
  std::optional<std::size_t> retrier, catcher;  // Which of the state's handled the error.
  double backoff_seconds = 0;                   // Of the retrier.
  Value variables;                              // After the state.
};

// What the world adds.
struct Setting {
  Time now;
  // Of the execution that the state believes to be in.
  std::string account = "arn:aws:states:us-east-1:123456789012:";
  std::string machine = "TestState", execution = "test-state";
  // As AWS has it: a Task without a mock needs a role, and every state believes to be called
  // StateName.
  bool as_aws = false;
  // Runs a Task without a mock: a TaskSucceeded, TaskFailed or TaskTimedOut.
  std::function<FactBody(const RunTask&)> run;
};

std::variant<Tried, Refusal> test_state(const Request& request, const Setting& setting);

// In the words of the API.
std::variant<Request, Refusal> read_request(const Value& json);
// Levels: "INFO", "DEBUG", "TRACE".
Value to_json(const Tried& tried, const std::string& inspection_level);

}  // namespace stepwell::teststate
