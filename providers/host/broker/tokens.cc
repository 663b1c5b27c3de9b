#include "providers/host/broker/tokens.h"

#include <algorithm>
#include <chrono>

#include "base/hash.h"
#include "net/client/http_client.h"
#include "providers/host/frames.h"

namespace stepwell::host {
namespace {

constexpr Millis kRefreshTimeout{30'000};
constexpr unsigned kRefreshesAtOnce = 2;  // Of one provider.

std::string form_escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                          (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_' || c == '~';
    out += is_plain ? std::string(1, c) : "%" + hex_encode(std::string_view(&c, 1));
  }
  return out;
}

Failure needs_consent(const std::string& id, const std::string& reason) {
  Failure failure =
      fail("Unauthorized", "the connection " + id + " needs the user's consent again");
  failure.reason = reason;
  return failure;
}

// What one call of the token endpoint came to.
struct Grant {
  enum class Verdict : std::uint8_t { kGranted, kRefused, kFailed };
  Verdict verdict = Verdict::kFailed;
  std::string problem;
  Tokens tokens;
  std::optional<Time> expires_at;
};

Grant read_grant(const HttpReply& reply, const Tokens& before) {
  Grant grant;
  if (reply.failure != HttpReply::Failure::kNone) {
    grant.problem = reply.problem;
    return grant;
  }
  const auto body = parse_json(reply.body);
  const std::string error = body.ok() ? text_of(*body, "error") : "";
  if (error == "invalid_grant" || (reply.status == 401 && error != "invalid_client")) {
    grant.verdict = Grant::Verdict::kRefused;
    grant.problem = "the refresh token was refused";
    return grant;
  }
  if (reply.status != 200 || !body.ok() || text_of(*body, "access_token").empty()) {
    grant.problem = "the token endpoint answered " + std::to_string(reply.status) +
                    (error.empty() ? "" : " " + error);
    return grant;
  }
  grant.verdict = Grant::Verdict::kGranted;
  grant.tokens.access_token = text_of(*body, "access_token");
  grant.tokens.refresh_token = text_of(*body, "refresh_token", before.refresh_token);
  if (const std::int64_t at = int_of(*body, "expires_at"); at > 0) {
    grant.expires_at = from_unix_ms(at * 1000);
  } else if (const std::int64_t in = int_of(*body, "expires_in"); in > 0) {
    grant.expires_at = from_unix_ms(clock_now().count() + in * 1000);
  }
  return grant;
}

struct Endpoint {
  std::string url;
  OAuthApp app;
  bool is_client_in_header = false;
  Reach reach = Reach::kPublicOnly;
};

// Blocks for as long as the endpoint pleases.
Grant ask_for_grant(const Endpoint& endpoint, const Tokens& tokens) {
  HttpRequest request;
  request.method = "POST";
  request.url = endpoint.url;
  request.timeout = kRefreshTimeout;
  request.is_repeatable = false;
  request.max_bytes = 1u << 20;
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                     {"Accept", "application/json"}};
  request.body = "grant_type=refresh_token&refresh_token=" + form_escape(tokens.refresh_token);
  if (endpoint.is_client_in_header) {
    request.headers.emplace_back(
        "Authorization",
        "Basic " + base64_encode(endpoint.app.client_id + ":" + endpoint.app.client_secret));
  } else {
    request.body += "&client_id=" + form_escape(endpoint.app.client_id) +
                    "&client_secret=" + form_escape(endpoint.app.client_secret);
  }
  return read_grant(HttpClient::send_blocking(std::move(request), endpoint.reach), tokens);
}

Endpoint endpoint_of(const HostOptions& options, const Manifest& manifest) {
  Endpoint endpoint{manifest.token_url, {}, manifest.is_client_in_header, Reach::kPublicOnly};
  if (const auto app = options.apps.find(manifest.id); app != options.apps.end()) {
    endpoint.app = app->second;
  }
  if (const auto there = options.overrides.find(manifest.id); there != options.overrides.end()) {
    endpoint.reach = Reach::kAnyAddress;
    endpoint.url = there->second.token_url.empty() ? there->second.base_url + "/oauth/token"
                                                   : there->second.token_url;
  }
  return endpoint;
}

}  // namespace

Millis clock_now() {
  return std::chrono::duration_cast<Millis>(std::chrono::system_clock::now().time_since_epoch());
}

Object facts_of(const store::Connection& row) {
  auto parsed = parse_json(row.settings.empty() ? "{}" : row.settings);
  Object rest = parsed.ok() && parsed->is_object() ? parsed->as_object() : Object();
  Object facts;
  for (const char* name : {"scopes", "profile"}) {
    const Value* member = rest.find(name);
    facts.set(name, member == nullptr ? Value(Object()) : *member);
    rest.erase(name);
  }
  const Value* settings = rest.find("settings");
  facts.set("settings", settings == nullptr ? Value(rest) : *settings);
  return facts;
}

// What the refresher found out, for the loop's to read.
struct TokenKeeper::Refresh {
  Result<store::Connection> row = Error{ErrorCode::kInternal, "not asked"};
  bool was_refused = false;  // And nothing was written: the caller tries once more.
  std::string problem;
};

TokenKeeper::TokenKeeper(loop::Loop& loop, const HostOptions& options, Vault vault,
                         Secrets& secrets)
    : loop_(loop), options_(options), vault_(std::move(vault)), secrets_(secrets) {}

TokenKeeper::~TokenKeeper() { *alive_ = false; }

std::variant<OpenRef, Failure> TokenKeeper::opened(const store::Connection& row) {
  const auto known = known_.find(row.id);
  // The life of a token counts from when it was read first.
  const bool is_same = known != known_.end() && known->second->row.generation == row.generation &&
                       known->second->row.sealed == row.sealed;
  if (is_same) return known->second;
  auto open = std::make_shared<OpenConnection>();
  open->row = row;
  if (row.expires_at) open->life = Millis(unix_ms(*row.expires_at)) - clock_now();
  if (!row.sealed.empty()) {
    auto tokens = vault_.unseal(row.sealed, row.id);
    if (!tokens.ok()) return fail("Unauthorized", tokens.error().message);
    open->tokens = std::move(tokens).value();
    // It goes into a header.
    if (has_control(open->tokens.access_token)) {
      return fail("Unauthorized", "the access token of " + row.id + " has a control character");
    }
    secrets_.add(open->tokens.access_token);
    secrets_.add(open->tokens.refresh_token);
  }
  known_[row.id] = open;
  return OpenRef(open);
}

void TokenKeeper::find(const std::string& id, Done done) {
  const auto known = known_.find(id);
  const bool is_ready = known != known_.end() && known->second->row.status == "ready";
  is_ready ? done(known->second) : read(id, std::move(done));
}

void TokenKeeper::read(const std::string& id, Done done) {
  if (options_.connections == nullptr) return done(fail("NotFound", "there are no connections"));
  auto row = std::make_shared<Result<store::Connection>>(too_many_wait());
  blocking_.run([row, id, connections = options_.connections] { *row = connections->get(id); },
                [this, row, id, done = std::move(done), alive = alive_] {
                  if (!*alive) return;
                  if (row->ok()) return done(opened(row->value()));
                  const bool is_absent = row->error().code == ErrorCode::kNotFound;
                  done(is_absent ? fail("NotFound", "there is no connection " + json_quote(id))
                                 : fail("Transient", row->error().message));
                });
}

bool TokenKeeper::is_fresh(const Manifest& manifest, const OpenConnection& connection) const {
  if (!connection.row.expires_at) return true;
  const Millis left(unix_ms(*connection.row.expires_at) - clock_now().count());
  // A tenth of its life at most, so that short-lived tokens are not refreshed at every request.
  return left > std::min(manifest.refresh_ahead, connection.life / 10);
}

void TokenKeeper::access(FolderRef folder, const std::string& id,
                         std::optional<std::uint64_t> refused, Done done) {
  find(id, [this, folder = std::move(folder), id, refused,
            done = std::move(done)](std::variant<OpenRef, Failure> found) {
    if (std::holds_alternative<Failure>(found)) return done(std::move(found));
    const OpenRef open = std::get<OpenRef>(found);
    if (open->row.status != "ready") return done(needs_consent(id, "revoked"));
    const bool was_refused = refused && *refused >= open->row.generation;
    if (!was_refused && is_fresh(folder->manifest, *open)) return done(open);
    if (open->tokens.refresh_token.empty()) return done(needs_consent(id, "expired"));
    auto& waiting = refreshing_[id];
    waiting.push_back(done);
    if (waiting.size() == 1) refresh(folder, open, false);
  });
}

void TokenKeeper::refresh(const FolderRef& folder, const OpenRef& current, bool is_last_chance) {
  auto op = std::make_shared<Refresh>();
  const std::string id = current->row.id;
  auto work = [op, id, is_last_chance, seen = current->row.generation, vault = vault_,
               endpoint = endpoint_of(options_, folder->manifest),
               connections = options_.connections] {
    op->row = connections->refresh(
        id, seen, [&](const store::Connection& row) -> Result<store::Connection> {
          const Tokens tokens = TRY(vault.unseal(row.sealed, id));
          const Grant grant = ask_for_grant(endpoint, tokens);
          store::Connection next = row;
          if (grant.verdict == Grant::Verdict::kGranted) {
            next.sealed = vault.seal(grant.tokens, id);
            next.expires_at = grant.expires_at;
            next.status = "ready";
            return next;
          }
          if (grant.verdict == Grant::Verdict::kRefused && is_last_chance) {
            next.status = "needs_reauth";  // The row stays: operators need it.
            return next;
          }
          op->was_refused = grant.verdict == Grant::Verdict::kRefused;
          op->problem = grant.problem;
          return Error{ErrorCode::kUnavailable, grant.problem};
        });
  };
  auto done = [this, op, id, folder, current, is_last_chance, alive = alive_] {
    if (!*alive) return;
    if (op->was_refused && !is_last_chance) {
      // Clocks and replicas lag: one more try before the user is asked.
      loop_.after(options_.grant_retry_delay, [this, folder, current, alive] {
        if (*alive) refresh(folder, current, true);
      });
      return;
    }
    refreshed(folder, id, op);
  };
  auto& refresher = refreshers_[folder->manifest.id];
  if (refresher == nullptr) refresher = std::make_unique<runtime::ThreadPool>(kRefreshesAtOnce);
  refresher->run([work = std::move(work), done = std::move(done), &loop = loop_] {
    work();
    loop.post(done);
  });
}

void TokenKeeper::refreshed(const FolderRef&, const std::string& id,
                            const std::shared_ptr<Refresh>& op) {
  if (!op->row.ok()) {
    return settle(
        id, fail("Transient", "refreshing the token of " + id + ": " + op->row.error().message));
  }
  auto outcome = opened(op->row.value());
  if (op->row->status != "ready") outcome = needs_consent(id, "revoked");
  settle(id, outcome);
}

void TokenKeeper::settle(const std::string& id, const std::variant<OpenRef, Failure>& outcome) {
  auto waiting = std::move(refreshing_[id]);
  refreshing_.erase(id);
  const auto alive = alive_;
  for (const Done& done : waiting) {
    done(outcome);
    if (!*alive) return;
  }
}

}  // namespace stepwell::host
