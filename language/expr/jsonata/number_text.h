// Numbers as JavaScript writes and rounds them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/value.h"

namespace stepwell::expr::jsonata {

// A double as JSON has it: an integer where it is one.
Value number_value(double number);

// The shortest text that reads back as the same number: "0.1", "1e+21", "NaN".
std::string number_text(double number);
// With at most 15 significant digits, as $string has it: 0.1 + 0.2 is "0.3".
double to_15_digits(double number);
// The number that the text begins with, if it does.
std::optional<double> parse_number(std::string_view text);
// Half to even, `places` after the point (or before it, when negative).
double round_to(double number, int places);

}  // namespace stepwell::expr::jsonata
