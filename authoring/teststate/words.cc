// Reads requests and writes results as the TestState API has them.
#include <cmath>

#include "authoring/teststate/teststate.h"

namespace stepwell::teststate {

namespace {

// Is this member of InspectionData a number?  All others are JSON texts.
bool is_number_stage(const std::string& name) {
  return name == "maxConcurrency" || name == "toleratedFailureCount" ||
         name == "toleratedFailurePercentage";
}

std::optional<std::string> text_of(const Value& json, std::string_view name) {
  const Value* found = json.find(name);
  if (found == nullptr || !found->is_string()) return std::nullopt;
  return found->as_string();
}

Refusal invalid(std::string message) { return {"ValidationException", std::move(message), {}}; }

std::optional<Refusal> read_mock(const Value& json, Mock& mock) {
  mock.result = text_of(json, "result");
  if (const Value* error = json.find("errorOutput")) {
    mock.error = Mock::ErrorOutput{text_of(*error, "error"), text_of(*error, "cause")};
  }
  const std::string mode = text_of(json, "fieldValidationMode").value_or("STRICT");
  if (mode == "STRICT") {
    mock.validation = Validation::kStrict;
  } else if (mode == "PRESENT") {
    mock.validation = Validation::kPresent;
  } else if (mode == "NONE") {
    mock.validation = Validation::kNone;
  } else {
    return invalid("fieldValidationMode must be one of STRICT, PRESENT, NONE");
  }
  return std::nullopt;
}

std::optional<Refusal> read_count(const Value& json, std::string_view name, std::uint64_t& to) {
  const Value* found = json.find(name);
  if (found == nullptr) return std::nullopt;
  if (!found->is_int() || found->as_int() < 0) {
    return invalid(std::string(name) + " must be a whole number from 0");
  }
  to = static_cast<std::uint64_t>(found->as_int());
  return std::nullopt;
}

}  // namespace

std::variant<Request, Refusal> read_request(const Value& json) {
  Request request;
  const auto definition = text_of(json, "definition");
  if (!definition) return invalid("definition is missing: the state or the workflow, as JSON text");
  request.definition = *definition;
  request.state_name = text_of(json, "stateName").value_or("");
  request.input = text_of(json, "input");
  request.variables = text_of(json, "variables");
  request.context = text_of(json, "context");
  request.role_arn = text_of(json, "roleArn");
  if (const Value* mock = json.find("mock")) {
    if (auto refusal = read_mock(*mock, request.mock.emplace())) return std::move(*refusal);
  }
  if (const Value* where = json.find("stateConfiguration")) {
    std::uint64_t retries = 0;
    if (auto refusal = read_count(*where, "retrierRetryCount", retries)) return std::move(*refusal);
    if (retries > UINT32_MAX) return invalid("retrierRetryCount is too large");
    request.retries = static_cast<std::uint32_t>(retries);
    if (auto refusal = read_count(*where, "mapIterationFailureCount", request.failed_iterations)) {
      return std::move(*refusal);
    }
    request.item_data = text_of(*where, "mapItemReaderData");
    request.error_caused_by = text_of(*where, "errorCausedByState").value_or("");
  }
  return request;
}

Value to_json(const Tried& tried, const std::string& inspection_level) {
  Object json;
  if (tried.output) json.set("output", tried.output->json);
  if (tried.error) json.set("error", *tried.error);
  if (tried.cause) json.set("cause", *tried.cause);
  if (inspection_level == "DEBUG" || inspection_level == "TRACE") {
    Object inspection;
    for (const auto& [name, text] : tried.stages) {
      inspection.set(name, is_number_stage(name) ? text.value : Value(text.json));
    }
    Object details;
    if (tried.catcher) details.set("catchIndex", *tried.catcher);
    if (tried.retrier) {
      details.set("retryIndex", *tried.retrier);
      details.set("retryBackoffIntervalSeconds", std::llround(tried.backoff_seconds));
    }
    if (!details.empty()) inspection.set("errorDetails", std::move(details));
    if (tried.variables.size() > 0) inspection.set("variables", tried.variables.to_json());
    json.set("inspectionData", std::move(inspection));
  }
  if (tried.next_state) json.set("nextState", *tried.next_state);
  json.set("status", to_string(tried.outcome));
  return json;
}

}  // namespace stepwell::teststate
