// Execution — the whole state of one running workflow, as a value.
//
// A fold of facts: `step()` is the only code that changes one.  Copies share JSON by reference.
// A snapshot is encode() of it, a cache of the fold; decode(encode(x)) equals x.
// Thread-safety: a plain value; one thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "base/value.h"
#include "engine/step/command.h"
#include "engine/step/fact.h"
#include "engine/step/frame.h"

namespace stepwell {

// What may be open in one execution: beyond it the iterations of a Map wait for others to end, but
// for one of each Map, so that every Map goes on.  (A Map in a Map in a Map took all memory.)
inline constexpr std::uint64_t kMostOpen = 10'000;

// A fact does not fit the fold (its input_hash is not that of the command it answers).  The
// execution is quarantined with this text; nothing is guessed.
class FoldMismatch : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What an execution waits for, for operators and for `waiting` in the executions table.
struct WaitingFor {
  std::string state;   // Name of the state.
  std::string where;   // "charge.yaml:12:3"
  std::string reason;  // "task", "timer", "retry", "continue"
  std::uint32_t attempt = 0;
  std::string last_error;
  std::optional<Time> until;
};

// Progress of the Maps that run now or ran: for a progress bar.
struct MapProgress {
  std::string state;
  std::uint64_t total = 0, succeeded = 0, running = 0;
};

// What is kept of a Map of the workflow's own machine after it was left.
struct FinishedMap {
  StateId state;
  std::uint64_t total = 0, succeeded = 0;
};

struct Execution {
  // Nothing before Started was applied.
  bool is_started() const { return started; }
  bool is_running() const { return started && status == ExecutionStatus::kRunning; }

  bool started = false;
  ExecutionStatus status = ExecutionStatus::kRunning;
  Pins pins;
  Value input;
  Value output;  // When kSucceeded.
  std::optional<std::string> error, cause;
  Time started_at, last_at;  // `at` of the first and of the newest fact.
  Time redriven_at;          // Of the newest redrive, when redrive_count is not 0.
  std::uint32_t redrive_count = 0;

  // Counters; each is part of the fold.
  std::uint64_t next_event = 1, next_command = 1, next_frame = 1, transitions = 0, random_draws = 0;

  // All frames.  Whoever lists them lists them by id: the order in here means nothing.
  std::unordered_map<FrameId, Frame> frames;
  // The weight of all branches and iterations that are under way.  It follows from the frames, so
  // that no snapshot has it.
  std::uint64_t open = 0;
  // Which frame waits for which command.
  std::unordered_map<CommandId, FrameId> waiting;
  // Frames whose state is to be entered, in order.
  std::deque<FrameId> ready;
  std::optional<CommandId> timeout_timer;  // Of the execution's TimeoutSeconds.
  Time timeout_at;                         // When that is set.
  std::optional<CommandId> continuation;   // Asked to Continue.
  std::vector<FinishedMap> finished_maps;  // One per Map state at most.

  // What somebody should know before a limit ends it; empty: nothing.
  std::string warning() const;
  // At most `limit` of them, in frame order.
  std::vector<WaitingFor> waiting_for(const struct Program& program, std::size_t limit) const;
  std::vector<MapProgress> map_progress(const struct Program& program) const;

  // Linear in what the execution holds; JSON that several places share is written once.
  std::string encode() const;
  static Result<Execution> decode(std::string_view bytes);
  // Does the other one hold the same?  Deep, and blind to what is shared in memory: for tests.
  bool same_as(const Execution& other) const;
};

// The ids of its frames in order: their order in memory means nothing.
std::vector<FrameId> frames_in_order(const Execution& execution);

}  // namespace stepwell
