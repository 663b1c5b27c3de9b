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
  const char* kTexts[] = {"null",
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
  for (const char* text : kTexts) EXPECT_EQ(again(text), text);
}

TEST(Value, NumbersBeyondSixtyFourBitsBecomeDoubles) {
  EXPECT_EQ(again("18446744073709551615"), "1.8446744073709552e+19");
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
  const char* kText = R"({"a":[1,{"b":"é\n"}],"c":1.5})";
  const Value value = *parse_json(kText);
  EXPECT_EQ(value.depth(), 3u);
  EXPECT_EQ(value.json_size(), value.to_json().size());
  EXPECT_EQ(Value().json_size(), 4u);
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
