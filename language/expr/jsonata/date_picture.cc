#include "language/expr/jsonata/date_picture.h"

#include <charconv>
#include <cmath>

#include "language/expr/jsonata/error.h"
#include "language/expr/jsonata/pictures.h"
#include "language/expr/jsonata/text.h"

namespace stepwell::expr::jsonata {

const char* const kMonths[12] = {"January",   "February", "March",    "April",
                                 "May",       "June",     "July",     "August",
                                 "September", "October",  "November", "December"};
const char* const kDays[7] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                              "Friday", "Saturday", "Sunday"};

namespace {

constexpr std::int64_t kDay = 86'400'000;
constexpr std::string_view kIso = "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]";

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// ---- Reading a picture ----

const char* default_presentation(char component) {
  switch (component) {
    case 'Y':
    case 'M':
    case 'D':
    case 'd':
    case 'W':
    case 'w':
    case 'X':
    case 'x':
    case 'H':
    case 'h':
    case 'f': return "1";
    case 'F':
    case 'P':
    case 'C':
    case 'E': return "n";
    case 'm':
    case 's': return "01";
    case 'Z':
    case 'z': return "01:01";
    default: return nullptr;
  }
}

std::optional<std::size_t> width_of(std::string_view text) {
  std::size_t width = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), width);
  if (error != std::errc() || end == text.data() || width > kLongestPicture) return std::nullopt;
  return width;
}

DatePart read_marker(std::string_view text) {
  std::string marker;
  for (const char c : text) {
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r') marker += c;
  }
  DatePart part;
  part.component = marker.empty() ? '?' : marker[0];
  std::string presentation = marker.empty() ? "" : marker.substr(1);
  std::optional<std::size_t> least;
  const std::size_t comma = presentation.rfind(',');
  if (comma != std::string::npos) {
    const std::string width = presentation.substr(comma + 1);
    const std::size_t dash = width.find('-');
    least = width_of(std::string_view(width).substr(0, dash));
    if (dash != std::string::npos)
      part.longest = width_of(std::string_view(width).substr(dash + 1));
    presentation.resize(comma);
  }
  char modifier = 0;
  if (presentation.size() > 1 &&
      std::string_view("atco").find(presentation.back()) != std::string_view::npos) {
    modifier = presentation.back();
    presentation.pop_back();
  } else if (presentation.empty()) {
    const char* usual = default_presentation(part.component);
    if (usual == nullptr) {
      raise("D3132", "Unknown component specifier " + json_quote(std::string(1, part.component)) +
                         " in date/time picture string");
    }
    presentation = usual;
  }
  part.zulu = modifier == 't';
  if (presentation[0] == 'n' || presentation[0] == 'N') {
    part.names = presentation[0] == 'n'           ? DatePart::Names::kLower
                 : presentation.starts_with("Nn") ? DatePart::Names::kTitle
                                                  : DatePart::Names::kUpper;
  } else if (std::string_view("YMDdFWwXxHhmsf").find(part.component) != std::string_view::npos) {
    if (modifier != 0) presentation += std::string(";") + modifier;
    part.integer = integer_picture(presentation);
    if (least && part.integer->mandatory < *least) part.integer->mandatory = *least;
    if (part.component == 'Y') {
      if (part.longest) {
        part.year_digits = *part.longest;
        part.integer->mandatory = *part.longest;
      } else if (part.integer->mandatory + part.integer->optional >= 2) {
        part.year_digits = part.integer->mandatory + part.integer->optional;
      }
    }
  }
  if (part.component == 'Z' || part.component == 'z') {
    part.integer = integer_picture(presentation);
  }
  return part;
}

void add_literal(std::vector<DatePart>& parts, std::string_view text) {
  if (text.empty()) return;
  DatePart part;
  for (std::size_t i = 0; i < text.size(); ++i) {
    part.literal += text[i];
    if (text[i] == ']' && i + 1 < text.size() && text[i + 1] == ']') ++i;
  }
  parts.push_back(std::move(part));
}

// ---- Weeks ----

// Monday is 1.
int weekday(std::int64_t days) {
  const std::int64_t since_monday = ((days + 3) % 7 + 7) % 7;
  return static_cast<int>(since_monday) + 1;
}

// The Monday of the first week of a month or year, which is the week with its first Thursday.
std::int64_t first_week(std::int64_t year, int month) {
  const std::int64_t first = days_from_civil(year, month, 1);
  const int day = weekday(first);
  return day > 4 ? first + 8 - day : first - (day - 1);
}

struct Month {
  std::int64_t year;
  int month;
  Month next() const { return month == 12 ? Month{year + 1, 1} : Month{year, month + 1}; }
  Month previous() const { return month == 1 ? Month{year - 1, 12} : Month{year, month - 1}; }
};

std::int64_t week_between(std::int64_t start, std::int64_t today) {
  return floor_div(today - start, 7) + 1;
}

std::int64_t week_of_year(std::int64_t days, std::int64_t year) {
  const std::int64_t week = week_between(first_week(year, 1), days);
  if (week > 52 && days >= first_week(year + 1, 1)) return 1;
  if (week < 1) return week_between(first_week(year - 1, 1), days);
  return week;
}

std::int64_t week_of_month(std::int64_t days, const Month& month) {
  const std::int64_t week = week_between(first_week(month.year, month.month), days);
  const Month next = month.next(), previous = month.previous();
  if (week > 4 && days >= first_week(next.year, next.month)) return 1;
  if (week < 1) return week_between(first_week(previous.year, previous.month), days);
  return week;
}

// ---- Writing ----

std::string cased(const std::string& name, DatePart::Names names) {
  if (names == DatePart::Names::kUpper) return upper_case(name);
  return names == DatePart::Names::kLower ? lower_case(name) : name;
}

std::string zone_text(const DatePart& part, std::int64_t hours, std::int64_t minutes) {
  const std::int64_t offset = hours * 100 + minutes;
  if (offset == 0 && part.zulu) return "Z";
  const IntegerPicture& integer = *part.integer;
  std::string text;
  if (integer.regular > 0 || integer.mandatory == 3 || integer.mandatory == 4) {
    text = format_with(static_cast<double>(offset), integer);
  } else if (integer.mandatory == 1 || integer.mandatory == 2) {
    text = format_with(static_cast<double>(hours), integer);
    if (minutes != 0) text += ":" + format_integer(static_cast<double>(minutes), "00");
  } else {
    raise("D3134", "The timezone integer format specifier cannot have more than four digits");
  }
  if (offset >= 0) text.insert(0, "+");
  return part.component == 'z' ? "GMT" + text : text;
}

[[noreturn]] void no_names(char component) {
  raise("D3133",
        "The 'name' modifier can only be applied to months and days in the date/time picture "
        "string, not " +
            json_quote(std::string(1, component)));
}

std::string text_of(std::int64_t millis, const DatePart& part, std::int64_t hours,
                    std::int64_t minutes) {
  switch (part.component) {
    case 0: return part.literal;
    case 'Z':
    case 'z': return zone_text(part, hours, minutes);
    case 'C':
    case 'E': return "ISO";
    case 'P': return cased(component_of(millis, 'P') == 1 ? "pm" : "am", part.names);
    default: break;
  }
  std::int64_t value = component_of(millis, part.component);
  if (part.names == DatePart::Names::kNone) {
    if (part.component == 'Y' && part.year_digits > 0 && part.year_digits < 18) {
      value %= static_cast<std::int64_t>(std::pow(10, static_cast<double>(part.year_digits)));
    }
    return part.integer ? format_with(static_cast<double>(value), *part.integer) : "";
  }
  if (part.component != 'M' && part.component != 'x' && part.component != 'F') {
    no_names(part.component);
  }
  std::string name = part.component == 'F' ? kDays[value - 1] : kMonths[value - 1];
  name = cased(name, part.names);
  return part.longest ? name.substr(0, *part.longest) : name;
}

}  // namespace

std::vector<DatePart> date_picture(std::string_view text) {
  if (text.size() > kLongestPicture) raise("D3132", "The picture is longer than 1000 bytes");
  std::vector<DatePart> parts;
  std::size_t start = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '[') continue;
    add_literal(parts, text.substr(start, at - start));
    if (at + 1 < text.size() && text[at + 1] == '[') {
      DatePart bracket;
      bracket.literal = "[";
      parts.push_back(std::move(bracket));
      start = ++at + 1;
      continue;
    }
    const std::size_t end = text.find(']', at);
    if (end == std::string_view::npos) {
      raise("D3135", "No matching closing bracket ']' in date/time picture string");
    }
    DatePart part = read_marker(text.substr(at + 1, end - at - 1));
    // Two numbers without anything between them: the first has as many digits as its picture.
    const bool is_number = part.integer && part.component != 'Z' && part.component != 'z';
    if (is_number && !parts.empty() && parts.back().integer) {
      parts.back().integer->parse_width = parts.back().integer->mandatory;
    }
    parts.push_back(std::move(part));
    at = end;
    start = end + 1;
  }
  add_literal(parts, text.substr(std::min(start, text.size())));
  return parts;
}

// After Howard Hinnant's "chrono-compatible low-level date algorithms".
std::int64_t days_from_civil(std::int64_t year, int month, int day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = floor_div(year, 400);
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

Civil civil_from_days(std::int64_t days) {
  days += 719468;
  const std::int64_t era = floor_div(days, 146097);
  const std::int64_t day_of_era = days - era * 146097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted = (5 * day_of_year + 2) / 153;
  const int day = static_cast<int>(day_of_year - (153 * shifted + 2) / 5 + 1);
  const int month = static_cast<int>(shifted < 10 ? shifted + 3 : shifted - 9);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

std::int64_t component_of(std::int64_t millis, char component) {
  const std::int64_t days = floor_div(millis, kDay);
  const std::int64_t in_day = millis - days * kDay;
  const std::int64_t hour = in_day / 3'600'000;
  const Civil civil = civil_from_days(days);
  const Month month{civil.year, civil.month};
  switch (component) {
    case 'Y': return civil.year;
    case 'M': return civil.month;
    case 'D': return civil.day;
    case 'd': return days - days_from_civil(civil.year, 1, 1) + 1;
    case 'F': return weekday(days);
    case 'W': return week_of_year(days, civil.year);
    case 'w': return week_of_month(days, month);
    case 'X':
      if (days < first_week(civil.year, 1)) return civil.year - 1;
      return days >= first_week(civil.year + 1, 1) ? civil.year + 1 : civil.year;
    case 'x': {
      const Month next = month.next();
      if (days < first_week(month.year, month.month)) return month.previous().month;
      return days >= first_week(next.year, next.month) ? next.month : month.month;
    }
    case 'H': return hour;
    case 'h': return hour % 12 == 0 ? 12 : hour % 12;
    case 'P': return hour >= 12 ? 1 : 0;
    case 'm': return in_day / 60'000 % 60;
    case 's': return in_day / 1000 % 60;
    case 'f': return in_day % 1000;
    default: return 0;
  }
}

std::string format_millis(std::int64_t millis, std::optional<std::string_view> picture,
                          std::optional<std::string_view> timezone) {
  std::int64_t hours = 0, minutes = 0;
  if (timezone) {
    std::string_view digits = *timezone;
    if (digits.starts_with('+')) digits.remove_prefix(1);
    std::int64_t offset = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), offset);
    offset = std::max<std::int64_t>(-9999, std::min<std::int64_t>(9999, offset));
    hours = floor_div(offset, 100);
    minutes = offset % 100;
  }
  const std::int64_t local = millis + (hours * 60 + minutes) * 60'000;
  std::string out;
  for (const DatePart& part : date_picture(picture.value_or(kIso))) {
    out += text_of(local, part, hours, minutes);
  }
  return out;
}

}  // namespace stepwell::expr::jsonata
