// Regex — a regular expression, in the dialects of both languages.  Its work is counted.
//
// PCRE2 does not say what a match has cost, and its own limits depend on its release and on how it
// optimizes a pattern.  So it is asked to call back before each item of the pattern that it tries,
// without optimizations that leave some out: these calls, and the text passed between two of them,
// are the steps.  The same pattern takes as many for the same text on every machine.
//
// Immutable; threads may share one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stepwell::expr {

struct Match {
  std::size_t start = 0, end = 0;                  // Bytes.
  std::vector<std::optional<std::string>> groups;  // std::nullopt: the group took no part.
};

class Regex {
 public:
  enum class Dialect : std::uint8_t {
    kJavaScript,  // Of JSONata.  Flags: i, m.
    kJava,        // Of JSONPath's filters.  Flags: i, m, s, x.
  };
  struct Wrong {
    std::string reason;
    std::size_t at = 0;  // Byte of the pattern.
  };
  // Flags that the dialect does not have are ignored.
  static std::variant<Regex, Wrong> compile(std::string_view pattern, std::string_view flags,
                                            Dialect dialect);

  enum class Outcome : std::uint8_t { kFound, kNone, kTooMuch };
  struct Result {
    Outcome outcome = Outcome::kNone;
    Match match = {};
  };
  // The first match at or after `from`.  The steps that it takes are subtracted from `steps`; with
  // too few of them, or more choices open at once than memory is given to, it is too much.
  Result find(std::string_view subject, std::size_t from, std::uint64_t& steps) const;
  // Whether the pattern matches the subject from its first byte to its last.
  Outcome matches(std::string_view subject, std::uint64_t& steps) const;

  const std::string& pattern() const { return pattern_; }

 private:
  struct Code;
  Regex(std::string_view pattern, std::shared_ptr<const Code> code)
      : pattern_(pattern), code_(std::move(code)) {}

  std::string pattern_;
  std::shared_ptr<const Code> code_;
};

}  // namespace stepwell::expr
