#include "authoring/teststate/mock.h"

#include <algorithm>
#include <string_view>

namespace stepwell::teststate {

namespace {

bool waits_for_the_world(const Task& task) {
  const auto ends_with = [&](std::string_view end) {
    return task.resource.size() >= end.size() &&
           task.resource.compare(task.resource.size() - end.size(), end.size(), end) == 0;
  };
  return task.family == TaskFamily::kActivity || ends_with(".waitForTaskToken") ||
         task.resource.find(".sync") != std::string::npos;
}

// Why the state cannot be run without a mock; nothing when it can.
std::optional<std::string> missing_mock(const State& state) {
  const auto* task = std::get_if<Task>(&state.kind);
  if (task != nullptr && !waits_for_the_world(*task)) return std::nullopt;
  if (task != nullptr) return "A mock must be specified when testing a Task that waits for others";
  const bool has_children =
      std::holds_alternative<Map>(state.kind) || std::holds_alternative<Parallel>(state.kind);
  if (!has_children) return std::nullopt;
  return std::string("A mock must be specified when testing a ") + kind_name(state.kind) + " state";
}

std::optional<std::string> result_problem(const Mock& mock, const State& state) {
  const auto result = parse_json(*mock.result);
  if (!result.ok()) return "Mocked result must be valid JSON: " + result.error().message;
  if (const auto* task = std::get_if<Task>(&state.kind)) {
    return shape_problem(task->resource, *result, mock.validation);
  }
  const auto* map = std::get_if<Map>(&state.kind);
  if (map != nullptr && map->definition.find("ResultWriter") != nullptr) {
    if (!result->is_object()) return "Mocked result must be a JSON object.";
  } else if (!result->is_array()) {
    return "Mocked result must be an array.";
  }
  return std::nullopt;
}

struct ContextField {
  std::string_view section, name;
  Value::Kind kind;
};

constexpr ContextField kContextFields[] = {
    {"Execution", "Id", Value::Kind::kString},
    {"Execution", "Input", Value::Kind::kNull},  // Any.
    {"Execution", "Name", Value::Kind::kString},
    {"Execution", "RoleArn", Value::Kind::kString},
    {"Execution", "StartTime", Value::Kind::kString},
    {"Execution", "RedriveCount", Value::Kind::kInt},
    {"Execution", "RedriveTime", Value::Kind::kString},
    {"State", "EnteredTime", Value::Kind::kString},
    {"State", "Name", Value::Kind::kString},
    {"State", "RetryCount", Value::Kind::kInt},
    {"StateMachine", "Id", Value::Kind::kString},
    {"StateMachine", "Name", Value::Kind::kString},
    {"Task", "Token", Value::Kind::kString},
};

bool is_section(std::string_view name) {
  return std::any_of(std::begin(kContextFields), std::end(kContextFields),
                     [&](const ContextField& field) { return field.section == name; });
}

std::optional<std::string> section_problem(const std::string& section, const Value& fields) {
  if (!fields.is_object()) return section + " must be an object";
  for (const auto& [name, value] : fields.as_object()) {
    const auto* field = std::find_if(std::begin(kContextFields), std::end(kContextFields),
                                     [&, &key = name](const ContextField& one) {
                                       return one.section == section && one.name == key;
                                     });
    if (field == std::end(kContextFields)) return "Field '" + name + "' is not allowed";
    if (field->kind == Value::Kind::kString && !value.is_string()) {
      return section + "." + name + " must be a string";
    }
    if (field->kind == Value::Kind::kInt && !value.is_int()) {
      return section + "." + name + " must be a number";
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> mock_problem(const Request& request, const State& state) {
  if (!request.mock) return missing_mock(state);
  const Mock& mock = *request.mock;
  if (mock.result && mock.error) {
    return "A test mock should have only one of the following fields: [result, errorOutput].";
  }
  const bool mockable = std::holds_alternative<Task>(state.kind) ||
                        std::holds_alternative<Map>(state.kind) ||
                        std::holds_alternative<Parallel>(state.kind);
  if (!mockable) {
    return std::string("State type '") + kind_name(state.kind) +
           "' is not supported when a mock is specified";
  }
  if (!mock.result && !mock.error) {
    return "A test mock should have one of the following fields: [result, errorOutput].";
  }
  return mock.result ? result_problem(mock, state) : std::nullopt;
}

std::optional<std::string> context_problem(const Value& context) {
  const std::string begin = "Invalid Context object provided: ";
  if (!context.is_object()) return begin + "it must be a JSON object";
  for (const auto& [section, fields] : context.as_object()) {
    if (section == "Map") {
      return begin + "'Map' field is not supported when mocking a Context object";
    }
    if (!is_section(section)) return begin + "Field '" + section + "' is not allowed";
    if (auto problem = section_problem(section, fields)) return begin + *problem;
  }
  return std::nullopt;
}

}  // namespace stepwell::teststate
