// OwnedExecution — one execution that a lane owns and runs.
//
// Belongs to its lane's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/namespace.h"
#include "engine/runtime/refusals.h"
#include "engine/runtime/timers.h"
#include "engine/step/step.h"
#include "engine/task/task.h"
#include "language/program/program.h"

namespace stepwell::runtime {

// A command that was handed to the world.
struct Outstanding {
  enum class Kind : std::uint8_t {
    kTask,
    kTimer,
    kUnserved,  // A task whose resource nobody here serves: it waits, visibly.
    kHeldBack,  // A task that waits until the lease is renewed.
  };
  Kind kind = Kind::kTask;
  std::uint64_t run = 0;  // Counts the runs on this lane: the answer to an older one is void.
  std::uint64_t input_hash = 0;  // Of a task.
  TimerKey timer = 0;            // A timer's own, or the next look at a task's times:
  std::int64_t ends_ms = 0;      // when its run times out, monotonic; 0: never,
  std::int64_t silent_ms = 0;    // and when it has been silent too long.
  Millis heartbeat{0};
  TaskHandler* handler = nullptr;
  Time due;  // Of a timer.
};

// A command that leaves when the fact that gave it is durable.
struct Staged {
  std::uint64_t seq = 0;
  Command command;
};

struct OwnedExecution {
  ExecutionId id;
  Namespace ns;
  std::string workflow;
  ProgramRef program;
  Execution x;

  std::uint64_t seq = 0;      // Of the newest fact that was staged ...
  std::uint64_t durable = 0;  // ... and of the newest that is durable.
  std::uint64_t inbox_seen = 0;
  std::vector<Staged> staged;  // From staged_head on; in order of seq.
  std::size_t staged_head = 0;
  std::unordered_map<CommandId, Outstanding> outstanding;
  bool has_input_text = false;  // The input as its caller wrote it is what to_json() gives.
  // `durable` when the store refused what followed, and the answers that failures stand for since.
  std::optional<std::uint64_t> refused_at;
  std::vector<RefusedAnswer> replaced;
  std::uint64_t recovered_to = 0;  // Commands up to this id may have run under another owner.

  std::uint64_t journal_hash = 0;
  std::uint64_t facts_since_snapshot = 0, bytes_since_snapshot = 0;
  std::uint64_t snapshot_bytes = 0;  // Of the newest one.
  bool snapshot_under_way = false;

  std::int64_t progress_ms = 0;   // Monotonic; of the newest fact.
  std::int64_t summary_ms = 0;    // Of the newest summary; 0: none.
  std::uint64_t summary_seq = 0;  // The facts that it knew.
  bool is_ended = false;          // Its Finish is staged.
  bool is_parking = false;        // Its Park is staged.
  bool is_touched = false;        // In the lane's list of what an ack has moved.

  bool is_settled() const { return durable == seq && staged_head == staged.size(); }
};

// Commands that a settled execution waits for, and that nobody here runs and no timer will answer.
// There should be none.
std::vector<Command> unattended(const OwnedExecution& held);

}  // namespace stepwell::runtime
