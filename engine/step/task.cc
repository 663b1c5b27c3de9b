// Tasks: handing them out, and what their answers do.
#include <algorithm>
#include <cmath>

#include "engine/step/stepper.h"

namespace stepwell {

namespace {

// AWS's limit of a task's timeout, three years and a bit.
constexpr double kLongestTimeoutSeconds = 99'999'999;

Millis millis_of(double seconds) {
  return Millis(std::llround(std::min(seconds, kLongestTimeoutSeconds) * 1000));
}

std::string_view family_prefix(const Task& task) {
  switch (task.family) {
    case TaskFamily::kTask: return "Task";
    case TaskFamily::kLambda: return "LambdaFunction";
    case TaskFamily::kActivity: return "Activity";
  }
  return "Task";
}

// How AWS calls the task in a message about its result's size.
const std::string& public_name(const Task& task) {
  return task.family == TaskFamily::kTask && !task.event_resource_type.empty()
             ? task.event_resource_type
             : task.resource;
}

void put_resource(Object& details, const Task& task) {
  if (task.family != TaskFamily::kTask) return;
  details.set("resource", task.event_resource);
  details.set("resourceType", task.event_resource_type);
}

// Whole seconds where they are whole, as AWS writes them.
Value seconds_value(Millis duration) {
  if (duration.count() % 1000 == 0) return duration.count() / 1000;
  return static_cast<double>(duration.count()) / 1000;
}

std::string region_of(std::string_view arn) {
  // arn:partition:service:REGION:account:...
  std::size_t begin = 0;
  for (int i = 0; i < 3; ++i) {
    begin = arn.find(':', begin);
    if (begin == std::string_view::npos) return {};
    ++begin;
  }
  return std::string(arn.substr(begin, arn.find(':', begin) - begin));
}

}  // namespace

Go Stepper::begin(Frame& frame, const State& state, const Task& task) {
  RunningTask running;
  Value credentials;
  if (!effective_input(frame, state, running.input) || !task_limits(frame, state, task, running) ||
      (task.credentials && !evaluate(frame, state, *task.credentials, frame.input, credentials)) ||
      !check_size(state.name, running.input)) {
    return fail_with_fault(frame);
  }
  running.command = new_command();
  running.input_hash = running.input.hash();
  tell_scheduled(frame, task, running, credentials);
  hand_out(frame, std::move(running));
  return Go::kStop;
}

bool Stepper::task_limits(Frame& frame, const State& state, const Task& task,
                          RunningTask& running) {
  if (!task.timeout_seconds && !task.heartbeat_seconds) return true;
  Value input;
  if (!select_input(frame, state, input)) return false;
  double count = 0;
  if (task.timeout_seconds) {
    if (!seconds(frame, state, *task.timeout_seconds, "TimeoutSeconds", input, count)) {
      return false;
    }
    running.timeout = millis_of(count);
  }
  if (task.heartbeat_seconds) {
    if (!seconds(frame, state, *task.heartbeat_seconds, "HeartbeatSeconds", input, count)) {
      return false;
    }
    running.heartbeat = millis_of(count);
  }
  return true;
}

void Stepper::tell_scheduled(Frame& frame, const Task& task, const RunningTask& running,
                             const Value& credentials) {
  tell_of(frame, family_prefix(task), "Scheduled", [&](Object& details) {
    if (task.family == TaskFamily::kTask) {
      put_resource(details, task);
      details.set("region", region_of(x_.pins.execution_arn));
      details.set("parameters", running.input.to_json());
    } else {
      details.set("resource", task.resource);
      details.set("input", running.input.to_json());
    }
    if (running.timeout) details.set("timeoutInSeconds", seconds_value(*running.timeout));
    if (running.heartbeat) details.set("heartbeatInSeconds", seconds_value(*running.heartbeat));
    if (!credentials.is_object()) return;
    if (const Value* role = credentials.find("RoleArn")) {
      details.set("taskCredentials", Object{{"roleArn", *role}});
    }
  });
}

void Stepper::tell_started(Frame& frame) {
  const Task& task = std::get<Task>(state_of(frame).kind);
  tell_of(frame, family_prefix(task), "Started",
          [&](Object& details) { put_resource(details, task); });
}

Go Stepper::task_succeeded(Frame& frame, const Value& output) {
  const State& state = state_of(frame);
  const Task& task = std::get<Task>(state.kind);
  if (!check_size(public_name(task), output)) {
    const Problem problem = std::move(fault_);
    tell_task_failed(frame, task, "Failed", problem);
    return fail(frame, problem);
  }
  tell_of(frame, family_prefix(task), "Succeeded", [&](Object& details) {
    details.set("output", output.to_json());
    put_resource(details, task);
  });
  note("result", output);
  return finish(frame, state, output);
}

Go Stepper::task_failed(Frame& frame, const TaskFailed& failed) {
  Problem problem;
  problem.error = failed.error;
  problem.cause = failed.cause;
  problem.retry_after = failed.retry_after;
  tell_task_failed(frame, std::get<Task>(state_of(frame).kind), "Failed", problem);
  return fail(frame, std::move(problem));
}

Go Stepper::task_timed_out(Frame& frame, const TaskTimedOut& timed_out) {
  Problem problem;
  problem.error = "States.Timeout";
  problem.heartbeat = timed_out.heartbeat;
  tell_task_failed(frame, std::get<Task>(state_of(frame).kind), "TimedOut", problem);
  return fail(frame, std::move(problem));
}

void Stepper::tell_task_failed(Frame& frame, const Task& task, std::string_view how,
                               const Problem& problem) {
  tell_of(frame, family_prefix(task), how, [&](Object& details) {
    put_problem(details, problem);
    put_resource(details, task);
  });
}

}  // namespace stepwell
