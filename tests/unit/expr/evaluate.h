// What the tests of expressions say: evaluate this text against that input.
#pragma once

#include <string>

#include "language/expr/expr.h"

namespace stepwell::expr {

// Context and variables that every case sees.
inline const Value& test_context() {
  static const Value kContext = *parse_json(R"({"Execution":{"Name":"first","Input":{"a":1}}})");
  return kContext;
}
inline const Value& test_variables() {
  static const Value kVariables = *parse_json(R"({"count":3,"order":{"id":"o-1"}})");
  return kVariables;
}

// JSON text, or "error: cause", or "syntax: message".
inline std::string show(Evaluated result) {
  if (result.ok()) return result.value().to_json();
  return result.failure().error + ": " + result.failure().cause;
}

inline std::string evaluate_path(const std::string& path, const std::string& document) {
  auto parsed = JsonPath::parse(path);
  if (auto* wrong = std::get_if<SyntaxError>(&parsed)) return "syntax: " + wrong->message;
  Random random(1);
  const Value input = *parse_json(document);
  std::string missing;
  auto found =
      std::get<JsonPath>(parsed).find({input, test_context(), test_variables(), random}, &missing);
  return found ? found->to_json() : missing;
}

inline std::string evaluate_template(const std::string& text, const std::string& document) {
  auto parsed = Template::parse_jsonpath(*parse_json(text));
  if (auto* wrong = std::get_if<std::vector<TemplateError>>(&parsed)) {
    std::string all;
    for (const TemplateError& one : *wrong) all += one.pointer + ": " + one.message + "\n";
    return all;
  }
  Random random(1);
  const Value input = *parse_json(document);
  return show(
      std::get<Template>(parsed).evaluate({input, test_context(), test_variables(), random}));
}

// An intrinsic call.
inline std::string evaluate_call(const std::string& text, const std::string& document = "{}") {
  auto parsed = Intrinsic::parse(text);
  if (auto* wrong = std::get_if<SyntaxError>(&parsed)) {
    return "syntax: " + wrong->message + " at " + std::to_string(wrong->at);
  }
  Random random(1);
  const Value input = *parse_json(document);
  return show(std::get<Intrinsic>(parsed).evaluate(
      {input, test_context(), test_variables(), random}, "field.$"));
}

}  // namespace stepwell::expr
