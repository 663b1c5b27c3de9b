// Parses JSONPath as Jayway's compiler does: a text is refused here exactly when it is there.
#include <algorithm>
#include <charconv>

#include "language/expr/filter.h"
#include "language/expr/path_parts.h"

namespace stepwell::expr {
namespace {

using PartsRef = std::shared_ptr<const JsonPath::Parts>;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 63));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 63));
    out += static_cast<char>(0x80 | (code & 63));
  } else {
    out += static_cast<char>(0xf0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 63));
    out += static_cast<char>(0x80 | (code >> 6 & 63));
    out += static_cast<char>(0x80 | (code & 63));
  }
}

// Four hex digits at `at`, or nothing.
std::optional<std::uint32_t> hex4(std::string_view text, std::size_t at) {
  std::uint32_t code = 0;
  if (at + 4 > text.size()) return std::nullopt;
  const auto end = std::from_chars(text.data() + at, text.data() + at + 4, code, 16);
  return end.ptr == text.data() + at + 4 ? std::optional(code) : std::nullopt;
}

class PathParser {
 public:
  PathParser(std::string_view text, std::size_t depth) : text_(text), depth_(depth) {}

  Parsed<PartsRef> parse() {
    if (depth_ > kMaxExpressionDepth) return SyntaxError{"nested too deeply", 0};
    auto parts = std::make_shared<JsonPath::Parts>();
    parts->text = std::string(text_);
    parts_ = parts.get();
    at_ = 1;
    if (text_.empty() || (text_[0] != '$' && text_[0] != '@')) {
      return SyntaxError{"a path begins with '$'", 0};
    }
    if (!read_root()) return error_;
    while (at_ < text_.size()) {
      if (!read_token()) return error_;
    }
    finish();
    return PartsRef(parts);
  }

 private:
  // `$`, `$$`, or `$name`.
  bool read_root() {
    if (at_ < text_.size() && text_[0] == '$' && text_[at_] == '$') {
      parts_->root = JsonPath::Root::kContext;
      ++at_;
    } else if (at_ < text_.size() && text_[0] == '$' && text_[at_] != '.' && text_[at_] != '[') {
      const std::size_t end = std::min(text_.find_first_of(".[", at_), text_.size());
      const std::string_view name = text_.substr(at_, end - at_);
      if (!is_name(name)) return fail("Illegal character at position 1 expected '.' or '['");
      parts_->root = JsonPath::Root::kVariable;
      parts_->variable = std::string(name);
      at_ = end;
    }
    if (at_ < text_.size() && text_[at_] != '.' && text_[at_] != '[') {
      return fail("Illegal character at position " + std::to_string(at_) + " expected '.' or '['");
    }
    if (text_.back() == '.') return fail("Path must not end with a '.' or '..'");
    return true;
  }

  static bool is_name(std::string_view name) {
    if (name.empty() || is_digit(name[0]) || count_characters(name) > 80) return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
      return c == '_' || is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
             static_cast<unsigned char>(c) >= 0x80;
    });
  }

  bool read_token() {
    if (text_[at_] == '[') return read_bracket();
    if (text_[at_] == '.') return read_dot();
    if (text_[at_] == '*') {
      ++at_;
      return add(Wildcard{});
    }
    return read_property();
  }

  bool read_dot() {
    if (at_ + 1 < text_.size() && text_[at_ + 1] == '.') {
      at_ += 2;
      add(Descent{});
    } else {
      ++at_;
    }
    if (at_ >= text_.size()) return fail("Path must not end with a '.' or '..'");
    if (text_[at_] == '.') {
      return fail("Character '.' on position " + std::to_string(at_) + " is not valid.");
    }
    return read_token();
  }

  bool read_property() {
    if (text_[at_] == ' ') return could_not_parse();
    const std::size_t begin = at_;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '.' || c == '[') break;
      if (c == '(') return read_function(std::string(text_.substr(begin, at_ - begin)));
      if (c == ' ') {
        return fail(
            "Use bracket notation ['my prop'] if your property contains blank characters. "
            "position: " +
            std::to_string(at_));
      }
    }
    return add(Names{{std::string(text_.substr(begin, at_ - begin))}});
  }

  bool read_function(std::string name) {
    static constexpr const char* kNames[] = {"length", "size", "min",    "max",    "avg",
                                             "stddev", "sum",  "concat", "append", "keys",
                                             "first",  "last", "index"};
    const bool known = std::any_of(std::begin(kNames), std::end(kNames),
                                   [&](const char* one) { return name == one; });
    if (!known) return fail("Function with name: " + name + " does not exist.");
    const std::size_t close = text_.find(')', at_);
    if (close == std::string_view::npos)
      return fail("Arguments to function: '" + name + "' are not closed properly.");
    const std::string inside(text_.substr(at_ + 1, close - at_ - 1));
    FunctionCall call{std::move(name), {}};
    if (!inside.empty()) {
      auto arguments = parse_json("[" + inside + "]");
      if (!arguments.ok()) return fail("Function parameters must be JSON: " + inside);
      call.arguments = arguments->as_array();
    }
    at_ = close + 1;
    parts_->definite = parts_->definite && true;
    parts_->reference = false;
    return add(std::move(call));
  }

  // ---- brackets -------------------------------------------------------------------------------
  std::size_t significant(std::size_t from) const {
    while (from < text_.size() && text_[from] == ' ') ++from;
    return from;
  }
  char at(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }

  bool read_bracket() {
    const std::size_t first = significant(at_ + 1);
    const char c = at(first);
    if (c == '\'' || c == '"') return read_names(c);
    if (is_digit(c) || c == '-' || c == ':') return read_numbers();
    if (c == '*') {
      const std::size_t close = significant(first + 1);
      if (at(close) != ']') {
        return fail("Expected wildcard token to end with ']' on position " +
                    std::to_string(first + 1));
      }
      at_ = close + 1;
      return add(Wildcard{});
    }
    if (c == '?') return read_filter(first);
    return could_not_parse_bracket();
  }

  bool read_names(char quote) {
    Names names{{}, quote};
    bool inside = false, escaped = false, after_comma = false, closed = false;
    std::size_t begin = 0, i = at_ + 1;
    for (; i < text_.size() && !closed; ++i) {
      const char c = text_[i];
      if (escaped) {
        escaped = false;
      } else if (c == '\\') {
        escaped = true;
      } else if (c == ']' && !inside) {
        if (after_comma) return fail("Found empty property at index " + std::to_string(i));
        closed = true;
      } else if (c == quote && inside) {
        const char next = at(significant(i + 1));
        if (next != ']' && next != ',') {
          return fail(
              "Property must be separated by comma or Property must be terminated close "
              "square bracket at index " +
              std::to_string(i));
        }
        std::string name;
        if (!unescape(text_.substr(begin, i - begin), name)) return false;
        names.names.push_back(std::move(name));
        inside = false;
      } else if (c == quote) {
        begin = i + 1;
        inside = true;
        after_comma = false;
      } else if (c == ',' && !inside) {
        if (after_comma) return fail("Found empty property at index " + std::to_string(i));
        after_comma = true;
      } else if (!inside && after_comma && c != ' ' && c != '\t' && c != '\r' && c != '\n') {
        return fail("Found empty property at index " + std::to_string(i));
      }
    }
    if (inside || !closed) {
      return fail(std::string("Property has not been closed - missing closing ") + quote);
    }
    at_ = i;
    return add(std::move(names));
  }

  // Java's escapes: \b \f \n \r \t and \uXXXX; any other escaped character stands for itself.
  bool unescape(std::string_view raw, std::string& out) {
    for (std::size_t i = 0; i < raw.size(); ++i) {
      if (raw[i] != '\\' || i + 1 >= raw.size()) {
        out += raw[i];
        continue;
      }
      const char c = raw[++i];
      constexpr std::string_view kLetters = "bfnrt", kMeanings = "\b\f\n\r\t";
      if (const auto known = kLetters.find(c); known != std::string_view::npos) {
        out += kMeanings[known];
      } else if (c != 'u') {
        out += c;
      } else if (i + 4 < raw.size()) {
        const auto code = hex4(raw, i + 1);
        if (!code)
          return fail("Unable to parse unicode value: " + std::string(raw.substr(i + 1, 4)));
        i += 4;
        const auto low = at_low_surrogate(raw, i + 1);
        if (*code >= 0xd800 && *code < 0xdc00 && low) {
          append_utf8(out, 0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00));
          i += 6;
        } else if (*code >= 0xd800 && *code < 0xe000) {
          out += '?';  // Half of a surrogate pair: Java writes it so.
        } else {
          append_utf8(out, *code);
        }
      } else {
        return true;  // An escape that the text's end cuts off adds nothing.
      }
    }
    return true;
  }

  static std::optional<std::uint32_t> at_low_surrogate(std::string_view raw, std::size_t i) {
    if (raw.substr(std::min(i, raw.size()), 2) != "\\u") return std::nullopt;
    const auto code = hex4(raw, i + 2);
    return code && *code >= 0xdc00 && *code < 0xe000 ? code : std::nullopt;
  }

  bool read_numbers() {
    const std::size_t close = text_.find(']', at_);
    if (close == std::string_view::npos) return could_not_parse_bracket();
    std::string_view inside = text_.substr(at_ + 1, close - at_ - 1);
    while (!inside.empty() && inside.front() == ' ') inside.remove_prefix(1);
    while (!inside.empty() && inside.back() == ' ') inside.remove_suffix(1);
    const bool plain = std::all_of(inside.begin(), inside.end(), [](char c) {
      return is_digit(c) || c == ',' || c == '-' || c == ':' || c == ' ';
    });
    if (!plain) return could_not_parse_bracket();
    at_ = close + 1;
    return inside.find(':') != std::string_view::npos ? read_slice(inside) : read_indexes(inside);
  }

  static std::optional<std::int64_t> number(std::string_view text) {
    std::int32_t value = 0;  // Java's int.
    const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = end.ec == std::errc() && end.ptr == text.data() + text.size();
    return whole && !text.empty() ? std::optional<std::int64_t>(value) : std::nullopt;
  }

  bool read_indexes(std::string_view inside) {
    Indexes indexes;
    for (std::size_t from = 0; from <= inside.size();) {
      const std::size_t comma = std::min(inside.find(',', from), inside.size());
      std::string_view one = inside.substr(from, comma - from);
      while (!one.empty() && one.front() == ' ' && from > 0) one.remove_prefix(1);
      while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
      const auto index = number(one);
      if (!index) {
        return fail("Failed to parse token in ArrayIndexOperation: " + std::string(one));
      }
      indexes.indexes.push_back(*index);
      from = comma + 1;
    }
    return add(std::move(indexes));
  }

  bool read_slice(std::string_view inside) {
    const auto bad = [&] { return fail("Failed to parse SliceOperation: " + std::string(inside)); };
    if (inside.find_first_of(" ,") != std::string_view::npos) return bad();
    const std::size_t colon = inside.find(':');
    const std::size_t second = std::min(inside.find(':', colon + 1), inside.size());
    const std::string_view from = inside.substr(0, colon);
    const std::string_view to = inside.substr(colon + 1, second - colon - 1);
    Slice slice;
    if (!from.empty() && !(slice.from = number(from))) return bad();
    if (!to.empty() && !(slice.to = number(to))) return bad();
    if (from.empty() && to.empty()) return bad();
    return add(slice);
  }

  bool read_filter(std::size_t question) {
    const std::size_t open = significant(question + 1);
    if (at(open) != '(') return could_not_parse_bracket();
    const auto close = closing(open);
    if (!close) return could_not_parse_bracket();
    const std::size_t end = significant(*close + 1);
    if (at(end) != ']') return could_not_parse_bracket();
    auto filter = parse_filter(text_.substr(open + 1, *close - open - 1), open + 1, depth_ + 1);
    if (auto* wrong = std::get_if<SyntaxError>(&filter)) {
      error_ = std::move(*wrong);
      return false;
    }
    at_ = end + 1;
    return add(FilterStep{std::make_shared<const Filter>(std::move(std::get<Filter>(filter)))});
  }

  // The parenthesis that closes the one at `open`; those in strings and patterns do not count.
  std::optional<std::size_t> closing(std::size_t open) const {
    std::size_t depth = 0;
    char quote = '\0';
    for (std::size_t i = open; i < text_.size(); ++i) {
      const char c = text_[i];
      if (c == '\\') {
        ++i;
      } else if (quote != '\0') {
        if (c == quote) quote = '\0';
      } else if (c == '\'' || c == '"' || (c == '/' && i > 0 && starts_pattern(i))) {
        quote = c;
      } else if (c == '(') {
        ++depth;
      } else if (c == ')' && --depth == 0) {
        return i;
      }
    }
    return std::nullopt;
  }
  bool starts_pattern(std::size_t slash) const {
    std::size_t i = slash;
    while (i > 0 && text_[i - 1] == ' ') --i;
    return i > 0 && text_[i - 1] == '~';
  }

  bool add(PathStep step) {
    parts_->steps.push_back(std::move(step));
    return true;
  }

  void finish() {
    const auto& steps = parts_->steps;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const bool last = i + 1 == steps.size();
      if (const auto* names = std::get_if<Names>(&steps[i])) {
        if (names->names.size() > 1) parts_->reference = false;
        if (names->names.size() > 1 && !last) parts_->definite = false;
      } else if (const auto* indexes = std::get_if<Indexes>(&steps[i])) {
        if (indexes->indexes.size() > 1) parts_->reference = parts_->definite = false;
        if (indexes->indexes.size() == 1 && indexes->indexes[0] < 0) parts_->reference = false;
      } else if (std::holds_alternative<FunctionCall>(steps[i])) {
        parts_->reference = false;
      } else {
        parts_->reference = parts_->definite = false;
      }
    }
    const bool ends_in_function =
        !steps.empty() && std::holds_alternative<FunctionCall>(steps.back());
    if (ends_in_function) parts_->definite = true;
    if (parts_->root != JsonPath::Root::kInput) parts_->reference = false;
  }

  bool fail(std::string message) {
    error_ = {std::move(message), at_};
    return false;
  }
  bool could_not_parse() {
    return fail("Could not parse token starting at position " + std::to_string(at_));
  }
  bool could_not_parse_bracket() {
    return fail("Could not parse token starting at position " + std::to_string(at_) +
                ". Expected ?, ', 0-9, * ");
  }

  std::string_view text_;
  std::size_t depth_;
  std::size_t at_ = 0;
  JsonPath::Parts* parts_ = nullptr;
  SyntaxError error_;
};

}  // namespace

Parsed<PartsRef> parse_parts(std::string_view text, std::size_t depth) {
  return PathParser(text, depth).parse();
}

Parsed<JsonPath> JsonPath::parse(std::string_view text) {
  if (text.size() > kMaxExpressionBytes) {
    return SyntaxError{"longer than " + std::to_string(kMaxExpressionBytes) + " bytes", 0};
  }
  auto parts = PathParser(text, 0).parse();
  if (auto* wrong = std::get_if<SyntaxError>(&parts)) return std::move(*wrong);
  auto& ref = std::get<PartsRef>(parts);
  if (ref->text[0] != '$') return SyntaxError{"a path begins with '$'", 0};
  return JsonPath(std::move(ref));
}

}  // namespace stepwell::expr
