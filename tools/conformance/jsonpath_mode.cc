// jsonpath — paths against documents: {id, path, document} -> {id, result} or {id, error}.
//
// An error is "InvalidPath" (the text is not a path) or "PathNotFound" (a definite path that leads
// nowhere); `message` says more.
#include <iostream>

#include "language/expr/expr.h"
#include "tools/conformance/modes.h"

namespace stepwell::conformance {

namespace {

Value error_line(const Value& id, std::string_view error, std::string_view message) {
  return Object{{"id", id}, {"error", error}, {"message", message}};
}

Value answer(const Value& about) {
  const Value* id_given = about.find("id");
  const Value id = id_given != nullptr ? *id_given : Value();
  const Value* path = about.find("path");
  const Value* document = about.find("document");
  if (path == nullptr || !path->is_string() || document == nullptr) {
    return error_line(id, "InvalidCase", "a case has a path, a text, and a document");
  }
  const auto parsed = expr::JsonPath::parse(path->as_string());
  if (const auto* wrong = std::get_if<expr::SyntaxError>(&parsed)) {
    return error_line(id, "InvalidPath", wrong->message);
  }
  // The suite gives its faulty paths no document; what was recorded for them is an empty object's.
  const Value looked_at = document->is_null() ? Value(Object()) : *document;
  const Value nothing, variables = Object();
  Random random(1);
  std::string missing;
  auto found = std::get<expr::JsonPath>(parsed).find(
      expr::Scope{looked_at, nothing, variables, random}, &missing);
  if (!found) return error_line(id, "PathNotFound", missing);
  return Object{{"id", id}, {"result", std::move(*found)}};
}

}  // namespace

int run_jsonpath(std::istream& cases, std::ostream& results) {
  Line line;
  std::uint64_t lines = 0;
  while (next_line(cases, line)) {
    if (line.text.empty() && !line.too_long) continue;
    ++lines;
    const Result<Value> about = parse_case(line);
    if (!about.ok()) {
      write_line(results, error_line(Value(), "InvalidCase", about.error().message));
      continue;
    }
    try {
      write_line(results, answer(*about));
    } catch (const std::exception& failure) {
      write_line(results, error_line(Value(), "Defect", failure.what()));
    }
  }
  results.flush();
  std::cerr << "answered " << lines << " cases\n";
  return 0;
}

}  // namespace stepwell::conformance
