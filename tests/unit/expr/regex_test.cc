// Regular expressions: two dialects, and work that is counted alike everywhere.
#include "language/expr/regex.h"

#include <gtest/gtest.h>

namespace stepwell::expr {
namespace {

using Dialect = Regex::Dialect;
using Outcome = Regex::Outcome;

constexpr std::uint64_t kPlenty = 1'000'000;

Regex compiled(const std::string& pattern, Dialect dialect, const std::string& flags = "") {
  auto regex = Regex::compile(pattern, flags, dialect);
  if (const auto* wrong = std::get_if<Regex::Wrong>(&regex)) {
    ADD_FAILURE() << pattern << ": " << wrong->reason;
    return std::get<Regex>(Regex::compile("x", "", dialect));
  }
  return std::get<Regex>(std::move(regex));
}

// "start..end", "none" or "too much".
std::string found(const std::string& pattern, const std::string& text,
                  std::uint64_t steps = kPlenty) {
  const Regex::Result result = compiled(pattern, Dialect::kJavaScript).find(text, 0, steps);
  if (result.outcome == Outcome::kNone) return "none";
  if (result.outcome == Outcome::kTooMuch) return "too much";
  return std::to_string(result.match.start) + ".." + std::to_string(result.match.end);
}

std::uint64_t steps_of(const std::string& pattern, const std::string& text) {
  constexpr std::uint64_t kMost = 100'000'000;
  std::uint64_t steps = kMost;
  compiled(pattern, Dialect::kJavaScript).find(text, 0, steps);
  return kMost - steps;
}

TEST(Regex, FindsTheFirstMatch) {
  EXPECT_EQ(found("b+", "abba"), "1..3");
  EXPECT_EQ(found("c", "abba"), "none");
  EXPECT_EQ(found("\\u00e9", "caf\u00e9"), "3..5");
  EXPECT_EQ(found("[]|a", "a"), "0..1") << "an empty class is JavaScript's";
  std::uint64_t steps = kPlenty;
  const auto regex = compiled("(a)(x)?", Dialect::kJavaScript);
  const Regex::Result result = regex.find("ba", 0, steps);
  ASSERT_EQ(result.outcome, Outcome::kFound);
  EXPECT_EQ(result.match.groups, (std::vector<std::optional<std::string>>{"a", std::nullopt}));
}

TEST(Regex, MatchesAWholeTextInJavasDialect) {
  const struct {
    const char *pattern, *flags, *text;
    bool matches;
  } rows[] = {
      {"ab+c", "", "abbc", true},
      {"ab+c", "", "xabbc", false},
      {"AB.", "i", "abc", true},
      {"a.c", "", "a\nc", false},
      {"a.c", "s", "a\nc", true},
      {"a b # c", "x", "ab", true},
      {"(?i)\\p{L}+", "", "\u00dcber", true},
      {"\\d{3}-\\d{4}", "", "555-1234", true},
      {"a*+b", "", "aaab", true},
      {"(a|ab)(c|bcd)", "", "abcd", true},
  };
  for (const auto& row : rows) {
    std::uint64_t steps = kPlenty;
    EXPECT_EQ(compiled(row.pattern, Dialect::kJava, row.flags).matches(row.text, steps),
              row.matches ? Outcome::kFound : Outcome::kNone)
        << row.pattern;
  }
}

TEST(Regex, SaysWhatIsWrongAndWhere) {
  const auto regex = Regex::compile("a(b", "", Dialect::kJava);
  const auto* wrong = std::get_if<Regex::Wrong>(&regex);
  ASSERT_NE(wrong, nullptr);
  EXPECT_EQ(wrong->reason, "missing closing parenthesis");
  EXPECT_EQ(wrong->at, 3u);
  // These would be settings of the library: no limit, another newline.
  for (const char* text : {"(*LIMIT_MATCH=1)a", "(*CR)a", "(*NO_START_OPT)a"}) {
    EXPECT_TRUE(std::holds_alternative<Regex::Wrong>(Regex::compile(text, "", Dialect::kJava)));
  }
}

TEST(Regex, EndsWithoutAnAnswerWhenItNeedsTooMuch) {
  const std::string many(80, 'a');
  EXPECT_EQ(found("^(a|aa)+$", many + "!"), "too much");
  EXPECT_EQ(found("^(a+)+$", many + "!"), "too much");
  EXPECT_EQ(found("(?:x*)*y", std::string(5'000, 'x')), "too much");
  EXPECT_EQ(found("a", "aaa", 0), "too much");
  std::uint64_t steps = kPlenty;
  const auto regex = compiled("^(a|aa)+$", Dialect::kJavaScript);
  EXPECT_EQ(regex.find(many + "!", 0, steps).outcome, Outcome::kTooMuch);
  EXPECT_EQ(steps, 0u) << "and whoever counts knows";
}

// What is passed without a call back costs as well: text that one item runs over, repetitions
// that are asked for by number, groups that are referred to.
TEST(Regex, StepsGrowWithTheTextThatIsPassed) {
  EXPECT_EQ(steps_of("abc", "abc"), 4u) << "three letters and the end";
  EXPECT_EQ(steps_of("[^x]*x", std::string(1'600, 'a') + "x"), 103u);
  const std::uint64_t once = steps_of(".*x", std::string(1'000, 'a'));
  const std::uint64_t twice = steps_of(".*x", std::string(2'000, 'a'));
  EXPECT_GT(twice, once * 7 / 2) << "from each of the starts to the end";
  EXPECT_GT(steps_of("a{900}b", std::string(10'000, 'a')), 9'000u * (900 / 16));
  EXPECT_GT(steps_of("(a+)\\1b", std::string(2'000, 'a')), 2'000u * 1'000);
}

TEST(Regex, TextThatIsNotUnicodeIsPassedBy) {
  EXPECT_EQ(found("b",
                  "a\xED\xA0\x80"
                  "b"),
            "4..5");
}

}  // namespace
}  // namespace stepwell::expr
