// Commands — what the world must do next.  Each has an id that its answering fact names; ids are
// counted in the execution, so issuing a command again after a crash gives it the same id.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/ids.h"
#include "base/time.h"
#include "base/value.h"

namespace stepwell {

// Answered by TaskSucceeded, TaskFailed or TaskTimedOut.
struct RunTask {
  CommandId id;
  MachineId machine;  // With `state`: where in the program, for messages and mocks.
  StateId state;
  std::string resource;
  Value input;
  std::uint64_t input_hash = 0;   // Value::hash() of the input; goes into the fact and the key.
  std::uint32_t attempt = 1;      // 1 + retries used.
  std::optional<Millis> timeout;  // Of one run in a lane; measured by whoever runs it.
  std::optional<Millis> heartbeat;
};

// Answered by TimerFired, not before `due`.
struct SetTimer {
  CommandId id;
  Time due;
};

// step() used up its slice; answered by Continued as soon as what came before is durable.
struct Continue {
  CommandId id;
};

// The command with that id is no longer waited for.  Its answer, should it still come, is stale.
struct Cancel {
  CommandId id;
};

enum class ExecutionStatus : std::uint8_t { kRunning, kSucceeded, kFailed, kTimedOut, kAborted };

// The execution has ended.  Only redrive brings it back.
struct Finish {
  ExecutionStatus status = ExecutionStatus::kSucceeded;
  Value output;  // When kSucceeded.
  std::optional<std::string> error, cause;
};

using Command = std::variant<RunTask, SetTimer, Continue, Cancel, Finish>;

const char* to_string(
    ExecutionStatus status);  // "RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"
std::optional<ExecutionStatus> parse_status(const std::string& text);

}  // namespace stepwell
