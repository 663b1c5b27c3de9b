// Accounts — one vendor's OAuth: access tokens that end, refresh tokens that may rotate.
//
// Tokens are text made from (vendor, user, generation), so nothing but the generation is kept, and
// a restarted fake knows those it gave out at first. Thread-safety: none; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/value.h"
#include "net/http/http.h"
#include "providers/fake/knobs.h"

namespace stepwell::fake {

using Form = std::map<std::string, std::string>;
Form parse_form(const std::string& text);

class Accounts {
 public:
  Accounts(std::string vendor, std::uint64_t seed) : vendor_(std::move(vendor)), seed_(seed) {}

  struct Figures {
    std::int64_t refreshes = 0, dead_refresh_tokens = 0, dead_access_tokens = 0;
  };

  // The tokens of now, as the token endpoint would tell them.
  Value tokens(std::uint32_t user, const Knobs& knobs, Millis now);
  // Whose access token that is; nothing when it is none of ours, over, or revoked.
  std::optional<std::uint32_t> user_of(const std::string& access_token, const Knobs& knobs,
                                       Millis now);
  // POST .../oauth/token
  http::Response grant(const Form& form, const Knobs& knobs, Millis now);
  // A code for grant_type=authorization_code; good once.
  std::string code_for(std::uint32_t user) const;
  // From now on every token of the user is dead, until a code is exchanged.
  void revoke(std::uint32_t user);
  const Figures& figures() const { return figures_; }

 private:
  struct Account {
    std::uint64_t refresh_generation = 0;
    std::map<std::uint64_t, Millis> access_until;  // By generation.
    bool is_revoked = false;
  };
  struct Named {
    std::uint32_t user = 0;
    std::uint64_t generation = 0;
  };

  Account& account(std::uint32_t user, const Knobs& knobs, Millis now);
  std::string token(const char* kind, std::uint32_t user, std::uint64_t generation) const;
  std::optional<Named> read(const char* kind, const std::string& token) const;

  std::string vendor_;
  std::uint64_t seed_;
  std::map<std::uint32_t, Account> accounts_;
  std::set<std::string> used_codes_;
  Figures figures_;
};

}  // namespace stepwell::fake
