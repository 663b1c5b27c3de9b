#include "dsl/yaml/scalar.h"

#include <charconv>
#include <cmath>

namespace stepwell::dsl {

namespace {

enum class Number { kNone, kInteger, kReal };

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// JSON's grammar of numbers, which is stricter than YAML's: 007 and +1 stay strings.
Number number_form(std::string_view text) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t first = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return i - first;
  };
  if (i < text.size() && text[i] == '-') ++i;
  const std::size_t whole_at = i;
  const std::size_t whole = digits();
  if (whole == 0 || (whole > 1 && text[whole_at] == '0')) return Number::kNone;
  Number form = Number::kInteger;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0) return Number::kNone;
    form = Number::kReal;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (digits() == 0) return Number::kNone;
    form = Number::kReal;
  }
  return i == text.size() ? form : Number::kNone;
}

}  // namespace

bool is_whole_number(std::string_view text) { return number_form(text) == Number::kInteger; }

std::optional<Value> resolve_plain(std::string_view text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") {
    return Value();
  }
  if (text == "true" || text == "True" || text == "TRUE") return Value(true);
  if (text == "false" || text == "False" || text == "FALSE") return Value(false);
  const Number form = number_form(text);
  if (form == Number::kNone) return Value(text);
  const char* const end = text.data() + text.size();
  if (form == Number::kInteger) {
    std::int64_t whole = 0;
    if (std::from_chars(text.data(), end, whole).ec == std::errc()) return Value(whole);
  }
  // from_chars calls underflow out of range, too; a number too small to hold is nearly 0.
  double real = 0;
  const auto parsed = std::from_chars(text.data(), end, real);
  if (parsed.ec == std::errc::result_out_of_range) {
    const std::size_t exponent = text.find_first_of("eE");
    const bool is_tiny = exponent != std::string_view::npos && text[exponent + 1] == '-';
    if (!is_tiny) return std::nullopt;
    real = text[0] == '-' ? -0.0 : 0.0;
  }
  if (!std::isfinite(real)) return std::nullopt;
  return Value(real);
}

}  // namespace stepwell::dsl
