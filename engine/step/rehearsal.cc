#include "engine/step/rehearsal.h"

#include "engine/step/stepper.h"

namespace stepwell {

namespace {

// Objects member by member, all else as `over` has it.
Value laid_over(const Value& under, const Value& over) {
  if (!under.is_object() || !over.is_object()) return over;
  Object merged = under.as_object();
  for (const auto& [name, value] : over.as_object()) {
    const Value* below = under.find(name);
    merged.set(name, below != nullptr ? laid_over(*below, value) : value);
  }
  return merged;
}

}  // namespace

bool rehearse(const Program& program, Execution& execution, const Fact& fact,
              std::vector<Command>& commands, Rehearsal& rehearsal) {
  Stepper stepper(program, execution, fact, commands, nullptr);
  stepper.look_on(&rehearsal);
  return stepper.apply();
}

void Stepper::note_stage(std::string_view stage, const Value& value) {
  if (!rehearsal_->departure) rehearsal_->stages.set(stage, value);
}

void Stepper::note_failure(const Problem& problem) {
  if (rehearsal_ == nullptr || rehearsal_->departure) return;
  rehearsal_->error = problem.error;
  rehearsal_->cause = problem.cause;
  rehearsal_->retrier.reset();
  rehearsal_->catcher.reset();
}

void Stepper::note_retry(std::size_t retrier, Millis backoff) {
  if (rehearsal_ == nullptr || rehearsal_->departure) return;
  rehearsal_->retrier = retrier;
  rehearsal_->backoff = backoff;
}

void Stepper::note_catch(std::size_t catcher) {
  if (rehearsal_ == nullptr || rehearsal_->departure) return;
  rehearsal_->catcher = catcher;
}

void Stepper::note_departure(const Frame& frame, const Value& output,
                             const std::optional<Value>& assigned, std::optional<StateId> next) {
  if (rehearsal_ == nullptr || rehearsal_->departure) return;
  Rehearsal::Departure departure;
  departure.output = output;
  departure.variables = frame.variables;
  if (assigned) {
    // What is assigned replaces a variable as a whole.
    Object variables = frame.variables.as_object();
    for (const auto& [name, value] : assigned->as_object()) variables.set(name, value);
    departure.variables = std::move(variables);
  }
  if (next) departure.next = program_.state(frame.machine, *next).name;
  rehearsal_->departure = std::move(departure);
}

void Stepper::add_given_context(Object& context) const {
  if (!rehearsal_->context.is_object()) return;
  context = laid_over(Value(std::move(context)), rehearsal_->context).as_object();
}

const Value* Stepper::given_items() const {
  return rehearsal_ != nullptr && rehearsal_->items ? &*rehearsal_->items : nullptr;
}

Go Stepper::rehearse_children(Frame& frame, const State& state, const Children& children) {
  const auto* map = std::get_if<Map>(&state.kind);
  if (map != nullptr && !rehearsal_->departure) {
    rehearsal_->iterations = children.results.size();
    if (map->item_selector) {
      Value::Array selected(children.results.size());
      for (std::size_t i = 0; i < selected.size(); ++i) {
        if (!item_of(frame, state, children, i, selected[i])) return fail_with_fault(frame);
      }
      note("afterItemSelector", selected);
    }
  }
  if (const auto* failed = std::get_if<TaskFailed>(&rehearsal_->children)) {
    Problem problem;
    problem.error = failed->error;
    problem.cause = failed->cause;
    return fail(frame, std::move(problem));
  }
  if (rehearsal_->failed_iterations > children.tolerated) {
    Problem problem;
    problem.error = "States.ExceedToleratedFailureThreshold";
    problem.cause = "The specified tolerated failure threshold was exceeded";
    return fail(frame, std::move(problem));
  }
  return finish(frame, state, std::get<TaskSucceeded>(rehearsal_->children).output);
}

}  // namespace stepwell
