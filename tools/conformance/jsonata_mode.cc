// jsonata — expressions: {id, expr, data | dataset, bindings, depth} -> {id, result}, or
// {id, undefined: true}, or {id, code}.
#include <chrono>
#include <iostream>
#include <iterator>

#include "language/expr/jsonata.h"
#include "tools/conformance/modes.h"

namespace stepwell::conformance {

namespace {

// The suite works on far larger sequences than a workflow may.
expr::JsonataLimits generous(const Value& about) {
  expr::JsonataLimits limits;
  limits.max_operations = 200'000'000;
  limits.max_bytes = 2ULL << 30;
  const Value* depth = about.find("depth");
  // What the suite calls a depth is a nested evaluation of ours, or a little less.
  if (depth != nullptr && depth->is_int() && depth->as_int() >= 300) {
    limits.max_depth = static_cast<std::uint32_t>(depth->as_int());
  }
  return limits;
}

Value answer(const Value& about, const Value& datasets, Time now) {
  const Value* id = about.find("id");
  Object out{{"id", id != nullptr ? *id : Value()}};
  const auto failed = [&](std::string_view code, std::string_view message) {
    out.set("code", code);
    out.set("message", message);
    return Value(out);
  };
  const Value* text = about.find("expr");
  if (text == nullptr || !text->is_string()) return failed("InvalidCase", "a case has an expr");
  const auto parsed = expr::Jsonata::parse(text->as_string());
  if (const auto* wrong = std::get_if<expr::JsonataError>(&parsed)) {
    return failed(wrong->code, wrong->message);
  }
  expr::JsonataScope scope;
  scope.input = about.find("data");
  if (const Value* name = about.find("dataset"); name != nullptr && name->is_string()) {
    scope.input = datasets.find(name->as_string());
  }
  scope.variables = about.find("bindings");
  Random random(1);
  scope.random = &random;
  scope.now = now;
  const auto got = std::get<expr::Jsonata>(parsed).evaluate(scope, generous(about));
  switch (got.kind) {
    case expr::JsonataResult::Kind::kValue: out.set("result", got.value); break;
    case expr::JsonataResult::Kind::kUndefined: out.set("undefined", true); break;
    case expr::JsonataResult::Kind::kFunction: out.set("result", ""); break;
    case expr::JsonataResult::Kind::kError: return failed(got.error.code, got.error.message);
  }
  return out;
}

}  // namespace

int run_jsonata(std::istream& cases, std::istream& datasets_text, std::ostream& results) {
  const std::string text{std::istreambuf_iterator<char>(datasets_text), {}};
  const Result<Value> datasets = parse_json(text);
  if (!datasets.ok()) {
    std::cerr << "stepwell-conformance: the datasets: " << datasets.error().message << '\n';
    return 2;
  }
  const Time now = std::chrono::floor<Millis>(std::chrono::system_clock::now());
  Line line;
  std::uint64_t lines = 0;
  while (next_line(cases, line)) {
    if (line.text.empty() && !line.too_long) continue;
    ++lines;
    const Result<Value> about = parse_case(line);
    if (!about.ok()) {
      write_line(results, Object{{"code", "InvalidCase"}, {"message", about.error().message}});
      continue;
    }
    write_line(results, answer(*about, *datasets, now));
  }
  results.flush();
  std::cerr << "answered " << lines << " cases\n";
  return 0;
}

}  // namespace stepwell::conformance
