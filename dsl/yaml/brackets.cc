#include "dsl/yaml/brackets.h"

#include <algorithm>

namespace stepwell::dsl {

namespace {

constexpr std::size_t kMostOpen = 1'000;
constexpr std::size_t kMostOpenInText = 20'000;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::size_t count_open(char c, std::size_t open) {
  if (c == '[' || c == '{') return open + 1;
  return (c == ']' || c == '}') && open > 0 ? open - 1 : open;
}

class Brackets {
 public:
  explicit Brackets(std::string_view text) : text_(text) {}

  std::optional<TooDeep> find() {
    while (at_ < text_.size()) {
      const std::size_t end = std::min(text_.find('\n', at_), text_.size());
      const std::string_view line = text_.substr(at_, end - at_);
      if (is_text(line) ? !pass(line.size()) : !read(line)) return TooDeep{at_, open_ <= kMostOpen};
      at_ = end + 1;
    }
    return std::nullopt;
  }

 private:
  // Does the line belong to a block scalar?
  bool is_text(std::string_view line) {
    const std::size_t indent = line.find_first_not_of(" \t\r");
    if (indent == std::string_view::npos) return true;
    if (block_ == Block::kBegins) {
      block_ = indent > indent_ ? Block::kGoesOn : Block::kNone;
      indent_ = indent;
    } else if (block_ == Block::kGoesOn && indent < indent_) {
      block_ = Block::kNone;
    }
    return block_ == Block::kGoesOn;
  }

  // Passes bytes that are text.  False: too many brackets.
  bool pass(std::size_t bytes) {
    for (const std::size_t end = at_ + bytes; at_ < end; ++at_) {
      if ((open_with_text_ = count_open(text_[at_], open_with_text_)) > kMostOpenInText) {
        return false;
      }
    }
    return true;
  }

  bool read(std::string_view line) {
    const std::size_t begin = at_;
    bool may_begin = true;  // May a string begin here?
    bool is_after_blank = true;
    bool is_indented = true;  // Nothing but blanks and dashes so far.
    for (std::size_t i = 0; i < line.size(); i = at_ - begin) {
      const char c = line[i];
      const std::size_t string = may_begin && (c == '"' || c == '\'') ? quoted(line.substr(i)) : 0;
      const bool is_comment = c == '#' && is_after_blank;
      if (string > 0 || is_comment) {
        if (!pass(is_comment ? line.size() - i : string)) return false;
        may_begin = is_after_blank = is_indented = false;
        continue;
      }
      open_ = count_open(c, open_);
      if (open_ > kMostOpen || !pass(1)) return false;
      if (!is_blank(c)) may_begin = begins_value(line, i, is_indented);
      is_indented = is_indented && (is_blank(c) || c == '-');
      is_after_blank = is_blank(c);
    }
    note_block(line);
    return true;
  }

  // May a value begin behind the character at `i`?
  static bool begins_value(std::string_view line, std::size_t i, bool is_indented) {
    const char c = line[i];
    if (c == '[' || c == '{' || c == ',') return true;
    const bool is_last = i + 1 == line.size();
    if (c == ':')
      return is_last || is_blank(line[i + 1]) ||
             (i > 0 && (line[i - 1] == '"' || line[i - 1] == '\''));
    return c == '-' && is_indented && (is_last || is_blank(line[i + 1]));
  }

  // The length of the quoted string that begins the line and ends in it; 0: it does not end.
  static std::size_t quoted(std::string_view line) {
    for (std::size_t i = 1; i < line.size(); ++i) {
      const bool is_escape = line[0] == '"' ? line[i] == '\\' : line.substr(i, 2) == "''";
      if (is_escape) {
        ++i;
      } else if (line[i] == line[0]) {
        return i + 1;
      }
    }
    return 0;
  }

  // Does a block scalar begin at the end of the line: "key: |", "- >-"?
  void note_block(std::string_view line) {
    while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
    indent_ = std::min(line.find_first_not_of(" \t"), line.size());
    const std::size_t sign = line.find_last_not_of("+-0123456789");
    if (sign == std::string_view::npos || sign == 0) return;
    const bool is_header = (line[sign] == '|' || line[sign] == '>') && line.size() - sign <= 3 &&
                           line[sign - 1] == ' ';
    if (is_header) block_ = Block::kBegins;
  }

  enum class Block { kNone, kBegins, kGoesOn };

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t open_ = 0, open_with_text_ = 0;
  Block block_ = Block::kNone;
  std::size_t indent_ = 0;  // Of the line before, or of the block scalar.
};

}  // namespace

std::optional<TooDeep> too_deep(std::string_view text) { return Brackets(text).find(); }

}  // namespace stepwell::dsl
