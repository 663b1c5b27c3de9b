// Stepper — one call of step(): what a fact does to an execution's frames.
//
// Internal to engine/step.  A Stepper lives for one fact and changes the Execution in place: it
// decides what becomes of each frame.  What expressions come to is the Evaluation's, the history
// the Teller's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/step/evaluation.h"
#include "engine/step/observer.h"
#include "engine/step/step.h"
#include "engine/step/teller.h"
#include "language/program/program.h"

namespace stepwell {

// What becomes of a frame after a piece of its state was done.
enum class Go {
  kOn,    // Its next state is to be entered at once.
  kStop,  // It waits, has ended, or is gone.
};

class Stepper {
 public:
  Stepper(const Program& program, Execution& execution, const Fact& fact,
          std::vector<Command>& commands, const Observer* observer, Rehearsal* rehearsal = nullptr);

  // step() itself.
  bool apply();

 private:
  // ---- facts (step.cc)
  bool start(const Started& started);
  bool answer(const FactBody& body);
  bool timer_fired();
  bool continued();
  bool stop(const Stopped& stopped);
  bool redrive(const Redriven& redriven);
  bool time_out();
  // After a redrive: the frame and those below it enter their states again; what has succeeded
  // keeps its result.
  void resume(Frame& frame, std::uint64_t previous);
  // Enters states as long as any is ready and the slice lasts.
  void run();
  void arm_timeout();
  void end(ExecutionStatus status, Value output, const Problem& problem);
  void halt_all();
  void announce_tasks();

  // ---- one state (states.cc)
  Go enter(Frame& frame);
  void note_group(Frame& frame, const State& state);
  void mark_entered(Frame& frame, const State& state);
  Go begin(Frame& frame, const State& state);
  Go begin(Frame& frame, const State& state, const Task& task);
  Go begin(Frame& frame, const State& state, const Pass& pass);
  Go begin(Frame& frame, const State& state, const Choice& choice);
  Go begin(Frame& frame, const State& state, const Wait& wait);
  Go begin(Frame& frame, const State& state, const Succeed& succeed);
  Go begin(Frame& frame, const State& state, const Fail& fail);
  Go begin(Frame& frame, const State& state, const Parallel& parallel);
  Go begin(Frame& frame, const State& state, const Map& map);
  // A state has a result, or has none; its data flow, then out of it.
  Go finish(Frame& frame, const State& state, const Value& result);
  Go finish_waiting(Frame& frame, const State& state);
  // Out of the state with what was computed.
  Go leave(Frame& frame, const State& state, Evaluated<Departure> departure,
           std::optional<StateId> next);
  Go complete(Frame& frame, Value output);

  // ---- tasks (task.cc)
  void hand_out(Frame& frame, RunningTask running);
  Go task_succeeded(Frame& frame, const Value& output);
  Go task_failed(Frame& frame, const TaskFailed& failed);
  Go task_timed_out(Frame& frame, const TaskTimedOut& timed_out);

  // ---- Map and Parallel (children.cc)
  Go begin_children(Frame& frame, const State& state, Children children);
  // `previous`: what the events of those that start call their previous one.
  void start_children(Frame& parent, const State& state, std::uint64_t previous);
  // May another one be started?
  bool has_room(const Children& children) const;
  void start_child(Frame& parent, const State& state, Children& children, std::uint64_t index,
                   std::uint64_t previous);
  // Selects the item of an iteration whose turn it is; null: it has its input.
  Fault select_item(Frame& child);
  void child_succeeded(Frame& child, Value output);
  // The last of a child that succeeded or whose failure is tolerated.
  void child_gone(Frame& parent, const State& state, Frame& child, std::uint64_t previous);
  void note_finished_map(StateId state, const Children& children);
  Go children_done(Frame& parent, const State& state);
  void destroy_children(Frame& frame);
  // In place of running them (rehearsal.cc).
  Go rehearse_children(Frame& frame, const State& state, const Children& children);

  // ---- failure (failure.cc)
  // Routes the problem to Retry and Catch, outwards until somebody handles it.
  Go fail(Frame& leaf, Problem problem);
  // The same with a fault of the frame's own state.
  Go fail(Frame& frame, Fault fault);
  Go fail_nowhere_to_go(Frame& frame);
  // The fault as a problem of that frame; a JSONata failure is told.
  Problem problem_of(Frame& frame, Fault fault);
  Go end_failed(std::uint64_t previous, const Problem& problem);
  bool retry(Frame& frame, const State& state, const Problem& problem);
  // The delay before the next attempt; nothing: no retrier matches, or it has none left.
  std::optional<Millis> next_attempt(const std::vector<Retrier>& retriers, Attempts& attempts,
                                     const Problem& problem);
  Millis backoff(const Retrier& retrier, std::uint32_t used, const Problem& problem);
  void back_off(Frame& frame, Millis delay, const Problem& problem);
  // Retry and Catch of the group that the frame's state is in.  Nothing: they have no answer.
  std::optional<Go> handle_in_group(Frame& frame, const State& state, Problem& problem);
  // `rules`: whose catchers they are, the state's own or its group's.  Nothing: not caught;
  // `problem` is then another one when the catcher itself went wrong.
  std::optional<Go> catch_problem(Frame& frame, const State& state, const State& rules,
                                  Problem& problem);
  std::optional<Go> catch_by(Frame& frame, const State& state, const State& rules,
                             const Catcher& catcher, Problem& problem);
  bool tolerate(Frame& parent, Frame& child, const Problem& problem);
  void tell_child_failed(Frame& parent, Frame& child);
  void tell_children_failed(Frame& frame, const State& state, const Problem& problem);
  // Cancels what the frame and those below it wait for, and leaves them Halted.
  void halt(Frame& frame, bool tell_it, std::uint64_t previous);
  void cancel(CommandId command);
  // "An error occurred while executing the state 'S' (entered at the event id #2). "
  std::string prefix(const Frame& frame) const;

  // ---- plumbing
  const State& state_of(const Frame& frame) const {
    return program_.state(frame.machine, frame.state);
  }
  Frame& frame(FrameId id);
  bool running() const { return x_.status == ExecutionStatus::kRunning; }
  CommandId new_command() { return CommandId{x_.next_command++}; }
  void set_ready(Frame& frame) {
    frame.doing = Runnable{};
    x_.ready.push_back(frame.id);
  }
  void set_timer(Frame& frame, CommandId id, Time due);
  void mark(const void* part) {
    if (observer_ != nullptr) observer_->reach(part);
  }

  const Program& program_;
  Execution& x_;
  const Fact& fact_;
  std::vector<Command>& commands_;
  const Observer* const observer_;
  Rehearsal* const rehearsal_;
  const Time now_;
  Teller teller_;
  Evaluation evaluation_;
  bool is_caught_ = false;          // The state is left by a catcher.
  std::uint64_t slice_ = 0;         // States entered for this fact.
  StatePlace failed_at_;            // Where the problem that is being routed arose.
  std::vector<FrameId> scheduled_;  // Tasks handed out by this fact, their start not yet told.
};

// The command of a frame that runs a task.
RunTask run_task_of(const Program& program, const Frame& frame);

}  // namespace stepwell
