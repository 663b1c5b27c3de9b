#include "engine/step/teller.h"

#include "base/hash.h"
#include "base/random.h"

namespace stepwell {

namespace {

std::string_view family_prefix(const Task& task) {
  switch (task.family) {
    case TaskFamily::kTask: return "Task";
    case TaskFamily::kLambda: return "LambdaFunction";
    case TaskFamily::kActivity: return "Activity";
  }
  return "Task";
}

void put_resource(Object& details, const Task& task) {
  if (task.family != TaskFamily::kTask) return;
  details.set("resource", task.event_resource);
  details.set("resourceType", task.event_resource_type);
}

void put_problem(Object& details, const Problem& problem) {
  if (problem.error) details.set("error", *problem.error);
  if (problem.cause) details.set("cause", *problem.cause);
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

// "...:stateMachine:name" -> "...:mapRun:name/<label>:<uuid>", the same at every fold.
std::string map_run_arn(const Pins& pins, const std::string& label, std::uint64_t event) {
  std::string arn = pins.machine_arn;
  const std::string kind = ":stateMachine:";
  if (const auto at = arn.find(kind); at != std::string::npos) {
    arn.replace(at, kind.size(), ":mapRun:");
  }
  Random random(hash64(pins.execution_arn, event) ^ pins.seed);
  const auto uuid = [&random] {
    const std::uint64_t high = random.next();
    return Uuid::v4(high, random.next()).text();
  };
  arn += "/" + (label.empty() ? uuid() : label);
  return arn + ":" + uuid();
}

}  // namespace

void Teller::execution_started(std::string_view input_text) {
  input_text_ = input_text;
  tell(0, "ExecutionStarted", {}, [&](Object& details) {
    details.set("input", input_text_.empty() ? Value(x_.input.to_json()) : Value(input_text_));
    details.set("roleArn", x_.pins.role_arn);
  });
}

void Teller::execution_succeeded(const Frame& root, const Value& output) {
  tell(root.last_event, "ExecutionSucceeded", {},
       [&](Object& details) { details.set("output", output.to_json()); });
}

void Teller::execution_failed(std::uint64_t previous, const Problem& problem,
                              const StatePlace& failed_at) {
  if (observer_ != nullptr) about_ = failed_at;
  tell(previous, "ExecutionFailed", {}, [&](Object& details) { put_problem(details, problem); });
  about_.reset();
}

void Teller::execution_aborted(const Problem& problem) {
  tell(0, "ExecutionAborted", {}, [&](Object& details) { put_problem(details, problem); });
}

void Teller::execution_timed_out() {
  tell(0, "ExecutionTimedOut", {}, [](Object& details) { details.set("error", "States.Timeout"); });
}

std::uint64_t Teller::execution_redriven() {
  return tell(x_.next_event - 1, "ExecutionRedriven", {},
              [&](Object& details) { details.set("redriveCount", x_.redrive_count); });
}

void Teller::entered(Frame& frame, const State& state) {
  const std::uint64_t previous = frame.last_event;
  tell_of(frame, kind_name(state.kind), "StateEntered", [&](Object& details) {
    details.set("name", state.name);
    const bool as_written = !input_text_.empty() && frame.is_root() && x_.transitions == 1;
    details.set("input", as_written ? Value(input_text_) : Value(frame.input.to_json()));
  });
  frame.entered_event = frame.last_event;
  undecided_ = {frame.last_event, previous};
}

void Teller::exited(Frame& frame, const State& state, const Value& output,
                    const std::optional<Value>& assigned) {
  tell_of(frame, kind_name(state.kind), "StateExited", [&](Object& details) {
    details.set("name", state.name);
    details.set("output", output.to_json());
    if (!assigned) return;
    Object texts;
    for (const auto& [name, value] : assigned->as_object()) texts.set(name, value.to_json());
    details.set("assignedVariables", std::move(texts));
    details.set("assignedVariablesDetails", Object{{"truncated", false}});
  });
}

void Teller::evaluation_failed(Frame& frame, const State& state, const Problem& problem) {
  if (frame.quiet) return;
  const std::uint64_t previous =
      frame.last_event == undecided_.event ? undecided_.previous : frame.last_event;
  talk_about(frame, problem.blame);
  frame.last_event = tell(previous, "EvaluationFailed", {}, [&](Object& details) {
    put_problem(details, problem);
    if (!problem.blame.location.empty()) details.set("location", problem.blame.location);
    details.set("state", state.name);
  });
  about_.reset();
}

void Teller::state_aborted(const State& state, std::uint64_t previous) {
  tell(previous, kind_name(state.kind), "StateAborted");
}

void Teller::task_scheduled(Frame& frame, const Task& task, const RunningTask& running,
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

void Teller::task_started(Frame& frame, const Task& task) {
  tell_of(frame, family_prefix(task), "Started",
          [&](Object& details) { put_resource(details, task); });
}

void Teller::task_succeeded(Frame& frame, const Task& task, const Value& output) {
  tell_of(frame, family_prefix(task), "Succeeded", [&](Object& details) {
    details.set("output", output.to_json());
    put_resource(details, task);
  });
}

void Teller::task_failed(Frame& frame, const Task& task, std::string_view how,
                         const Problem& problem) {
  tell_of(frame, family_prefix(task), how, [&](Object& details) {
    put_problem(details, problem);
    put_resource(details, task);
  });
}

void Teller::children_started(Frame& frame, const State& state, const Children& children) {
  tell_of(frame, kind_name(state.kind), "StateStarted", [&](Object& details) {
    if (std::holds_alternative<Map>(state.kind)) details.set("length", children.results.size());
  });
}

void Teller::children_failed(Frame& frame, const State& state) {
  const std::uint64_t previous = frame.last_event;
  tell_of(frame, kind_name(state.kind), "StateFailed", [](Object&) {});
  undecided_ = {frame.last_event, previous};
}

void Teller::children_succeeded(const Frame& frame, const State& state) {
  if (!frame.quiet) tell(frame.last_event, kind_name(state.kind), "StateSucceeded");
}

void Teller::map_run(Frame& frame, const Map& map, std::string_view what, const Problem* problem) {
  tell_of(frame, what, {}, [&](Object& details) {
    if (problem != nullptr) put_problem(details, *problem);
    if (what == "MapRunStarted" || what == "MapRunRedriven") {
      details.set("mapRunArn", map_run_arn(x_.pins, map.label, frame.entered_event));
    }
    if (what == "MapRunRedriven") details.set("redriveCount", x_.redrive_count);
  });
}

std::uint64_t Teller::iteration(const State& state, std::string_view what, std::uint64_t index,
                                std::uint64_t previous) {
  return tell(previous, "MapIteration", what, [&](Object& details) {
    details.set("name", state.name);
    details.set("index", index);
  });
}

void Teller::publish(std::uint64_t id, std::uint64_t previous, std::string_view a,
                     std::string_view b, Object details) {
  HistoryEvent event;
  event.id = id;
  event.previous_id = previous;
  event.at = now_;
  event.type.reserve(a.size() + b.size());
  event.type.append(a).append(b);
  if (!details.empty()) event.details = std::move(details);
  event.about = about_;
  observer_->hear(std::move(event));
}

}  // namespace stepwell
