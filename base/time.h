// Time as the engine sees it: milliseconds since 1970, UTC.  Nothing here reads a clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stepwell {

using Millis = std::chrono::milliseconds;
using Time = std::chrono::sys_time<Millis>;

inline std::int64_t unix_ms(Time time) { return time.time_since_epoch().count(); }
inline Time from_unix_ms(std::int64_t ms) { return Time(Millis(ms)); }

// "2026-11-21T05:04:43.123Z", always with three digits.
std::string to_rfc3339(Time time);
// RFC 3339 with a capital T, and Z or an offset; a fraction of any length is cut to milliseconds,
// `below` has the nanoseconds that are cut off.  Nothing else is accepted (no space for the T, no
// lower case, no month 13).
std::optional<Time> parse_rfc3339(std::string_view text, std::int32_t* below = nullptr);
// "1h 2m", "3.4 s", "250 ms": a duration for people.
std::string to_human(Millis duration);

}  // namespace stepwell
