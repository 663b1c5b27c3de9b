#include "providers/host/broker/rate_gates.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace stepwell::host {
namespace {

constexpr Millis kFirstGuess{60'000};
// Whatever an answer says: so long, or for the time of the limit itself.
constexpr Millis kLongest{3'600'000};

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
  if (limits.empty()) {
    RateLimit all;
    all.id = "all";
    all.is_app_wide = true;
    all.per = Millis(60'000);
    limits.push_back(std::move(all));
  }
  return limits;
}

// The number of a header that may have several, between commas; nothing when there is none.
std::optional<double> number_in(const HttpReply& reply, const std::string& header,
                                std::size_t index) {
  const auto found = reply.headers.find(header);
  if (header.empty() || found == reply.headers.end()) return std::nullopt;
  std::string_view rest = found->second;
  for (; index > 0; --index) {
    const std::size_t comma = rest.find(',');
    if (comma == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(comma + 1);
  }
  rest = rest.substr(0, rest.find(','));
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  double number = 0;
  const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (parsed.ec != std::errc()) return std::nullopt;
  return number;
}

// Does the answer show that this limit is used up?
bool is_used_up(const RateLimit& limit, const HttpReply& reply) {
  const RateHeaders& headers = limit.headers;
  if (const auto remaining = number_in(reply, headers.remaining, headers.index)) {
    return *remaining <= 0;
  }
  const auto used = number_in(reply, headers.used, headers.index);
  const auto most = number_in(reply, headers.limit, headers.index);
  return used && most && *used >= *most;
}

// Of a user before of the app, then the one that is over soonest; of two alike the later, because
// manifests list the general ones first.
const RateLimit& narrowest(const std::vector<RateLimit>& limits) {
  return *std::min_element(limits.rbegin(), limits.rend(),
                           [](const RateLimit& a, const RateLimit& b) {
                             if (a.is_app_wide != b.is_app_wide) return !a.is_app_wide;
                             return a.per < b.per;
                           });
}

}  // namespace

RateGates::Wait RateGates::wait_for(const Manifest& manifest, const std::string& method,
                                    const std::string& connection, Millis now) const {
  Wait longest;
  const MutexLock lock(mutex_);
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
  const std::vector<RateLimit> all = limits_of(manifest, method);
  std::vector<RateLimit> hit;
  for (const RateLimit& limit : all) {
    if (is_used_up(limit, reply)) hit.push_back(limit);
  }
  if (hit.empty()) hit.push_back(narrowest(all));
  Wait longest;
  const MutexLock lock(mutex_);
  for (const RateLimit& limit : hit) {
    const Millis wait = close(key_of(manifest, limit, connection), limit, reply, now, clock);
    if (longest.bucket.empty() || wait > longest.left) longest = {wait, limit.id};
  }
  return longest;
}

Millis RateGates::close(const std::string& key, const RateLimit& limit, const HttpReply& reply,
                        Millis now, Millis clock) {
  Gate& gate = gates_[key];
  Millis wait{0};
  if (const auto asked = retry_after_of(reply, clock)) {
    wait = *asked;
    gate.refusals = 0;
  } else if (limit.is_aligned && limit.per.count() > 0) {
    wait = limit.per - Millis(clock.count() % limit.per.count());
  } else {
    wait = kFirstGuess * (1 << std::min(gate.refusals, 10));
    ++gate.refusals;
  }
  wait = std::min(wait, std::max(kLongest, limit.per));
  gate.until = std::max(gate.until, now + wait);
  return wait;
}

void RateGates::passed(const Manifest& manifest, const std::string& method,
                       const std::string& connection) {
  const MutexLock lock(mutex_);
  if (gates_.empty()) return;
  for (const RateLimit& limit : limits_of(manifest, method)) {
    const auto gate = gates_.find(key_of(manifest, limit, connection));
    if (gate != gates_.end()) gate->second.refusals = 0;
  }
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
