// Facts: what each does to an execution, and the loop that runs what became runnable.
#include "engine/step/step.h"

#include <algorithm>

#include "base/match.h"
#include "engine/step/reached.h"
#include "engine/step/rehearsal.h"
#include "engine/step/stepper.h"

namespace stepwell {

namespace {

CommandId id_of(const Command& command) {
  return std::visit(match{
                        [](const Finish&) { return CommandId{}; },
                        [](const auto& other) { return other.id; },
                    },
                    command);
}

// Hands the history on and remembers what was reached.
class Marking final : public Observer {
 public:
  Marking(const Observer* history, Reached& reached) : history_(history), reached_(reached) {}

  bool wants_history() const override { return history_ != nullptr && history_->wants_history(); }
  void hear(HistoryEvent event) const override { history_->hear(std::move(event)); }
  void reach(const void* part) const override { reached_.insert(part); }

 private:
  const Observer* const history_;
  Reached& reached_;
};

}  // namespace

RunTask run_task_of(const Program& program, const Frame& frame) {
  const auto& running = std::get<RunningTask>(frame.doing);
  const State& state = program.state(frame.machine, frame.state);
  RunTask command;
  command.id = running.command;
  command.machine = frame.machine;
  command.state = frame.state;
  command.resource = std::get<Task>(state.kind).resource;
  command.input = running.input;
  command.input_hash = running.input_hash;
  command.attempt = frame.attempt;
  command.timeout = running.timeout;
  command.heartbeat = running.heartbeat;
  return command;
}

bool step(const Program& program, Execution& execution, const Fact& fact,
          std::vector<Command>& commands, const Observer* observer) {
  return Stepper(program, execution, fact, commands, observer).apply();
}

bool step_marking(const Program& program, Execution& execution, const Fact& fact,
                  std::vector<Command>& commands, const Observer* history, Reached& reached) {
  const Marking marking(history, reached);
  return step(program, execution, fact, commands, &marking);
}

std::vector<Command> outstanding(const Program& program, const Execution& execution) {
  std::vector<Command> commands;
  if (!execution.is_running()) return commands;
  for (const auto& entry : execution.frames) {
    const Frame& frame = entry.second;
    std::visit(match{
                   [&](const RunningTask&) { commands.push_back(run_task_of(program, frame)); },
                   [&](const Sleeping& sleeping) {
                     commands.push_back(SetTimer{sleeping.command, sleeping.due});
                   },
                   [&](const BackingOff& backing) {
                     commands.push_back(SetTimer{backing.command, backing.due});
                   },
                   [](const auto&) {},
               },
               frame.doing);
  }
  if (execution.timeout_timer) {
    commands.push_back(SetTimer{*execution.timeout_timer, execution.timeout_at});
  }
  if (execution.continuation) commands.push_back(Continue{*execution.continuation});
  std::sort(commands.begin(), commands.end(),
            [](const Command& a, const Command& b) { return id_of(a) < id_of(b); });
  return commands;
}

Stepper::Stepper(const Program& program, Execution& execution, const Fact& fact,
                 std::vector<Command>& commands, const Observer* observer, Rehearsal* rehearsal)
    : program_(program),
      x_(execution),
      fact_(fact),
      commands_(commands),
      observer_(observer),
      rehearsal_(rehearsal),
      now_(std::max(fact.at, execution.last_at)),
      teller_(execution, observer, now_),
      evaluation_(execution, now_, observer, rehearsal) {}

bool Stepper::apply() {
  if (x_.started && !x_.pins.program_hash.empty() && !program_.hash.empty()) {
    CHECK(x_.pins.program_hash == program_.hash,
          "the execution runs under program " + x_.pins.program_hash + ", not " + program_.hash);
  }
  const bool changed = std::visit(match{
                                      [&](const Started& body) { return start(body); },
                                      [&](const TimerFired&) { return timer_fired(); },
                                      [&](const Continued&) { return continued(); },
                                      [&](const Stopped& body) { return stop(body); },
                                      [&](const Redriven& body) { return redrive(body); },
                                      [&](const auto&) { return answer(fact_.body); },
                                  },
                                  fact_.body);
  if (!changed) return false;
  x_.last_at = now_;
  run();
  CHECK(!running() || !x_.waiting.empty() || x_.continuation,
        "the execution runs and waits for nothing");
  return true;
}

bool Stepper::start(const Started& started) {
  if (x_.started) return false;
  CHECK(started.pins.semantics >= 1 && started.pins.semantics <= kSemantics,
        "semantics version " + std::to_string(started.pins.semantics) + " is not known here");
  CHECK(!started.pins.named_by_row || !started.pins.execution_name.empty(),
        "the started fact was decoded without the names of its row");
  x_.started = true;
  x_.pins = started.pins;
  x_.input = started.input;
  x_.started_at = now_;
  teller_.execution_started(started.input_text);
  const FrameId id{x_.next_frame++};
  Frame& root = x_.frames[id];
  root.id = id;
  root.state = program_.machines.front().start_at;
  root.input = x_.input;
  root.variables = rehearsal_ != nullptr ? rehearsal_->variables : Value(Object());
  arm_timeout();
  set_ready(root);
  return true;
}

void Stepper::arm_timeout() {
  if (!program_.timeout_seconds) return;
  x_.timeout_timer = new_command();
  x_.timeout_at = now_ + Millis(static_cast<std::int64_t>(*program_.timeout_seconds * 1000));
  commands_.push_back(SetTimer{*x_.timeout_timer, x_.timeout_at});
}

bool Stepper::answer(const FactBody& body) {
  if (!x_.is_running()) return false;
  const auto found = x_.waiting.find(fact_.command);
  if (found == x_.waiting.end()) return false;
  Frame& waiter = frame(found->second);
  const auto* task = std::get_if<RunningTask>(&waiter.doing);
  if (task == nullptr) return false;
  if (fact_.input_hash != 0 && fact_.input_hash != task->input_hash) {
    throw FoldMismatch("the fact for command " + std::to_string(fact_.command.value) +
                       " was made from an input with hash " + std::to_string(fact_.input_hash) +
                       "; the fold comes to " + std::to_string(task->input_hash) + " in state '" +
                       state_of(waiter).name + "'");
  }
  x_.waiting.erase(found);
  waiter.doing = Halted{};
  const Go go = std::visit(
      match{
          [&](const TaskSucceeded& succeeded) { return task_succeeded(waiter, succeeded.output); },
          [&](const TaskFailed& failed) { return task_failed(waiter, failed); },
          [&](const TaskTimedOut& timed_out) { return task_timed_out(waiter, timed_out); },
          [&](const auto&) { return Go::kStop; },
      },
      body);
  if (go == Go::kOn) set_ready(waiter);
  return true;
}

bool Stepper::timer_fired() {
  if (!x_.is_running()) return false;
  if (x_.timeout_timer == fact_.command) return time_out();
  const auto found = x_.waiting.find(fact_.command);
  if (found == x_.waiting.end()) return false;
  Frame& waiter = frame(found->second);
  const bool sleeping = std::holds_alternative<Sleeping>(waiter.doing);
  if (!sleeping && !std::holds_alternative<BackingOff>(waiter.doing)) return false;
  x_.waiting.erase(found);
  waiter.doing = Halted{};
  const State& state = state_of(waiter);
  Go go = Go::kStop;
  if (sleeping) {
    go = finish_waiting(waiter, state);
  } else if (!waiter.entered) {
    go = Go::kOn;  // A group that begins again.
  } else {
    ++slice_;
    ++x_.transitions;
    go = begin(waiter, state);
  }
  if (go == Go::kOn) set_ready(waiter);
  return true;
}

bool Stepper::continued() {
  if (!x_.is_running() || x_.continuation != fact_.command) return false;
  x_.continuation.reset();
  return true;
}

bool Stepper::stop(const Stopped& stopped) {
  if (!x_.is_running()) return false;
  Problem problem;
  problem.error = stopped.error;
  problem.cause = stopped.cause;
  teller_.execution_aborted(problem);
  end(ExecutionStatus::kAborted, Value(), problem);
  return true;
}

bool Stepper::time_out() {
  x_.timeout_timer.reset();
  teller_.execution_timed_out();
  end(ExecutionStatus::kTimedOut, Value(), Problem{});
  return true;
}

void Stepper::end(ExecutionStatus status, Value output, const Problem& problem) {
  if (status == ExecutionStatus::kSucceeded) {
    if (x_.timeout_timer) commands_.push_back(Cancel{*x_.timeout_timer});
    if (x_.continuation) commands_.push_back(Cancel{*x_.continuation});
    x_.timeout_timer.reset();
    x_.continuation.reset();
    x_.frames.clear();
    x_.open = 0;
    x_.ready.clear();
  } else {
    halt_all();
  }
  CHECK(x_.waiting.empty(), "the execution has ended and still waits for a command");
  x_.status = status;
  x_.output = std::move(output);
  x_.error = problem.error;
  x_.cause = problem.cause;
  commands_.push_back(Finish{status, x_.output, x_.error, x_.cause});
}

void Stepper::halt_all() {
  for (const FrameId id : frames_in_order(x_)) halt(frame(id), false, 0);
  if (x_.timeout_timer) cancel(*x_.timeout_timer);
  if (x_.continuation) cancel(*x_.continuation);
  x_.timeout_timer.reset();
  x_.continuation.reset();
  x_.ready.clear();
}

// What failed or was stopped is entered anew; what succeeded keeps its result.
bool Stepper::redrive(const Redriven& redriven) {
  if (!x_.started || running() || x_.status == ExecutionStatus::kSucceeded) return false;
  if (!redriven.program_hash.empty() && redriven.program_hash != x_.pins.program_hash) {
    return false;
  }
  x_.status = ExecutionStatus::kRunning;
  x_.error.reset();
  x_.cause.reset();
  ++x_.redrive_count;
  x_.redriven_at = now_;
  const std::uint64_t event = teller_.execution_redriven();
  arm_timeout();
  for (const FrameId id : frames_in_order(x_)) {
    if (Frame& root = frame(id); root.is_root()) resume(root, event);
  }
  return true;
}

void Stepper::resume(Frame& frame, std::uint64_t previous) {
  frame.last_event = previous;
  frame.attempts.clear();
  if (frame.group) frame.group->attempts.clear();
  frame.attempt = 1;
  auto* children = std::get_if<Children>(&frame.doing);
  if (children == nullptr) {
    frame.entered = false;
    set_ready(frame);
    return;
  }
  const State& state = state_of(frame);
  mark_entered(frame, state);
  teller_.children_started(frame, state, *children);
  const auto* map = std::get_if<Map>(&state.kind);
  if (map != nullptr && map->distributed) teller_.map_run(frame, *map, "MapRunRedriven", nullptr);
  for (std::uint64_t index = 0; index < children->next; ++index) {
    if (children->running[index].value == 0) continue;
    Frame& child = this->frame(children->running[index]);
    std::uint64_t event = frame.last_event;
    if (map != nullptr && !child.quiet) {
      event = teller_.iteration(state, "Started", index, frame.last_event);
    }
    resume(child, event);
  }
  start_children(frame, state, frame.last_event);
}

void Stepper::run() {
  const std::uint64_t limit = std::max<std::uint64_t>(1, x_.pins.limits.slice_transitions);
  while (running() && !x_.ready.empty() && slice_ < limit) {
    const FrameId id = x_.ready.front();
    x_.ready.pop_front();
    const auto found = x_.frames.find(id);
    if (found == x_.frames.end() || !std::holds_alternative<Runnable>(found->second.doing)) {
      continue;
    }
    Frame& next = found->second;
    Go go = Go::kOn;
    while (go == Go::kOn && slice_ < limit) go = enter(next);
    // At the end of the line, so that an endless loop holds up nobody.
    if (go == Go::kOn) set_ready(next);
  }
  announce_tasks();
  if (running() && !x_.ready.empty() && !x_.continuation) {
    x_.continuation = new_command();
    commands_.push_back(Continue{*x_.continuation});
  }
}

void Stepper::announce_tasks() {
  if (!running()) return;
  for (const FrameId id : scheduled_) {
    const auto found = x_.frames.find(id);
    if (found == x_.frames.end()) continue;
    const auto* task = std::get_if<RunningTask>(&found->second.doing);
    if (task == nullptr) continue;
    Frame& frame = found->second;
    teller_.task_started(frame, std::get<Task>(state_of(frame).kind));
  }
}

Frame& Stepper::frame(FrameId id) {
  const auto found = x_.frames.find(id);
  CHECK(found != x_.frames.end(), "there is no frame " + std::to_string(id.value));
  return found->second;
}

void Stepper::set_timer(Frame& frame, CommandId id, Time due) {
  x_.waiting.emplace(id, frame.id);
  commands_.push_back(SetTimer{id, due});
}

}  // namespace stepwell
