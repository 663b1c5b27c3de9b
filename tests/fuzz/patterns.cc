// A regular expression and a text: the first line of the bytes is the pattern, "a" or "i" before it
// its dialect.
#include <algorithm>

#include "base/check.h"
#include "language/expr/regex.h"
#include "tests/fuzz/targets.h"

namespace stepwell::fuzz {

namespace {

using expr::Regex;

constexpr std::uint64_t kSteps = 20'000;

void check_find(const Regex& regex, std::string_view text) {
  std::uint64_t steps = kSteps, again = kSteps;
  const Regex::Result found = regex.find(text, 0, steps);
  CHECK(regex.find(text, 0, again).outcome == found.outcome && steps == again,
        "the same takes as many steps again");
  CHECK(steps <= kSteps, "steps are only taken");
  if (found.outcome != Regex::Outcome::kFound) return;
  CHECK(found.match.start <= text.size() && found.match.end <= text.size(), "it is in the text");
}

}  // namespace

void run_patterns(std::string_view bytes) {
  const std::size_t end = std::min(bytes.find('\n'), bytes.size());
  std::string_view pattern = bytes.substr(0, end);
  const std::string_view text = bytes.substr(std::min(end + 1, bytes.size()));
  const bool is_java = pattern.starts_with('a');
  if (!pattern.empty()) pattern.remove_prefix(1);
  const auto regex = Regex::compile(pattern, is_java ? "" : "i",
                                    is_java ? Regex::Dialect::kJava : Regex::Dialect::kJavaScript);
  if (const auto* wrong = std::get_if<Regex::Wrong>(&regex)) {
    CHECK(!wrong->reason.empty() && wrong->at <= pattern.size() + 1, "it says what and where");
    return;
  }
  check_find(std::get<Regex>(regex), text);
  std::uint64_t steps = kSteps;
  std::get<Regex>(regex).matches(text, steps);
}

}  // namespace stepwell::fuzz
