#include "language/expr/jsonata/lexer.h"

#include <array>
#include <charconv>
#include <cmath>

#include "language/expr/jsonata/error.h"
#include "language/expr/jsonata/number_text.h"
#include "language/expr/jsonata/text.h"

namespace stepwell::expr::jsonata {

namespace {

constexpr std::array<std::string_view, 10> kLongOperators = {
    "..", ":=", "!=", ">=", "<=", "**", "~>", "?:", "??"};
constexpr std::string_view kOperators = ".[]{}(),@#;:?+-*/%|=<>^&!~";

std::optional<std::uint32_t> four_hex_digits(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  std::uint32_t code = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + 4, code, 16);
  if (error != std::errc() || end != text.data() + 4) return std::nullopt;
  return code;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::string Token::quoted() const {
  if (type == Type::kEnd) return "\"(end)\"";
  if (type == Type::kRegex) return json_quote("/" + regex->pattern() + "/");
  return type == Type::kString || type == Type::kNumber || type == Type::kValue ? value.to_json()
                                                                                : json_quote(text);
}

bool Lexer::is_blank(std::size_t position) const {
  const char c = at(position);
  return position < text_.size() && (c == ' ' || (c >= '\t' && c <= '\r' && c != '\f'));
}

bool Lexer::is_operator(std::size_t position) const {
  return position < text_.size() && kOperators.find(at(position)) != std::string_view::npos;
}

void Lexer::skip_blanks() {
  while (true) {
    while (is_blank(position_)) ++position_;
    if (at(position_) != '/' || at(position_ + 1) != '*') return;
    const std::size_t end = text_.find("*/", position_ + 2);
    if (end == std::string_view::npos) fail_at("S0106", position_);
    position_ = end + 2;
  }
}

Token Lexer::next(bool after_operand) {
  skip_blanks();
  Token token;
  token.at = position_;
  if (position_ >= text_.size()) return token;
  const char c = at(position_);
  if (c == '/' && !after_operand) {
    ++position_;
    return scan_regex();
  }
  if (scan_operator(token)) return token;
  if (c == '"' || c == '\'') return scan_string(c);
  if (scan_number(token)) return token;
  return scan_name();
}

bool Lexer::scan_operator(Token& token) {
  for (const std::string_view op : kLongOperators) {
    if (op.empty() || text_.substr(position_, 2) != op) continue;
    token.type = Token::Type::kOperator;
    token.text = op;
    position_ += 2;
    return true;
  }
  if (!is_operator(position_)) return false;
  token.type = Token::Type::kOperator;
  token.text = at(position_++);
  return true;
}

Token Lexer::scan_string(char quote) {
  Token token;
  token.at = position_++;
  token.type = Token::Type::kString;
  std::string out;
  while (position_ < text_.size()) {
    const char c = at(position_);
    if (c == quote) {
      ++position_;
      token.value = std::move(out);
      return token;
    }
    if (c == '\\') {
      scan_escape(out);
    } else {
      out += c;
      ++position_;
    }
  }
  fail_at("S0101", position_);
}

// Half of a surrogate pair is kept, as three bytes, because $encodeUrl must fail on it.
void Lexer::scan_escape(std::string& out) {
  const char c = at(position_ + 1);
  constexpr std::string_view kFrom = "\"\\/bfnrt'";
  constexpr std::string_view kTo = "\"\\/\b\f\n\r\t'";
  if (c == 'u') {
    const auto code = four_hex_digits(text_.substr(std::min(position_ + 2, text_.size())));
    if (!code) fail_at("S0104", position_);
    position_ += 6;
    std::uint32_t full = *code;
    if (full >= 0xD800 && full < 0xDC00 && at(position_) == '\\' && at(position_ + 1) == 'u') {
      const auto low = four_hex_digits(text_.substr(std::min(position_ + 2, text_.size())));
      if (low && *low >= 0xDC00 && *low < 0xE000) {
        full = 0x10000 + ((full - 0xD800) << 10) + (*low - 0xDC00);
        position_ += 6;
      }
    }
    append_character(out, full);
    return;
  }
  const std::size_t known = kFrom.substr(0, 8).find(c);
  if (known == std::string_view::npos || position_ + 1 >= text_.size()) {
    fail_at("S0103", position_, json_quote(std::string(1, c)));
  }
  out += kTo[known];
  position_ += 2;
}

bool Lexer::scan_number(Token& token) {
  std::size_t end = position_;
  if (!is_digit(at(end))) return false;
  if (at(end) == '0') {
    ++end;
  } else {
    while (is_digit(at(end))) ++end;
  }
  if (at(end) == '.' && is_digit(at(end + 1))) {
    ++end;
    while (is_digit(at(end))) ++end;
  }
  if (at(end) == 'e' || at(end) == 'E') {
    std::size_t digits = end + 1;
    if (at(digits) == '+' || at(digits) == '-') ++digits;
    if (is_digit(at(digits))) {
      end = digits;
      while (is_digit(at(end))) ++end;
    }
  }
  const std::string_view text = text_.substr(position_, end - position_);
  const auto number = parse_number(text);
  if (!number || !std::isfinite(*number)) fail_at("S0102", position_, json_quote(text));
  token.type = Token::Type::kNumber;
  token.value = number_value(*number);
  token.text = text;
  position_ = end;
  return true;
}

Token Lexer::scan_regex() {
  Token token;
  token.at = position_ - 1;
  token.type = Token::Type::kRegex;
  const std::size_t start = position_;
  int depth = 0;
  for (; position_ < text_.size(); ++position_) {
    const char c = at(position_);
    std::size_t backslashes = 0;
    while (backslashes < position_ - start && at(position_ - backslashes - 1) == '\\') {
      ++backslashes;
    }
    if (c == '/' && depth == 0 && backslashes % 2 == 0) {
      const std::string_view pattern = text_.substr(start, position_ - start);
      if (pattern.empty()) fail_at("S0301", position_);
      const std::size_t flags = ++position_;
      while (at(position_) == 'i' || at(position_) == 'm') ++position_;
      auto compiled = Regex::compile(pattern, text_.substr(flags, position_ - flags),
                                     Regex::Dialect::kJavaScript);
      if (const auto* wrong = std::get_if<Regex::Wrong>(&compiled)) {
        Error error;
        error.code = "S0303";
        error.message = "Invalid regular expression: " + wrong->reason;
        error.at = start + wrong->at;
        raise(std::move(error));
      }
      token.regex = std::make_shared<const Regex>(std::move(std::get<Regex>(compiled)));
      return token;
    }
    if (backslashes > 0) continue;
    if (c == '(' || c == '[' || c == '{') ++depth;
    if (c == ')' || c == ']' || c == '}') --depth;
  }
  fail_at("S0302", position_);
}

Token Lexer::scan_name() {
  Token token;
  token.at = position_;
  token.type = Token::Type::kName;
  if (at(position_) == '`') {
    const std::size_t end = text_.find('`', position_ + 1);
    if (end == std::string_view::npos) fail_at("S0105", text_.size());
    token.text = text_.substr(position_ + 1, end - position_ - 1);
    position_ = end + 1;
    return token;
  }
  std::size_t end = position_;
  while (end < text_.size() && !is_blank(end) && !is_operator(end)) ++end;
  token.text = text_.substr(position_, end - position_);
  position_ = end;
  if (token.text.starts_with('$')) {
    token.type = Token::Type::kVariable;
    token.text.erase(0, 1);
  } else if (token.text == "or" || token.text == "and" || token.text == "in") {
    token.type = Token::Type::kOperator;
  } else if (token.text == "true" || token.text == "false") {
    token.type = Token::Type::kValue;
    token.value = token.text == "true";
  } else if (token.text == "null") {
    token.type = Token::Type::kValue;
  }
  return token;
}

}  // namespace stepwell::expr::jsonata
