// Pictures of dates and times: "[D1o] [MNn] [Y0001] at [h]:[m01] [PN]".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "language/expr/jsonata/integer_picture.h"

namespace stepwell::expr::jsonata {

struct DatePart {
  std::string literal;  // When component is 0.
  char component = 0;   // 'Y', 'M', 'D', ...
  enum class Names { kNone, kLower, kUpper, kTitle };
  Names names = Names::kNone;
  std::optional<std::size_t> longest;  // Of a name.
  std::optional<IntegerPicture> integer;
  std::size_t year_digits = 0;  // Of a year: how many of its last digits; 0: all.
  bool zulu = false;            // Of a time zone: "Z" for UTC.
};

std::vector<DatePart> date_picture(std::string_view text);

// A moment's civil fields, UTC.
struct Civil {
  std::int64_t year;
  int month;  // 1 to 12
  int day;    // 1 to 31
};
std::int64_t days_from_civil(std::int64_t year, int month, int day);
Civil civil_from_days(std::int64_t days);

// One component of a moment as a number: 'Y', 'M', 'D', 'd', 'F', 'W', 'w', 'X', 'x', 'H', 'h',
// 'm', 's', 'f'; 'P' is 0 for am and 1 for pm.
std::int64_t component_of(std::int64_t millis, char component);

extern const char* const kMonths[12];
extern const char* const kDays[7];  // From Monday.

}  // namespace stepwell::expr::jsonata
