// Instants are seconds since 1970; integers as long as they are whole.
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "providers/host/plugin/natives.h"

namespace stepwell::host {
namespace {

constexpr lua_Integer kMostOffset = 18 * 3600;  // Of local time from UTC, in seconds.

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

struct Instant {
  std::int64_t seconds = 0;
  double fraction = 0;
  std::int64_t offset = 0;
};

// Reads fixed-width numbers off the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}
  bool number(std::size_t width, int& out) {
    if (rest_.size() < width) return false;
    out = 0;
    for (std::size_t i = 0; i < width; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return false;
      out = out * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(width);
    return true;
  }
  bool eat(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  double fraction() {
    double value = 0, unit = 0.1;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      value += unit * (rest_.front() - '0');
      unit /= 10;
      rest_.remove_prefix(1);
    }
    return value;
  }
  bool is_done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

std::optional<std::int64_t> read_date(Scanner& scan) {
  int year = 0, month = 0, day = 0;
  if (!scan.number(4, year) || !scan.eat('-') || !scan.number(2, month) || !scan.eat('-') ||
      !scan.number(2, day)) {
    return std::nullopt;
  }
  const year_month_day date{std::chrono::year(year),
                            std::chrono::month(static_cast<unsigned>(month)),
                            std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return sys_days(date).time_since_epoch().count() * 86400LL;
}

bool read_clock(Scanner& scan, Instant& at) {
  int hour = 0, minute = 0, second = 0;
  if (!scan.number(2, hour) || !scan.eat(':') || !scan.number(2, minute)) return false;
  if (scan.eat(':') && !scan.number(2, second)) return false;
  if (hour > 24 || minute > 59 || second > 60) return false;
  if (scan.eat('.')) at.fraction = scan.fraction();
  at.seconds += hour * 3600 + minute * 60 + second;
  return true;
}

bool read_offset(Scanner& scan, Instant& at) {
  if (scan.eat('Z') || scan.eat('z')) return true;
  const int sign = scan.eat('-') ? -1 : 1;
  int hours = 0, minutes = 0;
  if (sign == 1 && !scan.eat('+')) return false;
  if (!scan.number(2, hours)) return false;
  scan.eat(':');
  if (!scan.number(2, minutes) || hours > 23 || minutes > 59) return false;
  at.offset = sign * (hours * 3600 + minutes * 60);
  at.seconds -= at.offset;
  return true;
}

std::optional<Instant> parse_instant(std::string_view text, bool is_civil) {
  Scanner scan(text);
  const auto date = read_date(scan);
  if (!date) return std::nullopt;
  Instant at{*date};
  if (scan.is_done()) return at;
  if (!scan.eat('T') && !scan.eat(' ')) return std::nullopt;
  if (!read_clock(scan, at)) return std::nullopt;
  if (!is_civil && !read_offset(scan, at)) return std::nullopt;
  if (is_civil) scan.eat('Z');  // Strava's local times carry a false one.
  if (!scan.is_done()) return std::nullopt;
  return at;
}

void push_instant(lua_State* lua, const Instant& at) {
  if (at.fraction == 0) {
    lua_pushinteger(lua, at.seconds);
  } else {
    lua_pushnumber(lua, static_cast<double>(at.seconds) + at.fraction);
  }
}

struct Clock {
  int year = 0;
  unsigned month = 0, day = 0;
  std::int64_t hour = 0, minute = 0, second = 0, milli = 0;
};

// Of the number at `index`, shifted by `offset` seconds.
Clock clock_at(lua_State* lua, int index, std::int64_t offset) {
  const double seconds = luaL_checknumber(lua, index);
  luaL_argcheck(lua, std::isfinite(seconds) && std::fabs(seconds) < 9e10, index,
                "not an instant between the years -880 and 4820");
  // Rounded to milliseconds first, or 0.9999 would print as .1000.
  const auto millis = static_cast<std::int64_t>(std::llround(seconds * 1000)) + offset * 1000;
  const std::int64_t day = millis >= 0 ? millis / 86400000 : -((-millis + 86399999) / 86400000);
  const year_month_day date{sys_days(days(day))};
  const std::int64_t rest = millis - day * 86400000;
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          rest / 3600000,
          rest / 60000 % 60,
          rest / 1000 % 60,
          rest % 1000};
}

std::string civil_text(const Clock& at) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02lld:%02lld:%02lld", at.year, at.month,
                at.day, static_cast<long long>(at.hour), static_cast<long long>(at.minute),
                static_cast<long long>(at.second));
  std::string out = text.data();
  if (at.milli != 0) {
    std::snprintf(text.data(), text.size(), ".%03lld", static_cast<long long>(at.milli));
    out += text.data();
  }
  return out;
}

// time_parse(text) -> t, offset | nil
int time_parse(lua_State* lua) {
  const auto at = parse_instant(luaL_checkstring(lua, 1), false);
  if (!at) {
    lua_pushnil(lua);
    return 1;
  }
  push_instant(lua, *at);
  lua_pushinteger(lua, at->offset);
  return 2;
}

int time_iso(lua_State* lua) {
  const lua_Integer offset = luaL_optinteger(lua, 2, 0);
  luaL_argcheck(lua, offset >= -kMostOffset && offset <= kMostOffset, 2, "more than 18 hours");
  std::string text = civil_text(clock_at(lua, 1, offset));
  if (offset == 0) {
    text += 'Z';
  } else {
    std::array<char, 48> zone{};
    const long long minutes = (offset < 0 ? -offset : offset) / 60;
    std::snprintf(zone.data(), zone.size(), "%c%02lld:%02lld", offset < 0 ? '-' : '+', minutes / 60,
                  minutes % 60);
    text += zone.data();
  }
  lua_pushlstring(lua, text.data(), text.size());
  return 1;
}

int time_civil(lua_State* lua) {
  const std::string text = civil_text(clock_at(lua, 1, luaL_checkinteger(lua, 2)));
  lua_pushlstring(lua, text.data(), text.size());
  return 1;
}

int time_from_civil(lua_State* lua) {
  auto at = parse_instant(luaL_checkstring(lua, 1), true);
  const lua_Integer offset = luaL_checkinteger(lua, 2);
  if (!at) {
    lua_pushnil(lua);
    return 1;
  }
  at->seconds -= offset;
  push_instant(lua, *at);
  return 1;
}

int time_date(lua_State* lua) {
  const std::string text = civil_text(clock_at(lua, 1, luaL_optinteger(lua, 2, 0)));
  lua_pushlstring(lua, text.data(), text.find('T'));
  return 1;
}

// Adds calendar months; the 31st becomes the last of a shorter month.
void push_months_later(lua_State* lua, std::int64_t count) {
  const double seconds = luaL_checknumber(lua, 1);
  const auto day = static_cast<std::int64_t>(std::floor(seconds / 86400));
  const double rest = seconds - static_cast<double>(day) * 86400;
  const year_month_day date{sys_days(days(day))};
  const auto month = date.year() / date.month() + std::chrono::months(count);
  const auto last = (month / std::chrono::last).day();
  const year_month_day there = month / (date.day() < last ? date.day() : last);
  const double sum = static_cast<double>(sys_days(there).time_since_epoch().count()) * 86400 + rest;
  if (lua_isinteger(lua, 1) != 0) {
    lua_pushinteger(lua, static_cast<lua_Integer>(sum));
  } else {
    lua_pushnumber(lua, sum);
  }
}

// time_add(t, "1d")
int time_add(lua_State* lua) {
  std::string_view text = luaL_checkstring(lua, 2);
  const int sign = !text.empty() && text.front() == '-' ? -1 : 1;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  std::int64_t count = 0;
  std::size_t digits = 0;
  while (digits < text.size() && digits < 9 && text[digits] >= '0' && text[digits] <= '9') {
    count = count * 10 + (text[digits++] - '0');
  }
  const std::string_view unit = text.substr(digits);
  count *= sign;
  clock_at(lua, 1, 0);  // For its check.
  if (digits > 0 && unit == "mo" && count > -12000 && count < 12000) {
    push_months_later(lua, count);
    return 1;
  }
  const std::int64_t seconds = unit == "s"   ? 1
                               : unit == "m" ? 60
                               : unit == "h" ? 3600
                               : unit == "d" ? 86400
                               : unit == "w" ? 604800
                                             : 0;
  if (digits == 0 || seconds == 0) {
    return luaL_error(lua, "%s is not a span of time such as 90s 5m 1h 7d 2w 1mo",
                      lua_tostring(lua, 2));
  }
  if (lua_isinteger(lua, 1) != 0) {
    lua_pushinteger(lua, lua_tointeger(lua, 1) + count * seconds);
  } else {
    lua_pushnumber(lua, lua_tonumber(lua, 1) + static_cast<double>(count * seconds));
  }
  return 1;
}

}  // namespace

const luaL_Reg kTimeNatives[] = {{"time_parse", time_parse}, {"time_iso", time_iso},
                                 {"time_civil", time_civil}, {"time_from_civil", time_from_civil},
                                 {"time_date", time_date},   {"time_add", time_add},
                                 {nullptr, nullptr}};

}  // namespace stepwell::host
