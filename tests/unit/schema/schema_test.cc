// JSON Schema: each keyword with a value that fits and what is said about one that does not.
#include "language/schema/schema.h"

#include <gtest/gtest.h>

namespace stepwell {
namespace {

Value json(std::string_view text) {
  auto parsed = parse_json(text);
  EXPECT_TRUE(parsed.ok()) << text;
  return parsed.ok() ? parsed.value() : Value();
}

std::string verdict(std::string_view schema, std::string_view value) {
  const auto compiled = Schema::compile(json(schema));
  if (!compiled.ok()) return compiled.error().message;
  return to_sentence(compiled.value().validate(json(value)));
}

struct Case {
  const char* schema;
  const char* value;
  const char* said;  // "" when it fits.
};

void expect_all(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    EXPECT_EQ(verdict(one.schema, one.value), one.said) << one.schema << " of " << one.value;
  }
}

TEST(Schema, Values) {
  expect_all({
      {"true", "1", ""},
      {"false", "1", "it must not be here"},
      {"{}", "null", ""},
      {R"({"type":"integer"})", "1", ""},
      {R"({"type":"integer"})", "1.0", ""},
      {R"({"type":"integer"})", "1.5", "it must be a whole number, not the number 1.5"},
      {R"({"type":"number"})", "\"7\"", "it must be a number, not the string \"7\""},
      {R"({"type":["string","null","array"]})", "null", ""},
      {R"({"type":["string","null","array"]})", "{}",
       "it must be an array, a string or null, not an object"},
      {R"({"type":["integer","number"]})", "\"x\"", "it must be a number, not the string \"x\""},
      {R"({"const":{"a":1}})", R"({"a":1.0})", ""},
      {R"({"const":1})", "2", "it must be 1, not the number 2"},
      {R"({"enum":["a",1]})", "1.0", ""},
      {R"({"enum":["a",1]})", "true", "it must be one of \"a\", 1, not true"},
      {R"({"minimum":2,"maximum":3})", "2", ""},
      {R"({"minimum":2,"maximum":3})", "1.5", "it must be at least 2, not 1.5"},
      {R"({"minimum":2,"maximum":3})", "4", "it must be at most 3, not 4"},
      {R"({"exclusiveMinimum":2})", "2", "it must be more than 2, not 2"},
      {R"({"exclusiveMaximum":2})", "2.0", "it must be less than 2, not 2.0"},
      {R"({"minimum":9007199254740993})", "9007199254740992",
       "it must be at least 9007199254740993, not 9007199254740992"},
      {R"({"multipleOf":0.01})", "19.99", ""},
      {R"({"multipleOf":3})", "7", "it must be a multiple of 3, not 7"},
      {R"({"minimum":2})", "\"text\"", ""},
  });
}

TEST(Schema, Strings) {
  expect_all({
      {R"({"minLength":2,"maxLength":3})", "\"éé\"", ""},
      {R"({"minLength":2})", "\"é\"", "it must have at least 2 characters"},
      {R"({"maxLength":1})", "\"ab\"", "it must have at most 1 character"},
      {R"({"pattern":"^a+$"})", "\"aa\"", ""},
      {R"({"pattern":"^a+$"})", "\"ab\"",
       "it must match the pattern \"^a+$\", not the string \"ab\""},
      {R"({"format":"date-time"})", "\"2026-01-01T00:00:00Z\"", ""},
      {R"({"format":"date-time"})", "\"2026-01-01\"",
       "it must be in the format date-time, not the string \"2026-01-01\""},
      {R"({"format":"date"})", "\"2026-02-29\"",
       "it must be in the format date, not the string \"2026-02-29\""},
      {R"({"format":"email"})", "\"a@b.c\"", ""},
      {R"({"format":"email"})", "\"a@b@c\"",
       "it must be in the format email, not the string \"a@b@c\""},
      {R"({"format":"uuid"})", "\"01234567-89ab-cdef-0123-456789abcdef\"", ""},
      {R"({"format":"ipv4"})", "\"127.0.0.1\"", ""},
      {R"({"format":"ipv4"})", "\"127.0.0.256\"",
       "it must be in the format ipv4, not the string \"127.0.0.256\""},
      {R"({"format":"uri"})", "\"https://example.org/a?b#c\"", ""},
      {R"({"format":"uri"})", "\"/a b\"", "it must be in the format uri, not the string \"/a b\""},
      {R"({"format":"unheard-of"})", "\"x\"", ""},
      {R"({"minLength":100})", "7", ""},
  });
}

TEST(Schema, Arrays) {
  expect_all({
      {R"({"items":{"type":"string"}})", R"(["a","b"])", ""},
      {R"({"items":{"type":"string"}})", R"(["a",1])", "/1 must be a string, not the number 1"},
      {R"({"prefixItems":[{"const":1}],"items":{"const":2}})", "[1,2,2]", ""},
      {R"({"prefixItems":[{"const":1}],"items":false})", "[1,2]", "/1 must not be here"},
      {R"({"items":[{"const":1}],"additionalItems":{"const":2}})", "[1,2,3]",
       "/2 must be 2, not the number 3"},
      {R"({"minItems":1})", "[]", "it must have at least 1 item"},
      {R"({"maxItems":1})", "[1,2]", "it must have at most 1 item"},
      {R"({"uniqueItems":true})", R"([1,"1",{"a":1,"b":2}])", ""},
      {R"({"uniqueItems":true})", R"([{"a":1,"b":2},0,{"b":2.0,"a":1}])",
       "it must not have the same item twice: 0 and 2 are equal"},
      {R"({"contains":{"type":"null"}})", "[1,null]", ""},
      {R"({"contains":{"type":"null"}})", "[1]",
       "it must contain at least 1 of what is asked for, and has 0"},
      {R"({"contains":{"const":1},"maxContains":1})", "[1,1]",
       "it must contain at most 1 of what is asked for, and has 2"},
      {R"({"contains":{"const":1},"minContains":0})", "[]", ""},
  });
}

TEST(Schema, Objects) {
  expect_all({
      {R"({"required":["a","b"]})", R"({"a":1})", "it must have the field \"b\""},
      {R"({"properties":{"a/b":{"type":"null"}}})", R"({"a/b":1})",
       "/a~1b must be null, not the number 1"},
      {R"({"properties":{"b":{},"a":{}},"additionalProperties":false})", R"({"a":1,"c":2})",
       "/c is not a field of this object: known are a, b"},
      {R"({"additionalProperties":{"type":"null"}})", R"({"c":2})",
       "/c must be null, not the number 2"},
      {R"({"patternProperties":{"^x-":{"type":"null"}},"additionalProperties":false})",
       R"({"x-a":null,"x-b":1})", "/x-b must be null, not the number 1"},
      {R"({"propertyNames":{"maxLength":1}})", R"({"ab":1})", "/ab must have at most 1 character"},
      {R"({"minProperties":1})", "{}", "it must have at least 1 field"},
      {R"({"maxProperties":1})", R"({"a":1,"b":2})", "it must have at most 1 field"},
      {R"({"dependentRequired":{"a":["b"]}})", R"({"a":1})",
       "it must have the field \"b\" beside \"a\""},
      {R"({"dependencies":{"a":{"required":["c"]}}})", R"({"a":1})",
       "it must have the field \"c\""},
  });
}

TEST(Schema, Combined) {
  expect_all({
      {R"({"allOf":[{"minimum":1},{"maximum":2}]})", "3", "it must be at most 2, not 3"},
      {R"({"anyOf":[{"type":"null"},{"type":"string"}]})", "1",
       "it fits none of 2 alternatives; the nearest: must be null, not the number 1"},
      {R"({"anyOf":[{"type":"null"},{"properties":{"a":{"const":1}}}]})", R"({"a":2})",
       "/a must be 1, not the number 2"},
      {R"({"oneOf":[{"minimum":1},{"minimum":2}]})", "1", ""},
      {R"({"oneOf":[{"minimum":1},{"minimum":2}]})", "2",
       "it must fit exactly one of 2 alternatives, and fits 2"},
      {R"({"not":{"type":"null"}})", "null", "it fits what is excluded"},
      {R"({"if":{"type":"string"},"then":{"minLength":1},"else":{"type":"null"}})", "\"\"",
       "it must have at least 1 character"},
      {R"({"if":{"type":"string"},"then":{"minLength":1},"else":{"type":"null"}})", "1",
       "it must be null, not the number 1"},
  });
}

TEST(Schema, References) {
  const char* tree =
      R"({"$ref":"#/$defs/tree","$defs":{"tree":{"type":"object","required":["name"],
          "properties":{"children":{"items":{"$ref":"#/$defs/tree"}}}}}})";
  expect_all({
      {tree, R"({"name":"a","children":[{"name":"b"},{"name":"c","children":[]}]})", ""},
      {tree, R"({"name":"a","children":[{"name":"b"},{"children":[]}]})",
       "/children/1 must have the field \"name\""},
      {R"({"$id":"https://x.y/z.json","items":{"$ref":"https://x.y/z.json#/$defs/n"},
          "$defs":{"n":{"type":"null"}}})",
       "[1]", "/0 must be null, not the number 1"},
      {R"({"$ref":"#n","definitions":{"a b":{"$anchor":"n","type":"null"}}})", "1",
       "it must be null, not the number 1"},
      {R"({"$ref":"#/definitions/a%20b","definitions":{"a b":{"type":"null"}}})", "1",
       "it must be null, not the number 1"},
      {R"({"$ref":"#/$defs/n","minimum":2,"$defs":{"n":{"type":"number"}}})", "1",
       "it must be at least 2, not 1"},
  });
}

TEST(Schema, IsWrongItself) {
  expect_all({
      {"7", "1",
       "the schema is wrong: it must be a schema, an object or true or false, not the "
       "number 7"},
      {R"({"type":"text"})", "1",
       "the schema is wrong: /type must be null, boolean, integer, number, string, array or "
       "object, not the string \"text\""},
      {R"({"properties":{"a":{"minimum":"1"}},"required":[1]})", "1",
       "the schema is wrong: /properties/a/minimum must be a number, not the string \"1\"; "
       "/required/0 must be a string, not the number 1"},
      {R"({"pattern":"("})", "1",
       "the schema is wrong: /pattern is not a pattern: there is a \"(\" without its \")\""},
      {R"({"unevaluatedProperties":false})", "1",
       "the schema is wrong: /unevaluatedProperties is a keyword that is not supported here"},
      {R"({"$ref":"https://example.org/s.json"})", "1",
       "the schema is wrong: /$ref must point into this schema (\"#/$defs/Name\"), not to "
       "\"https://example.org/s.json\": nothing is fetched"},
      {R"({"$ref":"#/nowhere"})", "1",
       "the schema is wrong: /$ref points to \"#/nowhere\", and there is nothing"},
      {R"({"$ref":"#"})", "1",
       "the schema is wrong: it refers to itself without going into the value"},
      {R"({"anyOf":[{"type":"null"},{"not":{"$ref":"#"}}]})", "1",
       "the schema is wrong: it refers to itself without going into the value"},
  });
}

// ---- bounds

TEST(Schema, TheWorkIsCounted) {
  // Each level asks the next one twice: 2^24 ways.
  std::string schema = R"({"$ref":"#/$defs/n0","$defs":{)";
  for (int i = 0; i < 24; ++i) {
    const std::string next = "{\"$ref\":\"#/$defs/n" + std::to_string(i + 1) + "\"}";
    schema += "\"n" + std::to_string(i) + "\":{\"allOf\":[" + next + "," + next + "]},";
  }
  EXPECT_EQ(verdict(schema + R"("n24":{"type":"number"}}})", "1"),
            "it costs too much to be checked");
}

TEST(Schema, PatternsAreBoundedTogether) {
  std::string schema = "{\"allOf\":[true";
  for (int i = 0; i < 1000; ++i) schema += R"(,{"pattern":"(a{1000}){15}"})";
  EXPECT_EQ(verdict(schema + "]}", "1"),
            "the schema is wrong: /allOf/14/pattern is one pattern too many: together they are too "
            "large");
}

TEST(Schema, ManyItemsAreComparedInTime) {
  std::string items = "[0";
  for (int i = 1; i < 50'000; ++i) items += "," + std::to_string(i);
  EXPECT_EQ(verdict(R"({"uniqueItems":true,"items":{"type":"integer"}})", items + "]"), "");
  EXPECT_EQ(verdict(R"({"uniqueItems":true})", items + ",77]"),
            "it must not have the same item twice: 77 and 50000 are equal");
}

TEST(Schema, DeepValuesAndDeepSchemas) {
  const std::string nested(400, '['), closed(400, ']');
  EXPECT_EQ(verdict(R"({"items":{"$ref":"#"}})", nested + closed), "");
  // Four schemas at each level of the value, and four hundred levels.
  EXPECT_EQ(verdict(R"({"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},
                       "b":{"$ref":"#/$defs/c"},"c":{"$ref":"#/$defs/d"},
                       "d":{"$ref":"#/$defs/e"},"e":{"items":{"$ref":"#/$defs/a"}}}})",
                    nested + closed),
            "it is nested too deeply to be checked");
  std::string deep = "{}";
  for (int i = 0; i < 130; ++i) deep = "{\"not\":" + deep + "}";
  EXPECT_EQ(verdict(deep, "1"),
            "the schema is wrong: it must not be nested deeper than 128 levels");
}

TEST(Schema, ListsOnlySoManyViolations) {
  std::string items = "[0";
  for (int i = 1; i < 100; ++i) items += ",0";
  const auto schema = Schema::compile(json(R"({"items":{"type":"string"}})"));
  EXPECT_EQ(schema.value().validate(json(items + "]")).size(), Schema::kMostViolations);
}

}  // namespace
}  // namespace stepwell
