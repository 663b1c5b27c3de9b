// Failure: Retry, Catch, and what happens to siblings.
#include <algorithm>
#include <cmath>

#include "engine/step/stepper.h"

namespace stepwell {

namespace {

constexpr std::string_view kRuntime = "States.Runtime";

bool matches(const std::vector<std::string>& names, const Problem& problem) {
  for (const std::string& name : names) {
    if (name == "States.ALL") return true;
    if (problem.error && name == *problem.error) return true;
    if (problem.heartbeat && name == "States.HeartbeatTimeout") return true;
    // The wildcard of everything that a task may fail with but a timeout.
    if (name == "States.TaskFailed" && problem.error != "States.Timeout") return true;
  }
  return false;
}

Value text_or_null(const std::optional<std::string>& text) { return text ? Value(*text) : Value(); }

// What a catcher is given.
Value error_output(const Problem& problem) {
  const bool timeout = problem.error == "States.Timeout" && !problem.cause;
  return Object{{"Error", text_or_null(problem.error)},
                {"Cause", timeout ? Value("") : text_or_null(problem.cause)}};
}

bool is_long_running(const State& state) {
  return std::holds_alternative<Task>(state.kind) || std::holds_alternative<Wait>(state.kind) ||
         std::holds_alternative<Map>(state.kind) || std::holds_alternative<Parallel>(state.kind);
}

bool is_distributed(const State& state) {
  const auto* map = std::get_if<Map>(&state.kind);
  return map != nullptr && map->distributed;
}

// Does it go on when some of its iterations fail?
bool is_tolerant(const State& state) {
  const auto* map = std::get_if<Map>(&state.kind);
  return map != nullptr && (map->distributed || map->tolerate_failures);
}

bool is_halted(const Frame& frame) {
  return std::holds_alternative<Halted>(frame.doing) && !frame.entered;
}

// A century: far beyond any sensible delay, and far from overflowing.
constexpr double kLongestSeconds = 100.0 * 366 * 86400;

}  // namespace

std::string Stepper::prefix(const Frame& frame) const {
  return "An error occurred while executing the state '" + state_of(frame).name +
         "' (entered at the event id #" + std::to_string(frame.entered_event) + "). ";
}

Problem Stepper::problem_of(Frame& frame, Fault fault) {
  Problem problem = std::move(*fault);
  const bool is_query = problem.error == "States.QueryEvaluationError";
  if (problem.error == kRuntime || is_query || problem.error == "States.IntrinsicFailure") {
    problem.cause = prefix(frame) + problem.cause.value_or("");
  }
  if (is_query) {
    problem.evaluated_in = frame.id;
    teller_.evaluation_failed(frame, state_of(frame), problem);
  }
  return problem;
}

Go Stepper::fail(Frame& frame, Fault fault) {
  return fail(frame, problem_of(frame, std::move(fault)));
}

Go Stepper::fail_nowhere_to_go(Frame& frame) {
  return fail(frame, runtime_fault("Failed to transition out of the state. The state does not "
                                   "point to a next state."));
}

Go Stepper::fail(Frame& leaf, Problem problem) {
  if (observer_ != nullptr) {
    observer_->note_failure(problem);
    failed_at_ = StatePlace{leaf.machine, leaf.state, problem.blame};
  }
  is_caught_ = false;
  // Inside a distributed Map each iteration is an execution of its own: it alone ends.
  bool fatal = problem.error == kRuntime;
  if (fatal && !leaf.quiet) return end_failed(leaf.last_event, problem);
  Frame* frame = &leaf;
  while (true) {
    const State& state = state_of(*frame);
    if (!fatal) {
      if (retry(*frame, state, problem)) return Go::kStop;
      tell_children_failed(*frame, state, problem);
      auto go = catch_problem(*frame, state, state, problem);
      if (!go) go = handle_in_group(*frame, state, problem);
      if (go) {
        if (*go == Go::kOn && frame != &leaf) set_ready(*frame);
        return frame == &leaf ? *go : Go::kStop;
      }
    }
    if (frame->is_root()) return end_failed(frame->last_event, problem);
    Frame& parent = this->frame(frame->parent);
    const State& outer = state_of(parent);
    const bool may_tolerate = is_distributed(outer) || (is_tolerant(outer) && !fatal);
    if (may_tolerate && tolerate(parent, *frame, problem)) return Go::kStop;
    tell_child_failed(parent, *frame);
    if (may_tolerate) {
      fatal = false;
      problem = Problem{};
      problem.error = "States.ExceedToleratedFailureThreshold";
      problem.cause = "The specified tolerated failure threshold was exceeded";
    }
    frame = &parent;
  }
}

Go Stepper::end_failed(std::uint64_t previous, const Problem& problem) {
  teller_.execution_failed(previous, problem, failed_at_);
  end(ExecutionStatus::kFailed, Value(), problem);
  return Go::kStop;
}

bool Stepper::retry(Frame& frame, const State& state, const Problem& problem) {
  const auto delay = next_attempt(state.retry, frame.attempts, problem);
  if (!delay) return false;
  ++frame.attempt;
  // What is inside of a Map or Parallel is new work in its next run.
  if (!std::holds_alternative<Task>(state.kind)) ++frame.entries;
  back_off(frame, *delay, problem);
  return true;
}

void Stepper::back_off(Frame& frame, Millis delay, const Problem& problem) {
  frame.last_error = problem.error.value_or("");
  destroy_children(frame);
  const CommandId id = new_command();
  frame.doing = BackingOff{id, now_ + delay};
  set_timer(frame, id, now_ + delay);
}

// Only the first retrier that matches is asked.
std::optional<Millis> Stepper::next_attempt(const std::vector<Retrier>& retriers,
                                            Attempts& attempts, const Problem& problem) {
  for (std::size_t i = 0; i < retriers.size(); ++i) {
    const Retrier& retrier = retriers[i];
    if (!matches(retrier.error_equals, problem)) continue;
    mark(&retrier);
    if (problem.retry_after && retrier.server_delay == ServerDelay::kHonor) {
      if (attempts.honored.empty()) attempts.honored.resize(retriers.size(), 0);
      if (attempts.honored[i] < retrier.max_server_delays) {
        ++attempts.honored[i];
        const Millis most(std::llround(retrier.max_server_delay_seconds * 1000));
        const Millis delay = std::clamp(*problem.retry_after, Millis(0), most);
        if (observer_ != nullptr) observer_->note_retry(i, delay);
        return delay;
      }
    }
    if (attempts.counted.empty()) attempts.counted.resize(retriers.size(), 0);
    const std::uint32_t used = attempts.counted[i];
    if (used >= retrier.max_attempts) return std::nullopt;
    ++attempts.counted[i];
    const Millis delay = backoff(retrier, used, problem);
    if (observer_ != nullptr) observer_->note_retry(i, delay);
    return delay;
  }
  return std::nullopt;
}

Millis Stepper::backoff(const Retrier& retrier, std::uint32_t used, const Problem& problem) {
  double delay = retrier.interval_seconds;
  for (std::uint32_t k = 0; k < used && delay < kLongestSeconds; ++k) delay *= retrier.backoff_rate;
  if (retrier.max_delay_seconds) delay = std::min(delay, *retrier.max_delay_seconds);
  delay = std::min(delay, kLongestSeconds);
  if (retrier.jitter == Jitter::kFull) delay *= evaluation_.next_random().unit();
  const Millis wait(std::llround(delay * 1000));
  if (!problem.retry_after || retrier.server_delay == ServerDelay::kIgnore) return wait;
  const Millis longest(static_cast<std::int64_t>(kLongestSeconds) * 1000);
  return std::max(wait, std::min(*problem.retry_after, longest));
}

std::optional<Go> Stepper::catch_problem(Frame& frame, const State& state, const State& rules,
                                         Problem& problem) {
  for (std::size_t i = 0; i < rules.catchers.size(); ++i) {
    const Catcher& catcher = rules.catchers[i];
    if (!matches(catcher.error_equals, problem)) continue;
    if (observer_ != nullptr) observer_->note_catch(i);
    mark(&catcher);
    is_caught_ = true;
    destroy_children(frame);
    return catch_by(frame, state, rules, catcher, problem);
  }
  return std::nullopt;
}

std::optional<Go> Stepper::catch_by(Frame& frame, const State& state, const State& rules,
                                    const Catcher& catcher, Problem& problem) {
  auto caught = evaluation_.departure_caught(frame, rules, catcher, error_output(problem));
  Fault wrong = caught.ok() ? evaluation_.check_size(state.name, caught->output) : caught.error();
  if (wrong == nullptr) wrong = evaluation_.check_assigned(frame, state, caught->assigned);
  if (wrong == nullptr) return leave(frame, state, std::move(caught), catcher.next);
  // The catcher itself went wrong, and cannot catch that, too.
  if (!rules.speaks_jsonata()) {
    Problem fatal;
    fatal.error = kRuntime;
    fatal.cause = prefix(frame) + wrong->cause.value_or("");
    return end_failed(frame.last_event, fatal);
  }
  problem = problem_of(frame, std::move(wrong));
  tell_children_failed(frame, state, problem);
  return std::nullopt;
}

std::optional<Go> Stepper::handle_in_group(Frame& frame, const State& state, Problem& problem) {
  if (!frame.group) return std::nullopt;
  GroupRun& run = *frame.group;
  const Group& group = program_.machine(frame.machine).groups[run.group];
  if (const auto delay = next_attempt(group.rules.retry, run.attempts, problem)) {
    frame.state = group.states.front();
    ++frame.entries;
    frame.input = run.input;
    frame.variables = run.variables;
    frame.attempts.clear();
    frame.attempt = 1;
    frame.entered = false;
    back_off(frame, *delay, problem);
    return Go::kStop;
  }
  // What is caught is put into the input of the group, not of the state that failed; that one keeps
  // its own for a redrive.
  Value own = std::exchange(frame.input, run.input);
  const auto go = catch_problem(frame, state, group.rules, problem);
  if (!go || !running()) frame.input = std::move(own);
  return go;
}

// In a distributed Map a number of iterations may fail, and in one with TolerateFailures.
bool Stepper::tolerate(Frame& parent, Frame& child, const Problem& problem) {
  const State& state = state_of(parent);
  auto& children = std::get<Children>(parent.doing);
  if (children.failed >= children.tolerated) return false;
  ++children.failed;
  if (is_distributed(state)) {
    halt(child, false, 0);
    destroy_children(child);
    child_gone(parent, state, child, parent.last_event);
    return true;
  }
  children.failures.push_back({child.index, problem.error, problem.cause});
  const bool loud = !child.quiet;
  const std::uint64_t last = child.last_event;
  if (loud) parent.last_event = teller_.iteration(state, "Failed", child.index, last);
  halt(child, loud, last);
  destroy_children(child);
  child_gone(parent, state, child, last);
  return true;
}

void Stepper::tell_children_failed(Frame& frame, const State& state, const Problem& problem) {
  const bool has_children = std::holds_alternative<Children>(frame.doing);
  // Its own expression may fail before it has children, and after.
  const auto* map = std::get_if<Map>(&state.kind);
  const bool own = problem.evaluated_in == frame.id &&
                   (map != nullptr || std::holds_alternative<Parallel>(state.kind));
  if (!has_children && !own) return;
  if (has_children && map != nullptr && map->distributed) {
    teller_.map_run(frame, *map, "MapRunFailed", &problem);
  }
  teller_.children_failed(frame, state);
  frame.entered = false;
}

// The failing child and, with it, its siblings end; all of it follows from the child's last event.
void Stepper::tell_child_failed(Frame& parent, Frame& child) {
  const State& state = state_of(parent);
  const bool iterations = std::holds_alternative<Map>(state.kind);
  const bool loud = !child.quiet;
  if (loud) parent.last_event = child.last_event;
  const std::uint64_t previous = parent.last_event;
  if (iterations && loud) teller_.iteration(state, "Failed", child.index, previous);
  halt(child, loud, previous);
  for (const FrameId id : std::get<Children>(parent.doing).running) {
    if (id.value == 0 || id == child.id) continue;
    Frame& sibling = frame(id);
    if (iterations && loud) teller_.iteration(state, "Aborted", sibling.index, previous);
    halt(sibling, loud, previous);
  }
}

void Stepper::halt(Frame& frame, bool tell_it, std::uint64_t previous) {
  if (auto* children = std::get_if<Children>(&frame.doing)) {
    const State& state = state_of(frame);
    const bool iterations = std::holds_alternative<Map>(state.kind);
    for (const FrameId id : children->running) {
      if (id.value == 0) continue;
      Frame& child = this->frame(id);
      const bool loud = tell_it && !child.quiet;
      if (iterations && loud && !is_halted(child)) {
        teller_.iteration(state, "Aborted", child.index, previous);
      }
      halt(child, loud, previous);
    }
  } else {
    if (const auto* task = std::get_if<RunningTask>(&frame.doing)) cancel(task->command);
    if (const auto* sleeping = std::get_if<Sleeping>(&frame.doing)) cancel(sleeping->command);
    if (const auto* backing = std::get_if<BackingOff>(&frame.doing)) cancel(backing->command);
    frame.doing = Halted{};
  }
  const State& state = state_of(frame);
  if (tell_it && frame.entered && is_long_running(state)) {
    teller_.state_aborted(state, previous);
  }
  frame.entered = false;
}

void Stepper::cancel(CommandId command) {
  x_.waiting.erase(command);
  commands_.push_back(Cancel{command});
}

}  // namespace stepwell
