#include "providers/fake/oauth.h"

#include <cstdlib>

namespace stepwell::fake {
namespace {

// Tokens look like "access.strava.u1.3".
struct Token {
  std::string provider, user;
  std::uint64_t generation = 0;
};

std::optional<Token> read_token(const std::string& kind, const std::string& text) {
  if (text.rfind(kind + ".", 0) != 0) return std::nullopt;
  const std::size_t provider = kind.size() + 1;
  const std::size_t user = text.find('.', provider);
  if (user == std::string::npos) return std::nullopt;
  const std::size_t generation = text.find('.', user + 1);
  if (generation == std::string::npos) return std::nullopt;
  return Token{text.substr(provider, user - provider), text.substr(user + 1, generation - user - 1),
               std::strtoull(text.c_str() + generation + 1, nullptr, 10)};
}

std::string form_field(const std::string& body, const std::string& name) {
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t end = std::min(body.find('&', at), body.size());
    const std::string pair = body.substr(at, end - at);
    const std::size_t equals = pair.find('=');
    if (equals != std::string::npos && pair.substr(0, equals) == name) {
      return server::url_decode(std::string_view(pair).substr(equals + 1), true);
    }
    at = end + 1;
  }
  return {};
}

}  // namespace

Value OAuth::reply(const std::string& provider, const std::string& user, const Grant& grant,
                   std::int64_t now) const {
  const std::string tail = "." + provider + "." + user + "." + std::to_string(grant.generation);
  return Object{{"token_type", "Bearer"},
                {"access_token", "access" + tail},
                {"refresh_token", "refresh" + tail},
                {"expires_in", grant.ends_at - now},
                {"athlete", Object{{"id", user}}}};
}

Value OAuth::consent(const std::string& provider, const std::string& user, std::int64_t now,
                     const Knobs& knobs) {
  Grant& grant = grants_[{provider, user}];
  ++grant.generation;
  grant.ends_at = now + knobs.access_life_s;
  return reply(provider, user, grant, now);
}

server::Response OAuth::token(const std::string& provider, const server::Request& request,
                              std::int64_t now, const Knobs& knobs) {
  const auto refused = [](const char* error) {
    return server::Response::json(400, Value(Object{{"error", error}}).to_json());
  };
  if (request.method != "POST") return server::Response::json(405, "{}");
  if (form_field(request.body, "grant_type") != "refresh_token") {
    return refused("unsupported_grant_type");
  }
  const auto token = read_token("refresh", form_field(request.body, "refresh_token"));
  if (!token || token->provider != provider) return refused("invalid_grant");
  const auto grant = grants_.find({provider, token->user});
  if (grant == grants_.end()) return refused("invalid_grant");
  const bool is_old = token->generation != grant->second.generation;
  if (is_old && knobs.single_use_refresh) {
    ++dead_tokens_used_;
    return refused("invalid_grant");
  }
  ++refreshes_;
  return server::Response::json(200, consent(provider, token->user, now, knobs).to_json());
}

std::string OAuth::user_of(const std::string& provider, const server::Request& request,
                           std::int64_t now) {
  const std::string header = request.header("authorization");
  if (header.rfind("Bearer ", 0) != 0) return {};
  const auto token = read_token("access", header.substr(7));
  if (!token || token->provider != provider) return {};
  const auto grant = grants_.find({provider, token->user});
  if (grant == grants_.end() || grant->second.ends_at <= now) return {};
  return token->generation == grant->second.generation ? token->user : std::string();
}

}  // namespace stepwell::fake
