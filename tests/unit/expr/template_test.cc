// Payload templates.
#include <gtest/gtest.h>

#include "tests/unit/expr/evaluate.h"

namespace stepwell::expr {
namespace {

TEST(Template, ComputesTheFieldsThatSaySo) {
  const char* text = R"json({"a.$":"$.x.y","b":1,"c":[{"d.$":"States.Format('{}!', $.x.y)"}]})json";
  EXPECT_EQ(evaluate_template(text, R"({"x":{"y":"v"}})"), R"({"a":"v","b":1,"c":[{"d":"v!"}]})");
}

TEST(Template, AMissingPathIsTheStatesError) {
  EXPECT_EQ(evaluate_template(R"({"a":{"value.$":"$.x"}})", R"({"y":1})"),
            "States.Runtime: The JSONPath '$.x' specified for the field 'value.$' could not be "
            "found "
            "in the input '{\"y\":1}'");
}

// Measured on AWS: only names must be there.
TEST(Template, AnIndexPastTheEndIsNull) {
  EXPECT_EQ(evaluate_template(R"({"a.$":"$.x[2]"})", R"({"x":[1]})"), R"({"a":null})");
  EXPECT_EQ(evaluate_template(R"({"a.$":"$.x[2]"})", R"({"x":1})"),
            "States.Runtime: The JSONPath '$.x[2]' specified for the field 'a.$' could not be "
            "found "
            "in the input '{\"x\":1}'");
}

TEST(Template, AllMistakesAreReported) {
  EXPECT_EQ(evaluate_template(R"({"a.$":1,"b":[{"c/d.$":"x"}]})", "{}"),
            "/a.$: The value for the field 'a.$' must be a valid JSONPath or a valid intrinsic "
            "function call\n"
            "/b/0/c~1d.$: The value for the field 'c/d.$' must be a valid JSONPath or a valid "
            "intrinsic function call: a function call needs '('\n");
}

TEST(Template, KnowsWhatItReads) {
  auto parsed = Template::parse_jsonpath(*parse_json(
      R"json({"a.$":"$one.x","b":[{"c.$":"States.Format('{}', $two)"}],"d":{"e":1}})json"));
  const Template& computed = std::get<Template>(parsed);
  std::vector<std::string> names;
  computed.collect_variables(names);
  EXPECT_EQ(names, (std::vector<std::string>{"one", "two"}));
  EXPECT_FALSE(computed.uses_context());
  EXPECT_FALSE(computed.is_constant());
  EXPECT_TRUE(
      std::get<Template>(Template::parse_jsonpath(*parse_json(R"({"a":[1]})"))).is_constant());
  EXPECT_TRUE(std::get<Template>(Template::parse_path("$$.Execution.Id")).uses_context());
}

TEST(Template, AConstantPartIsSharedNotCopied) {
  auto parsed = Template::parse_jsonpath(*parse_json(R"({"a.$":"$","b":{"c":[1,2,3]}})"));
  Random random(1);
  const Value input(1), nothing;
  const Scope scope{input, nothing, nothing, random};
  const Value first = std::get<Template>(parsed).evaluate(scope).value();
  const Value second = std::get<Template>(parsed).evaluate(scope).value();
  EXPECT_EQ(first.find("b")->identity(), second.find("b")->identity());
}

}  // namespace
}  // namespace stepwell::expr
