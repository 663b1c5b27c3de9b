// Tasks: handing them out, and what their answers do.
#include "engine/step/stepper.h"

namespace stepwell {

namespace {

// How AWS calls the task in a message about its result's size.
const std::string& public_name(const Task& task) {
  return task.family == TaskFamily::kTask && !task.event_resource_type.empty()
             ? task.event_resource_type
             : task.resource;
}

}  // namespace

Go Stepper::begin(Frame& frame, const State& state, const Task& task) {
  RunningTask running;
  auto input = evaluation_.effective_input(frame, state);
  if (!input.ok()) return fail(frame, input.error());
  running.input = std::move(*input);
  auto times = evaluation_.task_times(frame, state, task);
  if (!times.ok()) return fail(frame, times.error());
  running.timeout = times->timeout;
  running.heartbeat = times->heartbeat;
  Value credentials;
  if (task.credentials) {
    auto evaluated = evaluation_.evaluate(frame, state, *task.credentials, frame.input);
    if (!evaluated.ok()) return fail(frame, evaluated.error());
    credentials = std::move(*evaluated);
  }
  if (Fault too_large = evaluation_.check_size(state.name, running.input)) {
    return fail(frame, std::move(too_large));
  }
  running.command = new_command();
  running.input_hash = running.input.hash();
  teller_.task_scheduled(frame, task, running, credentials);
  hand_out(frame, std::move(running));
  return Go::kStop;
}

void Stepper::hand_out(Frame& frame, RunningTask running) {
  x_.waiting.emplace(running.command, frame.id);
  frame.doing = std::move(running);
  commands_.push_back(run_task_of(program_, frame));
  scheduled_.push_back(frame.id);
}

Go Stepper::task_succeeded(Frame& frame, const Value& output) {
  const State& state = state_of(frame);
  const Task& task = std::get<Task>(state.kind);
  if (const Fault too_large = evaluation_.check_size(public_name(task), output)) {
    teller_.task_failed(frame, task, "Failed", *too_large);
    return fail(frame, *too_large);
  }
  teller_.task_succeeded(frame, task, output);
  if (observer_ != nullptr) observer_->note_stage("result", output);
  return finish(frame, state, output);
}

Go Stepper::task_failed(Frame& frame, const TaskFailed& failed) {
  Problem problem;
  problem.error = failed.error;
  problem.cause = failed.cause;
  problem.retry_after = failed.retry_after;
  teller_.task_failed(frame, std::get<Task>(state_of(frame).kind), "Failed", problem);
  return fail(frame, std::move(problem));
}

Go Stepper::task_timed_out(Frame& frame, const TaskTimedOut& timed_out) {
  Problem problem;
  problem.error = "States.Timeout";
  problem.heartbeat = timed_out.heartbeat;
  teller_.task_failed(frame, std::get<Task>(state_of(frame).kind), "TimedOut", problem);
  return fail(frame, std::move(problem));
}

}  // namespace stepwell
