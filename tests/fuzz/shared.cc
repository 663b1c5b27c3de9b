// Expressions over values that hold themselves often: $big, and $same, which equals it, have 2^60
// texts.  Whatever walks one must count it; that this target ends is what it checks.
#include "base/check.h"
#include "language/expr/jsonata.h"
#include "tests/fuzz/targets.h"

namespace stepwell::fuzz {

void run_shared(std::string_view bytes) {
  const std::string text =
      "($grow := function($s, $n) { $n = 0 ? $s : $grow([[$s], {'a': $s}], $n - 1) };"
      " $big := $grow('x', 60); $same := $grow('x', 60);" +
      std::string(bytes) + "\n)";
  const auto parsed = expr::Jsonata::parse(text);
  const auto* expression = std::get_if<expr::Jsonata>(&parsed);
  if (expression == nullptr) return;
  Random random(7);
  expr::JsonataScope scope;
  scope.random = &random;
  expr::JsonataLimits limits;
  limits.max_operations = 20'000;
  limits.max_bytes = 1u << 16;
  const expr::JsonataResult result = expression->evaluate(scope, limits);
  CHECK(result.value.json_size() <= 1u << 18, "a result is bounded");
  CHECK(result.error.message.size() <= 1u << 18, "and so is what is said of it");
}

}  // namespace stepwell::fuzz
