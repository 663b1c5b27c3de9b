// A regular expression: JavaScript's, as far as PCRE2 speaks it.  Its work is counted.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stepwell::expr::jsonata {

struct Match {
  std::size_t start = 0, end = 0;                  // Bytes.
  std::vector<std::optional<std::string>> groups;  // std::nullopt: the group took no part.
};

// Immutable; threads may share one.
class Regex {
 public:
  // Flags: 'i', 'm'.  Throws Error S0303 with PCRE2's reason.
  Regex(std::string_view pattern, std::string_view flags);

  // The first match at or after `from`.  Throws Error U1001 when it would need too much work.
  std::optional<Match> find(std::string_view subject, std::size_t from) const;
  const std::string& pattern() const { return pattern_; }

 private:
  struct Code;
  std::string pattern_;
  std::shared_ptr<const Code> code_;
};

}  // namespace stepwell::expr::jsonata
