// teststate — runs one state of a workflow by itself: TestState of Step Functions.
//
// Takes a state (or a workflow and the name of a state), its input and, in place of a task or of
// the machines inside of it, a mock.  Returns the output, the next state, and every value in
// between. Nothing is stored and nothing waits: a Wait is over at once. Pure except for
// Setting::run.  Thread-safe: no state.
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

// How closely a mocked result is compared with what the service would return.
enum class Validation : std::uint8_t {
  kStrict,   // Required fields must be there, and every field must have its type.
  kPresent,  // Every field that is there must have its type.
  kNone,
};

// The result or the error that stands in for the work of the state.
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
  // How far the state is.
  std::uint32_t retries = 0;             // Retries that were made before.
  std::uint64_t failed_iterations = 0;   // Of a Map.
  std::optional<std::string> item_data;  // JSON text: what an ItemReader reads.
  std::string error_caused_by;           // The inner state that raised the mocked error.
};

// Why TestState refuses the request.
struct Refusal {
  std::string code;  // "ValidationException", "InvalidDefinition", "InvalidExecutionInput"
  std::string message;
  std::vector<dsl::Diagnostic> diagnostics;  // Of InvalidDefinition.
};

enum class Outcome : std::uint8_t { kSucceeded, kFailed, kRetriable, kCaughtError };
const char* to_string(Outcome outcome);  // "SUCCEEDED", "FAILED", "RETRIABLE", "CAUGHT_ERROR"

struct Tried {
  // A value and its text; the text of a mock stays as its author wrote it.
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
  std::optional<std::size_t> retrier, catcher;  // The index of the one that handled the error.
  double backoff_seconds = 0;                   // Of the retrier.
  Value variables;                              // After the state.
};

// What a caller may set for all requests.
struct Setting {
  Time now;
  // The ARN prefix of the execution that the context object shows.
  std::string account = "arn:aws:states:us-east-1:123456789012:";
  std::string machine = "TestState", execution = "test-state";
  // As on AWS: a Task without a mock needs a role, and the context object calls every state
  // "StateName".
  bool as_aws = false;
  // Runs a Task without a mock: a TaskSucceeded, TaskFailed or TaskTimedOut.
  std::function<FactBody(const RunTask&)> run;
};

std::variant<Tried, Refusal> test_state(const Request& request, const Setting& setting);

// Reads a request of the TestState API.
std::variant<Request, Refusal> read_request(const Value& json);
// Levels: "INFO", "DEBUG", "TRACE".
Value to_json(const Tried& tried, const std::string& inspection_level);

}  // namespace stepwell::teststate
