// $formatNumber: XPath 3.1's pictures, "#,##0.00;(#,##0.00)"; and $formatBase.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <vector>

#include "language/expr/jsonata/error.h"
#include "language/expr/jsonata/integer_picture.h"
#include "language/expr/jsonata/number_text.h"
#include "language/expr/jsonata/pictures.h"
#include "language/expr/jsonata/text.h"

namespace stepwell::expr::jsonata {

namespace {

using Text = std::u32string;

constexpr std::size_t kMostPlaces = 100;  // After the point: the limit of JavaScript's toFixed.

Text to_text(std::string_view utf8) {
  Text out;
  for (std::size_t at = 0; at < utf8.size();) {
    out += static_cast<char32_t>(next_character(utf8, at));
  }
  return out;
}

std::string to_utf8(const Text& text) {
  std::string out;
  for (const char32_t c : text) append_character(out, c);
  return out;
}

// The characters that mean something in a picture.
struct Symbols {
  char32_t decimal = '.', grouping = ',', exponent = 'e', percent = '%', per_mille = 0x2030,
           zero = '0', digit = '#', separator = ';';
  Text minus = U"-";

  bool is_digit(char32_t c) const { return c >= zero && c <= zero + 9; }
  bool is_active(char32_t c) const {
    return is_digit(c) || c == decimal || c == exponent || c == grouping || c == digit ||
           c == separator;
  }
};

Symbols symbols_of(const Object* options) {
  Symbols symbols;
  if (options == nullptr) return symbols;
  const auto read = [&](std::string_view name, char32_t& symbol) {
    const Value* value = options->find(name);
    if (value == nullptr || !value->is_string() || value->as_string().empty()) return;
    symbol = to_text(value->as_string())[0];
  };
  read("decimal-separator", symbols.decimal);
  read("grouping-separator", symbols.grouping);
  read("exponent-separator", symbols.exponent);
  read("percent", symbols.percent);
  read("per-mille", symbols.per_mille);
  read("zero-digit", symbols.zero);
  read("digit", symbols.digit);
  read("pattern-separator", symbols.separator);
  if (const Value* minus = options->find("minus-sign"); minus != nullptr && minus->is_string()) {
    symbols.minus = to_text(minus->as_string());
  }
  return symbols;
}

struct Parts {
  Text whole, prefix, suffix, active, mantissa, exponent, integer, fraction;
  bool has_exponent = false;
};

std::size_t count(const Text& text, char32_t c) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), c));
}

Parts split(const Text& picture, const Symbols& symbols) {
  Parts parts;
  parts.whole = picture;
  const auto counts = [&](char32_t c) { return symbols.is_active(c) && c != symbols.exponent; };
  const auto first = std::find_if(picture.begin(), picture.end(), counts);
  const auto last = std::find_if(picture.rbegin(), picture.rend(), counts);
  if (first != picture.end()) {
    parts.prefix.assign(picture.begin(), first);
    parts.suffix.assign(last.base(), picture.end());
  }
  const std::size_t from = parts.prefix.size();
  parts.active = picture.substr(from, picture.size() - from - parts.suffix.size());
  const std::size_t exponent = picture.find(symbols.exponent, from);
  if (exponent == Text::npos || exponent > picture.size() - parts.suffix.size()) {
    parts.mantissa = parts.active;
  } else {
    // The reference counts this place from the beginning of the picture, with its prefix.
    parts.has_exponent = true;
    parts.mantissa = parts.active.substr(0, exponent);
    if (exponent + 1 <= parts.active.size()) parts.exponent = parts.active.substr(exponent + 1);
  }
  const std::size_t decimal = parts.mantissa.find(symbols.decimal);
  parts.integer = parts.mantissa.substr(0, decimal);
  parts.fraction = decimal == Text::npos ? parts.suffix : parts.mantissa.substr(decimal + 1);
  return parts;
}

// The error code of the last rule that the picture breaks, or nullptr.
const char* broken_rule(const Parts& parts, const Symbols& symbols) {
  const char* broken = nullptr;
  const auto digits = [&](const Text& text) {
    return std::any_of(text.begin(), text.end(), [&](char32_t c) { return symbols.is_digit(c); });
  };
  const bool has_percent = count(parts.whole, symbols.percent) > 0;
  const bool has_per_mille = count(parts.whole, symbols.per_mille) > 0;
  if (count(parts.whole, symbols.decimal) > 1) broken = "D3081";
  if (count(parts.whole, symbols.percent) > 1) broken = "D3082";
  if (count(parts.whole, symbols.per_mille) > 1) broken = "D3083";
  if (has_percent && has_per_mille) broken = "D3084";
  if (!digits(parts.mantissa) && count(parts.mantissa, symbols.digit) == 0) broken = "D3085";
  if (!std::all_of(parts.active.begin(), parts.active.end(),
                   [&](char32_t c) { return symbols.is_active(c); })) {
    broken = "D3086";
  }
  const std::size_t decimal = parts.whole.find(symbols.decimal);
  if (decimal != Text::npos) {
    const bool before = decimal > 0 && parts.whole[decimal - 1] == symbols.grouping;
    const bool after =
        decimal + 1 < parts.whole.size() && parts.whole[decimal + 1] == symbols.grouping;
    if (before || after) broken = "D3087";
  } else if (!parts.integer.empty() && parts.integer.back() == symbols.grouping) {
    broken = "D3088";
  }
  if (parts.whole.find(Text(2, symbols.grouping)) != Text::npos) broken = "D3089";
  const std::size_t first_optional = parts.integer.find(symbols.digit);
  if (first_optional != Text::npos && digits(parts.integer.substr(0, first_optional))) {
    broken = "D3090";
  }
  const std::size_t last_optional = parts.fraction.rfind(symbols.digit);
  if (last_optional != Text::npos && digits(parts.fraction.substr(last_optional))) {
    broken = "D3091";
  }
  if (parts.has_exponent && !parts.exponent.empty() && (has_percent || has_per_mille)) {
    broken = "D3092";
  }
  if (parts.has_exponent &&
      (parts.exponent.empty() || !std::all_of(parts.exponent.begin(), parts.exponent.end(),
                                              [&](char32_t c) { return symbols.is_digit(c); }))) {
    broken = "D3093";
  }
  return broken;
}

// What a picture asks of a number: digits, places, grouping.
struct Plan {
  Text prefix, suffix, picture;
  std::vector<std::size_t> integer_groups, fraction_groups;
  std::size_t regular = 0;
  std::size_t least_integer = 0, least_fraction = 0, most_fraction = 0, least_exponent = 0;
  std::size_t scaling = 0;
};

Plan plan_of(const Parts& parts, const Symbols& symbols) {
  Plan plan;
  plan.prefix = parts.prefix;
  plan.suffix = parts.suffix;
  plan.picture = parts.whole;
  const auto is_place = [&](char32_t c) { return symbols.is_digit(c) || c == symbols.digit; };
  const auto places = [&](const Text& text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_place));
  };
  const auto mandatory = [&](const Text& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [&](char32_t c) { return symbols.is_digit(c); }));
  };
  for (std::size_t at = parts.integer.find(symbols.grouping); at != Text::npos;
       at = parts.integer.find(symbols.grouping, at + 1)) {
    plan.integer_groups.push_back(places(parts.integer.substr(at)));
  }
  std::size_t factor = 0;
  for (const std::size_t one : plan.integer_groups) factor = std::gcd(factor, one);
  plan.regular = factor;
  for (std::size_t i = 1; i <= plan.integer_groups.size(); ++i) {
    if (std::find(plan.integer_groups.begin(), plan.integer_groups.end(), i * factor) ==
        plan.integer_groups.end()) {
      plan.regular = 0;
    }
  }
  for (std::size_t at = parts.fraction.find(symbols.grouping); at != Text::npos;
       // The reference looks for the next one in the integer part.
       at = parts.integer.find(symbols.grouping, at + 1)) {
    plan.fraction_groups.push_back(places(parts.fraction.substr(0, at)));
  }
  plan.least_integer = plan.scaling = mandatory(parts.integer);
  plan.least_fraction = mandatory(parts.fraction);
  plan.most_fraction = std::min(places(parts.fraction), kMostPlaces);
  if (plan.least_integer == 0 && plan.most_fraction == 0) {
    if (parts.has_exponent) {
      plan.least_fraction = plan.most_fraction = 1;
    } else {
      plan.least_integer = 1;
    }
  }
  if (parts.has_exponent && plan.least_integer == 0 && count(parts.integer, symbols.digit) > 0) {
    plan.least_integer = 1;
  }
  if (plan.least_integer == 0 && plan.least_fraction == 0) plan.least_fraction = 1;
  if (parts.has_exponent) plan.least_exponent = mandatory(parts.exponent);
  return plan;
}

// The digits of |value| with exactly so many places after the point, in the digits of the picture.
Text digits_of(double value, std::size_t places, const Symbols& symbols) {
  char buffer[512];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, std::abs(value),
                                 std::chars_format::fixed, static_cast<int>(places))
                       .ptr;
  Text out;
  for (const char* c = buffer; c != end; ++c) {
    out += *c >= '0' && *c <= '9' ? symbols.zero + static_cast<char32_t>(*c - '0')
                                  : static_cast<char32_t>(*c);
  }
  return out;
}

// The digits of the number, padded and cut as the picture asks, with its decimal separator.
Text fitted_digits(double number, const Plan& plan, const Symbols& symbols) {
  Text digits = digits_of(number, plan.most_fraction, symbols);
  const std::size_t point = digits.find(U'.');
  if (point == Text::npos) {
    digits += symbols.decimal;
  } else {
    digits[point] = symbols.decimal;
  }
  const std::size_t first = digits.find_first_not_of(symbols.zero);
  digits.erase(0, first);
  digits.erase(digits.find_last_not_of(symbols.zero) + 1);
  const std::size_t integer = digits.find(symbols.decimal);
  if (integer < plan.least_integer) {
    digits.insert(0, plan.least_integer - integer, symbols.zero);
  }
  const std::size_t fraction = digits.size() - digits.find(symbols.decimal) - 1;
  if (fraction < plan.least_fraction) digits.append(plan.least_fraction - fraction, symbols.zero);
  return digits;
}

void group_digits(Text& digits, const Plan& plan, const Symbols& symbols) {
  std::size_t decimal = digits.find(symbols.decimal);
  if (plan.regular > 0) {
    const std::size_t groups = decimal > 0 ? (decimal - 1) / plan.regular : 0;
    for (std::size_t group = 1; group <= groups; ++group) {
      digits.insert(decimal - group * plan.regular, 1, symbols.grouping);
    }
  } else {
    for (const std::size_t position : plan.integer_groups) {
      // A place before the first digit counts from the end, as in JavaScript's slice().
      const std::size_t at = position <= decimal
                                 ? decimal - position
                                 : digits.size() - std::min(digits.size(), position - decimal);
      digits.insert(at, 1, symbols.grouping);
      ++decimal;
    }
  }
  decimal = digits.find(symbols.decimal);
  for (const std::size_t position : plan.fraction_groups) {
    digits.insert(std::min(position + decimal + 1, digits.size()), 1, symbols.grouping);
  }
}

// number = mantissa * 10^exponent, with as many digits before the point as the picture has.
int take_exponent(double& mantissa, std::size_t scaling) {
  const double most = std::pow(10, static_cast<double>(scaling)), least = most / 10;
  int exponent = 0;
  if (mantissa == 0) return 0;
  for (; std::abs(mantissa) < least; --exponent) mantissa *= 10;
  for (; std::abs(mantissa) > most; ++exponent) mantissa /= 10;
  return exponent;
}

}  // namespace

std::string format_number(double value, std::string_view picture, const Object* options) {
  if (picture.size() > kLongestPicture) raise("D3080", "The picture is longer than 1000 bytes");
  const Symbols symbols = symbols_of(options);
  if (symbols.is_digit(symbols.decimal) || symbols.is_digit(symbols.grouping)) {
    raise("D3080", "A digit cannot separate digits");
  }
  std::vector<Plan> plans;
  Text rest = to_text(picture);
  if (count(rest, symbols.separator) > 1) {
    raise("D3080", "The picture string must only contain a maximum of two sub-pictures");
  }
  while (true) {
    const std::size_t end = rest.find(symbols.separator);
    const Parts parts = split(rest.substr(0, end), symbols);
    if (const char* code = broken_rule(parts, symbols)) {
      Error error;
      error.code = code;
      raise(std::move(error));
    }
    plans.push_back(plan_of(parts, symbols));
    if (end == Text::npos) break;
    rest.erase(0, end + 1);
  }
  if (plans.size() == 1) {
    plans.push_back(plans[0]);
    plans[1].prefix = symbols.minus + plans[1].prefix;
  }
  const Plan& plan = value >= 0 ? plans[0] : plans[1];
  double number = value;
  if (count(plan.picture, symbols.percent) > 0) {
    number *= 100;
  } else if (count(plan.picture, symbols.per_mille) > 0) {
    number *= 1000;
  }
  if (!std::isfinite(number)) raise("D1001", "Number out of range");
  const int exponent = plan.least_exponent > 0 ? take_exponent(number, plan.scaling) : 0;
  number = round_to(number, static_cast<int>(plan.most_fraction));
  Text out = fitted_digits(number, plan, symbols);
  group_digits(out, plan, symbols);
  if (count(plan.picture, symbols.decimal) == 0 || out.back() == symbols.decimal) out.pop_back();
  if (plan.least_exponent > 0) {
    Text digits = digits_of(exponent, 0, symbols);
    if (digits.size() < plan.least_exponent) {
      digits.insert(0, plan.least_exponent - digits.size(), symbols.zero);
    }
    out += symbols.exponent;
    if (exponent < 0) out += symbols.minus;
    out += digits;
  }
  return to_utf8(plan.prefix + out + plan.suffix);
}

std::string format_base(double value, double radix) {
  value = round_to(value, 0);
  radix = round_to(radix, 0);
  if (!(radix >= 2 && radix <= 36)) {
    raise("D3100", "The radix of the formatBase function must be between 2 and 36.  It was given " +
                       number_text(radix));
  }
  if (radix == 10) return number_text(value);
  std::string out;
  double left = std::abs(value);
  do {
    const int digit = static_cast<int>(std::fmod(left, radix));
    out += "0123456789abcdefghijklmnopqrstuvwxyz"[digit];
    left = std::floor(left / radix);
  } while (left >= 1);
  if (value < 0) out += '-';
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace stepwell::expr::jsonata
