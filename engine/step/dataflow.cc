// Data flow: paths, templates, numbers and the context object of a state.
#include <charconv>
#include <cmath>

#include "engine/step/stepper.h"

namespace stepwell {

namespace {

// The text of a value inside AWS's messages: strings without quotes.
std::string plain(const Value& value) {
  return value.is_string() ? value.as_string() : value.to_json();
}

// A whole number, also one written as a string; AWS takes both.
std::optional<std::int64_t> as_whole(const Value& value) {
  if (value.is_int()) return value.as_int();
  if (!value.is_string()) return std::nullopt;
  const std::string& text = value.as_string();
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

bool Stepper::fault(std::string error, std::string cause) {
  fault_ = Problem{};
  fault_.error = std::move(error);
  fault_.cause = std::move(cause);
  return false;
}

bool Stepper::fault(const expr::Failure& failure) {
  fault(failure.error, failure.cause);
  fault_.blame = failure.blame;
  return false;
}

bool Stepper::runtime_fault(std::string cause, const std::string& path, const Value* value) {
  fault("States.Runtime", std::move(cause));
  fault_.blame.location = path;
  if (value != nullptr) fault_.blame.value = expr::blamed_value(value->to_json());
  return false;
}

std::string Stepper::prefix(const Frame& frame) const {
  return "An error occurred while executing the state '" + state_of(frame).name +
         "' (entered at the event id #" + std::to_string(frame.entered_event) + "). ";
}

bool Stepper::select(Frame& frame, const State& state, const Selection& selection,
                     const Value& from, Value& to) {
  if (selection.discard) {
    to = Object();
    return true;
  }
  if (!selection.path) {
    to = from;
    return true;
  }
  const Value context = state.uses_context ? context_of(frame, state) : Value();
  Random random = next_random();
  std::string missing;
  auto found = selection.path->find(expr::Scope{from, context, frame.variables, random}, &missing);
  if (!found) return invalid_path(selection.path->text(), missing);
  to = std::move(*found);
  return true;
}

bool Stepper::invalid_path(const std::string& path, const std::string& missing) {
  return runtime_fault("Invalid path '" + path + "' : " + missing, path);
}

bool Stepper::evaluate(Frame& frame, const State& state, const expr::Template& what,
                       const Value& input, Value& to) {
  const Value context =
      state.uses_context && what.uses_context() ? context_of(frame, state) : Value();
  return evaluate_in(frame, what, input, context, to);
}

bool Stepper::evaluate_in(const Frame& frame, const expr::Template& what, const Value& input,
                          const Value& context, Value& to) {
  Random random = next_random();
  auto evaluated =
      what.evaluate(expr::Scope{input, context, frame.variables, random, nullptr, nullptr, now_});
  if (!evaluated.ok()) return fault(evaluated.failure());
  to = std::move(evaluated.value());
  return true;
}

bool Stepper::place(const Placement& placement, const Value& into, Value value, Value& to) {
  if (placement.discard) {
    to = into;
    return true;
  }
  if (!placement.path || placement.path->text() == "$") {
    to = std::move(value);
    return true;
  }
  auto placed = placement.path->put(into, std::move(value));
  if (!placed) {
    return fault("States.ResultPathMatchFailure", "Unable to apply the ReferencePath " +
                                                      placement.path->text() + " to the input " +
                                                      into.to_json());
  }
  to = std::move(*placed);
  return true;
}

bool Stepper::select_input(Frame& frame, const State& state, Value& to) {
  if (!select(frame, state, state.input_path, frame.input, to)) return false;
  if (!state.speaks_jsonata()) note("afterInputPath", to);
  return true;
}

bool Stepper::effective_input(Frame& frame, const State& state, Value& to) {
  Value selected;
  if (!select_input(frame, state, selected)) return false;
  if (!state.parameters) {
    to = std::move(selected);
  } else if (!evaluate(frame, state, *state.parameters, selected, to)) {
    return false;
  }
  if (!state.speaks_jsonata()) {
    note("afterParameters", to);
  } else if (state.parameters) {
    note("afterArguments", to);
  }
  return true;
}

bool Stepper::check_size(std::string_view name, const Value& value) {
  if (value.identity() == nullptr) return true;
  if (value.depth() > x_.pins.limits.max_value_depth) {
    return fault("States.DataLimitExceeded", "The state/task '" + std::string(name) +
                                                 "' returned a result nested deeper than " +
                                                 std::to_string(x_.pins.limits.max_value_depth) +
                                                 " levels.");
  }
  if (value.json_size() <= x_.pins.limits.max_payload_bytes) return true;
  return fault("States.DataLimitExceeded",
               "The state/task '" + std::string(name) +
                   "' returned a result with a size exceeding the maximum number of bytes service "
                   "limit.");
}

bool Stepper::check_assigned(const Frame& frame, const State& state,
                             const std::optional<Value>& assigned) {
  if (!assigned) return true;
  if (!check_size(state.name, *assigned)) return false;
  if (x_.pins.semantics < 2 || !assigned->is_object()) return true;
  const std::uint64_t most = kVariablePayloads * x_.pins.limits.max_payload_bytes;
  // What is assigned anew is counted twice at first: sizes are remembered, a merge is not free.
  if (frame.variables.json_size() + assigned->json_size() <= most) return true;
  Object merged = frame.variables.as_object();
  for (const auto& [name, value] : assigned->as_object()) merged.set(name, value);
  if (Value(std::move(merged)).json_size() <= most) return true;
  return fault("States.DataLimitExceeded", "The variables in sight of the state '" + state.name +
                                               "' exceed the maximum of " + std::to_string(most) +
                                               " bytes.");
}

bool Stepper::quantity_value(Frame& frame, const State& state, const Quantity& quantity,
                             const Value& input, Value& to, std::string& missing) {
  if (const auto* constant = std::get_if<double>(&quantity.value)) {
    const double number = *constant;
    if (number == std::floor(number) && std::abs(number) < 9e15) {
      to = static_cast<std::int64_t>(number);
    } else {
      to = number;
    }
    return true;
  }
  if (evaluate(frame, state, std::get<expr::Template>(quantity.value), input, to)) return true;
  if (fault_.error != "States.Runtime") return false;
  // A template does not say what is missing as path fields do: ask the path itself.
  auto parsed = expr::JsonPath::parse(quantity.path_text);
  if (const auto* path = std::get_if<expr::JsonPath>(&parsed)) {
    const Value context = state.uses_context ? context_of(frame, state) : Value();
    Random random = next_random();
    if (!path->find(expr::Scope{input, context, frame.variables, random}, &missing)) {
      return invalid_path(quantity.path_text, missing);
    }
  }
  return false;
}

bool Stepper::whole_number(Frame& frame, const State& state, const Quantity& quantity,
                           std::string_view field, const Value& input, std::int64_t& to) {
  if (state.speaks_jsonata()) return compute_whole(frame, state, quantity, field, to);
  Value value;
  std::string missing;
  if (!quantity_value(frame, state, quantity, input, value, missing)) return false;
  if (const auto whole = as_whole(value)) {
    to = *whole;
    return true;
  }
  return runtime_fault("The " + std::string(field) + "Path field refers to value \"" +
                           plain(value) + "\" which is not a valid integer: " + quantity.path_text,
                       quantity.path_text, &value);
}

bool Stepper::percentage(Frame& frame, const State& state, const Quantity& quantity,
                         std::string_view field, const Value& input, double& to) {
  if (state.speaks_jsonata()) return compute_number(frame, state, quantity, field, to);
  Value value;
  std::string missing;
  if (!quantity_value(frame, state, quantity, input, value, missing)) return false;
  if (value.is_number()) {
    to = value.as_double();
    return true;
  }
  if (value.is_string()) {
    const std::string& text = value.as_string();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
    if (error == std::errc() && end == text.data() + text.size()) return true;
  }
  return runtime_fault("The " + std::string(field) + "Path field refers to value \"" +
                           plain(value) + "\" which is not a valid float: " + quantity.path_text,
                       quantity.path_text, &value);
}

bool Stepper::wait_seconds(Frame& frame, const State& state, const Quantity& quantity,
                           const Value& input, double& to) {
  if (const auto* constant = std::get_if<double>(&quantity.value)) {
    to = *constant;
    return true;
  }
  return seconds(frame, state, quantity, "Seconds", input, to);
}

bool Stepper::seconds(Frame& frame, const State& state, const Quantity& quantity,
                      std::string_view field, const Value& input, double& to) {
  if (state.speaks_jsonata() && field != "Seconds") {
    return compute_limit(frame, state, quantity, field, to);
  }
  if (state.speaks_jsonata()) {
    std::int64_t whole = 0;
    if (!compute_whole(frame, state, quantity, field, whole)) return false;
    to = static_cast<double>(whole);
    return true;
  }
  Value value;
  std::string missing;
  const std::string parameter = "The " + std::string(field) + "Path parameter ";
  if (!quantity_value(frame, state, quantity, input, value, missing)) {
    if (missing.empty() || field != "Seconds") return false;
    return runtime_fault(parameter + "does not reference an input value: " + quantity.path_text,
                         quantity.path_text);
  }
  const auto whole = as_whole(value);
  if (!whole) {
    return runtime_fault(parameter + "cannot be parsed as a long value: " + quantity.path_text +
                             " == " + plain(value),
                         quantity.path_text, &value);
  }
  if (*whole < 0) {
    return runtime_fault(
        parameter + "references a negative value: " + quantity.path_text + " == " + plain(value),
        quantity.path_text, &value);
  }
  to = static_cast<double>(*whole);
  return true;
}

const Value& Stepper::execution_context() {
  if (!execution_context_.is_null()) return execution_context_;
  Object execution{{"Id", x_.pins.execution_arn},
                   {"Input", x_.input},
                   {"StartTime", to_rfc3339(x_.started_at)},
                   {"Name", x_.pins.execution_name},
                   {"RoleArn", x_.pins.role_arn}};
  // An express execution cannot be redriven, and says nothing about it.
  const bool express = x_.pins.execution_arn.find(":express:") != std::string::npos;
  if (!express) execution.set("RedriveCount", x_.redrive_count);
  if (x_.redrive_count > 0) execution.set("RedriveTime", to_rfc3339(x_.redriven_at));
  execution_context_ =
      Object{{"Execution", std::move(execution)},
             {"StateMachine", Object{{"Id", x_.pins.machine_arn}, {"Name", x_.pins.machine_name}}}};
  return execution_context_;
}

Value Stepper::context_of(const Frame& frame, const State& state) {
  Object context = execution_context().as_object();
  Object about{{"Name", state.name}, {"EnteredTime", to_rfc3339(frame.entered_at)}};
  if (std::holds_alternative<Task>(state.kind) || std::holds_alternative<Map>(state.kind) ||
      std::holds_alternative<Parallel>(state.kind)) {
    about.set("RetryCount", frame.attempt - 1);
  }
  context.set("State", std::move(about));
  if (Value item = map_item_of(frame); !item.is_null()) {
    context.set("Map", Object{{"Item", std::move(item)}});
  }
  if (rehearsal_ != nullptr) add_given_context(context);
  return context;
}

// {"Index", "Value"} of the innermost Map around the frame, or null.
Value Stepper::map_item_of(const Frame& inner) const {
  const Frame* child = &inner;
  while (!child->is_root()) {
    const Frame& parent = x_.frames.at(child->parent);
    const auto* children = std::get_if<Children>(&parent.doing);
    if (children != nullptr && children->items.is_array()) {
      return Object{{"Index", child->index}, {"Value", children->items.as_array()[child->index]}};
    }
    child = &parent;
  }
  return Value();
}

// Each evaluation has a stream of its own, so that none depends on how much another drew.
Random Stepper::next_random() {
  const std::uint64_t stream = ++x_.random_draws;
  return Random(x_.pins.seed ^ (stream * 0xd1342543de82ef95ULL));
}

}  // namespace stepwell
