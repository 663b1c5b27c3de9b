// Numbers, integers and dates by picture strings (XPath 3.1's fn:format-number, fn:format-integer,
// fn:format-dateTime, as JSONata has them).  All throw Error for a picture that makes no sense.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/value.h"

namespace stepwell::expr::jsonata {

std::string format_number(double value, std::string_view picture, const Object* options);
std::string format_integer(double value, std::string_view picture);
double parse_integer(std::string_view text, std::string_view picture);
std::string format_base(double value, double radix);
// Without a picture: ISO 8601 in UTC.  `timezone`: "+0530", "-05:00".
std::string format_millis(std::int64_t millis, std::optional<std::string_view> picture,
                          std::optional<std::string_view> timezone);
inline constexpr double kLastMillis = 8.64e15;  // As far as a JavaScript Date reaches.
// Nothing when the text does not match the picture; NaN for a time beyond kLastMillis.
// `now_millis` completes times without a date.  What the match takes is subtracted from `steps`,
// as Regex does.
std::optional<double> parse_millis(std::string_view text, std::optional<std::string_view> picture,
                                   std::int64_t now_millis, std::uint64_t& steps);

}  // namespace stepwell::expr::jsonata
