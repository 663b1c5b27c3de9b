// $toMillis: reads a time by a picture, or as ISO 8601.
#include <cmath>
#include <limits>
#include <map>

#include "language/expr/jsonata/date_picture.h"
#include "language/expr/jsonata/error.h"
#include "language/expr/jsonata/number_text.h"
#include "language/expr/jsonata/pictures.h"
#include "language/expr/jsonata/text.h"
#include "language/expr/regex.h"

namespace stepwell::expr::jsonata {

namespace {

constexpr std::size_t kLongestText = 10'000;
constexpr double kMinute = 60'000;

using Components = std::map<char, double>;

constexpr double kNotATime = std::numeric_limits<double>::quiet_NaN();

// Months and days that are out of range carry over, as in JavaScript's Date.UTC.  NaN for a time
// that no calendar has.
double utc_millis(double year, double month, double day, double hour, double minute, double second,
                  double millis) {
  if (!(std::abs(year) < 400'000 && std::abs(month) < 5'000'000)) return kNotATime;
  auto y = static_cast<std::int64_t>(year);
  // A year below 100 is one of the 20th century, as in JavaScript.
  if (y >= 0 && y <= 99) y += 1900;
  std::int64_t m = static_cast<std::int64_t>(month) - 1;
  y += m >= 0 ? m / 12 : -((11 - m) / 12);
  m = (m % 12 + 12) % 12;
  const auto first = static_cast<double>(days_from_civil(y, static_cast<int>(m) + 1, 1));
  const double days = first + std::trunc(day) - 1;
  const double minutes = std::trunc(hour) * 60 + std::trunc(minute);
  const double moment =
      days * 24 * 60 * kMinute + minutes * kMinute + std::trunc(second) * 1000 + std::trunc(millis);
  return std::abs(moment) <= kLastMillis ? moment : kNotATime;
}

// ---- ISO 8601 ----

bool is_digit(char c) { return c >= '0' && c <= '9'; }

class IsoReader {
 public:
  explicit IsoReader(std::string_view text) : text_(text) {}

  // yyyy[-mm[-dd]][Thh:mm:ss][.fff][zone].  Nothing for a text of any other form.  NaN for a text
  // of that form that names no time: the reference accepts a 13th month, and Date makes NaN of it.
  std::optional<double> read() {
    double year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0, millis = 0;
    if (!number(4, year)) return std::nullopt;
    if (take_before_digits('-', 2)) {
      number(2, month);
      if (take_before_digits('-', 2)) number(2, day);
    }
    if (take('T') &&
        !(number(2, hour) && take(':') && number(2, minute) && take(':') && number(2, second))) {
      return std::nullopt;
    }
    if (take('.')) {
      double unit = 100;
      if (!is_digit(peek())) return std::nullopt;
      for (; is_digit(peek()); ++at_, unit /= 10) {
        if (unit >= 1) millis += unit * (peek() - '0');
      }
    }
    double offset = 0;
    if (!zone(offset) || at_ != text_.size()) return std::nullopt;
    const bool is_form = month < 20 && day < 40 && hour < 30 && minute < 60 && second < 60;
    if (!is_form) return std::nullopt;
    const bool is_time = month >= 1 && month <= 12 && day >= 1 && day <= 31 &&
                         (hour <= 23 || (hour == 24 && minute + second + millis == 0)) &&
                         std::abs(offset) < 24 * 60;
    if (!is_time) return kNotATime;
    const auto days = static_cast<double>(days_from_civil(
        static_cast<std::int64_t>(year), static_cast<int>(month), static_cast<int>(day)));
    return ((days * 24 + hour) * 60 + minute - offset) * kMinute + second * 1000 +
           std::trunc(millis);
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  bool take_before_digits(char c, std::size_t count) {
    if (peek() != c || at_ + 1 + count > text_.size()) return false;
    // "-05:00" after a date is a zone, not a month.
    const bool is_zone = at_ + 1 + count < text_.size() && text_[at_ + 1 + count] == ':';
    if (is_zone) return false;
    ++at_;
    return true;
  }
  bool number(std::size_t count, double& to) {
    to = 0;
    for (std::size_t i = 0; i < count; ++i, ++at_) {
      if (!is_digit(peek())) return false;
      to = to * 10 + (peek() - '0');
    }
    return true;
  }
  bool zone(double& offset) {
    if (at_ == text_.size() || take('Z')) return true;
    const double sign = peek() == '-' ? -1 : 1;
    if (!take('+') && !take('-')) return false;
    double hours = 0, minutes = 0;
    if (!number(2, hours)) return false;
    take(':');
    if (!number(2, minutes) || hours > 29 || minutes > 59) return false;
    offset = sign * (hours * 60 + minutes);
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// ---- By a picture ----

std::string escaped(std::string_view literal) {
  std::string out;
  for (const char c : literal) {
    if (std::string_view(".*+?^${}()|[]\\").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

bool has_separator(const DatePart& zone) { return zone.integer->regular > 0; }

std::string pattern_of(const DatePart& part) {
  if (part.component == 0) return escaped(part.literal);
  if (part.component == 'Z' || part.component == 'z') {
    std::string pattern = part.component == 'z' ? "GMT[-+][0-9]+" : "[-+][0-9]+";
    if (has_separator(part)) {
      std::string separator;
      append_character(separator, part.integer->separators.front().character);
      pattern += escaped(separator) + "[0-9]+";
    }
    return pattern;
  }
  if (part.component == 'f') return "[0-9]+";
  if (part.integer) return pattern_of(*part.integer);
  if (std::string_view("MxFP").find(part.component) == std::string_view::npos) {
    raise("D3133",
          "The 'name' modifier can only be applied to months and days in the date/time picture "
          "string, not " +
              json_quote(std::string(1, part.component)));
  }
  return "[a-zA-Z]+";
}

// The offset of a time zone, in minutes.
double parse_zone(std::string text, const DatePart& part) {
  if (part.component == 'z') text.erase(0, 3);
  double hours = 0, minutes = 0;
  if (has_separator(part)) {
    std::string separator;
    append_character(separator, part.integer->separators.front().character);
    const std::size_t at = text.find(separator);
    hours = parse_number(text.substr(text[0] == '+' ? 1 : 0, at - (text[0] == '+' ? 1 : 0)))
                .value_or(0);
    minutes = parse_number(text.substr(at + separator.size())).value_or(0);
  } else {
    const std::size_t digits = text.size() - 1;
    const std::string unsigned_text = text.substr(1);
    hours = parse_number(unsigned_text.substr(0, 2)).value_or(0);
    if (text[0] == '-') hours = -hours;
    if (digits > 2) minutes = parse_number(unsigned_text.substr(2)).value_or(0);
  }
  return hours * 60 + minutes;
}

std::optional<double> parse_name(const std::string& text, const DatePart& part) {
  if (part.component == 'P') {
    if (text == "am" || text == "AM") return 0;
    if (text == "pm" || text == "PM") return 1;
    return std::nullopt;
  }
  const bool is_day = part.component == 'F';
  for (int i = 0; i < (is_day ? 7 : 12); ++i) {
    std::string name = is_day ? kDays[i] : kMonths[i];
    if (part.longest) name.resize(std::min(name.size(), *part.longest));
    if (name == text) return i + 1;
  }
  return std::nullopt;
}

std::optional<double> parse_part(const std::string& text, const DatePart& part) {
  if (part.component == 'Z' || part.component == 'z') return parse_zone(text, part);
  if (part.component == 'f') {
    return parse_number("0." + text.substr(0, 3)).value_or(0) * 1000;
  }
  if (part.integer) return parse_with(text, *part.integer);
  return parse_name(text, part);
}

[[noreturn]] void too_little() {
  raise("D3136",
        "The date/time picture string is missing specifiers required to parse the timestamp");
}

// Of the letters `all`: does the picture give one that is `needed`, and none that is not `allowed`?
bool is_form(const Components& components, std::string_view all, std::string_view needed,
             std::string_view allowed) {
  bool any = false;
  for (const char c : all) {
    const auto found = components.find(c);
    const bool known = found != components.end() && found->second != 0;
    if (!known) continue;
    if (allowed.find(c) == std::string_view::npos) return false;
    any = any || needed.find(c) != std::string_view::npos;
  }
  return any;
}

// Fills in missing components: those before the first that is given from now, those after it with
// the beginning of their range.
void complete(Components& components, std::string_view order, std::int64_t now_millis) {
  bool started = false, ended = false;
  for (const char c : order) {
    if (components.contains(c)) {
      started = true;
      if (ended) too_little();
    } else if (started) {
      components[c] = std::string_view("MDd").find(c) != std::string_view::npos ? 1 : 0;
      ended = true;
    } else {
      // Without am or pm the reference takes any time for one in the morning.
      components[c] = c == 'P' ? 0 : static_cast<double>(component_of(now_millis, c));
    }
  }
}

double moment_of(Components components, std::int64_t now_millis) {
  // The reference tells the ways of writing a date apart by masks of its letters.
  const std::string_view date_letters = "YXMxWwdD", time_letters = "PHhmsf";
  const bool month_date = is_form(components, date_letters, "YMD", "YMD");
  const bool day_of_year = !month_date && is_form(components, date_letters, "Yd", "Yd");
  const bool week_of_month = is_form(components, date_letters, "Xxw", "Xxw");
  const bool week_of_year = !week_of_month && is_form(components, date_letters, "XW", "XW");
  const bool full_clock = is_form(components, time_letters, "Hmsf", "Hmsf");
  const bool half_clock = !full_clock && is_form(components, time_letters, "Phmsf", "Phmsf");
  std::string order = day_of_year ? "YD" : week_of_month ? "XxwF" : week_of_year ? "XWF" : "YMD";
  order += half_clock ? "Phmsf" : "Hmsf";
  complete(components, order, now_millis);
  double month = components['M'] > 0 ? components['M'] : 1;
  if (day_of_year) {
    const auto first = utc_millis(components['Y'], 1, components['d'], 0, 0, 0, 0);
    if (std::isnan(first)) return kNotATime;
    const auto instant = static_cast<std::int64_t>(first);
    month = static_cast<double>(component_of(instant, 'M'));
    components['D'] = static_cast<double>(component_of(instant, 'D'));
  }
  if (week_of_month || week_of_year) too_little();
  if (half_clock) {
    components['H'] = components['h'] == 12 ? 0 : components['h'];
    if (components['P'] == 1) components['H'] += 12;
  }
  const double millis = utc_millis(components['Y'], month, components['D'], components['H'],
                                   components['m'], components['s'], components['f']);
  const double zone = components['Z'] != 0 ? components['Z'] : components['z'];
  return millis - std::trunc(zone) * kMinute;
}

std::optional<double> parse_by_picture(const std::string& text, std::string_view picture,
                                       std::int64_t now_millis, std::uint64_t& steps) {
  const std::vector<DatePart> parts = date_picture(picture);
  std::string pattern = "^";
  for (const DatePart& part : parts) pattern += "(" + pattern_of(part) + ")";
  const auto regex = Regex::compile(pattern + "$", "i", Regex::Dialect::kJavaScript);
  if (std::holds_alternative<Regex::Wrong>(regex)) raise("D3110", "The picture is too long");
  const Regex::Result found = std::get<Regex>(regex).find(text, 0, steps);
  if (found.outcome == Regex::Outcome::kTooMuch) {
    raise("U1001", "The picture needs too much work");
  }
  if (found.outcome == Regex::Outcome::kNone) return std::nullopt;
  Components components;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto& group = found.match.groups[i];
    if (parts[i].component == 0 || !group) continue;
    const auto value = parse_part(*group, parts[i]);
    if (value && !std::isnan(*value)) components[parts[i].component] = *value;
  }
  if (components.empty()) return std::nullopt;
  return moment_of(std::move(components), now_millis);
}

}  // namespace

std::optional<double> parse_millis(std::string_view text, std::optional<std::string_view> picture,
                                   std::int64_t now_millis, std::uint64_t& steps) {
  if (text.size() > kLongestText) raise("D3110", "The text is longer than 10000 bytes");
  if (picture) return parse_by_picture(std::string(text), *picture, now_millis, steps);
  const auto millis = IsoReader(text).read();
  if (!millis) {
    raise("D3110",
          "The argument of the toMillis function must be an ISO 8601 formatted timestamp. "
          "Given " +
              json_quote(text));
  }
  return millis;
}

}  // namespace stepwell::expr::jsonata
