// One state, from being entered to being left.
#include <cmath>

#include "engine/step/stepper.h"

namespace stepwell {

namespace {

// AWS's limit of a Wait: 2^31 seconds.
constexpr double kLongestWaitSeconds = 2147483647.0;

}  // namespace

Go Stepper::enter(Frame& frame) {
  ++slice_;
  if (++x_.transitions > x_.pins.limits.max_transitions) {
    return fail_runtime(frame, "The execution entered more states than its budget of " +
                                   std::to_string(x_.pins.limits.max_transitions) + ".");
  }
  if (frame.fresh && !select_item(frame)) {
    // The Map fails, not its iteration, which may be gone when this returns.
    Frame& map = this->frame(frame.parent);
    if (fail_with_fault(map) == Go::kOn) set_ready(map);
    return Go::kStop;
  }
  const State& state = state_of(frame);
  if (state.group || frame.group) note_group(frame, state);
  mark(&state);
  is_caught_ = false;
  tell_entered(frame, state);
  return begin(frame, state);
}

void Stepper::note_group(Frame& frame, const State& state) {
  if (!state.group) {
    frame.group.reset();
  } else if (!frame.group || frame.group->group != *state.group) {
    frame.group = GroupRun{*state.group, frame.input, frame.variables, {}};
  }
}

void Stepper::tell_entered(Frame& frame, const State& state) {
  frame.entered = true;
  frame.entered_at = now_;
  const std::uint64_t previous = frame.last_event;
  tell_of(frame, kind_name(state.kind), "StateEntered", [&](Object& details) {
    details.set("name", state.name);
    const bool as_written = !input_text_.empty() && frame.is_root() && x_.transitions == 1;
    details.set("input", as_written ? Value(input_text_) : Value(frame.input.to_json()));
  });
  frame.entered_event = frame.last_event;
  undecided_ = {frame.last_event, previous};
}

Go Stepper::begin(Frame& frame, const State& state) {
  return std::visit([&](const auto& kind) { return begin(frame, state, kind); }, state.kind);
}

Go Stepper::begin(Frame& frame, const State& state, const Pass& pass) {
  if (state.speaks_jsonata()) return leave_with_input(frame, state);
  Value result;
  if (pass.result) {
    result = *pass.result;
    note("result", result);
  } else if (!effective_input(frame, state, result)) {
    return fail_with_fault(frame);
  }
  return finish(frame, state, result);
}

// A JSONata state without a result.
Go Stepper::leave_with_input(Frame& frame, const State& state) {
  return leave_computed(frame, state, {state.assign, state.output}, {}, frame.input, state.next);
}

Go Stepper::begin(Frame& frame, const State& state, const Choice& choice) {
  if (state.speaks_jsonata()) return choose(frame, state, choice);
  Value input;
  if (!select_input(frame, state, input)) {
    return fail_with_fault(frame);
  }
  const ChoiceRule* matched = nullptr;
  for (const ChoiceRule& rule : choice.rules) {
    bool answer = false;
    if (!test(frame, state, rule.condition, input, answer)) return fail_with_fault(frame);
    if (answer) {
      matched = &rule;
      break;
    }
  }
  if (matched == nullptr && !choice.default_next) return fail_nowhere_to_go(frame);
  mark(matched != nullptr ? static_cast<const void*>(matched) : &choice.default_next);
  const auto& assign = matched != nullptr ? matched->assign : state.assign;
  std::optional<Value> assigned;
  if (assign && !evaluate(frame, state, *assign, input, assigned.emplace())) {
    return fail_with_fault(frame);
  }
  Value output;
  if (!select(frame, state, state.output_path, input, output)) {
    return fail_with_fault(frame);
  }
  return leave(frame, state, std::move(output), std::move(assigned),
               matched != nullptr ? matched->next : *choice.default_next);
}

Go Stepper::begin(Frame& frame, const State& state, const Wait& wait) {
  Value input;
  if (!select_input(frame, state, input)) {
    return fail_with_fault(frame);
  }
  if (const auto* quantity = std::get_if<Quantity>(&wait.how_long)) {
    double count = 0;
    if (!wait_seconds(frame, state, *quantity, input, count)) return fail_with_fault(frame);
    if (count > kLongestWaitSeconds) return fail_runtime(frame, "Wait state delay is too long.");
    return wait_until(frame, state, now_ + Millis(std::llround(count * 1000)));
  }
  const auto& until = std::get<Wait::Until>(wait.how_long);
  Time due;
  if (const auto* literal = std::get_if<Time>(&until.at)) {
    due = *literal;
  } else if (state.speaks_jsonata()) {
    if (!compute_time(frame, state, std::get<expr::Template>(until.at), due)) {
      return fail_with_fault(frame);
    }
  } else {
    Value text;
    if (!evaluate(frame, state, std::get<expr::Template>(until.at), input, text)) {
      if (fault_.error != "States.Runtime") return fail_with_fault(frame);
      runtime_fault(
          "The TimestampPath parameter does not reference an input value: " + until.path_text,
          until.path_text);
      return fail_with_fault(frame);
    }
    const auto parsed = text.is_string() ? parse_rfc3339(text.as_string()) : std::nullopt;
    if (!parsed) {
      runtime_fault(
          "The TimestampPath parameter does not reference a valid ISO-8601 "
          "extended offset date-time format string: " +
              until.path_text + " == " + (text.is_string() ? text.as_string() : text.to_json()),
          until.path_text, &text);
      return fail_with_fault(frame);
    }
    due = *parsed;
  }
  const auto delay = static_cast<double>((due - now_).count()) / 1000;
  if (delay > kLongestWaitSeconds) return fail_runtime(frame, "Wait state delay is too long.");
  return wait_until(frame, state, due);
}

Go Stepper::wait_until(Frame& frame, const State& state, Time due) {
  if (due <= now_) return leave_waiting(frame, state);
  const CommandId id = new_command();
  frame.doing = Sleeping{id, due};
  set_timer(frame, id, due);
  return Go::kStop;
}

Go Stepper::leave_waiting(Frame& frame, const State& state) {
  if (state.speaks_jsonata()) return leave_with_input(frame, state);
  Value input, output;
  std::optional<Value> assigned;
  if (!select_input(frame, state, input) ||
      (state.assign && !evaluate(frame, state, *state.assign, input, assigned.emplace())) ||
      !select(frame, state, state.output_path, input, output)) {
    return fail_with_fault(frame);
  }
  return leave(frame, state, std::move(output), std::move(assigned), state.next);
}

Go Stepper::begin(Frame& frame, const State& state, const Succeed&) {
  if (state.speaks_jsonata()) return leave_with_input(frame, state);
  Value input, output;
  if (!select_input(frame, state, input) ||
      !select(frame, state, state.output_path, input, output)) {
    return fail_with_fault(frame);
  }
  return leave(frame, state, std::move(output), std::nullopt, std::nullopt);
}

Go Stepper::begin(Frame& frame, const State& state, const Fail& fail) {
  if (!state.speaks_jsonata()) note("afterInputPath", frame.input);
  Problem problem;
  if (!fail_text(frame, state, fail.error, "Error", fail.error_path_text, problem.error) ||
      !fail_text(frame, state, fail.cause, "Cause", fail.cause_path_text, problem.cause)) {
    return fail_with_fault(frame);
  }
  return this->fail(frame, std::move(problem));
}

bool Stepper::fail_text(Frame& frame, const State& state, const std::optional<expr::Template>& what,
                        std::string_view field, const std::string& path_text,
                        std::optional<std::string>& to) {
  if (!what) return true;
  Value value;
  if (!evaluate(frame, state, *what, frame.input, value)) {
    if (path_text.empty() || fault_.error != "States.Runtime") return false;
    return runtime_fault("The JSONPath '" + path_text + "' specified for the field '" +
                             std::string(field) + "Path' could not be found in the input '" +
                             frame.input.to_json() + "'",
                         path_text);
  }
  if (!value.is_string() && state.speaks_jsonata()) {
    return wrong_result(*what, field, "string", value);
  }
  if (!value.is_string()) {
    return runtime_fault("The " + std::string(field) + "Path field refers to value '" +
                             value.to_json() + "' which is not a string: " + path_text,
                         path_text, &value);
  }
  to = value.as_string();
  return true;
}

Go Stepper::finish(Frame& frame, const State& state, const Value& result) {
  if (state.speaks_jsonata()) {
    return leave_computed(frame, state, {state.assign, state.output}, {&result, nullptr}, result,
                          state.next);
  }
  Value selected, placed, output;
  if (state.result_selector) {
    if (!evaluate(frame, state, *state.result_selector, result, selected)) {
      return fail_with_fault(frame);
    }
  } else {
    selected = result;
  }
  note("afterResultSelector", selected);
  std::optional<Value> assigned;
  if (!place(state.result_path, frame.input, std::move(selected), placed)) {
    return fail_with_fault(frame);
  }
  note("afterResultPath", placed);
  if ((state.assign && !evaluate(frame, state, *state.assign, result, assigned.emplace())) ||
      !select(frame, state, state.output_path, placed, output)) {
    return fail_with_fault(frame);
  }
  return leave(frame, state, std::move(output), std::move(assigned), state.next);
}

Go Stepper::leave(Frame& frame, const State& state, Value output, std::optional<Value> assigned,
                  std::optional<StateId> next) {
  const bool same = output.identity() != nullptr && output.identity() == frame.input.identity();
  if ((!same && !check_size(state.name, output)) || !check_assigned(frame, state, assigned)) {
    return fail_with_fault(frame);
  }
  if (assigned && (!assigned->is_object() || assigned->size() == 0)) assigned.reset();
  // A Fail in a group that caught it has no such event.
  const bool has_event = !std::holds_alternative<Fail>(state.kind);
  if (has_event) tell_exited(frame, state, output, assigned);
  note_departure(frame, output, assigned, next);
  if (!is_caught_) mark(&state.next);
  is_caught_ = false;
  frame.entered = false;
  frame.attempt = 1;
  frame.attempts.clear();
  frame.last_error.clear();
  if (!next) return complete(frame, std::move(output));
  if (assigned) {
    Object variables = std::move(frame.variables).take_object();
    for (const auto& [name, value] : assigned->as_object()) variables.set(name, value);
    frame.variables = std::move(variables);
  }
  frame.state = *next;
  ++frame.entries;
  frame.input = std::move(output);
  return Go::kOn;
}

void Stepper::tell_exited(Frame& frame, const State& state, const Value& output,
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

Go Stepper::complete(Frame& frame, Value output) {
  if (!frame.is_root()) {
    child_succeeded(frame, std::move(output));
    return Go::kStop;
  }
  tell(frame.last_event, "ExecutionSucceeded", {},
       [&](Object& details) { details.set("output", output.to_json()); });
  end(ExecutionStatus::kSucceeded, std::move(output), Problem{});
  return Go::kStop;
}

}  // namespace stepwell
