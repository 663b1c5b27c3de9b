#include "base/time.h"

#include <array>
#include <cstdio>

namespace stepwell {
namespace {

// Reads exactly `count` digits at `at`, or answers -1.
int digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return -1;
  int number = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    number = number * 10 + (text[i] - '0');
  }
  return number;
}

bool has(std::string_view text, std::size_t at, char c) {
  return at < text.size() && text[at] == c;
}

// "Z", "+01:00" or "-0330" style offsets from `at` to the end; minutes east of UTC.
std::optional<int> offset_minutes(std::string_view text, std::size_t at) {
  if (has(text, at, 'Z') && at + 1 == text.size()) return 0;
  const bool is_east = has(text, at, '+');
  if (!is_east && !has(text, at, '-')) return std::nullopt;
  const int hours = digits(text, at + 1, 2);
  const int minutes = digits(text, at + 4, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
  if (!has(text, at + 3, ':') || at + 6 != text.size()) return std::nullopt;
  return (is_east ? 1 : -1) * (hours * 60 + minutes);
}

}  // namespace

std::string to_rfc3339(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 64> buffer{};
  const int size = std::snprintf(
      buffer.data(), buffer.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
      static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
      static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
      static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
      static_cast<int>(clock.subseconds().count()));
  return std::string(buffer.data(), static_cast<std::size_t>(size));
}

std::optional<Time> parse_rfc3339(std::string_view text, std::int32_t* below) {
  const int year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const int hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  const bool is_punctuated = has(text, 4, '-') && has(text, 7, '-') && has(text, 10, 'T') &&
                             has(text, 13, ':') && has(text, 16, ':');
  if (!is_punctuated || year < 0 || month < 0 || day < 0) return std::nullopt;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;

  std::size_t at = 19;
  std::int32_t nanoseconds = 0;
  if (has(text, at, '.')) {
    std::int32_t weight = 100'000'000;
    const std::size_t first = ++at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
      nanoseconds += weight * (text[at] - '0');
      weight /= 10;
    }
    if (at == first) return std::nullopt;
  }
  const auto offset = offset_minutes(text, at);
  if (!offset) return std::nullopt;
  if (below != nullptr) *below = nanoseconds % 1'000'000;
  return Time(std::chrono::sys_days(date)) + std::chrono::hours(hour) +
         std::chrono::minutes(minute - *offset) + std::chrono::seconds(second) +
         Millis(nanoseconds / 1'000'000);
}

std::string to_human(Millis duration) {
  const auto ms = duration.count();
  std::array<char, 64> buffer{};
  int size = 0;
  if (ms < 1'000) {
    size = std::snprintf(buffer.data(), buffer.size(), "%lld ms", static_cast<long long>(ms));
  } else if (ms < 60'000) {
    size = std::snprintf(buffer.data(), buffer.size(), "%.1f s", static_cast<double>(ms) / 1000);
  } else if (ms < 3'600'000) {
    size =
        std::snprintf(buffer.data(), buffer.size(), "%lldm %llds",
                      static_cast<long long>(ms / 60'000), static_cast<long long>(ms / 1'000 % 60));
  } else {
    size = std::snprintf(buffer.data(), buffer.size(), "%lldh %lldm",
                         static_cast<long long>(ms / 3'600'000),
                         static_cast<long long>(ms / 60'000 % 60));
  }
  return std::string(buffer.data(), static_cast<std::size_t>(size));
}

}  // namespace stepwell
