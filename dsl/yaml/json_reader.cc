// JSON with positions: one pass, no recursion, one token at a time.
#include "dsl/yaml/columns.h"
#include "dsl/yaml/node_builder.h"
#include "dsl/yaml/readers.h"
#include "dsl/yaml/scalar.h"

namespace stepwell::dsl {

namespace {

class JsonReader {
 public:
  JsonReader(Document& document, Findings& findings)
      : text_(document.text), columns_(text_), builder_(document, findings) {}

  ReadEnd run() {
    Expect expect = Expect::kValue;
    while (expect != Expect::kEnd) {
      skip_space();
      if (at_ == text_.size()) return syntax("the JSON text ends too early");
      if (!take(expect)) return end_;
    }
    skip_space();
    if (at_ < text_.size()) return syntax("there is more text behind the end of the JSON value");
    return ReadEnd::kRead;
  }

 private:
  enum class Expect { kValue, kValueOrClose, kKey, kKeyOrClose, kCommaOrClose, kEnd };

  char here() const { return text_[at_]; }
  // Of the next `length` bytes.
  Place place(std::size_t length) {
    return {line_, columns_.at(line_start_, at_), characters_of(text_.substr(at_, length)),
            static_cast<std::uint32_t>(at_)};
  }
  void skip_space() {
    for (; at_ < text_.size(); ++at_) {
      if (here() == '\n') {
        ++line_;
        line_start_ = at_ + 1;
      } else if (here() != ' ' && here() != '\t' && here() != '\r') {
        return;
      }
    }
  }
  ReadEnd syntax(std::string message, std::size_t length = 1) {
    builder_.fail("json-syntax", place(length), std::move(message));
    return end_ = ReadEnd::kSyntax;
  }
  bool bounded(bool is_within) {
    if (!is_within) end_ = ReadEnd::kBound;
    return is_within;
  }
  Expect after_value() const {
    return builder_.is_complete() ? Expect::kEnd : Expect::kCommaOrClose;
  }

  // Reads one token and sets what may follow it.  False when reading must stop.
  bool take(Expect& expect) {
    const char c = here();
    const bool may_close = expect == Expect::kValueOrClose || expect == Expect::kKeyOrClose ||
                           expect == Expect::kCommaOrClose;
    if (may_close && c == (builder_.in_object() ? '}' : ']')) {
      ++at_;
      builder_.close();
      expect = after_value();
      return true;
    }
    switch (expect) {
      case Expect::kCommaOrClose:
        if (c != ',') {
          syntax(builder_.in_object() ? "expected , or } here" : "expected , or ] here");
          return false;
        }
        ++at_;
        expect = builder_.in_object() ? Expect::kKey : Expect::kValue;
        return true;
      case Expect::kKey:
      case Expect::kKeyOrClose: return take_key(expect);
      case Expect::kValue:
      case Expect::kValueOrClose: return take_value(expect);
      case Expect::kEnd: break;
    }
    return false;
  }

  bool take_key(Expect& expect) {
    if (here() != '"') {
      syntax("expected a key in double quotes here");
      return false;
    }
    const Place where = place(string_length());
    Value name;
    if (!read_string(name)) return false;
    if (!bounded(builder_.key(name.as_string(), where))) return false;
    skip_space();
    if (at_ == text_.size() || here() != ':') {
      syntax("expected : after the key");
      return false;
    }
    ++at_;
    expect = Expect::kValue;
    return true;
  }

  bool take_value(Expect& expect) {
    const char c = here();
    if (c == '{' || c == '[') {
      if (!bounded(builder_.open(c == '{', place(1)))) return false;
      ++at_;
      expect = c == '{' ? Expect::kKeyOrClose : Expect::kValueOrClose;
      return true;
    }
    if (c == '"') {
      const Place where = place(string_length());
      Value text;
      if (!read_string(text) || !bounded(builder_.scalar(std::move(text), where, true))) {
        return false;
      }
    } else if (!take_word()) {
      return false;
    }
    expect = after_value();
    return true;
  }

  // Reads true, false, null or a number.
  bool take_word() {
    std::size_t end = at_;
    while (end < text_.size() &&
           std::string_view(" \t\r\n,:[]{}\"").find(text_[end]) == std::string_view::npos) {
      ++end;
    }
    const std::string_view word = text_.substr(at_, end - at_);
    const std::optional<Value> value = resolve_plain(word);
    if (!value) {
      bounded(builder_.fail("number-too-large", place(word.size()),
                            "no 64-bit number can hold " + std::string(word.substr(0, 40))));
      return false;
    }
    const bool is_json =
        !value->is_string() && !word.empty() &&
        (value->is_number() || word == "true" || word == "false" || word == "null");
    if (!is_json) {
      syntax(word.empty() ? "expected a value here"
                          : "expected a value here; a string needs double quotes",
             word.size());
      return false;
    }
    if (value->is_double() && is_whole_number(word)) {
      builder_.note_rounded(place(word.size()), word);
    }
    if (!bounded(builder_.scalar(*value, place(word.size()), false))) return false;
    at_ = end;
    return true;
  }

  // The length of the string that begins here, with its quotes; to the end of the text when the
  // closing quote is missing.
  std::size_t string_length() const {
    for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
      if (text_[i] == '\\') {
        ++i;
      } else if (text_[i] == '"') {
        return i + 1 - at_;
      }
    }
    return text_.size() - at_;
  }

  bool read_string(Value& value) {
    const std::string_view token = text_.substr(at_, string_length());
    if (token.find("\\u0000") != std::string_view::npos) {
      return bounded(
          builder_.fail("nul-character", place(token.size()), "a string holds the character NUL"));
    }
    const std::string_view inside = token.substr(1, token.size() < 2 ? 0 : token.size() - 2);
    for (const char c : token) {
      if (static_cast<unsigned char>(c) < 0x20) {
        syntax("a string does not end on its line, or holds a control character");
        return false;
      }
    }
    if (token.size() < 2 || token.back() != '"') {
      syntax("this string has no closing quote");
      return false;
    }
    if (inside.find('\\') == std::string_view::npos) {
      value = Value(inside);
    } else {
      Result<Value> parsed = parse_json(token);
      if (!parsed.ok()) {
        syntax("this string holds an escape that JSON does not have", token.size());
        return false;
      }
      value = std::move(parsed).value();
    }
    at_ += token.size();
    return true;
  }

  std::string_view text_;
  Columns columns_;
  NodeBuilder builder_;
  std::size_t at_ = 0, line_start_ = 0;
  std::uint32_t line_ = 1;
  ReadEnd end_ = ReadEnd::kRead;
};

}  // namespace

ReadEnd read_json_text(Document& document, Findings& findings) {
  const ReadEnd end = JsonReader(document, findings).run();
  if (end != ReadEnd::kRead) document.root = nullptr;
  return end;
}

}  // namespace stepwell::dsl
