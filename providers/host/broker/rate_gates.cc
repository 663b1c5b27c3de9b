#include "providers/host/broker/rate_gates.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace stepwell::host {
namespace {

constexpr Millis kFirstGuess{60'000};
constexpr Millis kLongest{24 * 3'600'000};

bool matches(const RateLimit& limit, const std::string& method) {
  return limit.methods.empty() ||
         std::find(limit.methods.begin(), limit.methods.end(), method) != limit.methods.end();
}

std::string key_of(const Manifest& manifest, const RateLimit& limit,
                   const std::string& connection) {
  return manifest.id + "|" + limit.id + "|" + (limit.is_app_wide ? "*" : connection);
}

// A provider without declared limits has one bucket for everything.
std::vector<RateLimit> limits_of(const Manifest& manifest, const std::string& method) {
  std::vector<RateLimit> limits;
  for (const RateLimit& limit : manifest.rate_limits) {
    if (matches(limit, method)) limits.push_back(limit);
  }
  if (limits.empty()) limits.push_back({"all", true, Millis(60'000), false, {}});
  return limits;
}

}  // namespace

RateGates::Wait RateGates::wait_for(const Manifest& manifest, const std::string& method,
                                    const std::string& connection, Millis now) const {
  Wait longest;
  for (const RateLimit& limit : limits_of(manifest, method)) {
    const auto gate = gates_.find(key_of(manifest, limit, connection));
    if (gate == gates_.end() || gate->second.until - now <= longest.left) continue;
    longest = {gate->second.until - now, limit.id};
  }
  return longest;
}

RateGates::Wait RateGates::refused(const Manifest& manifest, const std::string& method,
                                   const std::string& connection, const HttpReply& reply,
                                   Millis now, Millis clock) {
  // The most specific bucket of those that match: providers list the general ones first.
  const RateLimit limit = limits_of(manifest, method).back();
  Gate& gate = gates_[key_of(manifest, limit, connection)];
  Millis wait{0};
  if (const auto asked = retry_after_of(reply, clock)) {
    wait = *asked;
    gate.refusals = 0;
  } else if (limit.is_aligned && limit.per.count() > 0) {
    wait = limit.per - Millis(clock.count() % limit.per.count());
  } else {
    wait = std::min(kLongest, kFirstGuess * (1 << std::min(gate.refusals, 10)));
    ++gate.refusals;
  }
  gate.until = std::max(gate.until, now + wait);
  return {wait, limit.id};
}

void RateGates::passed(const Manifest& manifest, const std::string& method,
                       const std::string& connection) {
  if (gates_.empty()) return;
  const RateLimit limit = limits_of(manifest, method).back();
  const auto gate = gates_.find(key_of(manifest, limit, connection));
  if (gate != gates_.end()) gate->second.refusals = 0;
}

std::optional<Millis> retry_after_of(const HttpReply& reply, Millis clock) {
  const auto header = reply.headers.find("retry-after");
  if (header == reply.headers.end()) return std::nullopt;
  const std::string& text = header->second;
  double seconds = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (parsed.ec == std::errc() && parsed.ptr == text.data() + text.size()) {
    if (!(seconds >= 0)) return std::nullopt;
    return Millis(static_cast<std::int64_t>(std::min(seconds, 1e6) * 1000));
  }
  const std::optional<Millis> date = read_http_date(text);
  if (!date) return std::nullopt;
  return std::max(Millis(0), *date - clock);
}

}  // namespace stepwell::host
