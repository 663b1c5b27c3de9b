// JSONata states: Assign, Output and the fields that must come to a value of one kind.
//
// Where a JSONPath state selects and places (evaluation.cc), a JSONata state computes: every field
// sees $states as it is at that point, and all variables as they were when the state was entered.
#include <cmath>

#include "engine/step/evaluation.h"

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

Fault query_fault(std::string cause, std::string location, const Value& value) {
  Fault problem = fault("States.QueryEvaluationError", std::move(cause));
  problem->blame = {std::move(location), {}, expr::blamed_value(value)};
  return problem;
}

}  // namespace

Fault wrong_result(const expr::Template& what, std::string_view field, std::string_view wanted,
                   const Value& value) {
  const expr::Jsonata* expression = what.whole_expression();
  const std::string text = expression != nullptr ? expression->text() : value.to_json();
  return query_fault("The JSONata expression '" + text + "' specified for the field '" +
                         std::string(field) + "' returned an unexpected result type. Expected '" +
                         std::string(wanted) + "', but was '" + std::string(type_name(value)) +
                         "' for value: " + value.to_json(),
                     std::string(field), value);
}

Evaluated<Value> Evaluation::compute(const Frame& frame, const State& state,
                                     const expr::Template& what, Seen seen) {
  const Value context = what.uses_context() ? context_of(frame, state) : Value();
  Random random = next_random();
  auto evaluated = what.evaluate(expr::Scope{frame.input, context, frame.variables, random,
                                             seen.result, seen.error_output, now_, edition()});
  if (!evaluated.ok()) return fault(evaluated.failure());
  return std::move(evaluated.value());
}

Evaluated<double> Evaluation::compute_number(const Frame& frame, const State& state,
                                             const Quantity& quantity, std::string_view field) {
  if (const auto* constant = std::get_if<double>(&quantity.value)) return *constant;
  const auto& what = std::get<expr::Template>(quantity.value);
  const Value value = TRY(compute(frame, state, what, {}));
  if (!value.is_number()) return wrong_result(what, field, "number", value);
  return value.as_double();
}

Evaluated<std::int64_t> Evaluation::compute_whole(const Frame& frame, const State& state,
                                                  const Quantity& quantity,
                                                  std::string_view field) {
  const double number = TRY(compute_number(frame, state, quantity, field));
  const auto whole = as_whole(number);
  if (whole && *whole >= 0) return *whole;
  const std::string name(field);
  return query_fault("The " + name + " field " +
                         (whole ? "cannot be negative: " : "cannot be parsed as a long value: ") +
                         (whole ? std::to_string(*whole) : Value(number).to_json()),
                     name, Value(number));
}

Evaluated<double> Evaluation::compute_limit(const Frame& frame, const State& state,
                                            const Quantity& quantity, std::string_view field) {
  const double number = TRY(compute_number(frame, state, quantity, field));
  const std::string name(field), text = Value(number).to_json();
  if (!as_whole(number)) {
    return query_fault("The " + name + " field cannot be parsed as an integer: " + text, name,
                       Value(number));
  }
  if (number >= 0 && number <= kLongestTimeoutSeconds) return number;
  return query_fault(
      name + " must be between 0 and 99999999 but was: " + std::to_string(*as_whole(number)), name,
      Value(number));
}

Evaluated<Time> Evaluation::compute_time(const Frame& frame, const State& state,
                                         const expr::Template& what) {
  const Value value = TRY(compute(frame, state, what, {}));
  if (!value.is_string()) return wrong_result(what, "Timestamp", "string", value);
  const auto parsed = parse_rfc3339(value.as_string());
  if (parsed) return *parsed;
  return query_fault(
      "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format "
      "string: " +
          value.as_string(),
      "Timestamp", value);
}

Evaluated<Value> Evaluation::compute_items(const Frame& frame, const State& state, const Map& map) {
  if (!map.items) {
    if (are_items(frame.input)) return frame.input;
    return query_fault("Map state input must be an array but was: " + frame.input.to_json(), "",
                       frame.input);
  }
  Value items = TRY(compute(frame, state, *map.items, {}));
  if (!are_items(items)) return wrong_result(*map.items, "Items", "array", items);
  return items;
}

// The first rule whose Condition is true.
Evaluated<Chosen> Evaluation::compute_choice(const Frame& frame, const State& state,
                                             const Choice& choice) {
  for (std::size_t i = 0; i < choice.rules.size(); ++i) {
    const ChoiceRule& rule = choice.rules[i];
    const expr::Template& what = std::get<Truth>(rule.condition.test).what;
    const Value answer = TRY(compute(frame, state, what, {}));
    if (!answer.is_bool()) {
      return wrong_result(what, "Choices[" + std::to_string(i) + "]/Condition", "boolean", answer);
    }
    if (answer.as_bool()) return Chosen{&rule, frame.input};
  }
  return Chosen{nullptr, frame.input};
}

Evaluated<Departure> Evaluation::compute_departure(const Frame& frame, const State& state,
                                                   const Leaving& leaving, Seen seen,
                                                   Value otherwise) {
  Departure departure{std::move(otherwise), std::nullopt};
  if (leaving.assign) departure.assigned = TRY(compute(frame, state, *leaving.assign, seen));
  if (leaving.output) departure.output = TRY(compute(frame, state, *leaving.output, seen));
  return departure;
}

}  // namespace stepwell
