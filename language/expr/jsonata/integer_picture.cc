#include "language/expr/jsonata/integer_picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>

#include "language/expr/jsonata/error.h"
#include "language/expr/jsonata/number_text.h"
#include "language/expr/jsonata/pictures.h"
#include "language/expr/jsonata/text.h"

namespace stepwell::expr::jsonata {

namespace {

// The zeros of Unicode's decimal digits.
constexpr std::array<std::uint32_t, 37> kZeros = {
    0x30,   0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6,
    0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0,
    0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620,
    0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10};

constexpr std::array<const char*, 20> kFew = {
    "Zero",     "One",     "Two",     "Three",     "Four",     "Five",    "Six",
    "Seven",    "Eight",   "Nine",    "Ten",       "Eleven",   "Twelve",  "Thirteen",
    "Fourteen", "Fifteen", "Sixteen", "Seventeen", "Eighteen", "Nineteen"};
constexpr std::array<const char*, 20> kOrdinals = {
    "Zeroth",     "First",     "Second",    "Third",       "Fourth",     "Fifth",     "Sixth",
    "Seventh",    "Eighth",    "Ninth",     "Tenth",       "Eleventh",   "Twelfth",   "Thirteenth",
    "Fourteenth", "Fifteenth", "Sixteenth", "Seventeenth", "Eighteenth", "Nineteenth"};
constexpr std::array<const char*, 9> kDecades = {"Twenty",  "Thirty", "Forty",  "Fifty",  "Sixty",
                                                 "Seventy", "Eighty", "Ninety", "Hundred"};
constexpr std::array<const char*, 4> kMagnitudes = {"Thousand", "Million", "Billion", "Trillion"};

struct Numeral {
  int value;
  const char* text;
};
constexpr std::array<Numeral, 13> kRoman = {{{1000, "m"},
                                             {900, "cm"},
                                             {500, "d"},
                                             {400, "cd"},
                                             {100, "c"},
                                             {90, "xc"},
                                             {50, "l"},
                                             {40, "xl"},
                                             {10, "x"},
                                             {9, "ix"},
                                             {5, "v"},
                                             {4, "iv"},
                                             {1, "i"}}};
// A Roman number gets longer with its value; beyond this we refuse to write it.
constexpr double kLargestRoman = 1e6;

// ---- Words ----

std::string in_words(double number, bool follows, bool ordinal) {
  if (number <= 19) {
    const auto index = static_cast<std::size_t>(number);
    return std::string(follows ? " and " : "") + (ordinal ? kOrdinals[index] : kFew[index]);
  }
  if (number < 100) {
    const int tens = static_cast<int>(number) / 10, rest = static_cast<int>(number) % 10;
    std::string words =
        std::string(follows ? " and " : "") + kDecades[static_cast<std::size_t>(tens - 2)];
    if (rest > 0) return words + "-" + in_words(rest, false, ordinal);
    if (!ordinal) return words;
    words.pop_back();
    return words + "ieth";
  }
  std::string words;
  double rest = 0;
  if (number < 1000) {
    const double hundreds = std::floor(number / 100);
    rest = number - hundreds * 100;
    words =
        std::string(follows ? ", " : "") + kFew[static_cast<std::size_t>(hundreds)] + " Hundred";
  } else {
    const double most = static_cast<double>(kMagnitudes.size());
    const double magnitude = std::min(std::floor(std::log10(number) / 3), most);
    const double factor = std::pow(10, magnitude * 3);
    const double mantissa = std::floor(number / factor);
    rest = number - mantissa * factor;
    words = std::string(follows ? ", " : "") + in_words(mantissa, false, false) + " " +
            kMagnitudes[static_cast<std::size_t>(magnitude) - 1];
  }
  if (rest > 0) return words + in_words(rest, true, ordinal);
  return ordinal ? words + "th" : words;
}

const std::map<std::string, double>& word_values() {
  static const std::map<std::string, double> kTable = [] {
    std::map<std::string, double> values;
    for (std::size_t i = 0; i < kFew.size(); ++i) {
      values[lower_case(kFew[i])] = static_cast<double>(i);
      values[lower_case(kOrdinals[i])] = static_cast<double>(i);
    }
    for (std::size_t i = 0; i < kDecades.size(); ++i) {
      std::string word = lower_case(kDecades[i]);
      const double value = static_cast<double>(i + 2) * 10;
      values[word] = value;
      word.pop_back();
      values[word + "ieth"] = value;
    }
    values["hundredth"] = 100;
    for (std::size_t i = 0; i < kMagnitudes.size(); ++i) {
      const std::string word = lower_case(kMagnitudes[i]);
      values[word] = std::pow(10, static_cast<double>(i + 1) * 3);
      values[word + "th"] = values[word];
    }
    return values;
  }();
  return kTable;
}

// The length of the separator of words at `at`: ", ", " and ", a space, a hyphen or a backslash.
std::size_t separator_at(std::string_view text, std::size_t at) {
  const std::string_view rest = text.substr(at);
  if (rest.starts_with(", ")) return 2;
  if (rest.starts_with(" and ")) return 5;
  return rest[0] == ' ' || rest[0] == '-' || rest[0] == '\\' ? 1 : 0;
}

double from_words(std::string_view text) {
  std::vector<double> parts = {0};
  const auto add = [&](std::string_view word) {
    const auto found = word_values().find(std::string(word));
    const double value = found == word_values().end() ? std::nan("") : found->second;
    if (!(value < 100)) {
      parts.back() *= value;
      return;
    }
    if (parts.back() >= 1000) parts.push_back(0);
    parts.back() += value;
  };
  std::size_t from = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = separator_at(text, at);
    if (length > 0) {
      add(text.substr(from, at - from));
      from = at + length;
    }
    at += std::max<std::size_t>(length, 1);
  }
  add(text.substr(from));
  return std::accumulate(parts.begin(), parts.end(), 0.0);
}

// ---- Letters, Roman numbers ----

std::string in_letters(double value, char first) {
  std::string letters;
  while (value > 0) {
    letters.insert(letters.begin(), static_cast<char>(first + std::fmod(value - 1, 26)));
    value = std::floor((value - 1) / 26);
  }
  return letters;
}

double from_letters(std::string_view letters, char first) {
  double value = 0;
  for (std::size_t at = 0; at < letters.size();) {
    value = value * 26 + static_cast<double>(next_character(letters, at)) - first + 1;
  }
  return value;
}

std::string in_roman(double value) {
  if (value > kLargestRoman) {
    raise("D3130", "A number above a million is not written in Roman numerals");
  }
  std::string out;
  for (const Numeral& numeral : kRoman) {
    for (; value >= numeral.value; value -= numeral.value) out += numeral.text;
  }
  return out;
}

double from_roman(std::string_view text) {
  constexpr std::string_view kLetters = "IVXLCDM";
  constexpr std::array<double, 7> kValues = {1, 5, 10, 50, 100, 500, 1000};
  double value = 0, most = 1;
  for (std::size_t i = text.size(); i-- > 0;) {
    const std::size_t letter = kLetters.find(text[i]);
    if (letter == std::string_view::npos) return std::nan("");
    const double digit = kValues[letter];
    if (digit < most) {
      value -= digit;
    } else {
      most = digit;
      value += digit;
    }
  }
  return value;
}

// ---- Decimals ----

std::string in_decimal(double value, const IntegerPicture& picture) {
  std::string digits = number_text(value);
  if (digits.size() < picture.mandatory) {
    digits.insert(0, picture.mandatory - digits.size(), '0');
  }
  const std::string plain = digits;
  std::vector<std::uint32_t> characters;
  for (const char c : digits) {
    const bool is_digit = c >= '0' && c <= '9';
    characters.push_back(is_digit ? static_cast<std::uint32_t>(c - '0') + picture.zero
                                  : static_cast<unsigned char>(c));
  }
  std::string out;
  for (std::size_t i = 0; i < characters.size(); ++i) {
    const std::size_t right = characters.size() - i;
    if (picture.regular > 0) {
      if (i > 0 && right % picture.regular == 0) {
        append_character(out, picture.separators.front().character);
      }
    } else {
      for (auto one = picture.separators.rbegin(); one != picture.separators.rend(); ++one) {
        if (one->position == right) append_character(out, one->character);
      }
    }
    append_character(out, characters[i]);
  }
  for (auto one = picture.separators.rbegin(); one != picture.separators.rend(); ++one) {
    if (one->position == 0) append_character(out, one->character);
  }
  if (!picture.ordinal) return out;
  const char last = plain.back();
  const bool teen = plain.size() > 1 && plain[plain.size() - 2] == '1';
  if (teen || last < '1' || last > '3') return out + "th";
  return out + (last == '1' ? "st" : last == '2' ? "nd" : "rd");
}

double from_decimal(std::string_view text, const IntegerPicture& picture) {
  if (picture.ordinal) text.remove_suffix(std::min<std::size_t>(text.size(), 2));
  std::string digits;
  for (std::size_t at = 0; at < text.size();) {
    const std::uint32_t c = next_character(text, at);
    const bool skipped = picture.regular > 0
                             ? c == ','
                             : std::any_of(picture.separators.begin(), picture.separators.end(),
                                           [&](const auto& one) { return one.character == c; });
    if (skipped) continue;
    if (c >= picture.zero && c <= picture.zero + 9) {
      digits += static_cast<char>('0' + (c - picture.zero));
    } else if (digits.empty() && (c == '-' || c == '+')) {
      if (c == '-') digits += '-';
    } else {
      break;
    }
  }
  return parse_number(digits).value_or(std::nan(""));
}

// n when the same separator stands at every n-th digit, else 0.
std::size_t regular_repeat(const std::vector<IntegerPicture::Separator>& separators) {
  if (separators.empty()) return 0;
  std::size_t factor = 0;
  for (const auto& one : separators) {
    if (one.character != separators.front().character) return 0;
    factor = std::gcd(factor, one.position);
  }
  for (std::size_t i = 1; i <= separators.size(); ++i) {
    const bool there = std::any_of(separators.begin(), separators.end(),
                                   [&](const auto& one) { return one.position == i * factor; });
    if (!there) return 0;
  }
  return factor;
}

void read_decimal_picture(std::string_view text, IntegerPicture& picture) {
  std::vector<std::uint32_t> characters;
  for (std::size_t at = 0; at < text.size();) characters.push_back(next_character(text, at));
  std::reverse(characters.begin(), characters.end());
  std::uint32_t zero = 0;
  std::size_t position = 0;
  for (const std::uint32_t c : characters) {
    const auto family = std::find_if(kZeros.begin(), kZeros.end(),
                                     [&](std::uint32_t one) { return c >= one && c <= one + 9; });
    if (family != kZeros.end()) {
      if (zero != 0 && zero != *family) {
        raise("D3131",
              "In a decimal digit pattern, all digits must be from the same decimal group");
      }
      zero = *family;
      ++picture.mandatory;
      ++position;
    } else if (c == '#') {
      ++picture.optional;
      ++position;
    } else {
      picture.separators.push_back({position, c});
    }
  }
  if (picture.mandatory == 0) {
    picture.form = IntegerPicture::Form::kSequence;
    picture.token = text;
    return;
  }
  picture.zero = zero;
  picture.regular = regular_repeat(picture.separators);
}

[[noreturn]] void unknown_sequence(const IntegerPicture& picture) {
  raise("D3130", "Formatting or parsing an integer as a sequence starting with " +
                     json_quote(picture.token) + " is not supported by this implementation");
}

}  // namespace

IntegerPicture integer_picture(std::string_view text) {
  if (text.size() > kLongestPicture) raise("D3130", "The picture is longer than 1000 bytes");
  IntegerPicture picture;
  std::string_view primary = text;
  const std::size_t semicolon = text.rfind(';');
  if (semicolon != std::string_view::npos) {
    primary = text.substr(0, semicolon);
    picture.ordinal = text.substr(semicolon + 1).starts_with('o');
  }
  using Form = IntegerPicture::Form;
  using Case = IntegerPicture::Case;
  if (primary == "A" || primary == "a") picture.form = Form::kLetters;
  if (primary == "I" || primary == "i") picture.form = Form::kRoman;
  if (primary == "W" || primary == "w" || primary == "Ww") picture.form = Form::kWords;
  if (primary == "A" || primary == "I" || primary == "W") picture.letter_case = Case::kUpper;
  if (primary == "Ww") picture.letter_case = Case::kTitle;
  if (picture.form == Form::kDecimal) read_decimal_picture(primary, picture);
  return picture;
}

std::string format_with(double value, const IntegerPicture& picture) {
  const bool negative = value < 0;
  value = std::abs(value);
  const bool upper = picture.letter_case == IntegerPicture::Case::kUpper;
  std::string out;
  switch (picture.form) {
    case IntegerPicture::Form::kLetters: out = in_letters(value, upper ? 'A' : 'a'); break;
    case IntegerPicture::Form::kRoman:
      out = in_roman(value);
      if (upper) out = upper_case(out);
      break;
    case IntegerPicture::Form::kWords:
      out = in_words(value, false, picture.ordinal);
      if (upper) out = upper_case(out);
      if (picture.letter_case == IntegerPicture::Case::kLower) out = lower_case(out);
      break;
    case IntegerPicture::Form::kDecimal: out = in_decimal(value, picture); break;
    case IntegerPicture::Form::kSequence: unknown_sequence(picture);
  }
  return negative ? "-" + out : out;
}

double parse_with(std::string_view text, const IntegerPicture& picture) {
  const bool upper = picture.letter_case == IntegerPicture::Case::kUpper;
  switch (picture.form) {
    case IntegerPicture::Form::kLetters: return from_letters(text, upper ? 'A' : 'a');
    case IntegerPicture::Form::kRoman: return from_roman(upper_case(text));
    case IntegerPicture::Form::kWords: return from_words(lower_case(text));
    case IntegerPicture::Form::kDecimal: return from_decimal(text, picture);
    case IntegerPicture::Form::kSequence: break;
  }
  unknown_sequence(picture);
}

std::string pattern_of(const IntegerPicture& picture) {
  const bool upper = picture.letter_case == IntegerPicture::Case::kUpper;
  switch (picture.form) {
    case IntegerPicture::Form::kLetters: return upper ? "[A-Z]+" : "[a-z]+";
    case IntegerPicture::Form::kRoman: return upper ? "[MDCLXVI]+" : "[mdclxvi]+";
    case IntegerPicture::Form::kWords: {
      std::string words = "(?:";
      for (const auto& [word, value] : word_values()) words += word + "|";
      return words + "and|[\\-, ])+";
    }
    case IntegerPicture::Form::kDecimal: {
      std::string digits = "[0-9]";
      digits += picture.parse_width > 0 ? "{" + std::to_string(picture.parse_width) + "}" : "+";
      return picture.ordinal ? digits + "(?:th|st|nd|rd)" : digits;
    }
    case IntegerPicture::Form::kSequence: break;
  }
  unknown_sequence(picture);
}

std::string format_integer(double value, std::string_view picture) {
  return format_with(std::floor(value), integer_picture(picture));
}

double parse_integer(std::string_view text, std::string_view picture) {
  return parse_with(text, integer_picture(picture));
}

}  // namespace stepwell::expr::jsonata
