// JSONata 2.x, as AWS Step Functions speaks it: with $partition, $range, $hash, $random, $uuid and
// $parse, and without $eval.
//
// Parsed once, when a workflow is deployed; evaluated purely.  What an evaluation may cost is
// counted (operations, depth, bytes), never timed, so that a fold comes out the same everywhere.
// A value may hold the same part many times, so that it is small in memory and endless to walk:
// whatever walks one counts each step, and no result is larger than what was read and made.
// Immutable; threads may share one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "base/value.h"

namespace stepwell::expr {

// What expressions come to may change with an edition only: an execution keeps the one it began
// under, so that a fold of its journal comes out as it did.  A bound on work is not part of it.
enum class Edition : std::uint8_t {
  // In texts of intrinsic calls \{ and \} keep their backslash, and States.Format reads them again;
  // it takes a brace that stands alone.  $base64decode leaves out what is not Base64.
  kFirst,
  kSecond,
};

struct JsonataLimits {
  std::uint64_t max_operations = 10'000'000;  // Each node evaluated, each item touched.
  std::uint32_t max_depth = 1000;             // Nested evaluations; tail calls do not count.
  std::size_t max_bytes = 13'980'672;         // Of one value that is made.  Measured
                                              // on AWS: [1..873782] fits.  All values: 16 times.
  std::uint32_t max_value_depth = 1000;       // Levels of arrays and objects, as of a payload.
};

// A mistake or a failure; `code` is that of the reference implementation ("T2001", "S0202").
struct JsonataError {
  std::string code;
  std::string message;
  std::size_t at = 0;      // Byte offset in the text.
  std::string value = {};  // The value to blame, as JSON; may be empty.
};

// What an expression may read.  References: the caller keeps them alive for the call.
struct JsonataScope {
  const Value* input = nullptr;      // `$` and `$$`; nullptr: undefined.
  const Value* variables = nullptr;  // An object: $name for each member; nullptr: none.
  // The members of $states; nullptr: no such member.  Without any there is no $states.
  const Value* states_input = nullptr;
  const Value* states_result = nullptr;
  const Value* states_error_output = nullptr;
  const Value* states_context = nullptr;
  Random* random = nullptr;  // $random() and $uuid(); nullptr: they fail.
  Time now;                  // $now() and $millis().
  Edition edition = Edition::kSecond;
};

struct JsonataResult {
  enum class Kind { kValue, kUndefined, kFunction, kError };
  Kind kind = Kind::kUndefined;
  Value value;
  JsonataError error;
};

// What an expression reads, as its text tells.
struct JsonataReads {
  std::vector<std::string> variables;      // Free $names except "states"; sorted, each once.
  std::vector<std::string> states_fields;  // "input", "result", ...: of $states.field.
  bool whole_states = false;               // $states is read in any other way.
  bool top_level_input = false;            // `$`, `$$` or a bare name where the input is undefined.
  std::vector<std::string> top_level_names;  // The bare names among these.
};

// The type of value that an expression always yields; kAny when its form does not tell.
enum class StaticType : std::uint8_t {
  kAny,
  kNull,
  kBool,
  kNumber,  // Or null for NaN, which JSON does not have.
  kString,
  kArray,
  kObject,
  kFunction,
};

class Jsonata {
 public:
  struct Parts;  // Internal.

  static std::variant<Jsonata, JsonataError> parse(std::string_view text);

  JsonataResult evaluate(const JsonataScope& scope, const JsonataLimits& limits = {}) const;

  const std::string& text() const;
  const JsonataReads& reads() const;
  StaticType static_type() const;

 private:
  explicit Jsonata(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}
  std::shared_ptr<const Parts> parts_;
};

// Is the text "{% ... %}", and nothing else?  Then `inner` is the expression, trimmed.
bool is_jsonata(std::string_view text, std::string_view* inner = nullptr);

}  // namespace stepwell::expr
