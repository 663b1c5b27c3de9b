// Pictures of integers: "#,##0", "001;o", "Ww", "i".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stepwell::expr::jsonata {

constexpr std::size_t kLongestPicture = 1000;

struct IntegerPicture {
  enum class Form { kDecimal, kLetters, kRoman, kWords, kSequence };
  enum class Case { kLower, kUpper, kTitle };
  struct Separator {
    std::size_t position;  // Digits to its right.
    std::uint32_t character;
  };

  Form form = Form::kDecimal;
  Case letter_case = Case::kLower;
  bool ordinal = false;
  std::uint32_t zero = '0';
  std::size_t mandatory = 0, optional = 0;
  // A separator after every `regular` digits; when that is 0, where `separators` says.
  std::size_t regular = 0;
  std::vector<Separator> separators;
  std::size_t parse_width = 0;  // How many digits a number has when it is read; 0: any.
  std::string token;            // The picture's text when it names no known sequence.
};

IntegerPicture integer_picture(std::string_view text);
std::string format_with(double value, const IntegerPicture& picture);
double parse_with(std::string_view text, const IntegerPicture& picture);
// A regular expression for the texts that parse_with() reads.
std::string pattern_of(const IntegerPicture& picture);

}  // namespace stepwell::expr::jsonata
