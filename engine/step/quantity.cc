// Numbers of a state: constants, paths and expressions, each with AWS's texts for what is wrong.
#include <charconv>
#include <cmath>

#include "engine/step/evaluation.h"

namespace stepwell {

namespace {

// AWS's limits: of a Wait 2^31 seconds, of a task's timeout three years and a bit.
constexpr double kLongestWaitSeconds = 2147483647.0;
constexpr double kLongestTimeoutSeconds = 99'999'999;

Millis timeout_of(double seconds) {
  return Millis(std::llround(std::min(seconds, kLongestTimeoutSeconds) * 1000));
}

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

Evaluated<Value> Evaluation::quantity_value(const Frame& frame, const State& state,
                                            const Quantity& quantity, const Value& input,
                                            std::string& missing) {
  if (const auto* constant = std::get_if<double>(&quantity.value)) {
    const double number = *constant;
    if (number == std::floor(number) && std::abs(number) < 9e15) {
      return Value(static_cast<std::int64_t>(number));
    }
    return Value(number);
  }
  auto value = evaluate(frame, state, std::get<expr::Template>(quantity.value), input);
  if (value.ok() || value.problem()->error != "States.Runtime") return value;
  // A template does not say what is missing as path fields do: ask the path itself.
  auto parsed = expr::JsonPath::parse(quantity.path_text);
  if (const auto* path = std::get_if<expr::JsonPath>(&parsed)) {
    const Value context = state.uses_context ? context_of(frame, state) : Value();
    Random random = next_random();
    if (!path->find(expr::Scope{input, context, frame.variables, random}, &missing)) {
      return runtime_fault("Invalid path '" + quantity.path_text + "' : " + missing,
                           quantity.path_text);
    }
  }
  return value;
}

Evaluated<std::int64_t> Evaluation::whole_number(const Frame& frame, const State& state,
                                                 const Quantity& quantity, std::string_view field,
                                                 const Value& input) {
  if (state.speaks_jsonata()) return compute_whole(frame, state, quantity, field);
  std::string missing;
  const Value value = TRY(quantity_value(frame, state, quantity, input, missing));
  if (const auto whole = as_whole(value)) return *whole;
  return runtime_fault("The " + std::string(field) + "Path field refers to value \"" +
                           plain(value) + "\" which is not a valid integer: " + quantity.path_text,
                       quantity.path_text, &value);
}

Evaluated<double> Evaluation::percentage(const Frame& frame, const State& state,
                                         const Quantity& quantity, std::string_view field,
                                         const Value& input) {
  if (state.speaks_jsonata()) return compute_number(frame, state, quantity, field);
  std::string missing;
  const Value value = TRY(quantity_value(frame, state, quantity, input, missing));
  if (value.is_number()) return value.as_double();
  if (value.is_string()) {
    const std::string& text = value.as_string();
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size()) return number;
  }
  return runtime_fault("The " + std::string(field) + "Path field refers to value \"" +
                           plain(value) + "\" which is not a valid float: " + quantity.path_text,
                       quantity.path_text, &value);
}

Evaluated<double> Evaluation::seconds(const Frame& frame, const State& state,
                                      const Quantity& quantity, std::string_view field,
                                      const Value& input) {
  if (state.speaks_jsonata() && field != "Seconds") {
    return compute_limit(frame, state, quantity, field);
  }
  if (state.speaks_jsonata()) {
    return static_cast<double>(TRY(compute_whole(frame, state, quantity, field)));
  }
  std::string missing;
  const std::string parameter = "The " + std::string(field) + "Path parameter ";
  auto found = quantity_value(frame, state, quantity, input, missing);
  if (!found.ok()) {
    if (missing.empty() || field != "Seconds") return found.error();
    return runtime_fault(parameter + "does not reference an input value: " + quantity.path_text,
                         quantity.path_text);
  }
  const Value value = std::move(found).value();
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
  return static_cast<double>(*whole);
}

Evaluated<Time> Evaluation::due(const Frame& frame, const State& state, const Wait& wait) {
  const Value input = TRY(selected_input(frame, state));
  if (const auto* quantity = std::get_if<Quantity>(&wait.how_long)) {
    const auto* constant = std::get_if<double>(&quantity->value);
    const double count =
        constant != nullptr ? *constant : TRY(seconds(frame, state, *quantity, "Seconds", input));
    if (count > kLongestWaitSeconds) return runtime_fault("Wait state delay is too long.");
    return now_ + Millis(std::llround(count * 1000));
  }
  const auto& until = std::get<Wait::Until>(wait.how_long);
  Time due;
  if (const auto* literal = std::get_if<Time>(&until.at)) {
    due = *literal;
  } else if (state.speaks_jsonata()) {
    due = TRY(compute_time(frame, state, std::get<expr::Template>(until.at)));
  } else {
    due = TRY(time_at_path(frame, state, until, input));
  }
  const auto delay = static_cast<double>((due - now_).count()) / 1000;
  if (delay > kLongestWaitSeconds) return runtime_fault("Wait state delay is too long.");
  return due;
}

Evaluated<Time> Evaluation::time_at_path(const Frame& frame, const State& state,
                                         const Wait::Until& until, const Value& input) {
  auto found = evaluate(frame, state, std::get<expr::Template>(until.at), input);
  if (!found.ok()) {
    if (found.problem()->error != "States.Runtime") return found.error();
    return runtime_fault(
        "The TimestampPath parameter does not reference an input value: " + until.path_text,
        until.path_text);
  }
  const Value text = std::move(found).value();
  const auto parsed = text.is_string() ? parse_rfc3339(text.as_string()) : std::nullopt;
  if (parsed) return *parsed;
  return runtime_fault(
      "The TimestampPath parameter does not reference a valid ISO-8601 "
      "extended offset date-time format string: " +
          until.path_text + " == " + (text.is_string() ? text.as_string() : text.to_json()),
      until.path_text, &text);
}

Evaluated<TaskTimes> Evaluation::task_times(const Frame& frame, const State& state,
                                            const Task& task) {
  TaskTimes times;
  if (!task.timeout_seconds && !task.heartbeat_seconds) return times;
  const Value input = TRY(selected_input(frame, state));
  if (task.timeout_seconds) {
    times.timeout =
        timeout_of(TRY(seconds(frame, state, *task.timeout_seconds, "TimeoutSeconds", input)));
  }
  if (task.heartbeat_seconds) {
    times.heartbeat =
        timeout_of(TRY(seconds(frame, state, *task.heartbeat_seconds, "HeartbeatSeconds", input)));
  }
  return times;
}

Evaluated<std::uint64_t> Evaluation::tolerated(const Frame& frame, const State& state,
                                               const Map& map, const Children& children) {
  std::int64_t count = 0;
  if (map.tolerated_failure_count) {
    count = TRY(whole_number(frame, state, *map.tolerated_failure_count, "ToleratedFailureCount",
                             children.effective));
  }
  if (count < 0) return runtime_fault("ToleratedFailureCount cannot be negative.");
  if (map.tolerated_failure_count) note("toleratedFailureCount", count);
  double percent = 0;
  if (map.tolerated_failure_percentage) {
    percent = TRY(percentage(frame, state, *map.tolerated_failure_percentage,
                             "ToleratedFailurePercentage", children.effective));
  }
  if (percent < 0 || percent > 100) {
    return runtime_fault("ToleratedFailurePercentage must be between 0 and 100.");
  }
  if (map.tolerated_failure_percentage) note("toleratedFailurePercentage", percent);
  const std::uint64_t all = children.results.size();
  const bool says_how_many = map.tolerated_failure_count || map.tolerated_failure_percentage;
  if (map.tolerate_failures && !says_how_many) return all;
  const auto share = static_cast<std::uint64_t>(static_cast<double>(all) * percent / 100);
  return std::max(static_cast<std::uint64_t>(count), share);
}

}  // namespace stepwell
