// Evaluation — what the expressions of a state come to: paths, templates, JSONata, numbers, times.
//
// Internal to engine/step; lives for one fact.  Each function returns a value or the fault that
// kept it from being computed, and changes nothing: frames are read, and what becomes of one is
// the Stepper's to decide.  Only the count of random draws moves on, one per expression.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "engine/step/execution.h"
#include "engine/step/observer.h"
#include "engine/step/problem.h"
#include "language/program/program.h"

namespace stepwell {

struct Rehearsal;

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

// What leaves a state.
struct Departure {
  Value output;
  std::optional<Value> assigned;
};

// What a Choice came to.
struct Chosen {
  const ChoiceRule* rule = nullptr;  // Null: none matches.
  Value input;                       // Over which its conditions were asked.
};

struct TaskTimes {
  std::optional<Millis> timeout, heartbeat;
};

class Evaluation {
 public:
  // `given`: what a rehearsal puts in place of the world; null: nothing.
  Evaluation(Execution& execution, Time now, const Observer* observer, const Rehearsal* given)
      : x_(execution), now_(now), observer_(observer), given_(given) {}

  // ---- a state's input
  Evaluated<Value> selected_input(const Frame& frame, const State& state);
  // After Parameters or Arguments, too.
  Evaluated<Value> effective_input(const Frame& frame, const State& state);
  // An expression of a state over `input`.
  Evaluated<Value> evaluate(const Frame& frame, const State& state, const expr::Template& what,
                            const Value& input);

  // ---- what leaves it
  // A state that has no result; `assigns`: whether its kind has an Assign of its own.
  Evaluated<Departure> departure(const Frame& frame, const State& state, bool assigns);
  // ResultSelector, ResultPath, Assign, OutputPath; or Assign and Output.
  Evaluated<Departure> departure_with(const Frame& frame, const State& state, const Value& result);
  // By the rule of a Choice, or by its Default.
  Evaluated<Departure> departure_by(const Frame& frame, const State& state, const Chosen& chosen);
  // By a catcher of `rules`, the state's own or its group's.
  Evaluated<Departure> departure_caught(const Frame& frame, const State& rules,
                                        const Catcher& catcher, const Value& error_output);
  // `name`: of the state or task, for AWS's text.
  Fault check_size(std::string_view name, const Value& value) const;
  // Of what a state assigns, alone and with all that is in sight.
  Fault check_assigned(const Frame& frame, const State& state,
                       const std::optional<Value>& assigned) const;

  // ---- single kinds of state
  Evaluated<Chosen> choose(const Frame& frame, const State& state, const Choice& choice);
  // When a Wait ends; a time that has passed when it does at once.
  Evaluated<Time> due(const Frame& frame, const State& state, const Wait& wait);
  Evaluated<TaskTimes> task_times(const Frame& frame, const State& state, const Task& task);
  // Error or Cause of a Fail.
  Evaluated<std::optional<std::string>> fail_text(const Frame& frame, const State& state,
                                                  const std::optional<expr::Template>& what,
                                                  std::string_view field,
                                                  const std::string& path_text);
  // The items, the input and the limit of a Map.
  Evaluated<Children> children_of(const Frame& frame, const State& state, const Map& map);
  // How many of its iterations may fail.
  Evaluated<std::uint64_t> tolerated(const Frame& frame, const State& state, const Map& map,
                                     const Children& children);
  // The input of one iteration.
  Evaluated<Value> item(const Frame& map_frame, const State& state, const Children& children,
                        std::uint64_t index);

  // A draw for whoever needs one beside the expressions; each stream is used once.
  Random next_random();

 private:
  // ---- JSONPath (evaluation.cc)
  Evaluated<Value> select(const Frame& frame, const State& state, const Selection& selection,
                          const Value& from);
  Evaluated<Value> evaluate_in(const Frame& frame, const expr::Template& what, const Value& input,
                               const Value& context);
  static Evaluated<Value> place(const Placement& placement, const Value& into, Value value);
  // What a state without a result assigns.
  Evaluated<std::optional<Value>> assigned(const Frame& frame, const State& state,
                                           const std::optional<expr::Template>& assign,
                                           const Value& input);
  Evaluated<Value> items_of(const Frame& frame, const State& state, const Map& map,
                            const Value& input);
  Evaluated<Time> time_at_path(const Frame& frame, const State& state, const Wait::Until& until,
                               const Value& input);
  // Conditions (choice.cc).
  Evaluated<bool> test(const Frame& frame, const State& state, const Condition& condition,
                       const Value& input);
  Evaluated<bool> test_one(const Frame& frame, const State& state, const Test& test,
                           const Value& input);

  // ---- JSONata (jsonata.cc)
  Evaluated<Value> compute(const Frame& frame, const State& state, const expr::Template& what,
                           Seen seen);
  Evaluated<double> compute_number(const Frame& frame, const State& state, const Quantity& quantity,
                                   std::string_view field);
  Evaluated<std::int64_t> compute_whole(const Frame& frame, const State& state,
                                        const Quantity& quantity, std::string_view field);
  // Of a task: seconds of its timeout or heartbeat.
  Evaluated<double> compute_limit(const Frame& frame, const State& state, const Quantity& quantity,
                                  std::string_view field);
  Evaluated<Time> compute_time(const Frame& frame, const State& state, const expr::Template& what);
  Evaluated<Value> compute_items(const Frame& frame, const State& state, const Map& map);
  // `otherwise`: what leaves the state when it has no Output.
  Evaluated<Departure> compute_departure(const Frame& frame, const State& state,
                                         const Leaving& leaving, Seen seen, Value otherwise);
  Evaluated<Chosen> compute_choice(const Frame& frame, const State& state, const Choice& choice);

  // ---- quantities, each with its own texts for what can be wrong (quantity.cc)
  Evaluated<Value> quantity_value(const Frame& frame, const State& state, const Quantity& quantity,
                                  const Value& input, std::string& missing);
  Evaluated<std::int64_t> whole_number(const Frame& frame, const State& state,
                                       const Quantity& quantity, std::string_view field,
                                       const Value& input);
  Evaluated<double> percentage(const Frame& frame, const State& state, const Quantity& quantity,
                               std::string_view field, const Value& input);
  Evaluated<double> seconds(const Frame& frame, const State& state, const Quantity& quantity,
                            std::string_view field, const Value& input);

  // ---- the context object (context.cc)
  Value context_of(const Frame& frame, const State& state);
  const Value& execution_context();
  // Map.Item of an iteration; null where `frame` is in no Map.
  Value map_item(const Children& children, std::uint64_t index) const;
  Value map_item_of(const Frame& frame) const;
  std::string context_time(Time time) const;
  expr::Edition edition() const {
    return x_.pins.semantics < 4 ? expr::Edition::kFirst : expr::Edition::kSecond;
  }
  // May a Map run over this value?
  bool are_items(const Value& value) const {
    return value.is_array() || (x_.pins.semantics >= 4 && value.is_object());
  }

  void note(std::string_view stage, const Value& value) const {
    if (observer_ != nullptr) observer_->note_stage(stage, value);
  }

  Execution& x_;
  const Time now_;
  const Observer* const observer_;
  const Rehearsal* const given_;
  Value execution_context_;  // {"Execution", "StateMachine"}; null until asked for.
};

// ---- faults
Fault fault(std::string error, std::string cause);
Fault fault(const expr::Failure& failure);
// States.Runtime; `path` is to blame, because of `value`, if one is given.
Fault runtime_fault(std::string cause, const std::string& path = {}, const Value* value = nullptr);
// A JSONata expression came to a value of another kind than its field takes.
Fault wrong_result(const expr::Template& what, std::string_view field, std::string_view wanted,
                   const Value& value);

}  // namespace stepwell
