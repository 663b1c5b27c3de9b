#include "language/expr/jsonata/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "language/expr/jsonata/error.h"

namespace stepwell::expr::jsonata {

namespace {

// The most steps of the matcher.  Counted, not timed, so that a pattern that backtracks without end
// fails at the same step on every machine.
constexpr std::uint32_t kMostSteps = 2'000'000;
constexpr std::uint32_t kMostHeapKilobytes = 20'000;

std::string reason(int error) {
  PCRE2_UCHAR text[160];
  pcre2_get_error_message(error, text, sizeof text);
  return reinterpret_cast<const char*>(text);
}

struct MatchRoom {
  explicit MatchRoom(const pcre2_code* code)
      : data(pcre2_match_data_create_from_pattern(code, nullptr)),
        context(pcre2_match_context_create(nullptr)) {
    pcre2_set_match_limit(context, kMostSteps);
    pcre2_set_heap_limit(context, kMostHeapKilobytes);
  }
  ~MatchRoom() {
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
  }
  MatchRoom(const MatchRoom&) = delete;
  MatchRoom& operator=(const MatchRoom&) = delete;
  pcre2_match_data* data;
  pcre2_match_context* context;
};

}  // namespace

struct Regex::Code {
  explicit Code(pcre2_code* code) : compiled(code) {}
  ~Code() { pcre2_code_free(compiled); }
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;
  pcre2_code* compiled;
};

Regex::Regex(std::string_view pattern, std::string_view flags) : pattern_(pattern) {
  std::uint32_t options = PCRE2_UTF | PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF |
                          PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C | PCRE2_ALLOW_EMPTY_CLASS;
  if (flags.find('i') != std::string_view::npos) options |= PCRE2_CASELESS;
  if (flags.find('m') != std::string_view::npos) options |= PCRE2_MULTILINE;
  pcre2_compile_context* context = pcre2_compile_context_create(nullptr);
  pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
  int error = 0;
  PCRE2_SIZE at = 0;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                   options, &error, &at, context);
  pcre2_compile_context_free(context);
  if (code == nullptr) {
    Error wrong;
    wrong.code = "S0303";
    wrong.message = "Invalid regular expression: " + reason(error);
    wrong.at = at;
    raise(std::move(wrong));
  }
  code_ = std::make_shared<const Code>(code);
}

std::optional<Match> Regex::find(std::string_view subject, std::size_t from) const {
  if (from > subject.size()) return std::nullopt;
  const MatchRoom room(code_->compiled);
  const int count = pcre2_match(code_->compiled, reinterpret_cast<PCRE2_SPTR>(subject.data()),
                                subject.size(), from, 0, room.data, room.context);
  if (count == PCRE2_ERROR_NOMATCH) return std::nullopt;
  if (count < 0) raise("U1001", "The regular expression needs too much work: " + reason(count));
  const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(room.data);
  Match match;
  match.start = offsets[0];
  match.end = offsets[1];
  const std::uint32_t groups = pcre2_get_ovector_count(room.data);
  for (std::uint32_t i = 1; i < groups; ++i) {
    if (static_cast<int>(i) >= count || offsets[2 * i] == PCRE2_UNSET) {
      match.groups.emplace_back();
    } else {
      match.groups.emplace_back(
          subject.substr(offsets[2 * i], offsets[2 * i + 1] - offsets[2 * i]));
    }
  }
  return match;
}

}  // namespace stepwell::expr::jsonata
