#include "language/expr/jsonata/number_text.h"

#include <charconv>
#include <cmath>

namespace stepwell::expr::jsonata {

Value number_value(double number) {
  if (number != std::floor(number) || std::abs(number) >= 9.2e18) return number;
  if (std::abs(number) < 9007199254740992.0) return static_cast<std::int64_t>(number);
  // As JavaScript writes it: the fewest digits that tell the number from its neighbours, then
  // zeros.
  const std::string text = number_text(number);
  std::int64_t whole = 0;
  std::from_chars(text.data(), text.data() + text.size(), whole);
  return whole;
}

std::string number_text(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number < 0 ? "-Infinity" : "Infinity";
  if (number == 0) return "0";
  char buffer[32];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::scientific).ptr;
  const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  const bool negative = text[0] == '-';
  const std::size_t e = text.find('e');
  std::string digits;
  for (const char c : text.substr(0, e)) {
    if (c >= '0' && c <= '9') digits += c;
  }
  int exponent = 0;
  const std::size_t sign = text[e + 1] == '+' ? e + 2 : e + 1;
  std::from_chars(text.data() + sign, text.data() + text.size(), exponent);
  const std::size_t count = digits.size();
  std::string out = digits;
  if (exponent >= 0 && exponent < 21) {
    const std::size_t whole = static_cast<std::size_t>(exponent) + 1;
    if (count <= whole) {
      out.append(whole - count, '0');
    } else {
      out.insert(whole, ".");
    }
  } else if (exponent < 0 && exponent >= -6) {
    out = "0." + std::string(static_cast<std::size_t>(-exponent) - 1, '0') + digits;
  } else {
    out = digits.substr(0, 1);
    if (count > 1) out += "." + digits.substr(1);
    out += exponent < 0 ? "e-" : "e+";
    out += std::to_string(std::abs(exponent));
  }
  return negative ? "-" + out : out;
}

double to_15_digits(double number) {
  if (!std::isfinite(number) || number == std::floor(number)) return number;
  char buffer[40];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::scientific, 14).ptr;
  double rounded = number;
  std::from_chars(buffer, end, rounded);
  return rounded;
}

std::optional<double> parse_number(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end == text.data()) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    // Out of range: a number too small for a double is 0, one too large has no value.
    const std::size_t e = text.find_first_of("eE");
    if (e == std::string_view::npos || e + 1 >= text.size() || text[e + 1] != '-') {
      return HUGE_VAL;
    }
    return 0.0;
  }
  return number;
}

namespace {

// number * 10^places, computed on its decimal text, so that no rounding error comes in.
double shifted(double number, int places) {
  const std::string text = number_text(number);
  const std::size_t e = text.find('e');
  int exponent = places;
  if (e != std::string::npos) {
    int own = 0;
    const std::size_t sign = text[e + 1] == '+' ? e + 2 : e + 1;
    std::from_chars(text.data() + sign, text.data() + text.size(), own);
    exponent += own;
  }
  return parse_number(text.substr(0, e) + "e" + std::to_string(exponent)).value_or(number);
}

}  // namespace

double round_to(double number, int places) {
  if (!std::isfinite(number)) return number;
  double value = places == 0 ? number : shifted(number, places);
  double rounded = std::floor(value + 0.5);
  // Beyond 2^52 every double is a whole number, and adding 0.5 would change it.
  if (std::abs(value) > 4503599627370496.0) rounded = value;
  const double difference = rounded - value;
  if (std::abs(difference) == 0.5 && std::abs(std::fmod(rounded, 2)) == 1) rounded -= 1;
  if (places != 0) rounded = shifted(rounded, -places);
  return rounded == 0 ? 0 : rounded;
}

}  // namespace stepwell::expr::jsonata
