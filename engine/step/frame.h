// Frame — one running machine: the workflow itself, one branch of a Parallel, or one iteration of
// a Map.  Frames form a tree; what a frame waits for is a variant.
//
// Data only; changed by step() alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "base/value.h"

namespace stepwell {

// Stands in Execution::ready: its state is to be entered.
struct Runnable {};

// A task was handed out.
struct RunningTask {
  CommandId command;
  std::uint64_t input_hash = 0;
  Value input;
  std::optional<Millis> timeout, heartbeat;
};

// A Wait state.
struct Sleeping {
  CommandId command;
  Time due;
};

// Between two attempts of a Task, Map or Parallel.
struct BackingOff {
  CommandId command;
  Time due;
};

// An iteration that failed, of a Map with TolerateFailures.
struct ToleratedFailure {
  std::uint64_t index = 0;
  std::optional<std::string> error, cause;
};

// A Map or Parallel with branches or iterations under way.
struct Children {
  Value items;                             // Of a Map: an array or object.  Of a Parallel: null.
  Value effective;                         // The state's input after InputPath and Parameters.
  std::vector<Value> results;              // By index.
  std::vector<FrameId> running;            // By index; 0 where none runs.
  std::uint64_t next = 0;                  // The first index that was not started.
  std::uint64_t live = 0;                  // How many run.
  std::uint64_t finished = 0;              // How many succeeded.
  std::uint64_t failed = 0;                // Tolerated failures.
  std::uint64_t limit = 0;                 // Of `live`; 0: none.
  std::uint64_t tolerated = 0;             // Of `failed`.
  std::vector<ToleratedFailure> failures;  // Of an inline Map, in the order they came.

  bool is_map() const { return !items.is_null(); }
  // What one of them counts for in Execution::open: more when it may be given a large input.
  std::uint64_t weight() const { return 1 + effective.json_size() / 16'384; }
  // The item of an array; of an object the pair, {"Key", "Value"}.
  Value item(std::uint64_t index) const;
};

// The end of the execution found it here; redrive goes on from here.
struct Halted {};

// How often each retrier of a list was used; empty: never.
struct Attempts {
  std::vector<std::uint32_t> counted;  // Against MaxAttempts.
  std::vector<std::uint32_t> honored;  // At a time that the server named.

  void clear() {
    counted.clear();
    honored.clear();
  }
};

// The group of states that a frame is in, and what it entered it with.
struct GroupRun {
  std::uint32_t group = 0;  // Into Machine::groups.
  Value input, variables;
  Attempts attempts;
};

struct Frame {
  FrameId id, parent;  // parent 0: the root.
  MachineId machine;
  StateId state;
  std::uint64_t index = 0;  // Of this branch or iteration in its parent.
  Value input;              // Of the current state, before InputPath.
  Value variables;          // An object: all that are in sight.
  Time entered_at;
  std::uint64_t entered_event = 0;  // Id of the current state's ...StateEntered.
  std::uint64_t last_event = 0;     // What the next event calls its previous one.
  Attempts attempts;                // Of the current state's retriers.
  std::uint32_t attempt = 1;        // 1 + retries used in this state.
  // Counts the states that the frame came to, the first included, and every further run of a Map,
  // Parallel or group.  Neither a task that is tried again nor a redrive counts.
  std::uint64_t entries = 1;
  std::optional<GroupRun> group;
  bool entered = false;    // Is the current state entered (and not left)?
  bool fresh = false;      // An iteration whose item is not yet selected.
  bool quiet = false;      // Inside a distributed Map: leaves no events.
  std::string last_error;  // Of the newest failed attempt.
  std::variant<Runnable, RunningTask, Sleeping, BackingOff, Children, Halted> doing;

  bool is_root() const { return parent.value == 0; }
};

}  // namespace stepwell
