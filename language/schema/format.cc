// The formats that are checked: those that can be decided from the text alone.
#include <algorithm>
#include <array>
#include <cctype>

#include "base/time.h"
#include "language/schema/parts.h"

namespace stepwell {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f'); }
bool is_letter(char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }

bool is_date_time(std::string_view text) { return parse_rfc3339(text).has_value(); }
bool is_date(std::string_view text) {
  return text.size() == 10 && is_date_time(std::string(text) + "T00:00:00Z");
}
bool is_time(std::string_view text) { return is_date_time("2000-01-01T" + std::string(text)); }

// 8-4-4-4-12 hexadecimal digits.
bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

// A local part, one "@", and a domain without spaces.  Only the mail server knows more.
bool is_email(std::string_view text) {
  const std::size_t at = text.find('@');
  return at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
         text.find('@', at + 1) == std::string_view::npos &&
         std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) <= ' '; });
}

bool is_ipv4(std::string_view text) {
  int parts = 0;
  for (std::size_t at = 0; at <= text.size(); ++parts) {
    const std::size_t end = std::min(text.find('.', at), text.size());
    const std::string_view part = text.substr(at, end - at);
    if (part.empty() || part.size() > 3 || !std::all_of(part.begin(), part.end(), is_digit) ||
        (part.size() > 1 && part.front() == '0')) {
      return false;
    }
    int value = 0;
    for (const char c : part) value = value * 10 + (c - '0');
    if (value > 255) return false;
    at = end + 1;
  }
  return parts == 4;
}

// A scheme, and no character that would have to be escaped.
bool is_uri(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || !is_letter(text.front())) return false;
  const std::string_view scheme = text.substr(0, colon);
  return std::all_of(scheme.begin(), scheme.end(),
                     [](char c) {
                       return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
                     }) &&
         std::none_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) <= ' ' ||
                  std::string_view("\"<>\\^`{|}").find(c) != std::string_view::npos;
         });
}

struct Format {
  std::string_view name;
  bool (*holds)(std::string_view);
};
constexpr std::array<Format, 7> kFormats{{{"date-time", is_date_time},
                                          {"date", is_date},
                                          {"time", is_time},
                                          {"uuid", is_uuid},
                                          {"email", is_email},
                                          {"ipv4", is_ipv4},
                                          {"uri", is_uri}}};

const Format* format_named(std::string_view name) {
  const auto found = std::find_if(kFormats.begin(), kFormats.end(),
                                  [&](const Format& format) { return format.name == name; });
  return found != kFormats.end() ? &*found : nullptr;
}

}  // namespace

bool is_known_format(std::string_view format) { return format_named(format) != nullptr; }

bool has_format(std::string_view format, std::string_view text) {
  const Format* known = format_named(format);
  return known == nullptr || known->holds(text);
}

}  // namespace stepwell
