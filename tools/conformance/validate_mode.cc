// validate — definitions, held against the rules of the language.
#include "dsl/dsl.h"
#include "tools/conformance/modes.h"

namespace stepwell::conformance {

namespace {

// A definition as text is JSON when it looks like it: its author wants to hear about JSON then.
std::string file_name_for(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  const bool is_json =
      first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
  return is_json ? "definition.json" : "definition.yaml";
}

void refuse(dsl::Compiled& compiled, std::string code, std::string message) {
  dsl::Diagnostic& diagnostic = compiled.diagnostics.emplace_back();
  diagnostic.code = "bad-request";
  diagnostic.message = message;
  diagnostic.aws_code = std::move(code);
  diagnostic.aws_message = std::move(message);
  compiled.program = nullptr;
}

// What CreateStateMachine and UpdateStateMachine refuse beside the definition, of that which can
// be told without knowing the machines that there are.
void check_logging(const Value& params, dsl::Compiled& compiled) {
  const Value* logging = params.find("loggingConfiguration");
  const Value* level = logging != nullptr ? logging->find("level") : nullptr;
  if (level == nullptr || *level == Value("OFF")) return;
  const Value* destinations = logging->find("destinations");
  if (destinations != nullptr && destinations->size() == 1) return;
  refuse(compiled, "InvalidLoggingConfiguration",
         "Invalid Logging Configuration: Must specify exactly one Log Destination.");
}

// "...:stateMachine:name:2" is a version of a machine, and a version cannot be changed.
void check_machine_arn(const Value& params, dsl::Compiled& compiled) {
  const Value* given = params.find("stateMachineArn");
  if (given == nullptr || !given->is_string()) return;
  const std::string& arn = given->as_string();
  constexpr std::string_view kKind = ":stateMachine:";
  const std::size_t at = arn.find(kKind);
  if (at == std::string::npos || arn.find(':', at + kKind.size()) == std::string::npos) return;
  refuse(compiled, "StateMachineDoesNotExist", "State Machine Does Not Exist: '" + arn + "'");
}

Value answer(const Value& id, const dsl::Compiled& compiled) {
  Value::Array diagnostics;
  for (const dsl::Diagnostic& one : compiled.diagnostics) diagnostics.push_back(dsl::to_json(one));
  return Object{{"id", id}, {"valid", compiled.ok()}, {"diagnostics", Value(diagnostics)}};
}

Value refused(const Value& id, const std::string& why) {
  dsl::Compiled compiled;
  dsl::Diagnostic& diagnostic = compiled.diagnostics.emplace_back();
  diagnostic.code = "bad-case";
  diagnostic.message = why;
  return answer(id, compiled);
}

// The "id" at the beginning of a line that is not JSON, so that even then its case is named.
Value id_within(std::string_view text) {
  const std::size_t key = text.substr(0, kHeadBytes).find("\"id\"");
  if (key == std::string_view::npos) return {};
  std::size_t first = text.find_first_not_of(" :", key + 4);
  if (first == std::string_view::npos) return {};
  const bool is_text = text[first] == '"';
  const std::size_t end = is_text ? text.find('"', first + 1) : text.find_first_of(",} ", first);
  if (end == std::string_view::npos) return {};
  Result<Value> id = parse_json(text.substr(first, end - first + (is_text ? 1 : 0)));
  return id.ok() ? std::move(id).value() : Value();
}

Value validate(const Value& about) {
  const Value* id = about.find("id");
  const Value name = id != nullptr ? *id : Value();
  const Value* text = about.find("definition_text");
  const Value* definition = about.find("definition");
  if (definition == nullptr) definition = text;
  if (definition == nullptr) return refused(name, "neither definition nor definition_text");
  const bool is_text = definition->is_string();
  const std::string source = is_text ? definition->as_string() : definition->to_pretty_json();
  dsl::CompileOptions options;
  options.file = file_name_for(source);
  const Value* params = about.find("params");
  const Value* type = params != nullptr ? params->find("type") : nullptr;
  options.is_express = type != nullptr && *type == Value("EXPRESS");
  dsl::Compiled compiled = dsl::compile(source, options);
  if (params != nullptr) {
    check_logging(*params, compiled);
    check_machine_arn(*params, compiled);
  }
  return answer(name, compiled);
}

}  // namespace

int run_validate(std::istream& cases, std::ostream& results) {
  Line line;
  while (next_line(cases, line)) {
    if (!line.too_long && line.text.empty()) continue;
    const Result<Value> about = parse_case(line);
    if (about.ok()) {
      write_line(results, validate(*about));
    } else {
      const Value id = id_within(line.too_long ? line.head : line.text);
      write_line(results, refused(id, about.error().message));
    }
  }
  return 0;
}

}  // namespace stepwell::conformance
