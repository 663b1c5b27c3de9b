#include "base/check.h"
#include "language/expr/expr.h"
#include "tests/fuzz/targets.h"

namespace stepwell::fuzz {

namespace {

using expr::Intrinsic;
using expr::JsonPath;
using expr::Scope;

Value document(const char* text) { return parse_json(text).value(); }

const std::vector<Value>& documents() {
  static const std::vector<Value> kAll = {
      document(R"({"a":{"b":[1,2.5,"x",null,true],"c":{}},"n":-1,"s":"text","é":{"a b":0}})"),
      document(R"([[1,2,3],{"a":1,"b":[{"a":2}]},{"a":"z"},[],-0.5,1e300])"),
      document(R"({"a":[{"p":1,"q":"x"},{"p":2,"q":"y"},{"p":3}],"b":"YQ==","c":"{\"a\":1}"})"),
      document("7"),
  };
  return kAll;
}

// A large answer from small documents: only what was computed, never more than a few nodes deep.
void check_value(const Value& value) {
  CHECK(value.json_size() == value.to_json().size(), "it can be written");
}

void run_path(const JsonPath& path, const Scope& scope) {
  std::string missing;
  const auto found = path.find(scope, &missing);
  CHECK(found || path.is_definite() || path.root() == JsonPath::Root::kVariable,
        "an indefinite path finds an array, if an empty one");
  if (found) check_value(*found);
  path.is_past_end(scope);
  if (!path.is_reference() || path.root() != JsonPath::Root::kInput) return;
  const auto changed = path.put(scope.input, Value("new"));
  if (!changed) return;
  Random random(1);
  const Scope after{*changed, scope.context, scope.variables, random};
  const auto read = path.find(after);
  CHECK(read && *read == Value("new"), "what was put there is there");
}

}  // namespace

void run_jsonpath(std::string_view bytes) {
  const auto path = JsonPath::parse(bytes);
  const auto call = Intrinsic::parse(bytes);
  const auto place = expr::Template::parse_path(bytes);
  std::vector<std::string> names;
  for (const Value& input : documents()) {
    Random random(1);
    const Scope scope{input, documents()[0], documents()[2], random};
    if (const auto* one = std::get_if<JsonPath>(&path)) run_path(*one, scope);
    if (const auto* one = std::get_if<Intrinsic>(&call)) {
      one->collect_variables(names);
      expr::Evaluated evaluated = one->evaluate(scope, "field");
      if (evaluated.ok()) check_value(evaluated.value());
    }
    if (const auto* one = std::get_if<expr::Template>(&place)) {
      expr::Evaluated evaluated = one->evaluate(scope);
      CHECK(evaluated.ok() || !evaluated.failure().error.empty(), "a failure has a name");
    }
  }
  for (const auto* error :
       {std::get_if<expr::SyntaxError>(&path), std::get_if<expr::SyntaxError>(&call)}) {
    CHECK(error == nullptr || (error->at <= bytes.size() && !error->message.empty()),
          "an error is somewhere in the text");
  }
}

}  // namespace stepwell::fuzz
