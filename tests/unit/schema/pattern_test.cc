// Patterns: what they find, what they refuse, and that none of them can be made to take for ever.
#include "language/schema/pattern.h"

#include <gtest/gtest.h>

namespace stepwell {
namespace {

struct Case {
  const char* pattern;
  std::vector<const char*> found;
  std::vector<const char*> not_found;
};

TEST(Pattern, Finds) {
  const std::vector<Case> cases{
      {"abc", {"abc", "xxabcxx"}, {"", "ab", "acb"}},
      {"^abc$", {"abc"}, {"xabc", "abcx"}},
      {"", {"", "x"}, {}},
      {"^$", {""}, {"x"}},
      {"a.c", {"abc", "aéc"}, {"ac", "a\nc"}},
      {"^[a-z_][a-z0-9_]*$", {"a", "snake_case_1"}, {"1a", "A", ""}},
      {"^[^a-c]+$", {"xyz", "é"}, {"xaz", ""}},
      {"^\\d{4}-\\d{2}$", {"2026-11"}, {"2026-1", "26-11", "2026-111"}},
      {"^a{2,}$", {"aa", "aaaa"}, {"a"}},
      {"^a{2,3}b?$", {"aa", "aaa", "aab"}, {"a", "aaaa", "aabb"}},
      {"^(ab|cd)*$", {"", "ab", "abcdab"}, {"abc", "ac"}},
      {"^(a|b|cd)e$", {"ae", "be", "cde"}, {"ce", "e", "cd"}},
      {"^(?:x(?:y|z)+)?$", {"", "xy", "xyzzy"}, {"x", "y"}},
      {"(^|,)b(,|$)", {"b", "a,b", "b,c"}, {"ab"}},
      {"\\bfoo\\b", {"foo", "a foo."}, {"food", "afoo"}},
      {"^(?!foo)", {"bar", ""}, {"food"}},
      {"^(?=.*\\d)(?=.*[a-z]).{4,}$", {"abc1", "1abcd"}, {"abcd", "1234", "a1"}},
      {"^(?<year>[0-9]+)$", {"7"}, {"x"}},
      {"^\\$\\.[\\w\\-\\]]+$", {"$.a-b]"}, {"$a"}},
      {"^\\u00e9\\x41\\u{1F600}$", {"éA😀"}, {"eA"}},
      {"^[\\s\\S]$", {"\n", "x"}, {"", "xx"}},
      {"^[\\D]$", {"x"}, {"1"}},
      {"a{,2}", {"a{,2}"}, {"aa"}},
      {"^a*?b$", {"b", "aab"}, {"a"}},
      {"^(a*)*$", {"", "aaa"}, {"b"}},
      {"^(a+){2}$", {"aa", "aaa"}, {"a"}},
      {"^(a?){3}$", {"", "a", "aaa"}, {"aaaa"}},
  };
  for (const Case& one : cases) {
    auto parsed = Pattern::parse(one.pattern);
    const auto* pattern = std::get_if<Pattern>(&parsed);
    ASSERT_NE(pattern, nullptr) << one.pattern << ": " << std::get<Pattern::Wrong>(parsed).message;
    std::uint64_t work = 100'000;
    for (const char* text : one.found) {
      EXPECT_EQ(pattern->search(text, work), Pattern::Found::kYes) << one.pattern << " in " << text;
    }
    for (const char* text : one.not_found) {
      EXPECT_EQ(pattern->search(text, work), Pattern::Found::kNo) << one.pattern << " in " << text;
    }
  }
}

TEST(Pattern, Refuses) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"(", "there is a \"(\" without its \")\""},
      {"a)", "there is a \")\" without its \"(\""},
      {"[a", "there is a \"[\" without its \"]\""},
      {"*a", "there is nothing before a repetition"},
      {"a|+", "there is nothing before a repetition"},
      {"^*", "there is nothing before a repetition"},
      {"a\\", "it ends in a \"\\\""},
      {"[\\", "it ends in a \"\\\""},
      {"(a)\\1", "back references (\\1) are not supported"},
      {"\\p{L}", "\\p{...} is not supported: name the characters in brackets"},
      {"(?<=a)b", "only (?:, (?=, (?! and (?<name> are understood of the groups with a \"?\""},
      {"a{3,2}", "a repetition ends before it begins"},
      {"[z-a]", "a range in brackets ends before it begins"},
      {"\\x4", "there is no hexadecimal number after \\x or \\u"},
      {"a{1001}", "it repeats something more than 1000 times"},
      {"((a{1000}){1000}){1000}", "it is too large once its repetitions are written out"},
      {std::string(100, '('), "its groups are nested too deeply"},
      {std::string(5000, 'a'), "it is longer than 4000 bytes"},
  };
  for (const auto& [text, message] : cases) {
    const auto parsed = Pattern::parse(text);
    const auto* wrong = std::get_if<Pattern::Wrong>(&parsed);
    ASSERT_NE(wrong, nullptr) << text;
    EXPECT_EQ(wrong->message, message) << text.substr(0, 40);
  }
}

TEST(Pattern, WhatIsSlowElsewhereIsLinearHere) {
  const std::string text(200'000, 'a');
  for (const char* evil : {"^(a+)+$", "^(a|aa)+$", "^(a|a?)+$", "(.*)*b", "^(a*)*b$"}) {
    const auto parsed = Pattern::parse(evil);
    ASSERT_TRUE(std::holds_alternative<Pattern>(parsed)) << evil;
    std::uint64_t work = 10'000'000;
    EXPECT_NE(std::get<Pattern>(parsed).search(text + "!", work), Pattern::Found::kTooMuchWork)
        << evil;
  }
  const auto squared = Pattern::parse("^(?=(.*x))*(?:a(?=.*x|.*))*$");
  ASSERT_TRUE(std::holds_alternative<Pattern>(squared));
  std::uint64_t work = 1'000'000;
  EXPECT_EQ(std::get<Pattern>(squared).search(text, work), Pattern::Found::kTooMuchWork);
}

}  // namespace
}  // namespace stepwell
