// Numbers as JavaScript writes and rounds them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/value.h"

namespace stepwell::expr::jsonata {

// The double as a JSON number: an integer when it has no fraction.
Value number_value(double number);

// The shortest text that reads back as the same number: "0.1", "1e+21", "NaN".
std::string number_text(double number);
// With at most 15 significant digits, as $string has it: 0.1 + 0.2 is "0.3".
double to_15_digits(double number);
// The number that the text begins with; nothing when it does not begin with one.
std::optional<double> parse_number(std::string_view text);
// Rounds half to even, to so many places after the point (before it when negative).
double round_to(double number, int places);

}  // namespace stepwell::expr::jsonata
