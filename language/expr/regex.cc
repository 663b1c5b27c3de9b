#include "language/expr/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>

namespace stepwell::expr {
namespace {

constexpr std::size_t kBytesOfStep = 16;
// Choices that are open at once: each takes about 100 bytes, and 16 more for each group.
constexpr std::uint32_t kMostOpen = 200'000;
constexpr std::uint32_t kMostKilobytes = 65'536;

std::string reason(int error) {
  PCRE2_UCHAR text[160];
  pcre2_get_error_message(error, text, sizeof text);
  return reinterpret_cast<const char*>(text);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The largest number of repetitions that the pattern asks for: the matcher passes so much text, for
// one item, without calling back.
std::size_t longest_repetition(std::string_view pattern) {
  std::size_t longest = 0, number = 0;
  bool is_counted = false;
  for (const char c : pattern) {
    if (!is_digit(c)) is_counted = c == '{' || (is_counted && c == ',');
    number =
        is_digit(c) && is_counted ? std::min<std::size_t>(number * 10 + (c - '0'), 1'000'000) : 0;
    longest = std::max(longest, number);
  }
  return longest;
}

std::uint32_t options_of(std::string_view flags, Regex::Dialect dialect) {
  const auto has = [&](char flag) { return flags.find(flag) != std::string_view::npos; };
  std::uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C |
                          PCRE2_AUTO_CALLOUT | PCRE2_NO_AUTO_POSSESS | PCRE2_NO_DOTSTAR_ANCHOR |
                          PCRE2_NO_START_OPTIMIZE;
  if (has('i')) options |= PCRE2_CASELESS;
  if (has('m')) options |= PCRE2_MULTILINE;
  if (dialect == Regex::Dialect::kJavaScript) {
    return options | PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF | PCRE2_DOLLAR_ENDONLY |
           PCRE2_ALLOW_EMPTY_CLASS;
  }
  if (has('s')) options |= PCRE2_DOTALL;
  if (has('x')) options |= PCRE2_EXTENDED;
  return options;
}

}  // namespace

struct Regex::Code {
  Code(pcre2_code* code, std::string_view pattern) : compiled(code) {
    std::uint32_t groups_referred_to = 0;
    pcre2_pattern_info(code, PCRE2_INFO_BACKREFMAX, &groups_referred_to);
    // A group that is referred to may be as long as the whole text.
    silent_bytes =
        groups_referred_to > 0 ? static_cast<std::size_t>(-1) : longest_repetition(pattern);
  }
  ~Code() { pcre2_code_free(compiled); }
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;

  pcre2_code* compiled;
  std::size_t silent_bytes = 0;  // That one item may pass, and fail, without calling back.
};

namespace {

// Counts the steps of one match.
struct Counter {
  std::uint64_t& steps;
  std::size_t silent_bytes;
  std::size_t at;  // Where the matcher was when it last called.

  // What pcre2_match is to do: go on, or give up.
  int called(const pcre2_callout_block& block) {
    const std::size_t now = block.current_position;
    const std::size_t passed = now > at ? now - at : at - now;
    at = now;
    const std::size_t silent = std::min(silent_bytes, block.subject_length - now);
    const std::uint64_t cost = 1 + (passed + silent) / kBytesOfStep;
    if (cost > steps) {
      steps = 0;
      return PCRE2_ERROR_CALLOUT;
    }
    steps -= cost;
    return 0;
  }
};

int on_callout(pcre2_callout_block* block, void* counter) {
  return static_cast<Counter*>(counter)->called(*block);
}

// Where a match leaves its result.
struct Room {
  Room(const pcre2_code* code, Counter& counter)
      : data(pcre2_match_data_create_from_pattern(code, nullptr)),
        context(pcre2_match_context_create(nullptr)) {
    pcre2_set_callout(context, &on_callout, &counter);
    pcre2_set_match_limit(context, 0xFFFFFFFF);  // The steps are ours.
    pcre2_set_depth_limit(context, kMostOpen);
    pcre2_set_heap_limit(context, kMostKilobytes);
  }
  ~Room() {
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
  }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  pcre2_match_data* data;
  pcre2_match_context* context;
};

Match match_of(const Room& room, std::string_view subject, std::uint32_t count) {
  const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(room.data);
  Match match;
  match.start = offsets[0];
  match.end = offsets[1];
  for (std::uint32_t i = 1; i < pcre2_get_ovector_count(room.data); ++i) {
    if (i >= count || offsets[2 * i] == PCRE2_UNSET) {
      match.groups.emplace_back();
    } else {
      match.groups.emplace_back(
          subject.substr(offsets[2 * i], offsets[2 * i + 1] - offsets[2 * i]));
    }
  }
  return match;
}

}  // namespace

std::variant<Regex, Regex::Wrong> Regex::compile(std::string_view pattern, std::string_view flags,
                                                 Dialect dialect) {
  // PCRE2's own words for its settings; neither dialect has them.
  if (pattern.starts_with("(*")) return Wrong{"nothing to repeat", 1};
  pcre2_compile_context* context = pcre2_compile_context_create(nullptr);
  pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
  int error = 0;
  PCRE2_SIZE at = 0;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                   options_of(flags, dialect), &error, &at, context);
  pcre2_compile_context_free(context);
  if (code == nullptr) return Wrong{reason(error), at};
  return Regex(pattern, std::make_shared<const Code>(code, pattern));
}

Regex::Result Regex::find(std::string_view subject, std::size_t from, std::uint64_t& steps) const {
  if (from > subject.size()) return {};
  Counter counter{steps, code_->silent_bytes, from};
  const Room room(code_->compiled, counter);
  const int count = pcre2_match(code_->compiled, reinterpret_cast<PCRE2_SPTR>(subject.data()),
                                subject.size(), from, 0, room.data, room.context);
  if (count == PCRE2_ERROR_NOMATCH) return {};
  if (count < 0) return {Outcome::kTooMuch};
  return {Outcome::kFound, match_of(room, subject, static_cast<std::uint32_t>(count))};
}

Regex::Outcome Regex::matches(std::string_view subject, std::uint64_t& steps) const {
  Counter counter{steps, code_->silent_bytes, 0};
  const Room room(code_->compiled, counter);
  const int count =
      pcre2_match(code_->compiled, reinterpret_cast<PCRE2_SPTR>(subject.data()), subject.size(), 0,
                  PCRE2_ANCHORED | PCRE2_ENDANCHORED, room.data, room.context);
  if (count >= 0) return Outcome::kFound;
  return count == PCRE2_ERROR_NOMATCH ? Outcome::kNone : Outcome::kTooMuch;
}

}  // namespace stepwell::expr
