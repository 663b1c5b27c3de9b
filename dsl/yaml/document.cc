#include "dsl/yaml/document.h"

#include <algorithm>

#include "dsl/yaml/brackets.h"
#include "dsl/yaml/readers.h"

namespace stepwell::dsl {

namespace {

Place place_of(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t newline = before.rfind('\n');
  const std::size_t line_start = newline == std::string_view::npos ? 0 : newline + 1;
  return {static_cast<std::uint32_t>(1 + std::count(before.begin(), before.end(), '\n')),
          characters_of(before.substr(line_start)) + 1, 1, static_cast<std::uint32_t>(offset)};
}

std::size_t first_bad_utf8(std::string_view text) {
  // By halves: text up to the beginning of a character is UTF-8 exactly when the bad byte is later.
  std::size_t good = 0, bad = text.size();
  while (bad - good > 1) {
    std::size_t middle = good + (bad - good) / 2;
    std::size_t cut = middle;
    while (cut > good && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) --cut;
    if (cut == good) {
      cut = middle;
      while (cut < bad && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) ++cut;
      if (cut >= bad) break;
    }
    if (is_utf8(text.substr(good, cut - good))) {
      good = cut;
    } else {
      bad = cut;
    }
  }
  return good;
}

// Is it UTF-8 without NUL, and within the limits?  Before anything is parsed.
bool is_readable(std::string_view text, Findings& findings) {
  if (text.size() > kMaxBytes) {
    findings.error("too-large", {}, "",
                   "the text has " + std::to_string(text.size()) + " bytes; at most " +
                       std::to_string(kMaxBytes) + " are allowed");
    return false;
  }
  if (!is_utf8(text)) {
    findings.error("not-utf8", place_of(text, first_bad_utf8(text)), "",
                   "the text is not UTF-8 from here on", "save the file as UTF-8");
    return false;
  }
  const std::size_t nul = text.find('\0');
  if (nul != std::string_view::npos) {
    findings.error("nul-character", place_of(text, nul), "", "the text holds the character NUL");
    return false;
  }
  return true;
}

void read_yaml(Document& document, Findings& findings) {
  if (const std::optional<TooDeep> deep = too_deep(document.text)) {
    findings.error("too-deep", place_of(document.text, deep->at), "",
                   deep->in_text_alone
                       ? "far too many brackets are open here, those in texts included"
                       : "nested deeper than " + std::to_string(kMaxDepth) + " levels");
    return;
  }
  read_yaml_text(document, findings);
}

bool is_blank(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first != std::string_view::npos && line[first] != '#') return false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return true;
}

bool starts_like_json(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

// A text that begins with {" is meant as JSON, so a mistake in it is reported as one of JSON.
bool is_meant_as_json(std::string_view text, std::string_view file) {
  if (file.ends_with(".json")) return true;
  const std::size_t first = text.find('{');
  const std::size_t second =
      first == std::string_view::npos ? first : text.find_first_not_of(" \t\r\n", first + 1);
  return second != std::string_view::npos && text[second] == '"';
}

void copy_into(Findings& findings, Findings& from) {
  for (Diagnostic& one : from.take()) {
    const Place place{one.line, one.column, one.length, 0};
    findings.error(one.code, place, one.pointer, one.message, one.hint).aws_code = one.aws_code;
  }
}

// Lays the value of a string scalar beside its text, to tell which bytes of the value stand where.
// Indentation, folded lines and escapes are in the text only.
class Alignment {
 public:
  Alignment(std::string_view text, const Node& scalar)
      : text_(text), value_(scalar.value.as_string()), here_(scalar.place) {
    here_.length = 1;
    if (!scalar.is_quoted || is_at_end()) return;
    quote_ = text_[here_.offset];
    while (is_block() && !is_at_end() && text_[here_.offset] != '\n') advance();
    if (!is_at_end()) advance();
  }

  std::vector<Document::Stretch> find() {
    while (at_ < value_.size()) {
      if (is_at_end()) return {};
      const char c = text_[here_.offset];
      const bool is_fold = c == '\n' && value_[at_] == ' ';
      if (c == '\\' && quote_ == '"') {
        if (!pass_escape()) return {};
      } else if (c == value_[at_] || is_fold) {
        take(1);
        // Within a stretch each byte is a column, so one ends behind a character of several bytes.
        const bool is_ascii = (static_cast<unsigned char>(c) & 0x80) == 0;
        is_straight_ = c != '\n' && (is_ascii || is_within_character());
      } else if (is_space(c) || (c == '\'' && quote_ == '\'')) {
        advance();
        is_straight_ = false;
      } else {
        return {};
      }
    }
    return std::move(found_);
  }

 private:
  static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
  bool is_at_end() const { return here_.offset >= text_.size(); }
  bool is_within_character() const {
    return !is_at_end() && (static_cast<unsigned char>(text_[here_.offset]) & 0xc0) == 0x80;
  }
  bool is_block() const { return quote_ == '|' || quote_ == '>'; }
  void advance() {
    const bool is_newline = text_[here_.offset++] == '\n';
    here_.column = is_newline ? 1 : here_.column + (is_within_character() ? 0 : 1);
    here_.line += is_newline ? 1 : 0;
  }
  // The next byte of the value is the next `length` bytes of the text.
  void take(std::size_t length) {
    if (!is_straight_) found_.push_back({at_, here_});
    for (std::size_t i = 0; i < length; ++i) advance();
    ++at_;
  }
  // An escape in double quotes.  False for \x41 and the like, which expressions do without.
  bool pass_escape() {
    is_straight_ = false;
    const char c = here_.offset + 1 < text_.size() ? text_[here_.offset + 1] : '\0';
    const char meant = c == 'n' ? '\n' : c == 't' ? '\t' : c;
    if (c == '\n') {  // An escaped line break: the string goes on in the next line.
      advance();
      advance();
      return true;
    }
    if (meant != value_[at_]) return false;
    take(2);
    return true;
  }

  std::string_view text_, value_;
  Place here_;
  std::size_t at_ = 0;
  char quote_ = '\0';
  bool is_straight_ = false;
  std::vector<Document::Stretch> found_;
};

}  // namespace

const Member* Node::find(std::string_view key) const {
  for (const Member& member : members) {
    if (member.key == key) return &member;
  }
  return nullptr;
}

std::vector<Document::Stretch> Document::stretches(const Node& scalar) const {
  if (!scalar.value.is_string()) return {};
  return Alignment(text, scalar).find();
}

Place Document::within(const Node& scalar, std::size_t at) const {
  const std::vector<Stretch> all = stretches(scalar);
  const auto next =
      std::find_if(all.begin(), all.end(), [&](const Stretch& stretch) { return stretch.at > at; });
  if (next == all.begin()) return scalar.place;
  const Stretch& stretch = *std::prev(next);
  at = std::min(at, scalar.value.as_string().size());
  Place place = stretch.begin;
  place.column += static_cast<std::uint32_t>(at - stretch.at);
  place.offset += static_cast<std::uint32_t>(at - stretch.at);
  return place;
}

void refuse_outdated(const Document& document, Findings& findings) {
  for (const Document::Outdated& one : document.outdated) {
    if (one.is_merge_key) {
      findings.error("merge-key", one.place, one.pointer,
                     "<< is read as any other key: YAML 1.2 has no merge keys",
                     "write the fields out; an alias can be a whole value, not some of its fields");
    } else {
      findings.error("number-too-large", one.place, one.pointer,
                     "no 64-bit number can hold " + one.text.substr(0, 40),
                     "put it in quotes if it is meant as text");
    }
  }
}

Document read_document(std::string_view text, std::string_view file, Findings& findings) {
  Document document;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  document.text = text;
  if (!is_readable(text, findings)) return document;
  if (is_blank(text)) {
    findings.error("empty-document", {}, "", "there is nothing in this text");
    return document;
  }
  if (!starts_like_json(text) && !file.ends_with(".json")) {
    read_yaml(document, findings);
    return document;
  }
  Findings of_json{std::string(file)};
  const ReadEnd end = read_json_text(document, of_json);
  if (end != ReadEnd::kSyntax || is_meant_as_json(text, file)) {
    copy_into(findings, of_json);
    return document;
  }
  Document again;
  again.text = text;
  read_yaml(again, findings);
  return again;
}

}  // namespace stepwell::dsl
