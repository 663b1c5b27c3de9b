// JSONata states: Assign, Output and the fields that must come to a value of one kind.
//
// Where a JSONPath state selects and places (dataflow.cc), a JSONata state computes: every field
// sees $states as it is at that point, and all variables as they were when the state was entered.
#include <cmath>

#include "engine/step/stepper.h"

namespace stepwell {

namespace {

// AWS's limit of a task's timeout.
constexpr double kLongestTimeoutSeconds = 99'999'999;

// JSONata's word for the kind of a value.
std::string_view type_name(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull: return "null";
    case Value::Kind::kBool: return "boolean";
    case Value::Kind::kInt:
    case Value::Kind::kDouble: return "number";
    case Value::Kind::kString: return "string";
    case Value::Kind::kArray: return "array";
    case Value::Kind::kObject: return "object";
  }
  return "";
}

// JSONata has one kind of number: 2.0 is as whole as 2.
std::optional<std::int64_t> as_whole(const Value& value) {
  if (value.is_int()) return value.as_int();
  const double number = value.as_double();
  if (number != std::floor(number) || std::abs(number) > 9e15) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

}  // namespace

bool Stepper::query_fault(std::string cause, std::string location, const Value& value) {
  fault("States.QueryEvaluationError", std::move(cause));
  fault_.blame = {std::move(location), {}, expr::blamed_value(value.to_json())};
  return false;
}

bool Stepper::compute(Frame& frame, const State& state, const expr::Template& what, Seen seen,
                      Value& to) {
  const Value context = what.uses_context() ? context_of(frame, state) : Value();
  Random random = next_random();
  auto evaluated = what.evaluate(expr::Scope{frame.input, context, frame.variables, random,
                                             seen.result, seen.error_output, now_});
  if (!evaluated.ok()) return fault(evaluated.failure());
  to = std::move(evaluated.value());
  return true;
}

bool Stepper::wrong_result(const expr::Template& what, std::string_view field,
                           std::string_view wanted, const Value& value) {
  const expr::Jsonata* expression = what.whole_expression();
  const std::string text = expression != nullptr ? expression->text() : value.to_json();
  return query_fault("The JSONata expression '" + text + "' specified for the field '" +
                         std::string(field) + "' returned an unexpected result type. Expected '" +
                         std::string(wanted) + "', but was '" + std::string(type_name(value)) +
                         "' for value: " + value.to_json(),
                     std::string(field), value);
}

bool Stepper::compute_number(Frame& frame, const State& state, const Quantity& quantity,
                             std::string_view field, double& to) {
  if (const auto* constant = std::get_if<double>(&quantity.value)) {
    to = *constant;
    return true;
  }
  const auto& what = std::get<expr::Template>(quantity.value);
  Value value;
  if (!compute(frame, state, what, {}, value)) return false;
  if (!value.is_number()) return wrong_result(what, field, "number", value);
  to = value.as_double();
  return true;
}

bool Stepper::compute_whole(Frame& frame, const State& state, const Quantity& quantity,
                            std::string_view field, std::int64_t& to) {
  double number = 0;
  if (!compute_number(frame, state, quantity, field, number)) return false;
  const auto whole = as_whole(number);
  if (whole && *whole >= 0) {
    to = *whole;
    return true;
  }
  const std::string name(field);
  return query_fault("The " + name + " field " +
                         (whole ? "cannot be negative: " : "cannot be parsed as a long value: ") +
                         (whole ? std::to_string(*whole) : Value(number).to_json()),
                     name, Value(number));
}

bool Stepper::compute_limit(Frame& frame, const State& state, const Quantity& quantity,
                            std::string_view field, double& to) {
  if (!compute_number(frame, state, quantity, field, to)) return false;
  const std::string name(field), text = Value(to).to_json();
  if (!as_whole(to)) {
    return query_fault("The " + name + " field cannot be parsed as an integer: " + text, name,
                       Value(to));
  }
  if (to >= 0 && to <= kLongestTimeoutSeconds) return true;
  return query_fault(
      name + " must be between 0 and 99999999 but was: " + std::to_string(*as_whole(to)), name,
      Value(to));
}

bool Stepper::compute_time(Frame& frame, const State& state, const expr::Template& what, Time& to) {
  Value value;
  if (!compute(frame, state, what, {}, value)) return false;
  if (!value.is_string()) return wrong_result(what, "Timestamp", "string", value);
  const auto parsed = parse_rfc3339(value.as_string());
  if (!parsed) {
    return query_fault(
        "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format "
        "string: " +
            value.as_string(),
        "Timestamp", value);
  }
  to = *parsed;
  return true;
}

bool Stepper::compute_items(Frame& frame, const State& state, const Map& map, Value& to) {
  if (!map.items) {
    to = frame.input;
    if (to.is_array()) return true;
    return query_fault("Map state input must be an array but was: " + to.to_json(), "", to);
  }
  if (!compute(frame, state, *map.items, {}, to)) return false;
  return to.is_array() || wrong_result(*map.items, "Items", "array", to);
}

// The first rule whose Condition is true goes on with its own Assign and Output; the state's own
// belong to Default.
Go Stepper::choose(Frame& frame, const State& state, const Choice& choice) {
  for (std::size_t i = 0; i < choice.rules.size(); ++i) {
    const ChoiceRule& rule = choice.rules[i];
    const expr::Template& what = std::get<Truth>(rule.condition.test).what;
    Value answer;
    if (!compute(frame, state, what, {}, answer)) return fail_with_fault(frame);
    if (!answer.is_bool()) {
      wrong_result(what, "Choices[" + std::to_string(i) + "]/Condition", "boolean", answer);
      return fail_with_fault(frame);
    }
    if (!answer.as_bool()) continue;
    mark(&rule);
    return leave_computed(frame, state, {rule.assign, rule.output}, {}, frame.input, rule.next);
  }
  if (!choice.default_next) return fail_nowhere_to_go(frame);
  mark(&choice.default_next);
  return leave_computed(frame, state, {state.assign, state.output}, {}, frame.input,
                        *choice.default_next);
}

bool Stepper::compute_end(Frame& frame, const State& state, const Leaving& leaving, Seen seen,
                          Value& output, std::optional<Value>& assigned) {
  return (!leaving.assign || compute(frame, state, *leaving.assign, seen, assigned.emplace())) &&
         (!leaving.output || compute(frame, state, *leaving.output, seen, output));
}

Go Stepper::leave_computed(Frame& frame, const State& state, const Leaving& leaving, Seen seen,
                           Value otherwise, std::optional<StateId> next) {
  Value output = std::move(otherwise);
  std::optional<Value> assigned;
  if (!compute_end(frame, state, leaving, seen, output, assigned)) return fail_with_fault(frame);
  return leave(frame, state, std::move(output), std::move(assigned), next);
}

// A catcher that goes wrong fails its state a second time, and cannot catch that, too.
std::optional<Go> Stepper::catch_computed(Frame& frame, const State& state, const State& rules,
                                          const Catcher& catcher, const Value& caught,
                                          Problem& problem) {
  Value output = caught;
  std::optional<Value> assigned;
  const Seen seen{nullptr, &caught};
  if (compute_end(frame, rules, {catcher.assign, catcher.output}, seen, output, assigned) &&
      check_size(state.name, output) && check_assigned(frame, state, assigned)) {
    return leave(frame, state, std::move(output), std::move(assigned), catcher.next);
  }
  problem = take_fault(frame);
  tell_children_failed(frame, state, problem);
  return std::nullopt;
}

// EvaluationFailed undoes what led to it in the chain of events: it follows from what was before
// its state was entered, or before its state failed.
void Stepper::tell_evaluation_failed(Frame& frame, const State& state, const Problem& problem) {
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

}  // namespace stepwell
