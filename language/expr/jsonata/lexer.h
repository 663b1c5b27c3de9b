// Splits the text of a JSONata expression into tokens.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/value.h"
#include "language/expr/regex.h"

namespace stepwell::expr::jsonata {

struct Token {
  enum class Type { kEnd, kOperator, kName, kVariable, kString, kNumber, kValue, kRegex };
  Type type = Type::kEnd;
  std::string text;  // Of an operator, a name, a variable (without $).
  Value value;       // Of a string, a number, true, false, null.
  std::shared_ptr<const Regex> regex;
  std::size_t at = 0;

  bool is(std::string_view op) const { return type == Type::kOperator && text == op; }
  // The token as the message of an error names it.
  std::string quoted() const;
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  // `after_operand`: here a `/` divides; anywhere else it begins a regular expression.
  Token next(bool after_operand);

 private:
  void skip_blanks();
  bool scan_operator(Token& token);
  Token scan_string(char quote);
  void scan_escape(std::string& out);
  bool scan_number(Token& token);
  Token scan_regex();
  Token scan_name();
  char at(std::size_t position) const { return position < text_.size() ? text_[position] : '\0'; }
  bool is_blank(std::size_t position) const;
  bool is_operator(std::size_t position) const;

  std::string_view text_;
  std::size_t position_ = 0;
};

}  // namespace stepwell::expr::jsonata
