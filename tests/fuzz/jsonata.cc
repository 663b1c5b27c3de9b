#include "language/expr/jsonata.h"

#include "base/check.h"
#include "tests/fuzz/targets.h"

namespace stepwell::fuzz {

namespace {

using expr::Jsonata;
using expr::JsonataError;
using expr::JsonataResult;
using expr::StaticType;

const Value& document() {
  static const Value kValue = parse_json(R"({"a":{"b":[1,2.5,"x",null,true],"c":{}},"n":-1,
      "s":"some text","o":[{"k":"x","v":1},{"k":"y","v":[2,3]},{"k":"x"}],"t":"2024-02-29"})")
                                  .value();
  return kValue;
}

bool fits(const Value& value, StaticType type) {
  switch (type) {
    case StaticType::kNull: return value.is_null();
    case StaticType::kBool: return value.is_bool();
    case StaticType::kNumber: return value.is_number() || value.is_null();
    case StaticType::kString: return value.is_string();
    case StaticType::kArray: return value.is_array();
    case StaticType::kObject: return value.is_object();
    case StaticType::kFunction: return false;
    case StaticType::kAny: return true;
  }
  return true;
}

void check_error(const JsonataError& error, std::string_view text) {
  CHECK(!error.code.empty() && !error.message.empty(), "an error says what is wrong");
  CHECK(error.at <= text.size(), "and is somewhere in the text");
}

JsonataResult evaluated(const Jsonata& expression) {
  Random random(7);
  expr::JsonataScope scope;
  scope.variables = &document();
  scope.states_input = &document();
  scope.states_context = &document();
  scope.random = &random;
  scope.now = from_unix_ms(1'700'000'000'123);
  return expression.evaluate(scope, {5'000, 100, 1u << 14});
}

}  // namespace

void run_jsonata(std::string_view bytes) {
  const auto parsed = Jsonata::parse(bytes);
  if (const auto* error = std::get_if<JsonataError>(&parsed)) return check_error(*error, bytes);
  const auto& expression = std::get<Jsonata>(parsed);
  const JsonataResult result = evaluated(expression);
  const JsonataResult again = evaluated(expression);
  CHECK(result.kind == again.kind && result.value.to_json() == again.value.to_json() &&
            result.error.message == again.error.message,
        "twice the same is the same");
  if (result.kind == JsonataResult::Kind::kError) return check_error(result.error, bytes);
  if (result.kind != JsonataResult::Kind::kValue) return;
  CHECK(fits(result.value, expression.static_type()), "the value is of the type that was told");
  CHECK(result.value.json_size() <= 1u << 18, "a value is bounded");
}

}  // namespace stepwell::fuzz
