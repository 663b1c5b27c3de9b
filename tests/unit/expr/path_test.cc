// Paths: Jayway's dialect with AWS's options.
#include <gtest/gtest.h>

#include "tests/unit/expr/evaluate.h"

namespace stepwell::expr {
namespace {

struct Row {
  const char* path;
  const char* document;
  const char* expected;
};

void check(const std::vector<Row>& table) {
  for (const Row& row : table)
    EXPECT_EQ(evaluate_path(row.path, row.document), row.expected) << row.path;
}

TEST(Path, FindsOnePlaceOrSaysWhatIsMissing) {
  check({
      {"$", "[1]", "[1]"},
      {"$.a.b", R"({"a":{"b":2}})", "2"},
      {"$['a']['b c']", R"({"a":{"b c":2}})", "2"},
      {"$.a[1]", R"({"a":[1,2]})", "2"},
      {"$.a[-1]", R"({"a":[1,2]})", "2"},
      {"$.no", "{}", "No results for path: $['no']"},
      {"$.no.such.path", "{}", "Missing property in path $['no']"},
      {"$$.Execution.Name", "{}", R"("first")"},
      {"$count", "{}", "3"},
      {"$order.id", "{}", R"("o-1")"},
      {"$nobody", "{}", "No results for path: $nobody"},
  });
}

TEST(Path, ManyPlacesYieldAListThatMayBeEmpty) {
  check({
      {"$.a[*].b", R"({"a":[{"b":1},{},{"b":3}]})", "[1,3]"},
      {"$.item.items[1:5].value", "{}", "[]"},
      {"$..b", R"({"a":{"b":1},"b":[{"b":2}]})", R"([[{"b":2}],1,2])"},
      {"$[0,2]", "[1,2,3]", "[1,3]"},
      {"$[-2:]", "[1,2,3]", "[2,3]"},
      {"$['a','b']", R"({"b":2,"a":1,"c":3})", R"({"a":1,"b":2})"},
      {"$.*", R"({"a":1,"b":2})", "[1,2]"},
  });
}

TEST(Path, Filters) {
  const char* document = R"([{"n":1,"s":"abc"},{"n":5},{"n":"5","t":true}])";
  check({
      {"$[?(@.n == 5)].n", document, R"([5,"5"])"},
      {"$[?(@.n === 5)].n", document, "[5]"},
      {"$[?(@.n > 1 && @.n < 9)].n", document, "[5]"},
      {"$[?(@.s || @.t)].n", document, R"([1,"5"])"},
      {"$[?(!(@.s))].n", document, R"([5,"5"])"},
      {"$[?(@.s =~ /AB./i)].n", document, "[1]"},
      {"$[?(@.n in [1, 2])].n", document, "[1]"},
      {"$[?(@.none == 1)]", document, "[]"},
      {"$[?(@.s==abc)].n", document, "[1]"},
      {"$[?(abc == @.s)].n", document, "[1]"},
      {"$[?(@.s != abc && @.n == 5)].n", document, R"([5,"5"])"},
  });
}

TEST(Path, FiltersByPattern) {
  const char* document = R"([{"s":"abc"},{"s":"Abc\n"},{"s":555},{"s":true},{"s":"h\u00e9"}])";
  check({
      {"$[?(@.s =~ /ab/)]", document, "[]"},
      {"$[?(@.s =~ /ab./)].s", document, R"(["abc"])"},
      {"$[?(/ab./ =~ @.s)].s", document, R"(["abc"])"},
      {"$[?(@.s =~ /ABC.?/is)].s", document, R"(["abc","Abc\n"])"},
      {"$[?(@.s =~ /\\d{3}|t.*/)].s", document, "[555,true]"},
      {"$[?(@.s =~ /h./)].s", document, "[\"h\u00e9\"]"},
      {"$[?(@.s =~ /(?<!x)a(?:b)c/)].s", document, R"(["abc"])"},
      {"$[?(@.s =~ /a(b/)]", document,
       "syntax: the pattern is not a regular expression: missing closing parenthesis"},
  });
  const std::string text = R"([{"s":")" + std::string(100'000, 'a') + R"("}])";
  EXPECT_EQ(evaluate_path("$[?(@.s =~ /a*/)].length()", text), "1") << "however long it is";
}

// Each of these ended never, or after minutes.
TEST(Path, WorkIsBoundedInFilters) {
  const auto of = [](const std::string& path, const std::string& document) {
    return evaluate_path(path, document).substr(0, 26);
  };
  const std::string many(80, 'a');
  EXPECT_EQ(of("$[?(@.s =~ /(a|aa)+/)]", R"([{"s":")" + many + R"(!"}])"),
            "Too much work for one path");
  std::string numbers = "0";
  for (int i = 1; i < 4'000; ++i) numbers += "," + std::to_string(i);
  const std::string document =
      R"({"a":[)" + numbers + R"(],"b":[-1,)" + numbers + R"(],"c":[[-2,)" + numbers + "]]}";
  EXPECT_EQ(of("$.a[?(@ in $.b)].length()", document), "Too much work for one path");
  EXPECT_EQ(of("$.c[?(@ noneof $.b)]", document), "Too much work for one path");
  EXPECT_EQ(of("$.c[?(@ == $.b)]", document), "[]");
}

TEST(Path, Functions) {
  check({
      {"$.a.length()", R"({"a":[1,2,3]})", "3"},
      {"$.a.min()", R"({"a":[3,1,2]})", "1.0"},
      {"$..n.sum()", R"([{"n":1},{"n":2}])", "3.0"},
      {"$.keys()", R"({"a":1,"b":2})", R"(["a","b"])"},
  });
}

TEST(Path, RefusesWhatItCannotRead) {
  check({
      {"a.b", "{}", "syntax: a path begins with '$'"},
      {"$.", "{}", "syntax: Path must not end with a '.' or '..'"},
      {"$.a[", "{}",
       "syntax: Could not parse token starting at position 3. Expected ?, ', 0-9, * "},
      {"$['a", "{}", "syntax: Property has not been closed - missing closing '"},
      {"$.a b", "{}",
       "syntax: Use bracket notation ['my prop'] if your property contains blank characters. "
       "position: 3"},
      {"$.a.nothing()", "{}", "syntax: Function with name: nothing does not exist."},
      {"$[?(@.a == )]", "{}",
       "syntax: Expected logical operator, a path or a literal instead of: ''"},
      {"$[?(word)]", "{}",
       "syntax: Expected logical operator, a path or a literal instead of: 'word'"},
      {"$[?(@.a in word)]", "{}",
       "syntax: Expected logical operator, a path or a literal instead of: 'word'"},
  });
  EXPECT_EQ(evaluate_path("$" + std::string(100'000, '['), "{}"),
            "syntax: longer than 32768 bytes");
  EXPECT_EQ(evaluate_path("$[?" + std::string(20'000, '('), "{}").substr(0, 7), "syntax:");
  EXPECT_EQ(
      evaluate_path("$[?(" + std::string(200, '(') + "1" + std::string(200, ')') + ")]", "{}"),
      "syntax: the filter is nested too deeply");
}

TEST(Path, PutMakesParentsAsNeeded) {
  const struct {
    const char *path, *document, *expected;
  } table[] = {
      {"$", "{}", "7"},
      {"$.a.b", "{}", R"({"a":{"b":7}})"},
      {"$.a", R"({"a":1,"b":2})", R"({"a":7,"b":2})"},
      {"$.a[1]", R"({"a":[1]})", R"({"a":[1,7]})"},
      {"$.a.b", R"({"a":1})", "refused"},
  };
  for (const auto& row : table) {
    const auto path = std::get<JsonPath>(JsonPath::parse(row.path));
    ASSERT_TRUE(path.is_reference()) << row.path;
    const auto put = path.put(*parse_json(row.document), 7);
    EXPECT_EQ(put ? put->to_json() : "refused", row.expected) << row.path;
  }
  for (const char* path : {"$.*", "$..a", "$[0:1]", "$$.a", "$x.a", "$.a[0,1]", "$.a.length()"}) {
    EXPECT_FALSE(std::get<JsonPath>(JsonPath::parse(path)).is_reference()) << path;
  }
}

TEST(Path, WorkIsCounted) {
  // Each descent multiplies: only the counting ends it.
  std::string document = "1";
  for (int i = 0; i < 40; ++i) document = "[" + document + ",[2]]";
  const std::string path = "$..*..*..*..*..*..*..*..*..*..*..*..*";
  EXPECT_EQ(evaluate_path(path, document), "Too much work for one path: " + path);
}

}  // namespace
}  // namespace stepwell::expr
