// Stepper — one call of step(): the pieces of a state's life, and what they share.
//
// Internal to engine/step.  A Stepper lives for one fact and changes the Execution in place.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.h"
#include "engine/step/reached.h"
#include "engine/step/step.h"
#include "language/program/program.h"

namespace stepwell {

struct Rehearsal;

// What a workflow fails with.
struct Problem {
  std::optional<std::string> error, cause;
  bool heartbeat = false;             // A timeout that was a missing heartbeat.
  std::optional<Millis> retry_after;  // The server named a time to come back.
  expr::Blame blame;                  // The expression that failed, if one did.
  FrameId evaluated_in{};             // Whose own expression failed; 0: it was something else.
};

// What a JSONata expression may read besides $states.input and $states.context.
struct Seen {
  const Value* result = nullptr;
  const Value* error_output = nullptr;
};

// How a JSONata state, rule or catcher is left.  References into the program.
struct Leaving {
  const std::optional<expr::Template>& assign;
  const std::optional<expr::Template>& output;
};

// What becomes of a frame after a piece of its state was done.
enum class Go {
  kOn,    // Its next state is to be entered at once.
  kStop,  // It waits, has ended, or is gone.
};

class Stepper {
 public:
  Stepper(const Program& program, Execution& execution, const Fact& fact,
          std::vector<Command>& commands, const Listener* listener);

  // step() itself.
  bool apply();
  // From now on notes what happens.
  void look_on(Rehearsal* rehearsal) { rehearsal_ = rehearsal; }
  void mark_in(Reached* reached) { reached_ = reached; }

 private:
  // ---- facts (step.cc)
  bool start(const Started& started);
  bool answer(const FactBody& body);
  bool timer_fired();
  bool continued();
  bool stop(const Stopped& stopped);
  bool redrive(const Redriven& redriven);
  bool time_out();
  void resume(Frame& frame, std::uint64_t previous);
  void run();
  void arm_timeout();
  void hand_out(Frame& frame, RunningTask running);
  void set_timer(Frame& frame, CommandId id, Time due);
  void end(ExecutionStatus status, Value output, const Problem& problem);
  void halt_all();
  void announce_tasks();

  // ---- one state (states.cc)
  Go enter(Frame& frame);
  void note_group(Frame& frame, const State& state);
  void tell_entered(Frame& frame, const State& state);
  Go begin(Frame& frame, const State& state);
  Go begin(Frame& frame, const State& state, const Task& task);
  Go begin(Frame& frame, const State& state, const Pass& pass);
  Go begin(Frame& frame, const State& state, const Choice& choice);
  Go begin(Frame& frame, const State& state, const Wait& wait);
  Go begin(Frame& frame, const State& state, const Succeed& succeed);
  Go begin(Frame& frame, const State& state, const Fail& fail);
  Go begin(Frame& frame, const State& state, const Parallel& parallel);
  Go begin(Frame& frame, const State& state, const Map& map);
  Go wait_until(Frame& frame, const State& state, Time due);
  Go leave_waiting(Frame& frame, const State& state);
  Go leave_with_input(Frame& frame, const State& state);
  // ResultSelector, ResultPath, OutputPath, Assign; then out of the state.
  Go finish(Frame& frame, const State& state, const Value& result);
  Go leave(Frame& frame, const State& state, Value output, std::optional<Value> assigned,
           std::optional<StateId> next);
  void tell_exited(Frame& frame, const State& state, const Value& output,
                   const std::optional<Value>& assigned);
  Go complete(Frame& frame, Value output);

  // ---- JSONata states (jsonata.cc); false: fault_ says why
  bool compute(Frame& frame, const State& state, const expr::Template& what, Seen seen, Value& to);
  bool compute_number(Frame& frame, const State& state, const Quantity& quantity,
                      std::string_view field, double& to);
  bool compute_whole(Frame& frame, const State& state, const Quantity& quantity,
                     std::string_view field, std::int64_t& to);
  // Of a task: seconds of its timeout or heartbeat.
  bool compute_limit(Frame& frame, const State& state, const Quantity& quantity,
                     std::string_view field, double& to);
  bool compute_time(Frame& frame, const State& state, const expr::Template& what, Time& to);
  bool compute_items(Frame& frame, const State& state, const Map& map, Value& to);
  bool compute_end(Frame& frame, const State& state, const Leaving& leaving, Seen seen,
                   Value& output, std::optional<Value>& assigned);
  // An expression came to a value of another kind than its field takes.
  bool wrong_result(const expr::Template& what, std::string_view field, std::string_view wanted,
                    const Value& value);
  bool query_fault(std::string cause, std::string location, const Value& value);
  Go choose(Frame& frame, const State& state, const Choice& choice);
  // `otherwise`: what leaves the state when it has no Output.
  Go leave_computed(Frame& frame, const State& state, const Leaving& leaving, Seen seen,
                    Value otherwise, std::optional<StateId> next);
  std::optional<Go> catch_computed(Frame& frame, const State& state, const State& rules,
                                   const Catcher& catcher, const Value& caught, Problem& problem);
  void tell_evaluation_failed(Frame& frame, const State& state, const Problem& problem);

  // ---- tasks (task.cc)
  Go task_succeeded(Frame& frame, const Value& output);
  Go task_failed(Frame& frame, const TaskFailed& failed);
  Go task_timed_out(Frame& frame, const TaskTimedOut& timed_out);
  void tell_task_failed(Frame& frame, const Task& task, std::string_view how,
                        const Problem& problem);
  bool task_limits(Frame& frame, const State& state, const Task& task, RunningTask& running);
  void tell_scheduled(Frame& frame, const Task& task, const RunningTask& running,
                      const Value& credentials);
  void tell_started(Frame& frame);

  // ---- Map and Parallel (children.cc)
  Go begin_children(Frame& frame, const State& state, Children children);
  bool prepare_map(Frame& frame, const State& state, const Map& map, Children& children);
  bool prepare_tolerance(Frame& frame, const State& state, const Map& map, Children& children);
  // `previous`: what the events of those that start call their previous one.
  void start_children(Frame& parent, const State& state, std::uint64_t previous);
  void start_child(Frame& parent, const State& state, Children& children, std::uint64_t index,
                   std::uint64_t previous);
  bool items_missing(Frame& frame, const State& state, const Map& map, const Value& input);
  bool select_item(Frame& child);
  bool item_of(const Frame& map_frame, const State& state, const Children& children,
               std::uint64_t index, Value& to);
  void child_succeeded(Frame& child, Value output);
  void child_gone(Frame& parent, const State& state, Frame& child, std::uint64_t previous);
  void note_finished_map(StateId state, const Children& children);
  Go children_done(Frame& parent, const State& state);
  void tell_map_run(Frame& frame, const Map& map, std::string_view what, const Problem* problem);
  std::uint64_t tell_iteration(const State& state, std::string_view what, std::uint64_t index,
                               std::uint64_t previous);
  void tell_children_started(Frame& frame, const State& state, const Children& children);

  // ---- failure (failure.cc)
  // Routes the problem to Retry and Catch, outwards until somebody handles it.
  Go fail(Frame& leaf, Problem problem);
  // The same with what the last evaluation said (fault_).
  Go fail_with_fault(Frame& frame);
  Go fail_runtime(Frame& frame, std::string cause);
  Go fail_nowhere_to_go(Frame& frame);
  // What fault_ says, as a problem of that frame; a JSONata failure is told.
  Problem take_fault(Frame& frame);
  Go end_failed(std::uint64_t previous, const Problem& problem);
  Problem runtime_problem(const Frame& frame, const std::string& cause) const;
  bool retry(Frame& frame, const State& state, const Problem& problem);
  // The delay before the next attempt; nothing: no retrier matches, or it has none left.
  std::optional<Millis> next_attempt(const std::vector<Retrier>& retriers, Attempts& attempts,
                                     const Problem& problem);
  void back_off(Frame& frame, Millis delay, const Problem& problem);
  std::optional<Go> handle_in_group(Frame& frame, const State& state, Problem& problem);
  Millis backoff(const Retrier& retrier, std::uint32_t used, const Problem& problem);
  // Nothing: not caught.  `problem` is then another one when the catcher itself went wrong.
  std::optional<Go> catch_problem(Frame& frame, const State& state, const State& rules,
                                  Problem& problem);
  bool tolerate(Frame& parent, Frame& child, const Problem& problem);
  void tell_child_failed(Frame& parent, Frame& child);
  void tell_children_failed(Frame& frame, const State& state, const Problem& problem);
  // Cancels what the frame and those below it wait for, and leaves them Halted.
  void halt(Frame& frame, bool tell_it, std::uint64_t previous);
  static bool halted(const Frame& frame);
  void destroy_children(Frame& frame);
  void cancel(CommandId command);

  // ---- data flow (dataflow.cc, choice.cc); false: fault_ says why
  bool select(Frame& frame, const State& state, const Selection& selection, const Value& from,
              Value& to);
  bool evaluate(Frame& frame, const State& state, const expr::Template& what, const Value& input,
                Value& to);
  bool evaluate_in(const Frame& frame, const expr::Template& what, const Value& input,
                   const Value& context, Value& to);
  bool place(const Placement& placement, const Value& into, Value value, Value& to);
  bool select_input(Frame& frame, const State& state, Value& to);
  bool effective_input(Frame& frame, const State& state, Value& to);
  bool fail_text(Frame& frame, const State& state, const std::optional<expr::Template>& what,
                 std::string_view field, const std::string& path_text,
                 std::optional<std::string>& to);
  // `name`: of the state or task, for AWS's text.
  bool check_size(std::string_view name, const Value& value);
  // Of what a state assigns, alone and with all that is in sight.
  bool check_assigned(const Frame& frame, const State& state, const std::optional<Value>& assigned);
  bool test(Frame& frame, const State& state, const Condition& condition, const Value& input,
            bool& answer);
  bool test_one(Frame& frame, const State& state, const Test& test, const Value& input,
                bool& answer);
  // Quantities, each with its own texts for what can be wrong.
  bool quantity_value(Frame& frame, const State& state, const Quantity& quantity,
                      const Value& input, Value& to, std::string& missing);
  bool whole_number(Frame& frame, const State& state, const Quantity& quantity,
                    std::string_view field, const Value& input, std::int64_t& to);
  bool percentage(Frame& frame, const State& state, const Quantity& quantity,
                  std::string_view field, const Value& input, double& to);
  bool wait_seconds(Frame& frame, const State& state, const Quantity& quantity, const Value& input,
                    double& to);
  bool seconds(Frame& frame, const State& state, const Quantity& quantity, std::string_view field,
               const Value& input, double& to);
  Value context_of(const Frame& frame, const State& state);
  const Value& execution_context();
  Value map_item_of(const Frame& frame) const;
  Random next_random();
  bool invalid_path(const std::string& path, const std::string& missing);
  bool fault(std::string error, std::string cause);
  bool fault(const expr::Failure& failure);
  // `path` is to blame, because of `value`, if one is given.
  bool runtime_fault(std::string cause, const std::string& path = {}, const Value* value = nullptr);
  // "An error occurred while executing the state 'S' (entered at the event id #2). "
  std::string prefix(const Frame& frame) const;

  // ---- somebody looks on (rehearsal.cc); nothing happens when nobody does
  void note(std::string_view stage, const Value& value) {
    if (rehearsal_ != nullptr) note_stage(stage, value);
  }
  void note_stage(std::string_view stage, const Value& value);
  void note_failure(const Problem& problem);
  void mark(const void* part) {
    if (reached_ != nullptr) reached_->insert(part);
  }
  void note_retry(std::size_t retrier, Millis backoff);
  void note_catch(std::size_t catcher);
  void note_departure(const Frame& frame, const Value& output, const std::optional<Value>& assigned,
                      std::optional<StateId> next);
  void add_given_context(Object& context) const;
  const Value* given_items() const;
  // In place of running them.
  Go rehearse_children(Frame& frame, const State& state, const Children& children);

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
  // Counts an event, and tells it when somebody listens.  `fill` sets members of the details.
  template <class Fill>
  std::uint64_t tell(std::uint64_t previous, std::string_view a, std::string_view b, Fill&& fill) {
    const std::uint64_t id = x_.next_event++;
    if (listener_ != nullptr) {
      Object details;
      fill(details);
      publish(id, previous, a, b, std::move(details));
    }
    return id;
  }
  std::uint64_t tell(std::uint64_t previous, std::string_view a, std::string_view b = {}) {
    return tell(previous, a, b, [](Object&) {});
  }
  // The same for an event of a frame; it becomes the frame's newest.
  template <class Fill>
  void tell_of(Frame& frame, std::string_view a, std::string_view b, Fill&& fill) {
    if (frame.quiet) return;
    talk_about(frame);
    frame.last_event = tell(frame.last_event, a, b, std::forward<Fill>(fill));
    about_.reset();
  }
  // The next event is about the state of that frame.
  void talk_about(const Frame& frame, const expr::Blame& blame = {}) {
    if (listener_ != nullptr) about_ = StatePlace{frame.machine, frame.state, blame};
  }
  void publish(std::uint64_t id, std::uint64_t previous, std::string_view a, std::string_view b,
               Object details);
  static void put_problem(Object& details, const Problem& problem);

  const Program& program_;
  Execution& x_;
  const Fact& fact_;
  std::vector<Command>& commands_;
  const Listener* listener_;
  const Time now_;
  Rehearsal* rehearsal_ = nullptr;
  Reached* reached_ = nullptr;
  bool is_caught_ = false;   // The state is left by a catcher.
  std::uint64_t slice_ = 0;  // States entered for this fact.
  Problem fault_;
  // The newest event that a failing evaluation takes back, and the one before it.
  struct {
    std::uint64_t event = 0, previous = 0;
  } undecided_;
  std::optional<StatePlace> about_, failed_at_;  // Only when somebody listens.
  std::vector<FrameId> scheduled_;  // Tasks handed out by this fact, their start not yet told.
  std::string_view input_text_;     // Of the execution's input, while it starts.
  Value execution_context_;         // {"Execution", "StateMachine"}; null until asked for.
};

}  // namespace stepwell
