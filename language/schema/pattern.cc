// Compiles patterns and runs them by Thompson's construction, which follows all alternatives at
// once.
#include "language/schema/pattern.h"

#include <algorithm>
#include <optional>

namespace stepwell {

namespace {

constexpr char32_t kLastCharacter = 0x10FFFF;

std::vector<char32_t> characters_of(std::string_view utf8) {
  std::vector<char32_t> list;
  list.reserve(utf8.size());
  for (std::size_t i = 0; i < utf8.size();) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t c = length == 1 ? lead : lead & (0xFFu >> (length + 1));
    for (std::size_t k = 1; k < length && i + k < utf8.size(); ++k) {
      c = (c << 6) | (static_cast<unsigned char>(utf8[i + k]) & 0x3Fu);
    }
    list.push_back(c);
    i += length;
  }
  return list;
}

bool is_word(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

bool Pattern::Set::has(char32_t c) const {
  for (const Range& range : ranges) {
    if (c >= range.first && c <= range.second) return !negated;
  }
  return negated;
}

class PatternReader {
 public:
  explicit PatternReader(std::string_view text) : text_(characters_of(text)) {}

  std::variant<Pattern, Pattern::Wrong> read() {
    alternatives();
    if (wrong_.empty() && at_ < text_.size()) fail("there is a \")\" without its \"(\"");
    if (!wrong_.empty()) return Pattern::Wrong{wrong_};
    emit(Op::kMatched);
    return std::move(pattern_);
  }

 private:
  using Op = Pattern::Op;
  using Range = Pattern::Range;

  bool at_end() const { return at_ >= text_.size() || !wrong_.empty(); }
  char32_t peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : 0;
  }
  bool take(char32_t c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void fail(std::string message) {
    if (wrong_.empty()) wrong_ = std::move(message);
  }
  std::uint32_t here() const { return static_cast<std::uint32_t>(pattern_.code_.size()); }
  std::uint32_t emit(Op op, std::uint32_t a = 0, std::uint32_t b = 0) {
    if (pattern_.code_.size() >= Pattern::kMaxCode) {
      fail("it is too large once its repetitions are written out");
      return 0;
    }
    pattern_.code_.push_back({op, a, b});
    return here() - 1;
  }
  // Inserts `code` before the code at `from`.
  void insert(std::uint32_t from, Pattern::Code code) {
    if (pattern_.code_.size() >= Pattern::kMaxCode) return fail("it is too large");
    for (std::uint32_t i = from; i < here(); ++i) {
      Pattern::Code& moved = pattern_.code_[i];
      if (has_targets(moved.op) && moved.a >= from) ++moved.a;
      if (moved.op == Op::kEither && moved.b >= from) ++moved.b;
    }
    pattern_.code_.insert(pattern_.code_.begin() + from, code);
  }
  static bool has_targets(Op op) {
    return op == Op::kEither || op == Op::kGoTo || op == Op::kAhead || op == Op::kNotAhead;
  }

  void alternatives() {
    if (++nesting_ > Pattern::kMaxNesting) fail("its groups are nested too deeply");
    const std::uint32_t start = here();
    std::vector<std::uint32_t> exits;
    std::uint32_t begin = start;
    sequence();
    while (take('|')) {
      insert(begin, {Op::kEither, begin + 1, 0});
      exits.push_back(emit(Op::kGoTo));
      pattern_.code_[begin].b = here();
      begin = here();
      sequence();
    }
    if (wrong_.empty()) {
      for (const std::uint32_t exit : exits) pattern_.code_[exit].a = here();
    }
    --nesting_;
  }

  void sequence() {
    while (!at_end() && peek() != '|' && peek() != ')') piece();
  }

  void piece() {
    const std::uint32_t start = here();
    const bool repeats = atom();
    if (at_end()) return;
    const char32_t c = peek();
    std::uint32_t least = 0;
    std::optional<std::uint32_t> most;
    if (c == '*' || c == '+' || c == '?') {
      ++at_;
      least = c == '+' ? 1 : 0;
      if (c == '?') most = 1;
    } else if (c != '{' || !counts(least, most)) {
      return;
    }
    take('?');  // Lazy or greedy makes no difference to whether a text matches.
    if (!repeats) return fail("there is nothing before a repetition");
    repeat(start, least, most);
  }

  // Reads {m}, {m,} or {m,n}; any other brace stands for itself.
  bool counts(std::uint32_t& least, std::optional<std::uint32_t>& most) {
    std::size_t end = at_ + 1;
    const auto number = [&]() -> std::optional<std::uint32_t> {
      if (end >= text_.size() || text_[end] < '0' || text_[end] > '9') return std::nullopt;
      std::uint32_t value = 0;
      for (; end < text_.size() && text_[end] >= '0' && text_[end] <= '9'; ++end) {
        value = std::min(value * 10 + static_cast<std::uint32_t>(text_[end] - '0'), 1'000'000u);
      }
      return value;
    };
    const auto first = number();
    if (!first) return false;
    least = *first;
    most = first;
    if (end < text_.size() && text_[end] == ',') {
      ++end;
      most = number();
    }
    if (end >= text_.size() || text_[end] != '}') return false;
    at_ = end + 1;
    if (least > Pattern::kMaxRepeats || most.value_or(0) > Pattern::kMaxRepeats) {
      fail("it repeats something more than " + std::to_string(Pattern::kMaxRepeats) + " times");
    } else if (most && *most < least) {
      fail("a repetition ends before it begins");
    }
    return true;
  }

  void repeat(std::uint32_t start, std::uint32_t least, std::optional<std::uint32_t> most) {
    const std::vector<Pattern::Code> body(pattern_.code_.begin() + start, pattern_.code_.end());
    pattern_.code_.resize(start);
    std::uint32_t last = here();
    for (std::uint32_t i = 0; i < least && wrong_.empty(); ++i) {
      last = here();
      append(body, start);
    }
    if (!most) {
      if (least > 0) {
        emit(Op::kEither, last, here() + 1);
        return;
      }
      const std::uint32_t loop = emit(Op::kEither, here() + 1, 0);
      append(body, start);
      emit(Op::kGoTo, loop);
      if (wrong_.empty()) pattern_.code_[loop].b = here();
      return;
    }
    std::vector<std::uint32_t> exits;
    for (std::uint32_t i = least; i < *most && wrong_.empty(); ++i) {
      exits.push_back(emit(Op::kEither, here() + 1, 0));
      append(body, start);
    }
    if (!wrong_.empty()) return;
    for (const std::uint32_t exit : exits) pattern_.code_[exit].b = here();
  }

  // Appends a copy of code whose jumps were computed for a start at `from`.
  void append(const std::vector<Pattern::Code>& body, std::uint32_t from) {
    const std::uint32_t shift = here() - from;
    for (Pattern::Code code : body) {
      if (has_targets(code.op)) code.a += shift;
      if (code.op == Op::kEither) code.b += shift;
      emit(code.op, code.a, code.b);
    }
  }

  // Reads one item of a pattern; false when no repetition may follow it (^, $, \b, a lookahead).
  bool atom() {
    const char32_t c = text_[at_++];
    switch (c) {
      case '^': emit(Op::kBegin); return false;
      case '$': emit(Op::kEnd); return false;
      case '.': one_of({{{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}, true}); return true;
      case '[': one_of(set()); return true;
      case '(': return group();
      case '\\': return escape();
      case '*':
      case '+':
      case '?': fail("there is nothing before a repetition"); return false;
      default: emit(Op::kOne, static_cast<std::uint32_t>(c)); return true;
    }
  }

  bool group() {
    bool is_look = false, is_negative = false;
    if (take('?')) {
      if (peek() == '=' || peek() == '!') {
        is_look = true;
        is_negative = text_[at_++] == '!';
      } else if (peek() == '<' && peek(1) != '=' && peek(1) != '!') {
        while (!at_end() && text_[at_++] != '>') {
        }
      } else if (!take(':')) {
        fail("only (?:, (?=, (?! and (?<name> are understood of the groups with a \"?\"");
      }
    }
    const std::uint32_t look =
        is_look ? emit(is_negative ? Op::kNotAhead : Op::kAhead) : std::uint32_t{0};
    alternatives();
    if (!take(')')) fail("there is a \"(\" without its \")\"");
    if (is_look && wrong_.empty()) {
      emit(Op::kMatched);
      if (wrong_.empty()) pattern_.code_[look].a = here();
    }
    return true;
  }

  void one_of(Pattern::Set set) {
    emit(Op::kOneOf, static_cast<std::uint32_t>(pattern_.sets_.size()));
    pattern_.sets_.push_back(std::move(set));
  }

  bool escape() {
    if (at_end()) {
      fail("it ends in a \"\\\"");
      return false;
    }
    if (peek() == 'b' || peek() == 'B') {
      emit(text_[at_++] == 'b' ? Op::kEdge : Op::kNoEdge);
      return false;
    }
    Pattern::Set set;
    if (named_set(peek(), set)) {
      ++at_;
      one_of(std::move(set));
      return true;
    }
    emit(Op::kOne, static_cast<std::uint32_t>(escaped()));
    return true;
  }

  // \d, \w, \s and their complements \D, \W, \S.
  static bool named_set(char32_t c, Pattern::Set& to) {
    switch (c) {
      case 'd':
      case 'D': to.ranges = {{'0', '9'}}; break;
      case 'w':
      case 'W': to.ranges = {{'a', 'z'}, {'A', 'Z'}, {'0', '9'}, {'_', '_'}}; break;
      case 's':
      case 'S':
        to.ranges = {{'\t', '\r'},     {' ', ' '},       {0xA0, 0xA0},     {0x1680, 0x1680},
                     {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F},
                     {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
        break;
      default: return false;
    }
    to.negated = c < 'a';
    return true;
  }

  // Reads an escaped character; the backslash has been read.
  char32_t escaped() {
    const char32_t c = text_[at_++];
    switch (c) {
      case 'n': return '\n';
      case 'r': return '\r';
      case 't': return '\t';
      case 'f': return '\f';
      case 'v': return '\v';
      case '0': return 0;
      case 'x': return hex(2);
      case 'u':
        if (take('{')) {
          char32_t value = 0;
          while (!at_end() && peek() != '}')
            value = std::min<char32_t>(value * 16 + digit(), kLastCharacter);
          if (!take('}')) fail("a \"\\u{\" does not end");
          return value;
        }
        return hex(4);
      default: break;
    }
    if (c >= '1' && c <= '9') fail("back references (\\1) are not supported");
    if (c == 'p' || c == 'P') fail("\\p{...} is not supported: name the characters in brackets");
    if (c == 'k' || c == 'c') fail("\\k and \\c are not supported");
    return c;
  }

  char32_t digit() {
    const char32_t c = peek();
    ++at_;
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    fail("there is no hexadecimal number after \\x or \\u");
    return 0;
  }
  char32_t hex(int digits) {
    char32_t value = 0;
    for (int i = 0; i < digits && wrong_.empty(); ++i) value = value * 16 + digit();
    return value;
  }

  Pattern::Set set() {
    Pattern::Set set;
    set.negated = take('^');
    while (!at_end() && peek() != ']') {
      Pattern::Set named;
      if (peek() == '\\' && named_set(peek(1), named)) {
        at_ += 2;
        add(set, named);
        continue;
      }
      const char32_t first = member();
      char32_t last = first;
      if (peek() == '-' && at_ + 1 < text_.size() && peek(1) != ']') {
        ++at_;
        last = member();
        if (last < first) fail("a range in brackets ends before it begins");
      }
      set.ranges.emplace_back(first, last);
    }
    if (!take(']')) fail("there is a \"[\" without its \"]\"");
    return set;
  }

  static void add(Pattern::Set& set, const Pattern::Set& named) {
    if (!named.negated) {
      set.ranges.insert(set.ranges.end(), named.ranges.begin(), named.ranges.end());
      return;
    }
    auto ranges = named.ranges;
    std::sort(ranges.begin(), ranges.end());
    char32_t next = 0;
    for (const Range& range : ranges) {
      if (range.first > next) set.ranges.emplace_back(next, range.first - 1);
      next = range.second + 1;
    }
    set.ranges.emplace_back(next, kLastCharacter);
  }

  char32_t member() {
    if (at_end()) return 0;
    if (!take('\\')) return text_[at_++];
    if (at_end()) {
      fail("it ends in a \"\\\"");
      return 0;
    }
    if (take('b')) return '\b';
    return escaped();
  }

  std::vector<char32_t> text_;
  std::size_t at_ = 0;
  std::uint32_t nesting_ = 0;
  std::string wrong_;
  Pattern pattern_;
};

// One search: keeps the set of places in the code that the text up to here leads to.
class PatternRun {
 public:
  PatternRun(const Pattern& pattern, const std::vector<char32_t>& text, std::uint64_t& work)
      : pattern_(pattern), text_(text), work_(work) {}

  bool out_of_work() const { return spent_; }

  bool search(std::uint32_t begin, std::size_t at, bool anywhere) {
    std::vector<std::uint32_t> now, next;
    std::vector<std::size_t> seen(pattern_.code_.size(), kNever);
    spend(seen.size() / 16);
    for (; !spent_; ++at) {
      if (now.empty() || anywhere) {
        if (follow(begin, at, seen, now)) return true;
      }
      if (at >= text_.size() || now.empty()) break;
      next.clear();
      bool matched = false;
      for (const std::uint32_t place : now) {
        const Pattern::Code& code = pattern_.code_[place];
        if (fits(code, text_[at]) && follow(place + 1, at + 1, seen, next)) matched = true;
        if (matched || spent_) break;
      }
      if (matched) return true;
      now.swap(next);
      if (now.empty() && !anywhere) break;
    }
    return false;
  }

 private:
  static constexpr std::size_t kNever = ~std::size_t{0};

  bool spend(std::uint64_t cost = 1) {
    if (work_ < cost) spent_ = true;
    work_ -= std::min(work_, cost);
    return !spent_;
  }

  bool fits(const Pattern::Code& code, char32_t c) {
    if (code.op == Pattern::Op::kOne) return code.a == static_cast<std::uint32_t>(c);
    const Pattern::Set& set = pattern_.sets_[code.a];
    spend(set.ranges.size() / 8);
    return set.has(c);
  }

  // Adds the places that `place` leads to without reading a character; true when one is a match.
  bool follow(std::uint32_t place, std::size_t at, std::vector<std::size_t>& seen,
              std::vector<std::uint32_t>& to) {
    std::vector<std::uint32_t> open{place};
    while (!open.empty() && spend()) {
      const std::uint32_t i = open.back();
      open.pop_back();
      if (seen[i] == at) continue;
      seen[i] = at;
      const Pattern::Code& code = pattern_.code_[i];
      switch (code.op) {
        case Pattern::Op::kOne:
        case Pattern::Op::kOneOf: to.push_back(i); break;
        case Pattern::Op::kMatched: return true;
        case Pattern::Op::kGoTo: open.push_back(code.a); break;
        case Pattern::Op::kEither:
          open.push_back(code.b);
          open.push_back(code.a);
          break;
        case Pattern::Op::kAhead:
        case Pattern::Op::kNotAhead: {
          const bool found = search(i + 1, at, false);
          if (found == (code.op == Pattern::Op::kAhead)) open.push_back(code.a);
          break;
        }
        default:
          if (holds(code.op, at)) open.push_back(i + 1);
      }
    }
    return false;
  }

  bool holds(Pattern::Op op, std::size_t at) const {
    if (op == Pattern::Op::kBegin) return at == 0;
    if (op == Pattern::Op::kEnd) return at == text_.size();
    const bool before = at > 0 && is_word(text_[at - 1]);
    const bool behind = at < text_.size() && is_word(text_[at]);
    return (before != behind) == (op == Pattern::Op::kEdge);
  }

  const Pattern& pattern_;
  const std::vector<char32_t>& text_;
  std::uint64_t& work_;
  bool spent_ = false;
};

std::variant<Pattern, Pattern::Wrong> Pattern::parse(std::string_view text) {
  if (text.size() > kMaxText) {
    return Wrong{"it is longer than " + std::to_string(kMaxText) + " bytes"};
  }
  return PatternReader(text).read();
}

Pattern::Found Pattern::search(std::string_view utf8, std::uint64_t& work) const {
  const std::vector<char32_t> text = characters_of(utf8);
  PatternRun run(*this, text, work);
  const bool found = run.search(0, 0, true);
  if (run.out_of_work()) return Found::kTooMuchWork;
  return found ? Found::kYes : Found::kNo;
}

}  // namespace stepwell
