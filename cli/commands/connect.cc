#include <chrono>
#include <memory>

#include "base/value.h"
#include "cli/commands.h"
#include "cli/input.h"
#include "cli/target.h"
#include "engine/postgres/postgres.h"
#include "providers/host/broker/vault.h"

namespace stepwell::cli {
namespace {

struct ConnectArguments {
  std::string provider, account, id, tokens, settings = "{}", database;
};

std::string text_in(const Value& object, const char* name) {
  const Value* value = object.find(name);
  return value != nullptr && value->is_string() ? value->as_string() : std::string();
}

// From what an OAuth token endpoint answers: access_token, refresh_token, expires_in.
host::ConnectionFacts facts_of(const ConnectArguments& given, const Value& tokens,
                               const Value& settings) {
  host::ConnectionFacts facts;
  facts.provider = given.provider;
  facts.account = given.account;
  facts.id = given.id.empty() ? given.provider + ":" + given.account : given.id;
  facts.tokens = {text_in(tokens, "access_token"), text_in(tokens, "refresh_token")};
  if (const Value* seconds = tokens.find("expires_in"); seconds && seconds->is_int()) {
    const auto now = std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
    facts.expires_at = now + std::chrono::seconds(seconds->as_int());
  }
  facts.settings = settings;
  return facts;
}

Exit run_connect(Console& console, const ConnectArguments& given) {
  const auto tokens = read_input(console, given.tokens, "--tokens");
  const auto settings = read_input(console, given.settings, "--settings");
  if (!tokens || !settings) return Exit::kUsage;
  if (text_in(*tokens, "access_token").empty()) {
    return console.fail(Exit::kUsage, "the tokens have no access_token",
                        "give what the provider's token endpoint answered, as JSON");
  }
  Exit exit = Exit::kOk;
  const auto target = find_target(console, given.database, exit);
  if (!target) return exit;
  const auto key = known_vault_key(target->folder);
  if (!key.ok()) return console.fail(Exit::kDenied, key.error().message);
  if (key->empty()) {
    return console.fail(Exit::kUsage, "which key seals these tokens?",
                        "set " + std::string(kVaultKeyVariable) +
                            " to the one that the engine on this database has");
  }
  const auto vault = host::Vault::open(*key);
  if (!vault.ok()) return console.fail(Exit::kUsage, vault.error().message);
  const auto connections = postgres::open_connections(target->database_url);
  if (!connections.ok()) return console.fail(Exit::kUnavailable, connections.error().message);
  const store::Connection connection =
      host::make_connection(*vault, facts_of(given, *tokens, *settings));
  const Status stored = (*connections)->put(connection);
  if (!stored.ok()) return console.fail(Exit::kUnavailable, stored.error().message);
  console.print(connection.id);
  return Exit::kOk;
}

}  // namespace

Command connect_command() {
  auto given = std::make_shared<ConnectArguments>();
  return {"connect",
          "Store a connection: an account at a provider, its tokens sealed",
          {{"PROVIDER", &given->provider, "id of the provider's folder", true},
           {"--account", &given->account, "the user's id at the provider", true},
           {"--tokens", &given->tokens,
            "JSON with access_token, refresh_token, expires_in; better @FILE or -", true},
           {"--id", &given->id, "our id of the connection; default PROVIDER:ACCOUNT"},
           {"--settings", &given->settings, "JSON: scopes, profile, settings"},
           database_option(given->database)},
          [given](Console& console) { return run_connect(console, *given); },
          "Prints the connection's id.  The same id again replaces it."};
}

}  // namespace stepwell::cli
