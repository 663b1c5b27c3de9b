#include "providers/fake/accounts.h"

#include <algorithm>
#include <cstdio>

#include "base/hash.h"

namespace stepwell::fake {
namespace {

http::Response refused(const char* error) {
  return http::Response::json(400, Value(Object{{"error", error}}).to_json());
}

}  // namespace

Form parse_form(const std::string& text) {
  Form form;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t to = std::min(text.find('&', from), text.size());
    const std::string pair = text.substr(from, to - from);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string value = equals < pair.size() ? pair.substr(equals + 1) : "";
    form[http::url_decode(pair.substr(0, equals), true)] = http::url_decode(value, true);
    from = to + 1;
  }
  return form;
}

std::string Accounts::token(const char* kind, std::uint32_t user, std::uint64_t generation) const {
  const std::string name = "fake-" + std::string(kind) + "." + vendor_ + "." +
                           std::to_string(user) + "." + std::to_string(generation);
  char seal[20];
  std::snprintf(seal, sizeof seal, "%016llx", static_cast<unsigned long long>(hash64(name, seed_)));
  return name + "." + seal;
}

std::optional<Accounts::Named> Accounts::read(const char* kind, const std::string& text) const {
  const std::string prefix = "fake-" + std::string(kind) + "." + vendor_ + ".";
  if (text.rfind(prefix, 0) != 0) return std::nullopt;
  unsigned user = 0;
  unsigned long long generation = 0;
  if (std::sscanf(text.c_str() + prefix.size(), "%u.%llu.", &user, &generation) != 2) {
    return std::nullopt;
  }
  if (token(kind, user, generation) != text) return std::nullopt;
  return Named{user, generation};
}

Accounts::Account& Accounts::account(std::uint32_t user, const Knobs& knobs, Millis now) {
  const auto [entry, is_new] = accounts_.try_emplace(user);
  if (is_new) entry->second.access_until[0] = now + Millis(knobs.access_ttl_s * 1000);
  return entry->second;
}

Value Accounts::tokens(std::uint32_t user, const Knobs& knobs, Millis now) {
  const Account& mine = account(user, knobs, now);
  const auto& [generation, until] = *mine.access_until.rbegin();
  const auto left = std::max(Millis(0), until - now).count() / 1000;
  return Value(Object{{"token_type", "Bearer"},
                      {"access_token", token("access", user, generation)},
                      {"refresh_token", token("refresh", user, mine.refresh_generation)},
                      {"expires_in", left},
                      {"expires_at", until.count() / 1000}});
}

std::optional<std::uint32_t> Accounts::user_of(const std::string& access_token, const Knobs& knobs,
                                               Millis now) {
  const auto named = read("access", access_token);
  if (!named) return std::nullopt;
  const Account& mine = account(named->user, knobs, now);
  const auto until = mine.access_until.find(named->generation);
  if (mine.is_revoked || until == mine.access_until.end() || until->second <= now) {
    ++figures_.dead_access_tokens;
    return std::nullopt;
  }
  return named->user;
}

http::Response Accounts::grant(const Form& form, const Knobs& knobs, Millis now) {
  const auto field = [&](const char* name) {
    const auto found = form.find(name);
    return found == form.end() ? std::string() : found->second;
  };
  if (field("client_id").empty() || field("client_secret").empty()) {
    return http::Response::json(401, R"({"error":"invalid_client"})");
  }
  std::optional<Named> named;
  const bool is_code = field("grant_type") == "authorization_code";
  if (is_code) {
    named = read("code", field("code"));
    if (!named || !used_codes_.insert(field("code")).second) return refused("invalid_grant");
    account(named->user, knobs, now).is_revoked = false;
  } else if (field("grant_type") == "refresh_token") {
    named = read("refresh", field("refresh_token"));
    if (!named) return refused("invalid_grant");
  } else {
    return refused("unsupported_grant_type");
  }
  Account& mine = account(named->user, knobs, now);
  // With single use, a refresh token is dead once it was used; else the one before stays good.
  const std::uint64_t slack = knobs.rotation == "single_use" ? 0 : 1;
  if (!is_code && (mine.is_revoked || named->generation + slack < mine.refresh_generation)) {
    ++figures_.dead_refresh_tokens;
    return refused("invalid_grant");
  }
  ++figures_.refreshes;
  const std::uint64_t next = mine.access_until.rbegin()->first + 1;
  mine.access_until[next] = now + Millis(knobs.access_ttl_s * 1000);
  if (knobs.rotation != "none") mine.refresh_generation = next;
  return http::Response::json(200, tokens(named->user, knobs, now).to_json());
}

std::string Accounts::code_for(std::uint32_t user) const {
  return token("code", user, used_codes_.size());
}

void Accounts::revoke(std::uint32_t user) { accounts_[user].is_revoked = true; }

}  // namespace stepwell::fake
