// The eighteen intrinsic functions.
#include <gtest/gtest.h>

#include "tests/unit/expr/evaluate.h"

namespace stepwell::expr {
namespace {

struct Row {
  const char* call;
  const char* expected;
};

void check(const std::vector<Row>& table) {
  for (const Row& row : table)
    EXPECT_EQ(evaluate_call(row.call, R"({"a":[1,2,2.0,"x"],"s":"a,b","o":{"k":1}})"), row.expected)
        << row.call;
}

TEST(Intrinsic, Results) {
  check({
      {"States.Format('{} and {}', 'a', 1.5)", R"("a and 1.5")"},
      {"States.Format('{}', $.o)", R"("{k=1}")"},
      {R"(States.Format('\{\} it\'s {}', null))", R"("{} it's null")"},
      {"States.StringToJson('{\"a\": 1}')", R"({"a":1})"},
      {"States.StringToJson(' ')", "null"},
      {"States.JsonToString($.o)", R"("{\"k\":1}")"},
      {"States.Array(1, 'b', $.o)", R"([1,"b",{"k":1}])"},
      {"States.Array()", "[]"},
      {"States.ArrayPartition($.a, 3)", R"([[1,2,2.0],["x"]])"},
      {"States.ArrayContains($.a, 2)", "true"},
      {"States.ArrayRange(1, 9, 2)", "[1,3,5,7,9]"},
      {"States.ArrayRange(3, 1, -1)", "[3,2,1]"},
      {"States.ArrayGetItem($.a, 3)", R"("x")"},
      {"States.ArrayLength($.a)", "4"},
      {"States.ArrayUnique($.a)", R"([1,2,"x"])"},
      {"States.Base64Encode('Hi')", R"("SGk=")"},
      {"States.Base64Decode('SGk=')", R"("Hi")"},
      {"States.Base64Decode('SGk')", R"("Hi")"},
      {"States.Hash('abc', 'MD5')", R"("900150983cd24fb0d6963f7d28e17f72")"},
      {"States.JsonMerge($.o, $.o, false)", R"({"k":1})"},
      {"States.MathAdd(1.49, 1.5)", "3"},
      {"States.MathAdd(-0.5, 0.5)", "1"},
      {"States.StringSplit($.s, ',')", R"(["a","b"])"},
      {"States.StringSplit(',,', ',')", "[]"},
      {"States.Format('{}', States.MathAdd(1, 2))", R"("3")"},
      {"States.Format('{}', $$.Execution.Name)", R"("first")"},
      {"States.MathAdd($count, 1)", "4"},
  });
}

TEST(Intrinsic, FailuresSayWhichCallAndWhy) {
  check({
      {"States.ArrayGetItem($.a, 9)",
       "States.IntrinsicFailure: The function 'States.ArrayGetItem($.a, 9)' had the following "
       "error: "
       "The index is out of the bounds of the array"},
      {"States.ArrayLength($.o)",
       "States.IntrinsicFailure: The function 'States.ArrayLength($.o)' had the following error: "
       "The "
       "argument must be an array"},
      {"States.Hash('a', 'md5')",
       "States.IntrinsicFailure: The function 'States.Hash('a', 'md5')' had the following error: "
       "Invalid hash algorithm: md5"},
      {"States.ArrayRange(1, 5000, 1)",
       "States.IntrinsicFailure: The function 'States.ArrayRange(1, 5000, 1)' had the following "
       "error: The range must not have more than 1000 elements"},
      {"States.Format('{} {}', 1)",
       "States.IntrinsicFailure: The function 'States.Format('{} {}', 1)' had the following error: "
       "The number of arguments does not match the number of occurrences of {}"},
  });
}

TEST(Intrinsic, IsRefusedWhenWritten) {
  check({
      {"States.Nothing(1)", "syntax: there is no intrinsic function 'States.Nothing' at 0"},
      {"States.MathAdd(1)", "syntax: States.MathAdd takes 2 arguments, not 1 at 0"},
      {"States.Format('a", "syntax: the string is not closed at 16"},
      {R"(States.StringToJson('{\"a\"}'))",
       R"(syntax: only \' \\ \{ and \} are escapes in a string at 22)"},
      {"States.UUID() x", "syntax: nothing may follow the closing ')' at 14"},
      {"States.Array(1 2)",
       "syntax: an argument is a path, a number, a string in single quotes, true, false, null or a "
       "call at 13"},
  });
  std::string deep;
  for (int i = 0; i < 2'000; ++i) deep += "States.Array(";
  EXPECT_EQ(evaluate_call(deep).substr(0, 40), "syntax: the calls are nested too deeply ");
}

TEST(Intrinsic, ChanceComesFromTheGivenNumbers) {
  EXPECT_EQ(evaluate_call("States.UUID()"), evaluate_call("States.UUID()"));
  EXPECT_EQ(evaluate_call("States.MathRandom(1, 1000, 7)"),
            evaluate_call("States.MathRandom(1, 1000, 7)"));
}

TEST(Intrinsic, AListOfManyDifferentItemsIsMadeUniqueSoon) {
  std::string items = "[0";
  for (int i = 1; i < 60'000; ++i) items += "," + std::to_string(i);
  const std::string got =
      evaluate_call("States.ArrayLength(States.ArrayUnique($))", items + ",1.0,59999]");
  EXPECT_EQ(got, "60000");
  EXPECT_EQ(evaluate_call("States.ArrayUnique($)", R"([{"a":1,"b":2},1,{"b":2,"a":1.0},1.0,"1"])"),
            R"([{"a":1,"b":2},1,"1"])");
}

TEST(Intrinsic, ARangeMayEndAtTheLastNumber) {
  EXPECT_EQ(evaluate_call("States.ArrayRange(9223372036854775805, 9223372036854775807, 2)"),
            "[9223372036854775805,9223372036854775807]");
}

}  // namespace
}  // namespace stepwell::expr
