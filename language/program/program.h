// Program — a workflow, compiled: the instruction set of step().  Data only.
//
// A workflow is a tree of machines: machine 0 is the workflow itself; every Parallel branch and
// every Map processor is a machine of its own.  States are named by index.  Everything that can be
// parsed is parsed: no text of the language is looked at again while it runs.
//
// Immutable after dsl::compile; any number of threads may share one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "base/value.h"
#include "language/expr/expr.h"

namespace stepwell {

// The language of a state's expressions.
enum class QueryLanguage : std::uint8_t { kJsonPath, kJsonata };

class Schema;

// Where something stands in the source: for messages at run time, too.
struct SourceSpan {
  std::uint32_t line = 0;    // From 1; 0 when there is no source text.
  std::uint32_t column = 0;  // From 1, in characters.
  std::string pointer;       // JSON pointer: "/States/Charge/Retry/0"
};

// InputPath, OutputPath: absent means "$"; written as null means "throw it away: {}".
struct Selection {
  std::optional<expr::JsonPath> path;
  bool discard = false;
};
// ResultPath: absent means "$" (the result replaces the input); null means "keep the input".
struct Placement {
  std::optional<expr::JsonPath> path;
  bool discard = false;
};

// Where an expression of a state stands, under the name that JSONata's failures have for it.
struct ExpressionSpan {
  std::string location;  // "Output/total", "Choices[0]/Condition"; of JSONPath: as it is written.
  SourceSpan where;
  // The pieces of its text that stand in the source as they are; empty where that is not known.
  struct Stretch {
    std::size_t at;  // Byte of the expression.
    std::uint32_t line, column;
  };
  std::vector<Stretch> stretches;
};

enum class Jitter : std::uint8_t { kNone, kFull };

// What becomes of a time to come back that the server named with its error.
enum class ServerDelay : std::uint8_t {
  kAtLeast,  // Plain ASL: the retrier's own delay, and not before that time.
  kHonor,    // RetryAfter: HONOR.  It is the delay, and the attempt does not count.
  kIgnore,   // RetryAfter: IGNORE.
};

struct Retrier {
  std::vector<std::string> error_equals;
  double interval_seconds = 1;
  std::uint32_t max_attempts = 3;
  double backoff_rate = 2.0;
  std::optional<double> max_delay_seconds;
  Jitter jitter = Jitter::kNone;
  ServerDelay server_delay = ServerDelay::kAtLeast;
  double max_server_delay_seconds = 86'400;  // Of kHonor; a longer time is cut.
  std::uint32_t max_server_delays = 100;     // Of kHonor; those beyond count as attempts.
  SourceSpan where;
};

struct Catcher {
  std::vector<std::string> error_equals;
  StateId next;
  Placement result_path;                 // JSONPath.
  std::optional<expr::Template> output;  // JSONata.
  std::optional<expr::Template> assign;
  SourceSpan where;
};

// A number of seconds or of things, given as a constant or by an expression.
struct Quantity {
  std::variant<double, expr::Template> value;
  std::string path_text;  // "$.a.b" as written, for AWS's error texts; empty for all else.
};

// ---- Choice ---------------------------------------------------------------------------------

enum class Comparison : std::uint8_t {
  kStringEquals,
  kStringLessThan,
  kStringGreaterThan,
  kStringLessThanEquals,
  kStringGreaterThanEquals,
  kStringMatches,
  kNumericEquals,
  kNumericLessThan,
  kNumericGreaterThan,
  kNumericLessThanEquals,
  kNumericGreaterThanEquals,
  kBooleanEquals,
  kTimestampEquals,
  kTimestampLessThan,
  kTimestampGreaterThan,
  kTimestampLessThanEquals,
  kTimestampGreaterThanEquals,
  kIsNull,
  kIsPresent,
  kIsNumeric,
  kIsString,
  kIsBoolean,
  kIsTimestamp,
};

struct Condition;

struct Test {
  expr::JsonPath variable;
  Comparison comparison;
  std::variant<Value, expr::JsonPath> operand;  // The ...Path forms hold a path.
};
struct AllOf {
  std::vector<Condition> conditions;
};
struct AnyOf {
  std::vector<Condition> conditions;
};
struct NoneOf {
  std::vector<Condition> conditions;
};  // Not: exactly one.

// JSONata: the field Condition, an expression or a constant.
struct Truth {
  expr::Template what;
};

// True or false of a state's input.
struct Condition {
  std::variant<Test, AllOf, AnyOf, NoneOf, Truth> test;
};

struct ChoiceRule {
  Condition condition;
  StateId next;
  std::optional<expr::Template> output;  // JSONata.
  std::optional<expr::Template> assign;
  SourceSpan where;
};

// ---- The eight kinds of state ---------------------------------------------------------------

// How a task's events are named in a Step Functions history, and what wraps its result.
enum class TaskFamily : std::uint8_t {
  kTask,      // TaskScheduled ...: service integrations and Stepwell's own functions.
  kLambda,    // A function's ARN: LambdaFunctionScheduled ...
  kActivity,  // ActivityScheduled ...
};

struct Task {
  std::string resource;  // As written: "strava.fetch", "arn:aws:states:::lambda:invoke", ...
  TaskFamily family = TaskFamily::kTask;
  std::string event_resource;       // "invoke" of "arn:aws:states:::lambda:invoke"
  std::string event_resource_type;  // "lambda" of the same
  std::optional<Quantity> timeout_seconds;
  std::optional<Quantity> heartbeat_seconds;
  std::optional<expr::Template> credentials;
};

struct Pass {
  std::optional<Value> result;
};

struct Choice {
  std::vector<ChoiceRule> rules;
  std::optional<StateId> default_next;
};

struct Wait {
  struct Until {
    std::variant<Time, expr::Template> at;
    std::string path_text;
  };
  std::variant<Quantity, Until> how_long;  // Seconds or SecondsPath; Timestamp or TimestampPath.
};

struct Succeed {};

struct Fail {
  // Absent fields stay absent in the result.
  std::optional<expr::Template> error;
  std::optional<expr::Template> cause;
  std::string error_path_text, cause_path_text;
};

struct Parallel {
  std::vector<MachineId> branches;
};

struct Map {
  MachineId processor;
  std::optional<expr::Template> items;  // ItemsPath, or JSONata's Items.
  std::string items_path_text;
  std::optional<expr::Template> item_selector;  // ItemSelector, or the older Parameters.
  std::optional<Quantity> max_concurrency;      // 0 and absent: no limit.
  // Distributed: its iterations leave no events in the history.  This version runs it like an
  // inline Map when its items come with the input, and fails the state when `unsupported` is set.
  bool distributed = false;
  std::string label;        // Label, part of the map run's ARN.
  std::string unsupported;  // The first field that this version cannot run ("ItemReader"), if any.
  std::optional<Quantity> tolerated_failure_count, tolerated_failure_percentage;
  // Extension: an inline Map goes on when iterations fail, as many as are tolerated (all, when
  // neither count nor percentage says how many), and its result tells which.
  bool tolerate_failures = false;
  Value definition;  // Of a distributed Map: the state as written, for the version that runs it.
};

using StateKind = std::variant<Task, Pass, Choice, Wait, Succeed, Fail, Parallel, Map>;

// One state.  Fields of the data flow are here because most kinds have them; the compiler refuses
// them where the language does.
struct State {
  std::string name;
  StateKind kind;
  std::optional<StateId> next;  // Absent: End, or a kind that has no next.
  QueryLanguage language = QueryLanguage::kJsonPath;

  Selection input_path;
  std::optional<expr::Template> parameters;  // Parameters, or JSONata's Arguments.
  std::optional<expr::Template> result_selector;
  Placement result_path;
  Selection output_path;
  std::optional<expr::Template> output;  // JSONata.
  std::optional<expr::Template> assign;
  std::vector<Retrier> retry;
  std::vector<Catcher> catchers;
  SourceSpan where;
  std::vector<ExpressionSpan> expressions;
  std::optional<std::uint32_t> group;  // Extension: into Machine::groups.
  bool uses_context = false;           // Does any expression of this state read the context object?

  bool speaks_jsonata() const { return language == QueryLanguage::kJsonata; }
};

// Extension: Retry and Catch of several states.  An error that none of its own state's handles is
// retried from the group's first state, with the input and variables that it was entered with, or
// caught.
struct Group {
  std::vector<StateId> states;  // The first is the only one that others lead to.
  // Name, retry and catchers; the rest is empty.
  State rules;
};

struct Machine {
  StateId start_at;
  std::vector<State> states;
  std::vector<Group> groups;
  std::optional<MachineId> parent;  // Absent for machine 0.
  SourceSpan where;
};

struct Program {
  std::string hash;  // SHA-256 (hex) of the definition as canonical JSON.
  std::string file;  // What the author calls its text; for messages.
  std::string comment;
  std::vector<Machine> machines;
  std::optional<double> timeout_seconds;  // Of the whole execution.
  // InputSchema: what a start demands of its input, before there is an execution (accept.h).
  std::shared_ptr<const Schema> input_schema;
  SourceSpan input_schema_where;
  Value definition;  // The definition as JSON, as DescribeStateMachine gives it.

  const Machine& machine(MachineId id) const { return machines[id.value]; }
  const State& state(MachineId machine, StateId id) const {
    return machines[machine.value].states[id.value];
  }
};

using ProgramRef = std::shared_ptr<const Program>;

// A state of a program and, where one is to blame, an expression of it.
struct StatePlace {
  MachineId machine;
  StateId state;
  expr::Blame blame;
};
// Where the author wrote it, as far into the expression as is known.
SourceSpan where(const Program& program, const StatePlace& spot);
// "charge.yaml:12:7", or nothing when there is no source text.
std::string place_text(const Program& program, const StatePlace& spot);

// "Task", "Pass", ...: ASL's word, also the beginning of "<Kind>StateEntered".
const char* kind_name(const StateKind& kind);

}  // namespace stepwell
