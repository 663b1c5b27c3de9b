// Lane — one loop, and the executions that this process runs on it.
//
//   start / answer / timer / inbox ── fact ──> step() ──> staged commands
//                                       │                      │
//                                       v                      │ when the fact is durable
//                                   committer ── landed ───────┴──> run task, set timer, ...
//
// A side effect leaves only after the facts before it are durable; a task that is declared pure has
// none, and runs while the start that asks for it is still staged.  Nothing here blocks, and
// nothing has a thread: LaneThread drives the loop and the committer, or the simulation does.
// Thread-safety: begin(), want_claim() from any thread; all else on the loop's.
// Ownership: the loop and what LaneWorld refers to outlive the lane.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "engine/runtime/answers.h"
#include "engine/runtime/committer.h"
#include "engine/runtime/deadlines.h"
#include "engine/runtime/due_snapshots.h"
#include "engine/runtime/end_waiters.h"
#include "engine/runtime/fold.h"
#include "engine/runtime/owned_execution.h"
#include "engine/runtime/refusals.h"
#include "engine/runtime/room.h"
#include "engine/runtime/settings.h"
#include "engine/task/dispatcher.h"
#include "engine/task/pool.h"
#include "net/loop/loop.h"

namespace stepwell::runtime {

// What the lanes of a runtime share.
struct LaneWorld {
  const Clock& mono;  // Of deadlines and periods here; what the store says is due, `clock` tells.
  const Settings& settings;
  store::Store& store;
  Membership& membership;
  StoreClock& clock;
  Counters& counters;
  Programs& programs;
  EndWaiters& ends;
  Pool& folders;     // Folds what was claimed.
  Pool& archivists;  // Encodes and writes snapshots.
  Health& health;
};

// An execution to be started; `row.first` is filled in by the lane.
struct Beginning {
  store::Start row;
  ProgramRef program;
  Started fact;
};

class Lane {
 public:
  Lane(LaneWorld world, loop::Loop& loop, unsigned number);
  ~Lane();

  Status make_handlers(const std::vector<HandlerFactory>& factories);
  // Hands over what is staged.  Nothing is begun, and nothing comes to pass, after that: whoever
  // takes the executions up goes on from there.  Then the committer finishes; then clear() lets go
  // of everything.
  void flush_last();
  void clear();

  void begin(Beginning beginning, StartAnswer answer);
  void want_claim() { committer_.want_claim(); }
  Committer& committer() { return committer_; }
  // Anything, as of the last second; any thread.
  bool holds() const { return holds_; }

 private:
  using HeldMap = std::unordered_map<ExecutionId, std::unique_ptr<OwnedExecution>>;

  // ---- starts (lane_starts.cc)
  void begin_here(Beginning beginning, StartAnswer answer);
  OwnedExecution* stage_start(Beginning beginning, StartAnswer answer);
  store::Start* start_of(ExecutionId id);
  void run_pure_tasks(ExecutionId id);
  void run_early(OwnedExecution& held, RunTask& task, TaskHandler& handler);
  void on_starts(Landed& landed);
  void on_refused_start(Landed& landed, std::size_t i, const std::string& reason);

  // ---- life and facts (lane.cc)
  bool apply(OwnedExecution& held, const Fact& fact);
  store::JournalRow row_of(OwnedExecution& held, const Fact& fact);
  void take_commands(OwnedExecution& held);
  void stage_finish(OwnedExecution& held, const Finish& finish);
  void quarantine(OwnedExecution& held, const std::string& reason);
  void cancel_all(OwnedExecution& held);
  void drop(ExecutionId id);
  void drop_all();
  std::vector<ExecutionId> held_ids() const;  // Sorted.
  void save_snapshot(OwnedExecution& held);
  void settle();
  void flush();
  OwnedExecution* find(ExecutionId id);

  // ---- what the committer brings (lane_commits.cc)
  void on_landed(Landed landed);
  void on_ended(OwnedExecution& held, const store::FinishRow& finish);
  void on_claimed(store::ClaimResult claim);
  void fold_claimed(std::vector<store::Claimed> claimed);
  void on_folded(Folded folded, std::uint64_t epoch);
  void on_broken(const Folded& folded, const std::vector<store::InboxRow>& inbox);
  void on_fenced(std::vector<StartAnswer> unsent, std::uint64_t epoch);
  static void tell_fenced(const std::vector<StartAnswer>& unsent);
  void consume(OwnedExecution& held, const store::InboxRow& row);
  std::size_t taken() const { return held_.size() + folding_.size(); }
  void update_room();

  // ---- facts that the store refuses (lane_refusals.cc)
  void on_refused(const Landed& landed);
  void fold_without(const store::Refused& refused, const store::Batch& batch);
  void fail_refused(OwnedExecution& held);

  // ---- commands (lane_commands.cc)
  void dispatch(OwnedExecution& held);
  void perform(OwnedExecution& held, Command command);
  void run_task(OwnedExecution& held, RunTask command);
  static TaskCall call_of(const OwnedExecution& held, RunTask& command);
  void hand_over(OwnedExecution& held, RunTask& command, TaskHandler& handler);
  void watch(OwnedExecution& held, CommandId command, Outstanding& outstanding);
  void set_timer(OwnedExecution& held, const SetTimer& command);
  void cancel(OwnedExecution& held, CommandId command);
  void cross_out(OwnedExecution& held, CommandId command, const Outstanding& outstanding);
  void answer(TaskAnswered answered);
  void on_due(const Timers::Entry& entry, Time now);
  void look_at_task(const Timers::Entry& entry);

  // ---- upkeep (lane_upkeep.cc)
  void upkeep();
  void look_after(OwnedExecution& held, std::int64_t now_ms);
  void audit(OwnedExecution& held);
  void summarize(OwnedExecution& held, std::int64_t now_ms);
  bool park_if_idle(OwnedExecution& held);
  void run_held_back();
  void ask_reconcile();

  LaneWorld world_;
  const unsigned number_;
  loop::Loop& loop_;
  const std::shared_ptr<Answers> answers_;
  Committer committer_;

  // Of the lane's thread.
  Dispatcher dispatcher_;
  HeldMap held_;
  // Claimed, and being folded: what came for them meanwhile.
  std::unordered_map<ExecutionId, std::vector<store::InboxRow>> folding_;
  Room room_;
  DueSnapshots due_snapshots_;
  Deadlines deadlines_;
  Refusals refusals_;
  Chunk open_;
  std::uint64_t epoch_ = 0;
  std::vector<Command> commands_;         // Scratch of apply().
  std::vector<TaskAnswered> answered_;    // Scratch of settle().
  std::vector<OwnedExecution*> touched_;  // Scratch of on_landed().
  std::deque<std::pair<ExecutionId, RunTask>> held_back_;
  std::uint64_t runs_ = 0;
  std::uint64_t claims_seen_ = 0;
  std::int64_t reconciled_ms_ = 0;
  std::atomic<bool> holds_{false};
  bool is_stopping_ = false;
};

}  // namespace stepwell::runtime
