// One state, from being entered to being left.
#include "engine/step/stepper.h"

namespace stepwell {

Go Stepper::enter(Frame& frame) {
  ++slice_;
  if (++x_.transitions > x_.pins.limits.max_transitions) {
    return fail(frame, runtime_fault("The execution entered more states than its budget of " +
                                     std::to_string(x_.pins.limits.max_transitions) + "."));
  }
  if (frame.fresh) {
    if (Fault fault = select_item(frame)) {
      // The Map fails, not its iteration, which may be gone when this returns.
      Frame& map = this->frame(frame.parent);
      if (fail(map, std::move(fault)) == Go::kOn) set_ready(map);
      return Go::kStop;
    }
  }
  const State& state = state_of(frame);
  if (state.group || frame.group) note_group(frame, state);
  mark(&state);
  is_caught_ = false;
  mark_entered(frame, state);
  return begin(frame, state);
}

void Stepper::note_group(Frame& frame, const State& state) {
  if (!state.group) {
    frame.group.reset();
  } else if (!frame.group || frame.group->group != *state.group) {
    frame.group = GroupRun{*state.group, frame.input, frame.variables, {}};
  }
}

void Stepper::mark_entered(Frame& frame, const State& state) {
  frame.entered = true;
  frame.entered_at = now_;
  teller_.entered(frame, state);
}

Go Stepper::begin(Frame& frame, const State& state) {
  return std::visit([&](const auto& kind) { return begin(frame, state, kind); }, state.kind);
}

Go Stepper::begin(Frame& frame, const State& state, const Pass& pass) {
  if (state.speaks_jsonata()) {
    return leave(frame, state, evaluation_.departure(frame, state, true), state.next);
  }
  if (pass.result) {
    if (observer_ != nullptr) observer_->note_stage("result", *pass.result);
    return finish(frame, state, *pass.result);
  }
  auto result = evaluation_.effective_input(frame, state);
  if (!result.ok()) return fail(frame, result.error());
  return finish(frame, state, *result);
}

Go Stepper::begin(Frame& frame, const State& state, const Choice& choice) {
  auto chosen = evaluation_.choose(frame, state, choice);
  if (!chosen.ok()) return fail(frame, chosen.error());
  const ChoiceRule* const rule = chosen->rule;
  if (rule == nullptr && !choice.default_next) return fail_nowhere_to_go(frame);
  mark(rule != nullptr ? static_cast<const void*>(rule) : &choice.default_next);
  return leave(frame, state, evaluation_.departure_by(frame, state, *chosen),
               rule != nullptr ? rule->next : *choice.default_next);
}

Go Stepper::begin(Frame& frame, const State& state, const Wait& wait) {
  auto due = evaluation_.due(frame, state, wait);
  if (!due.ok()) return fail(frame, due.error());
  if (*due <= now_) return finish_waiting(frame, state);
  const CommandId id = new_command();
  frame.doing = Sleeping{id, *due};
  set_timer(frame, id, *due);
  return Go::kStop;
}

Go Stepper::finish_waiting(Frame& frame, const State& state) {
  return leave(frame, state, evaluation_.departure(frame, state, true), state.next);
}

Go Stepper::begin(Frame& frame, const State& state, const Succeed&) {
  return leave(frame, state, evaluation_.departure(frame, state, false), std::nullopt);
}

Go Stepper::begin(Frame& frame, const State& state, const Fail& fail) {
  if (observer_ != nullptr && !state.speaks_jsonata()) {
    observer_->note_stage("afterInputPath", frame.input);
  }
  auto error = evaluation_.fail_text(frame, state, fail.error, "Error", fail.error_path_text);
  if (!error.ok()) return this->fail(frame, error.error());
  auto cause = evaluation_.fail_text(frame, state, fail.cause, "Cause", fail.cause_path_text);
  if (!cause.ok()) return this->fail(frame, cause.error());
  Problem problem;
  problem.error = std::move(*error);
  problem.cause = std::move(*cause);
  return this->fail(frame, std::move(problem));
}

Go Stepper::finish(Frame& frame, const State& state, const Value& result) {
  return leave(frame, state, evaluation_.departure_with(frame, state, result), state.next);
}

Go Stepper::leave(Frame& frame, const State& state, Evaluated<Departure> departure,
                  std::optional<StateId> next) {
  if (!departure.ok()) return fail(frame, departure.error());
  Value& output = departure->output;
  std::optional<Value>& assigned = departure->assigned;
  const bool same = output.identity() != nullptr && output.identity() == frame.input.identity();
  Fault too_large = same ? nullptr : evaluation_.check_size(state.name, output);
  if (too_large == nullptr) too_large = evaluation_.check_assigned(frame, state, assigned);
  if (too_large != nullptr) return fail(frame, std::move(too_large));
  if (assigned && (!assigned->is_object() || assigned->size() == 0)) assigned.reset();
  // A Fail in a group that caught it has no such event.
  const bool has_event = !std::holds_alternative<Fail>(state.kind);
  if (has_event) teller_.exited(frame, state, output, assigned);
  if (observer_ != nullptr) {
    observer_->note_departure(frame, output, assigned,
                              next ? &program_.state(frame.machine, *next).name : nullptr);
  }
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

Go Stepper::complete(Frame& frame, Value output) {
  if (!frame.is_root()) {
    child_succeeded(frame, std::move(output));
    return Go::kStop;
  }
  teller_.execution_succeeded(frame, output);
  end(ExecutionStatus::kSucceeded, std::move(output), Problem{});
  return Go::kStop;
}

}  // namespace stepwell
