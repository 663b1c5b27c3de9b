// Facts — what the world did.  The journal of an execution is the sequence of its facts; everything
// else about it is a function of them.
//
// A journal row is (seq, kind, command, at, input_hash, payload); encode_payload() and
// decode_payload() are the only code that knows the shape of `payload`.  Kinds are numbers that
// never change their meaning.
#pragma once

#include <array>
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
// execution that runs.  The fact holds only those that differ from the numbers here, so these
// numbers are part of the format: an engine that wants other limits says so in its facts.
struct Limits {
  std::uint64_t max_payload_bytes = 262'144;   // Of one state's input, output or result.
  std::uint64_t max_transitions = 10'000'000;  // In the whole execution.
  std::uint64_t slice_transitions = 10'000;    // For one fact.
  std::uint32_t max_value_depth = 1'000;
};

// The newest semantics of step().  An execution keeps those it began under:
//   1  the first
//   2  JSONata; variables limited to kVariablePayloads payloads in all
//   3  the slim started fact; entries are counted, and a task's idempotency key is made of them
//   4  Maps over objects; Map.Item.Key and Source; times of the context object without a fraction
//      that is zero; expressions of the second edition; no more than kMostOpen iterations at once
inline constexpr std::uint32_t kSemantics = 4;
// AWS's 10 MiB of variables, in payloads of 256 KiB: raised with them.
inline constexpr std::uint64_t kVariablePayloads = 40;

// The key of what an execution hands out as proof.  Whoever has it can forge that proof: no view,
// API, export or log shows it.
using Secret = std::array<std::uint8_t, 16>;

// All that step() reads besides facts and program.
struct Pins {
  std::string program_hash;
  std::uint32_t semantics = kSemantics;
  Limits limits;
  std::string execution_arn, execution_name, role_arn, machine_arn, machine_name;
  // The five names follow from the execution's row (name_by_row) and the default account, and are
  // not in the payload.
  bool named_by_row = false;
  std::uint64_t seed = 0;  // Of all randomness in the execution.
  Secret secret{};
};

inline constexpr std::string_view kDefaultAccount = "000000000000";
// The columns of an execution's row from which its names and ARNs follow.
struct RowNames {
  std::string_view workflow;
  std::string_view name;  // Of the execution; its id's text when it was given none.
  std::string_view account = kDefaultAccount;  // Of its namespace: twelve digits.
};
// Sets the names and named_by_row.  Only the account at the start counts: reading a fact asks for
// no row's.
void name_by_row(Pins& pins, const RowNames& row);

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

// What a task comes to, from whoever does its work to the journal: a handler, a mock and a replayed
// fact say it in this form, and none is turned into another on the way.
using TaskResult = std::variant<TaskSucceeded, TaskFailed>;

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

FactBody body_of(TaskResult result);

// The payload of a journal row: JSON text, never with a NUL in it.  Empty when there is nothing to
// say (TimerFired, Continued).
//
// That of a Started is {"p": program, "s": semantics, "k": seed, "t": secret, "limits"?, "names"?,
// "i": input}: `limits` are those that are not the default, `names` those that do not follow from
// the row.  "i" is always the last member, and its value is the input as the client sent it, byte
// for byte, so that a store may keep the input once, in the execution's row, and the rest here.
std::string encode_payload(const FactBody& body);
// The payload of that Started without its last member, as an object of its own ...
std::string encode_pins(const Started& started);
// ... and the payload again.
std::string join_pins(std::string_view pins, std::string_view input);

// Reads payloads of every released form.  `row`: where the payload of a Started leaves the names
// to the row; without it they stay empty and step() refuses to start.
Result<FactBody> decode_payload(FactKind kind, std::string_view payload, const RowNames& row = {});
const char* fact_name(FactKind kind);  // "task_succeeded": for the journal's view and for logs.

}  // namespace stepwell
