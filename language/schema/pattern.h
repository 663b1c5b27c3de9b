// Pattern — a regular expression as JSON Schema means it: found anywhere in the text unless
// anchored.  Matched in time linear in the text, without recursion; private to language/schema.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace stepwell {

class Pattern {
 public:
  static constexpr std::size_t kMaxText = 4'000;
  static constexpr std::size_t kMaxCode = 20'000;
  static constexpr std::uint32_t kMaxRepeats = 1'000;
  static constexpr std::uint32_t kMaxNesting = 40;

  struct Wrong {
    std::string message;
  };
  static std::variant<Pattern, Wrong> parse(std::string_view text);

  std::size_t size() const { return code_.size(); }

  enum class Found { kYes, kNo, kTooMuchWork };
  // `work`: how much may be spent; on return, how much is left.
  Found search(std::string_view utf8, std::uint64_t& work) const;

 private:
  friend class PatternReader;
  friend class PatternRun;

  using Range = std::pair<char32_t, char32_t>;  // Both ends included.
  struct Set {
    std::vector<Range> ranges;
    bool negated = false;
    bool has(char32_t c) const;
  };
  enum class Op : std::uint8_t {
    kOne,       // The character `a`.
    kOneOf,     // A character of sets_[a].
    kEither,    // Go on at `a` and at `b`.
    kGoTo,      // Go on at `a`.
    kBegin,     // ^
    kEnd,       // $
    kEdge,      // \b
    kNoEdge,    // \B
    kAhead,     // Lookahead: the code after this must match here; go on at `a`.
    kNotAhead,  // Negative lookahead: it must not match.
    kMatched,
  };
  struct Code {
    Op op;
    std::uint32_t a = 0, b = 0;
  };

  std::vector<Code> code_;
  std::vector<Set> sets_;
};

}  // namespace stepwell
