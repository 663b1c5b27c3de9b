// JSONata, by tables: an expression, and what it makes of the order below.
#include "language/expr/jsonata.h"

#include <gtest/gtest.h>

#include "language/expr/expr.h"

namespace stepwell::expr {
namespace {

constexpr const char* kOrder = R"({
  "id": "o-7", "paid": true, "note": null,
  "customer": {"name": "Ada", "tags": ["new", "vip"]},
  "lines": [
    {"sku": "pen", "count": 3, "price": 1.5, "colors": ["red", "blue"]},
    {"sku": "ink", "count": 1, "price": 12, "colors": ["black"]},
    {"sku": "pad", "count": 2, "price": 4.25}
  ]
})";

// The value's JSON, "undefined", "function", or the error's code and text.
std::string shown(const JsonataResult& got) {
  switch (got.kind) {
    case JsonataResult::Kind::kValue: return got.value.to_json();
    case JsonataResult::Kind::kUndefined: return "undefined";
    case JsonataResult::Kind::kFunction: return "function";
    case JsonataResult::Kind::kError: break;
  }
  return got.error.code + " at " + std::to_string(got.error.at) + ": " + got.error.message;
}

std::string evaluated(const std::string& text, const JsonataLimits& limits = {}) {
  const auto parsed = Jsonata::parse(text);
  if (const auto* wrong = std::get_if<JsonataError>(&parsed)) {
    return wrong->code + " at " + std::to_string(wrong->at) + ": " + wrong->message;
  }
  const Value input = *parse_json(kOrder);
  Random random(7);
  JsonataScope scope;
  scope.input = &input;
  scope.random = &random;
  scope.now = from_unix_ms(1'700'000'000'123);
  return shown(std::get<Jsonata>(parsed).evaluate(scope, limits));
}

struct Row {
  const char* expression;
  const char* answer;
};

void expect_rows(std::initializer_list<Row> rows) {
  for (const Row& row : rows) EXPECT_EQ(evaluated(row.expression), row.answer) << row.expression;
}

TEST(Jsonata, PathsMapAndFlatten) {
  expect_rows({
      {"id", R"("o-7")"},
      {"customer.name", R"("Ada")"},
      {"note", "null"},
      {"nothing.at.all", "undefined"},
      {"lines.sku", R"(["pen","ink","pad"])"},
      {"lines[0].sku", R"("pen")"},
      {"lines[-1].sku", R"("pad")"},
      {"lines[0].sku[]", R"(["pen"])"},
      {"lines.colors", R"(["red","blue","black"])"},
      {"lines.colors[0]", R"(["red","black"])"},
      {"(lines.colors)[0]", R"("red")"},
      {"lines[price > 4].sku", R"(["ink","pad"])"},
      {"lines[[0..1]].sku", R"(["pen","ink"])"},
      {"lines.(count * price)", "[4.5,12,8.5]"},
      {"customer.*", R"(["Ada","new","vip"])"},
      {"**.sku", R"(["pen","ink","pad"])"},
      {"lines.[sku, count]", R"([["pen",3],["ink",1],["pad",2]])"},
      {"lines^(>price).sku", R"(["ink","pad","pen"])"},
      {"lines^(count, sku).sku", R"(["ink","pad","pen"])"},
      {"lines#$i.{'at': $i, 'sku': sku}[at = 1]", R"({"at":1,"sku":"ink"})"},
      {"lines@$l.$l.colors.{'sku': $l.sku, 'color': $}[0]", R"({"sku":"pen","color":"red"})"},
      {"lines.colors.{'color': $, 'of': %.sku}[of = 'ink']", R"({"color":"black","of":"ink"})"},
      {"`lines`[1].`sku`", R"("ink")"},
  });
}

TEST(Jsonata, OperatorsAndConditions) {
  expect_rows({
      {"1 + 2 * 3 - 4 / 2", "5"},
      {"7 % 4", "3"},
      {"0.1 + 0.2", "0.30000000000000004"},
      {"$string(0.1 + 0.2)", R"("0.3")"},
      {"[1e-6, 1e-7, 1.5e-6, 9.9e-7].$string()", R"(["0.000001","1e-7","0.0000015","9.9e-7"])"},
      {"[9007199254740992, 1e15 * 1152.921504606846976]", "[9007199254740992,1152921504606847000]"},
      {"[3, 1, 2]^($)", "[1,2,3]"},
      {"'a' & 1 & true & null & nothing", R"("a1truenull")"},
      {"[1..4]", "[1,2,3,4]"},
      {"[4..1]", "[]"},
      {"1 = 1.0", "true"},
      {"{'a': 1, 'b': 2} = {'b': 2, 'a': 1}", "true"},
      {"nothing = nothing", "false"},
      {"'b' in ['a', 'b']", "true"},
      {"paid and note", "false"},
      {"paid ? 'yes' : 'no'", R"("yes")"},
      {"note ? 'yes'", "undefined"},
      {"note ?: 'default'", R"("default")"},
      {"note ?? 'default'", "null"},
      {"nothing ?? 'default'", R"("default")"},
      {"'a' < 1",
       "T2009 at 4: The values \"a\" and 1 either side of operator \"<\" must be of the same data "
       "type"},
      {"'a' + 1", R"(T2001 at 4: The left side of the "+" operator must evaluate to a number)"},
      {"-'a'", R"(D1002 at 0: Cannot negate a non-numeric value: "a")"},
      {"1/0", R"("Infinity")"},
  });
}

TEST(Jsonata, ObjectsGroup) {
  expect_rows({
      {"lines{sku: count}", R"({"pen":3,"ink":1,"pad":2})"},
      {"lines{$string(count > 1): $sum(count)}", R"({"true":5,"false":1})"},
      {"{'n': $count(lines), 'none': nothing}", R"({"n":3})"},
      {"{1: 2}", "T1003 at 0: Key in object structure must evaluate to a string; got: 1"},
      {"lines{sku: 1, 'pen': 2}",
       R"(D1009 at 5: Multiple key definitions evaluate to same key: "pen")"},
  });
}

TEST(Jsonata, FunctionsAndClosures) {
  expect_rows({
      {"($add := function($a, $b){ $a + $b }; $add(1, 2))", "3"},
      {"($counter := function($n){ function($x){ $x + $n } }; $counter(10)(5))", "15"},
      {"$map([1, 2, 3], function($v, $i){ $v * $i })", "[0,2,6]"},
      {"$filter(lines, function($l){ $l.count = 1 }).sku", R"("ink")"},
      {"$reduce([1..5], function($a, $b){ $a * $b })", "120"},
      {"$reduce([1..5], function($a, $b){ $a + $b }, 100)", "115"},
      {"'  x ' ~> $trim ~> $uppercase", R"("X")"},
      {"($shout := $trim ~> $uppercase; $shout(' a '))", R"("A")"},
      {"($half := $substring(?, 0, 2); $half('abcdef'))", R"("ab")"},
      {"($f := function($n){ $n = 0 ? 'done' : $f($n - 1) }; $f(20000))", R"("done")"},
      {"[1, function(){ 1 }]", R"([1,""])"},
      {"function($x){ $x }", "function"},
      {"$sort(lines, function($a, $b){ $a.price > $b.price }).sku", R"(["pen","pad","ink"])"},
      {"customer ~> |$|{'name': 'Bob'}, 'tags'|", R"({"name":"Bob"})"},
      {"$single(lines, function($l){ $l.sku = 'pad' }).count", "2"},
      {"nofunction(1)", "T1006 at 10: Attempted to invoke a non-function"},
      {"sum(1)", "T1005 at 3: Attempted to invoke a non-function. Did you mean $sum?"},
      {"$sum('a')", "T0412 at 4: Argument 1 of function \"sum\" must be an array of numbers"},
      {"$eval('1')", "T1006 at 5: Attempted to invoke a non-function"},
  });
}

TEST(Jsonata, RegularExpressions) {
  expect_rows({
      {"$match('a1b22', /[0-9]+/).match", R"(["1","22"])"},
      {"$match('ab', /(a)(x)?/)", R"({"match":"a","index":0,"groups":["a",null]})"},
      {"$replace('John Smith', /(\\w+)\\s(\\w+)/, '$2, $1')", R"("Smith, John")"},
      {"$replace('abc', /[a-b]/, function($m){ $uppercase($m.match) })", R"("ABc")"},
      {"$split('a, b;c', /[,;] */)", R"(["a","b","c"])"},
      {"$contains('Hello', /hel/i)", "true"},
      {"$replace('x', /(?:)/, 'y')", "D1004 at 14: Regular expression matches zero length string"},
      {"/[/", "S0302 at 3: No terminating / in regular expression"},
  });
}

TEST(Jsonata, WhatStepFunctionsAdds) {
  expect_rows({
      {"$partition([1..5], 2)", "[[1,2],[3,4],[5]]"},
      {"$range(0, 9, 3)", "[0,3,6,9]"},
      {"$range(5, 1, -2)", "[5,3,1]"},
      {"$hash('abc', 'SHA-256')",
       R"("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")"},
      {"$hash('abc', 'sha')",
       "T0410 at 5: Argument 2 of function \"hash\" does not match function signature"},
      {"$random(42)", "0.7275636800328681"},
      {"$random() = $random()", "false"},
      {"$contains($uuid(), "
       "/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)",
       "true"},
      {"$parse('{\"a\": [1, 2]}').a[1]", "2"},
      {"$now()", R"("2023-11-14T22:13:20.123Z")"},
      {"$millis()", "1700000000123"},
  });
}

TEST(Jsonata, MistakesSayWhere) {
  expect_rows({
      {"1 +", "S0207 at 3: Unexpected end of expression"},
      {"[1, 2", R"(S0203 at 5: Expected "]" before end of expression)"},
      {"(1", R"x(S0203 at 2: Expected ")" before end of expression)x"},
      {"'open", "S0101 at 5: String literal must be terminated by a matching quote"},
      {"a ! b", R"(S0204 at 2: Unknown operator: "!")"},
      {"1 := 2", "S0212 at 0: The left side of := must be a variable name (start with $)"},
      {"a.1", "S0213 at 2: The literal value 1 cannot be used as a step within a path expression"},
      {"%",
       "S0217 at 0: The object representing the 'parent' cannot be derived from this expression"},
      {"/* forgotten", "S0106 at 0: Comment has no closing tag"},
  });
}

TEST(Jsonata, EveryBoundIsAnErrorAndTheSameOne) {
  JsonataLimits tight;
  tight.max_operations = 1000;
  EXPECT_EQ(evaluated("($f := function(){ $f() }; $f())", tight).substr(0, 5), "U1001");
  EXPECT_EQ(evaluated("($f := function($n){ 1 + $f($n) }; $f(1))").substr(0, 5), "U1001");
  EXPECT_EQ(evaluated("[1..900000]").substr(0, 5), "U1001");
  EXPECT_EQ(evaluated("$count([1..873782])"), "873782");
  EXPECT_EQ(evaluated("$pad('', 20000000)").substr(0, 5), "U1001");
  EXPECT_EQ(evaluated("$match('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', /^(a+)+$/)").substr(0, 5),
            "U1001");
  EXPECT_EQ(evaluated(std::string(5000, '(')).substr(0, 5), "U1001");
}

// The message of a bound alone, or the answer.  The bounds are lower than usual: it is the same
// counting, and sooner over.
std::string bounded(const std::string& text) {
  JsonataLimits limits;
  limits.max_operations = 100'000;
  limits.max_bytes = 1'000'000;
  const std::string got = evaluated(text, limits);
  return got.starts_with("U1001 at ") ? got.substr(got.find(": ") + 2) : got;
}

constexpr const char* kTooLong = "Expression evaluation timeout: Check for infinite loop";
constexpr const char* kTooLarge =
    "Expression evaluation memory limit exceeded: Check for excessive memory usage";
constexpr const char* kTooNested =
    "The value has too many levels: Check for non-terminating recursive function";

// What one match costs is charged to the expression: many that are each just bearable are not.
TEST(Jsonata, RegularExpressionsAreChargedToTheExpression) {
  const std::string one = "$contains('" + std::string(15, 'a') + "!', /^(a|aa)+$/)";
  EXPECT_EQ(bounded(one), "false");
  EXPECT_EQ(bounded("$map([1..300], function($i) { " + one + " })"),
            "The regular expression needs too much work");
}

// `$big` holds one list twice on each of sixty levels: a few kilobytes, and 2^60 texts to whoever
// walks it.  Each of these went on for ever.
const std::string kBig =
    "($grow := function($s, $n) { $n = 0 ? $s : $grow([[$s], [$s]], $n - 1) };"
    " $big := $grow('x', 60); $same := $grow('x', 60);";

TEST(Jsonata, ValuesThatHoldThemselvesOftenAreBounded) {
  for (const char* what : {"$big",
                           "[$big]",
                           "{'a': $big}",
                           "$big = $same",
                           "$big != $same",
                           "$string($big)",
                           "$string($big, true)",
                           "$big & ''",
                           "$big.**",
                           "$count($big.**)",
                           "$clone($big)",
                           "$distinct([[$big], [$same]])",
                           "$keys($big)",
                           "$spread($big)",
                           "$hash($big, 'MD5')",
                           "$big ~> |$|{'a': 1}|",
                           "$lookup($big, 'a')",
                           "{'a': $big}.*",
                           "$merge([{'a': $big}])",
                           "$each({'a': $big}, function($v) { $string($v) })",
                           "$zip($big, $same)",
                           "$partition($big, 1)",
                           "$reverse($big)",
                           "$append($big, $same)",
                           "$shuffle($big)"}) {
    const std::string got = bounded(kBig + what + ")");
    EXPECT_TRUE(got == kTooLong || got == kTooLarge) << what << ": " << got.substr(0, 100);
  }
}

TEST(Jsonata, ValuesThatHoldThemselvesOftenMayBeUsed) {
  EXPECT_EQ(bounded(kBig + "$count($big))"), "2");
  EXPECT_EQ(bounded(kBig + "$exists($big[0][0]))"), "true");
  EXPECT_EQ(bounded(kBig + "$type($big))"), R"("array")");
  EXPECT_EQ(bounded(kBig + "$big = $big)"), "true");
  EXPECT_EQ(bounded(kBig + "'x' in $big)"), "false");
  // What blames one shows how it begins.
  for (const char* what : {"1 + $big", "-$big", "$big < 1", "$big ~> 1", "$uppercase($big)",
                           "{'a': 1}{$big: 1}", "$number($big)"}) {
    const std::string got = bounded(kBig + what + ")");
    EXPECT_LT(got.size(), 3'000u) << what;
    EXPECT_NE(got.find(" at "), std::string::npos) << what << ": " << got;
  }
}

// Values are taken apart level by level: a hundred thousand levels ended the process.
TEST(Jsonata, ValuesHaveSoManyLevels) {
  const auto grown = [](const std::string& by, const std::string& times) {
    return bounded("($f := function($s, $n) { $n = 0 ? $s : $f(" + by + ", $n - 1) };" +
                   " $count($f(1, " + times + ")))");
  };
  EXPECT_EQ(grown("[[$s]]", "2000"), kTooNested);
  EXPECT_EQ(grown("{'a': $s}", "2000"), kTooNested);
  EXPECT_EQ(bounded("$count($reduce([1..2000], $partition, [1]))"), kTooNested);
  EXPECT_EQ(grown("[[$s]]", "400"), "1");
}

// Texts and lists that are looked through again and again.
TEST(Jsonata, WhatIsLookedThroughIsCharged) {
  const auto often = [](const std::string& given, const std::string& what) {
    return bounded("(" + given + " $count($map([1..1000], function() { $exists(" + what + ") })))");
  };
  for (const char* what :
       {"$a < $b", "$length($a)", "$trim($a)", "$substringBefore($a, 'b')", "$lowercase($a)",
        "$substringAfter($a, 'b')", "$contains($a, 'b')", "$a = ($pad('', 50000, 'a'))",
        "$split($b, 'c')[0]", "$replace($a, 'b', 'c')", "[$a, $b]^($)", "$sort([$a, $b])"}) {
    const std::string got = often("$a := $pad('', 50000, 'a'); $b := $a & 'b';", what);
    EXPECT_TRUE(got == kTooLong || got == kTooLarge) << what << ": " << got.substr(0, 100);
  }
  for (const char* what : {"$sum($l)", "$max($l)", "$min($l)", "$average($l)", "$boolean($l)"}) {
    EXPECT_EQ(often("$l := [0..9999];", what), kTooLong) << what;
  }
}

// Texts that grow while they are made.
TEST(Jsonata, TextsAreBoundedWhileTheyAreMade) {
  const std::string text = "($a := $pad('', 100000, 'a');";
  for (const char* what : {"$join($map([1..10000], function() { $a }))",
                           "$string($map([1..10000], function() { $a }))",
                           "$replace($a, /(a+)/, $pad('', 10000, '$1'))",
                           "$string({'a': {'a': {'a': {'a': [1..60000]}}}}, true)"}) {
    EXPECT_EQ(bounded(text + what + ")").substr(0, 100), kTooLarge) << what;
  }
}

TEST(Jsonata, SignaturesAreMatchedWithinBounds) {
  std::string many = "function($a)<";
  for (int i = 0; i < 12; ++i) many += "x+";
  many += "s:x>{1}(";
  for (int i = 0; i < 60; ++i) many += "1,";
  EXPECT_EQ(bounded(many + "1)"), kTooLong);
  std::string deep = "function($a)<";
  for (int i = 0; i < 50'000; ++i) deep += "x?";
  EXPECT_EQ(bounded(deep + ":x>{1}(1)"), "A signature has more than 200 parameters");
}

TEST(Jsonata, Base64IsReadAsJavaDoes) {
  expect_rows({
      {"$base64decode('aGVsbG86d29ybGQ=')", R"("hello:world")"},
      {"$base64decode('aGVsbG86d29ybGQ')", R"("hello:world")"},
      {"$base64decode('')", R"("")"},
      {"$base64decode('!!!')", "U1002 at 13: $base64decode: the text is not Base64"},
      {"$base64decode('YQ==YQ==')", "U1002 at 13: $base64decode: the text is not Base64"},
      {"$base64decode('_-8=')", "U1002 at 13: $base64decode: the text is not Base64"},
      {"$base64decode('a')", "U1002 at 13: $base64decode: the text is not Base64"},
  });
}

TEST(Jsonata, KnowsWhatItReads) {
  const auto parsed = Jsonata::parse(
      "($mine := 1; $states.input.x + $yours + $mine + phone.$sum(n) + $states.context.a)");
  const JsonataReads& reads = std::get<Jsonata>(parsed).reads();
  EXPECT_EQ(reads.variables, std::vector<std::string>{"yours"});
  EXPECT_EQ(reads.states_fields, (std::vector<std::string>{"context", "input"}));
  EXPECT_FALSE(reads.whole_states);
  EXPECT_EQ(reads.top_level_names, std::vector<std::string>{"phone"});
}

TEST(Jsonata, KnowsSomeTypesBeforeItRuns) {
  const std::pair<const char*, StaticType> rows[] = {
      {"'a' & b", StaticType::kString},      {"1 < 2", StaticType::kBool},
      {"[1]", StaticType::kArray},           {"{}", StaticType::kObject},
      {"$length(x)", StaticType::kNumber},   {"function(){1}", StaticType::kFunction},
      {"a ? 1 : 'b'", StaticType::kAny},     {"[1][0]", StaticType::kAny},
      {"$states.input.x", StaticType::kAny}, {"null", StaticType::kNull},
  };
  for (const auto& [text, type] : rows) {
    EXPECT_EQ(std::get<Jsonata>(Jsonata::parse(text)).static_type(), type) << text;
  }
}

TEST(JsonataTemplate, ComputesStringsThatAreExpressionsAndNamesTheirPlace) {
  auto parsed = Template::parse_jsonata(
      *parse_json(R"({"a": ["{% $states.input.n + 1 %}", " {% 1 %} "], "b": {"c": "{% $no %}"}})"),
      "Output");
  const Value input = *parse_json(R"({"n": 41})"), nothing, variables = Object();
  Random random(1);
  const Scope scope{input, nothing, variables, random};
  auto got = std::get<Template>(parsed).evaluate(scope);
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.failure().error, "States.QueryEvaluationError");
  EXPECT_EQ(got.failure().blame.location, "Output/b/c");
  EXPECT_EQ(got.failure().cause,
            "The JSONata expression '$no' specified for the field 'Output/b/c' returned nothing "
            "(undefined).");
  const Value known = *parse_json(R"({"no": true})");
  auto fine = std::get<Template>(parsed).evaluate({input, nothing, known, random});
  ASSERT_TRUE(fine.ok());
  EXPECT_EQ(fine.value().to_json(), R"({"a":[42," {% 1 %} "],"b":{"c":true}})");
}

}  // namespace
}  // namespace stepwell::expr
