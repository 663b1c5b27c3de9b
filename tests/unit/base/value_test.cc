// Values: what they share, how they are written, what the parser refuses.
#include "base/value.h"

#include <gtest/gtest.h>

namespace stepwell {
namespace {

std::string again(const std::string& text) {
  auto parsed = parse_json(text);
  return parsed.ok() ? parsed->to_json() : parsed.error().message;
}

TEST(Value, IsWrittenAsItCame) {
  const char* texts[] = {"null",
                         "true",
                         "[]",
                         "{}",
                         "0",
                         "-1",
                         "9223372036854775807",
                         "0.0",
                         "3.3",
                         "1.5e+300",
                         "1e-07",
                         R"("\"\\\b\f\n\r\t\u0001é😀")",
                         R"({"b":1,"a":[1,2.0,{"c":null}]})"};
  for (const char* text : texts) EXPECT_EQ(again(text), text);
}

TEST(Value, WholeNumbersBeyondSixtyFourBitsAreNotRounded) {
  EXPECT_EQ(again("9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(again("-9223372036854775808"), "-9223372036854775808");
  for (const std::string text :
       {"9223372036854775808", "18446744073709551615", "18446744073709551616",
        "-9223372036854775809", "12345678901234567890"}) {
    EXPECT_EQ(parse_json("[" + text + "]").error().message,
              "not JSON: no 64-bit number can hold " + text + "; as a text it is kept");
  }
  EXPECT_EQ(again("1.8446744073709552e19"), "1.8446744073709552e+19") << "this is no whole number";
  JsonLimits own_text;
  own_text.refuse_rounding = false;
  EXPECT_EQ(parse_json("18446744073709551615", own_text)->to_json(), "1.8446744073709552e+19");
}

TEST(Value, RefusesWhatIsNotJsonAndSaysWhere) {
  const std::string nul = R"("a\u0000b")";
  EXPECT_EQ(again(nul), R"(not JSON: a string holds a NUL (\u0000))");
  EXPECT_EQ(again("\"\xff\""),
            "not JSON: parse error at line 1, column 2: syntax error while parsing value - invalid "
            "string: ill-formed UTF-8 byte; last read: '\"?'");
  EXPECT_FALSE(parse_json("1e400").ok());
  EXPECT_FALSE(parse_json("[1,]").ok());
  EXPECT_FALSE(parse_json("").ok());
  EXPECT_EQ(again(std::string(100'000, '[')), "not JSON: nested deeper than 512 levels");
}

TEST(Value, DuplicateKeysLastWinsUnlessRefused) {
  EXPECT_EQ(again(R"({"a":1,"b":2,"a":3})"), R"({"a":3,"b":2})");
  JsonLimits strict;
  strict.refuse_duplicate_keys = true;
  auto refused = parse_json(R"({"a":1,"a":3})", strict);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message, R"(not JSON: the key "a" stands twice in one object)");
}

TEST(Value, EqualityIsDeepAndNumeric) {
  EXPECT_TRUE(*parse_json(R"({"a":1,"b":[2]})") == *parse_json(R"({"b":[2.0],"a":1.0})"));
  EXPECT_FALSE(*parse_json(R"({"a":1})") == *parse_json(R"({"a":"1"})"));
  EXPECT_FALSE(Value(true) == Value(1));
}

TEST(Value, TakingFromASharedValueLeavesTheOtherHolderWhole) {
  Value one = *parse_json("[1,2]");
  Value other = one;
  Value::Array items = std::move(one).take_array();
  items.push_back(3);
  EXPECT_EQ(other.to_json(), "[1,2]");
  EXPECT_EQ(Value(std::move(items)).to_json(), "[1,2,3]");
}

TEST(Value, KnowsItsDepthAndItsSizeAsText) {
  const char* text = R"({"a":[1,{"b":"é\n"}],"c":1.5})";
  const Value value = *parse_json(text);
  EXPECT_EQ(value.depth(), 3u);
  EXPECT_EQ(value.json_size(), value.to_json().size());
  EXPECT_EQ(Value().json_size(), 4u);
}

// [[v,v],[v,v]], ...: small in memory, and 2^levels times `v` to who walks it.
Value doubled(Value value, int levels) {
  for (int i = 0; i < levels; ++i) value = Value::Array{value, value};
  return value;
}

TEST(Value, ThatHoldsItselfOftenIsMeasuredWithoutAWalk) {
  EXPECT_EQ(doubled("x", 3).json_size(), doubled("x", 3).to_json().size());
  EXPECT_EQ(doubled("x", 500).json_size(), std::size_t{1} << 60) << "and not what is left of it";
  const Value in_object = Object{{"a", doubled("x", 500)}, {"b", doubled("y", 500)}};
  EXPECT_EQ(in_object.json_size(), std::size_t{1} << 60);
}

TEST(Value, ThatIsEndlessShowsItsBeginning) {
  EXPECT_EQ(Value(Value::Array{1, "two"}).json_beginning(9), R"([1,"two"])");
  const std::string beginning = doubled("x", 500).json_beginning(1000);
  EXPECT_GT(beginning.size(), 1000u);
  EXPECT_LT(beginning.size(), 2000u);
  EXPECT_EQ(beginning.substr(0, 3), "[[[");
}

TEST(Value, IsComparedWithinSteps) {
  std::uint64_t steps = 100;
  EXPECT_EQ(equal_within(*parse_json("[1,2]"), *parse_json("[1.0,2]"), steps), true);
  EXPECT_EQ(steps, 97u) << "the lists and two pairs of numbers";
  EXPECT_EQ(equal_within(std::string(640, 'x'), std::string(640, 'x'), steps), true);
  EXPECT_EQ(steps, 86u) << "a text costs by its length";
  steps = 1'000'000;
  EXPECT_EQ(equal_within(doubled("x", 100), doubled(std::string("x"), 100), steps), std::nullopt);
  const Value same = doubled("x", 100);
  EXPECT_EQ(same, same) << "what is the same is not walked";
}

TEST(Value, EqualValuesShareAHash) {
  const char* const rows[][2] = {{"1", "1.0"},
                                 {"0.0", "-0.0"},
                                 {R"({"a":1,"b":[2]})", R"({"b":[2.0],"a":1})"},
                                 {R"(["x",null])", R"(["x",null])"}};
  for (const auto& row : rows) {
    ASSERT_EQ(*parse_json(row[0]), *parse_json(row[1]));
    EXPECT_EQ(hash_of_equals(*parse_json(row[0])), hash_of_equals(*parse_json(row[1]))) << row[0];
  }
  EXPECT_NE(hash_of_equals(*parse_json("[1,2]")), hash_of_equals(*parse_json("[2,1]")));
}

TEST(Value, HashTellsContentsApart) {
  EXPECT_EQ(parse_json(R"({"a":[1,"x"]})")->hash(), parse_json(R"({ "a" : [1, "x"] })")->hash());
  EXPECT_NE(Value(1).hash(), Value(1.0).hash());
  EXPECT_NE(Value("").hash(), Value().hash());
  // Stored in journals: it may never change.
  EXPECT_EQ(parse_json(R"({"a":[1,"x",null,true,2.5]})")->hash(), 14278361476729299645ULL);
}

TEST(Object, KeepsOrderAndFindsAmongMany) {
  Object many;
  for (int i = 0; i < 1000; ++i) many.set("key" + std::to_string(i), i);
  many.set("key500", "replaced");
  EXPECT_TRUE(many.erase("key0"));
  EXPECT_FALSE(many.erase("key0"));
  ASSERT_EQ(many.size(), 999u);
  EXPECT_EQ(many[0].first, "key1");
  EXPECT_EQ(many.find("key500")->as_string(), "replaced");
  EXPECT_EQ(many.find("key999")->as_int(), 999);
  EXPECT_EQ(many.find("key0"), nullptr);
}

}  // namespace
}  // namespace stepwell
