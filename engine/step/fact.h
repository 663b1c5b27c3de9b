// Facts — what the world did.  The journal of an execution is the sequence of its facts; everything
// else about it is a function of them.
//
// A journal row is (seq, kind, command, at, input_hash, payload); encode() and decode() are the
// only code that knows the shape of `payload`.  Kinds are numbers that never change their meaning.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "base/value.h"

// Thread-safety: plain values.

namespace stepwell {

// What step() may never exceed.  Pinned by the started fact, so that raising a limit changes no
// execution that runs.
struct Limits {
  std::uint64_t max_payload_bytes = 262'144;   // Of one state's input, output or result.
  std::uint64_t max_transitions = 10'000'000;  // In the whole execution.
  std::uint64_t slice_transitions = 10'000;    // For one fact.
  std::uint32_t max_value_depth = 1'000;
};

// The newest semantics of step().  An execution keeps those it began under:
//   1  the first
//   2  JSONata; variables limited to kVariablePayloads payloads in all
inline constexpr std::uint32_t kSemantics = 2;
// AWS's 10 MiB of variables, in payloads of 256 KiB: raised with them.
inline constexpr std::uint64_t kVariablePayloads = 40;

// All that step() reads besides facts and program.
struct Pins {
  std::string program_hash;
  std::uint32_t semantics = kSemantics;
  Limits limits;
  std::string execution_arn, execution_name, role_arn, machine_arn, machine_name;
  std::uint64_t seed = 0;  // Of all randomness in the execution.
};

// input_text: the input as the caller wrote it, which a history shows; empty: its compact form.
struct Started {
  Value input;
  Pins pins;
  std::string input_text = {};
};
struct TaskSucceeded {
  Value output;
};
// retry_after: the server named a time to come back; a retrier may use it as its delay.
struct TaskFailed {
  std::optional<std::string> error, cause;
  std::optional<Millis> retry_after;
};
struct TaskTimedOut {
  bool heartbeat = false;
};
struct TimerFired {};
struct Continued {};
struct Stopped {
  std::optional<std::string> error, cause;
};
// `program_hash`: empty, or the hash of the program that the rest is to run under.
struct Redriven {
  std::string program_hash;
};

using FactBody = std::variant<Started, TaskSucceeded, TaskFailed, TaskTimedOut, TimerFired,
                              Continued, Stopped, Redriven>;

enum class FactKind : std::int16_t {
  kStarted = 1,
  kTaskSucceeded = 2,
  kTaskFailed = 3,
  kTaskTimedOut = 4,
  kTimerFired = 5,
  kContinued = 6,
  kStopped = 7,
  kRedriven = 8,
};

struct Fact {
  CommandId command;             // What it answers; 0 for started, stopped, redriven.
  Time at;                       // Never earlier than the fact before it (step() clamps).
  std::uint64_t input_hash = 0;  // Of the answered command's resolved input; 0: not checked.
  FactBody body;

  FactKind kind() const { return static_cast<FactKind>(body.index() + 1); }
};

// The payload of a journal row: compact JSON text, never with a NUL in it.  Empty when there is
// nothing to say (TimerFired, Continued).
std::string encode_payload(const FactBody& body);
Result<FactBody> decode_payload(FactKind kind, std::string_view payload);
const char* fact_name(FactKind kind);  // "task_succeeded": for the journal's view and for logs.

}  // namespace stepwell
