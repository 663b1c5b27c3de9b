// YAML with positions, from yaml-cpp's events.  Only this file knows yaml-cpp.
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "dsl/yaml/columns.h"
#include "dsl/yaml/escapes.h"
#include "dsl/yaml/node_builder.h"
#include "dsl/yaml/readers.h"
#include "dsl/yaml/scalar.h"
#include "dsl/yaml/yaml_mistakes.h"

namespace stepwell::dsl {

namespace {

// Thrown through yaml-cpp to stop it; the reason is in the findings.
struct Stop {};

constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";

class EventReader : public YAML::EventHandler {
 public:
  EventReader(Document& document, const Escapes& escapes, Findings& findings)
      : text_(document.text), escapes_(escapes), columns_(text_), builder_(document, findings) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (builder_.is_complete()) {
      stop(builder_.fail("second-document", plain_place(mark, 1),
                         "a second YAML document begins here; a file holds one"));
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    // A null that is not written ("key:") has no place of its own: its place is that of the key.
    const bool is_written = rest_at(mark).substr(0, 1).find_first_of("~nN&!") == 0;
    const Place where = is_written || !builder_.in_object() ? scalar_place(mark, "", false)
                                                            : builder_.pending_key_place();
    if (builder_.expects_key()) {
      check_bracket(where);
      stop(builder_.fail("key-not-string", scalar_place(mark, "", false),
                         "a key is missing here, or is null"));
    }
    stop(builder_.scalar(Value(), where, false));
    remember(anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const Place where = plain_place(mark, 1);
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      stop(builder_.fail("alias-cycle", where, "this alias stands inside of what it refers to"));
    }
    if (!builder_.expects_key()) return stop(builder_.alias(*found->second, where));
    if (!found->second->value.is_string()) {
      stop(builder_.fail("key-not-string", where, "a key must be a string"));
    }
    stop(builder_.key(found->second->value.as_string(), where));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& given) override {
    const bool is_quoted = tag == "!";
    const bool is_double_quoted = is_quoted && rest_from(node_place(mark).offset).starts_with('"');
    const std::string value = escapes_.mended(given, is_double_quoted);
    const Place where = scalar_place(mark, value, is_quoted);
    if (is_quoted) check_closed(where);
    if (!is_utf8(value)) {
      stop(builder_.fail("not-utf8", where, "an escape in this string is not a Unicode character"));
    }
    if (builder_.expects_key()) {
      if (!is_quoted && value == "<<") builder_.note_merge_key(where);
      return stop(builder_.key(value, where));
    }
    stop(builder_.scalar(resolve(tag, value, where), where, is_quoted));
    remember(anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(false, mark, tag, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(true, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

  bool is_complete() const { return builder_.is_complete(); }
  std::string pointer() const { return builder_.pointer(); }
  // yaml-cpp counts bytes, in columns too.
  Place plain_place(const YAML::Mark& mark, std::uint32_t length) {
    const auto offset = static_cast<std::uint32_t>(std::max(mark.pos, 0));
    const auto before = static_cast<std::uint32_t>(std::max(mark.column, 0));
    return {static_cast<std::uint32_t>(mark.line + 1),
            columns_.at(offset - std::min(offset, before), offset), length, offset};
  }

 private:
  static void stop(bool is_within) {
    if (!is_within) throw Stop{};
  }

  std::string_view rest_from(std::size_t offset) const {
    return text_.substr(std::min(offset, text_.size()));
  }
  std::string_view rest_at(const YAML::Mark& mark) const {
    return rest_from(static_cast<std::size_t>(std::max(mark.pos, 0)));
  }
  // The place of the value itself: yaml-cpp's mark is that of the anchor or tag before it.
  Place node_place(const YAML::Mark& mark) {
    Place place = plain_place(mark, 1);
    std::size_t i = place.offset;
    const auto advance = [&] {
      const char c = text_[i++];
      place.column = c == '\n' ? 1 : place.column + characters_of({&c, 1});
      place.line += c == '\n' ? 1 : 0;
    };
    while (i < text_.size() && (text_[i] == '&' || text_[i] == '!')) {
      while (i < text_.size() && !std::isspace(static_cast<unsigned char>(text_[i]))) advance();
      while (i < text_.size() && std::isspace(static_cast<unsigned char>(text_[i]))) advance();
    }
    place.offset = static_cast<std::uint32_t>(i);
    return place;
  }
  Place scalar_place(const YAML::Mark& mark, std::string_view value, bool is_quoted) {
    Place place = node_place(mark);
    const std::string_view rest = rest_from(place.offset);
    const std::size_t line_end = std::min(rest.find_first_of("\r\n"), rest.size());
    std::size_t length = line_end;
    if (is_quoted) {
      length = std::min(quoted_length(rest).value_or(line_end), line_end);
    } else if (rest.substr(0, value.size()) == value && !value.empty()) {
      length = std::min(value.size(), line_end);
    } else if (value.empty()) {
      length = rest.substr(0, 1) == "~" ? 1 : rest.size() >= 4 && line_end >= 4 ? 4 : 1;
    }
    place.length = std::max<std::uint32_t>(characters_of(rest.substr(0, length)), 1);
    return place;
  }
  // The length of a quoted scalar with its quotes, of a block scalar to the end of its first line;
  // nothing when the quote is never closed.
  static std::optional<std::size_t> quoted_length(std::string_view rest) {
    const char quote = rest.empty() ? ' ' : rest[0];
    if (quote != '"' && quote != '\'') return rest.find_first_of("\r\n");
    for (std::size_t i = 1; i < rest.size(); ++i) {
      if (quote == '"' && rest[i] == '\\') {
        ++i;
      } else if (rest[i] == quote) {
        const bool is_escaped = quote == '\'' && i + 1 < rest.size() && rest[i + 1] == '\'';
        if (!is_escaped) return i + 1;
        ++i;
      }
    }
    return std::nullopt;
  }
  // yaml-cpp accepts the end of the text in place of a closing quote; we report it.
  void check_closed(const Place& where) {
    if (!quoted_length(rest_from(where.offset))) {
      stop(builder_.fail("yaml-syntax", where, "this quote is never closed"));
    }
  }

  // yaml-cpp takes a bracket that is never closed for the beginning of a key; we report the
  // bracket.
  void check_bracket(const Place& where) {
    const char first = where.offset < text_.size() ? text_[where.offset] : ' ';
    if (first != '{' && first != '[') return;
    std::string open;
    for (std::size_t i = where.offset; i < text_.size(); ++i) {
      const char c = text_[i];
      if (c == '"' || c == '\'') {
        i += quoted_length(text_.substr(i)).value_or(1) - 1;
      } else if (c == '{' || c == '[') {
        open += c;
      } else if (c == '}' || c == ']') {
        open.pop_back();
        if (open.empty()) return;
      }
    }
    stop(builder_.fail("yaml-syntax", where, std::string("this ") + open[0] + " is not closed",
                       std::string("a ") + (open[0] == '{' ? '}' : ']') + " is missing"));
  }

  Value resolve(const std::string& tag, const std::string& value, const Place& where) {
    if (tag == "!" || tag == std::string(kTagPrefix) + "str") return Value(value);
    const std::optional<Value> plain = resolve_plain(value);
    if (!plain) {
      stop(builder_.fail("number-too-large", where,
                         "no 64-bit number can hold " + value.substr(0, 40),
                         "put it in quotes if it is meant as text"));
    }
    if (plain->is_double() && is_whole_number(value)) builder_.note_rounded(where, value);
    if (tag == "?" || tag.empty()) return *plain;
    const std::string name = tag.starts_with(kTagPrefix) ? tag.substr(kTagPrefix.size()) : tag;
    const bool fits = (name == "int" && plain->is_int()) ||
                      (name == "float" && plain->is_number()) ||
                      (name == "bool" && plain->is_bool()) || (name == "null" && plain->is_null());
    if (!fits) stop(bad_tag(tag, where));
    return *plain;
  }
  bool bad_tag(const std::string& tag, const Place& where) {
    return builder_.fail("unknown-tag", where,
                         "the tag " + tag + " does not fit here, or is not one of JSON's types",
                         "write the value without a tag");
  }

  void open(bool is_object, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    const Place where = node_place(mark);
    if (builder_.expects_key()) {
      check_bracket(where);
      stop(builder_.fail("key-not-string", where, "a key must be a string",
                         "a list or a mapping cannot be a key; is a quote missing?"));
    }
    const bool is_plain = tag.empty() || tag == "?" || tag == "!" ||
                          tag == std::string(kTagPrefix) + (is_object ? "map" : "seq");
    if (!is_plain) stop(bad_tag(tag, where));
    stop(builder_.open(is_object, where));
    open_anchors_.push_back(anchor);
  }
  void close() {
    builder_.close();
    remember(open_anchors_.back());
    open_anchors_.pop_back();
  }
  void remember(YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = builder_.latest();
  }

  std::string_view text_;
  const Escapes& escapes_;
  Columns columns_;
  NodeBuilder builder_;
  std::map<YAML::anchor_t, const Node*> anchors_;  // Of finished nodes.
  std::vector<YAML::anchor_t> open_anchors_;
};

}  // namespace

ReadEnd read_yaml_text(Document& document, Findings& findings) {
  const Escapes escapes(document.text);
  EventReader reader(document, escapes, findings);
  ReadEnd end = ReadEnd::kRead;
  try {
    std::istringstream stream{escapes.text()};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(reader)) {
    }
  } catch (const Stop&) {
    end = ReadEnd::kBound;
  } catch (const YAML::Exception& mistake) {
    const YAML::Mark& mark = mistake.mark;
    report_yaml_mistake(document.text, reader.plain_place(mark, 1), mistake.msg, reader.pointer(),
                        findings);
    end = ReadEnd::kSyntax;
  }
  if (end == ReadEnd::kRead && !reader.is_complete()) {  // "%YAML 1.2" and nothing behind it.
    findings.error("empty-document", {}, "", "there is no document in this text");
    end = ReadEnd::kBound;
  }
  if (end != ReadEnd::kRead) document.root = nullptr;
  return end;
}

}  // namespace stepwell::dsl
