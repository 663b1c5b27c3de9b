// Expressions: what may stand in a workflow where a value is computed.
//
// Parsed once, when a workflow is deployed; evaluated purely, as often as the workflow runs.
// Four kinds of text meet here:
//   * a path            "$.order.items[0]"   "$$.Execution.Name"   "$counter.total"   (JsonPath)
//   * an intrinsic call "States.Format('{}', $.name)"                                  (Intrinsic)
//   * a payload template {"a.$": "$.x", "b": 1}                                        (Template)
//   * a JSONata string  "{% $states.input.x %}"                                        (Jsonata)
// A Template may be of either language; evaluate() is the same call for both.
//
// All are immutable and share their parts: copies are cheap, threads may share them.
// Evaluation is bounded by counted work (kMaxEvaluationSteps), never by time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "base/value.h"
#include "language/expr/jsonata.h"

namespace stepwell::expr {

inline constexpr std::size_t kMaxEvaluationSteps = 1'000'000;
inline constexpr std::size_t kMaxExpressionBytes = 32'768;
inline constexpr std::size_t kMaxExpressionDepth = 64;

// What an expression may read.  References: the caller keeps them alive for the call.
struct Scope {
  const Value& input;      // `$`
  const Value& context;    // `$$`, the context object (null when uses_context() said no)
  const Value& variables;  // `$name`: an object of the variables in sight
  Random& random;          // For States.UUID, States.MathRandom, $random, $uuid.
  // JSONata reads them as $states.input and $states.context, and these two where they exist:
  const Value* result = nullptr;        // $states.result
  const Value* error_output = nullptr;  // $states.errorOutput
  Time now{};                           // $now, $millis: when the fact happened.
  Edition edition = Edition::kSecond;
};

// Which expression failed, where in it, and on which value: for the people who fix the workflow.
// The workflow itself sees only the location of a JSONata expression, in the cause.
struct Blame {
  std::string location;           // JSONata: "Output/result"; JSONPath: as it is written; or empty.
  std::optional<std::size_t> at;  // Byte of the expression; absent: all of it.
  std::string value;  // The value on which it failed, as JSON, cut when long; may be empty.
};
// The value as Blame::value has it: a long one is cut and ends in "...".
std::string blamed_value(std::string json);
std::string blamed_value(const Value& value);

// A failure of the workflow, not of the engine: it becomes the state's error.
struct Failure {
  std::string error;  // "States.Runtime", "States.IntrinsicFailure", ...
  std::string cause;  // Without AWS's "An error occurred while executing the state ..." before it.
  Blame blame = {};
};

// A Value, or the Failure.
class Evaluated {
 public:
  Evaluated(Value value) : value_(std::move(value)) {}
  Evaluated(Failure failure) : failure_(std::make_unique<Failure>(std::move(failure))) {}
  bool ok() const { return !failure_; }
  Value& value() { return value_; }
  const Failure& failure() const { return *failure_; }

 private:
  Value value_;
  std::unique_ptr<Failure> failure_;
};

// Where a text went wrong: `at` counts bytes from its beginning.
struct SyntaxError {
  std::string message;
  std::size_t at = 0;
};
template <class T>
using Parsed = std::variant<T, SyntaxError>;

// A path in Jayway's dialect with AWS's options (shared asl.md 2.5): `$`, `$$` or `$variable`, then
// `.name`, `['name']`, `[0]`, `[-1]`, `[1:5:2]`, `[0,1]`, `['a','b']`, `[*]`, `.*`, `..name`,
// `[?(@.x == 1 && ...)]`, and Jayway's functions (`.length()`, `.min()`, ...).
class JsonPath {
 public:
  struct Parts;  // Internal: path_parts.h.

  static Parsed<JsonPath> parse(std::string_view text);

  // Exactly one place, if any: no wildcard, slice, filter, union or descent in it.
  bool is_definite() const;
  // A reference path: only names and indexes, rooted in `$` (what ResultPath allows).
  bool is_reference() const;
  // What the path begins with: `$` (the input), `$$` (the context object) or `$variable`.
  enum class Root { kInput, kContext, kVariable };
  Root root() const;
  const std::string& variable() const;  // The name without `$`; empty unless kVariable.
  const std::string& text() const;      // As written.

  // std::nullopt when a definite path leads nowhere; an indefinite one then yields [].
  // `missing`, if given, is set to AWS's words for what was not found:
  // "Missing property in path $['no']" or "No results for path: $['NoSuchInputPath']".
  std::optional<Value> find(const Scope& scope, std::string* missing = nullptr) const;

  // Does a definite path that leads nowhere end in an index beyond its array?  (In a template that
  // is null on AWS, not an error.)
  bool is_past_end(const Scope& scope) const;

  // For a reference path: `document` with `value` put there, parents created as needed.
  // std::nullopt when the path leads through a value that is neither object nor array.
  std::optional<Value> put(Value document, Value value) const;

 private:
  explicit JsonPath(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}
  std::shared_ptr<const Parts> parts_;
  friend struct JsonPathParser;
};

// A call of one of the 18 intrinsic functions; arguments are literals, paths and calls.
class Intrinsic {
 public:
  struct Call;  // Internal: intrinsic.cc.

  static Parsed<Intrinsic> parse(std::string_view text);
  // `field` and the whole input are named in AWS's error texts.
  Evaluated evaluate(const Scope& scope, std::string_view field) const;
  const std::string& text() const;
  bool uses_context() const;
  const Call& call() const { return *call_; }
  // Adds the names of all variables that it reads, for the check at deploy.
  void collect_variables(std::vector<std::string>& names) const;

 private:
  explicit Intrinsic(std::shared_ptr<const Call> call) : call_(std::move(call)) {}
  std::shared_ptr<const Call> call_;
  friend struct IntrinsicParser;
};

// A mistake in a payload template, and where in the template it is (a JSON pointer).
struct TemplateError {
  std::string message;
  std::string pointer;  // "/a/b.$", "" for the template itself
  std::size_t at = 0;   // JSONata: bytes into the string at `pointer`.
};

// A JSON value in which some fields are computed (keys that end in ".$").  A part without any is
// kept as a constant and shared by every evaluation.
class Template {
 public:
  struct Node;  // Internal: template.cc.

  // A constant, verbatim: keys that end in ".$" mean nothing in it.
  static Template constant(Value value);
  // A JSONPath payload template.  All errors are reported, not only the first.
  static std::variant<Template, std::vector<TemplateError>> parse_jsonpath(const Value& text);
  // A single path or intrinsic call standing for the whole value (ItemsPath, SecondsPath, ...).
  static Parsed<Template> parse_path(std::string_view text);
  // JSONata: every string in it that is exactly "{% ... %}" is computed, all else is constant.
  // `field` is the place that failures name: "Output" makes "Output/total".
  static std::variant<Template, std::vector<TemplateError>> parse_jsonata(const Value& text,
                                                                          const std::string& field);

  // The failure's cause is AWS's text ("The JSONPath '$.x' specified for the field 'value.$' could
  // not be found in the input '...'").
  Evaluated evaluate(const Scope& scope) const;

  bool is_constant() const;
  bool uses_context() const;
  void collect_variables(std::vector<std::string>& names) const;
  // The JSONata expression that the whole template consists of; nullptr when it is anything else.
  const Jsonata* whole_expression() const;
  // Every JSONata expression in it, with its JSON pointer inside the template.
  std::vector<std::pair<std::string, Jsonata>> expressions() const;

 private:
  explicit Template(std::shared_ptr<const Node> node) : node_(std::move(node)) {}
  std::shared_ptr<const Node> node_;
};

}  // namespace stepwell::expr
