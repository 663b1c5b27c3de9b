#include "engine/step/rehearsal.h"

#include "engine/step/stepper.h"

namespace stepwell {

namespace {

// Writes down what happens until the state is left.
class Notes final : public Observer {
 public:
  explicit Notes(Rehearsal& rehearsal) : to_(rehearsal) {}

  void note_stage(std::string_view stage, const Value& value) const override {
    if (!to_.departure) to_.stages.set(stage, value);
  }
  void note_failure(const Problem& problem) const override {
    if (to_.departure) return;
    to_.error = problem.error;
    to_.cause = problem.cause;
    to_.retrier.reset();
    to_.catcher.reset();
  }
  void note_retry(std::size_t retrier, Millis backoff) const override {
    if (to_.departure) return;
    to_.retrier = retrier;
    to_.backoff = backoff;
  }
  void note_catch(std::size_t catcher) const override {
    if (!to_.departure) to_.catcher = catcher;
  }
  void note_departure(const Frame& frame, const Value& output, const std::optional<Value>& assigned,
                      const std::string* next) const override {
    if (to_.departure) return;
    Rehearsal::Departure departure;
    departure.output = output;
    departure.variables = frame.variables;
    if (assigned) {
      // What is assigned replaces a variable as a whole.
      Object variables = frame.variables.as_object();
      for (const auto& [name, value] : assigned->as_object()) variables.set(name, value);
      departure.variables = std::move(variables);
    }
    if (next != nullptr) departure.next = *next;
    to_.departure = std::move(departure);
  }

 private:
  Rehearsal& to_;
};

}  // namespace

bool rehearse(const Program& program, Execution& execution, const Fact& fact,
              std::vector<Command>& commands, Rehearsal& rehearsal) {
  const Notes notes(rehearsal);
  return Stepper(program, execution, fact, commands, &notes, &rehearsal).apply();
}

Go Stepper::rehearse_children(Frame& frame, const State& state, const Children& children) {
  const auto* map = std::get_if<Map>(&state.kind);
  if (map != nullptr && !rehearsal_->departure) {
    rehearsal_->iterations = children.results.size();
    if (map->item_selector) {
      Value::Array selected(children.results.size());
      for (std::size_t i = 0; i < selected.size(); ++i) {
        auto item = evaluation_.item(frame, state, children, i);
        if (!item.ok()) return fail(frame, item.error());
        selected[i] = std::move(*item);
      }
      observer_->note_stage("afterItemSelector", selected);
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
