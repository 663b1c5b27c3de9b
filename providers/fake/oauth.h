// OAuth — the token endpoints of the fake: refresh tokens that work once, access tokens that end.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/value.h"
#include "providers/fake/knobs.h"
#include "server/http/http.h"

namespace stepwell::fake {

class OAuth {
 public:
  // The tokens of the first consent, as the token endpoint would answer them.
  Value consent(const std::string& provider, const std::string& user, std::int64_t now,
                const Knobs& knobs);
  // POST /oauth/token.
  server::Response token(const std::string& provider, const server::Request& request,
                         std::int64_t now, const Knobs& knobs);
  // The user whose access token the request carries; empty: answer 401.
  std::string user_of(const std::string& provider, const server::Request& request,
                      std::int64_t now);

  std::uint64_t dead_tokens_used() const { return dead_tokens_used_; }
  std::uint64_t refreshes() const { return refreshes_; }

 private:
  struct Grant {
    std::uint64_t generation = 0;  // Of refresh and access token.
    std::int64_t ends_at = 0;      // Of the access token, epoch seconds.
  };
  Value reply(const std::string& provider, const std::string& user, const Grant& grant,
              std::int64_t now) const;

  std::map<std::pair<std::string, std::string>, Grant> grants_;  // By provider and user.
  std::uint64_t dead_tokens_used_ = 0, refreshes_ = 0;
};

}  // namespace stepwell::fake
