#include <chrono>
#include <memory>

#include "base/value.h"
#include "cli/commands.h"
#include "cli/input.h"
#include "cli/providers.h"
#include "cli/target.h"
#include "dsl/dsl.h"
#include "providers/host/broker/vault.h"
#include "providers/host/frames.h"
#include "providers/host/host.h"
#include "providers/ledger/postgres_ledger.h"

namespace stepwell::cli {
namespace {

constexpr std::int64_t kLongestLife = 3'155'760'000;  // A hundred years, in seconds.

struct ConnectArguments {
  std::string provider, account, id, tokens, settings = "{}", providers, database;
};

Error wrong(std::string what) { return {ErrorCode::kInvalid, std::move(what)}; }

// Empty when it is absent.
Result<std::string> token_in(const Value& tokens, const std::string& name) {
  const Value* value = tokens.find(name);
  if (value == nullptr || value->is_null()) return std::string();
  if (!value->is_string()) return wrong("--tokens: " + name + " is not a string");
  if (host::has_control(value->as_string())) {
    return wrong("--tokens: " + name + " has a line break or another control character");
  }
  return value->as_string();
}

Result<std::optional<Time>> expiry_in(const Value& tokens) {
  const Value* value = tokens.find("expires_in");
  if (value == nullptr || value->is_null()) return std::optional<Time>();
  if (!value->is_int() || value->as_int() < 0 || value->as_int() > kLongestLife) {
    return wrong("--tokens: expires_in must be a whole number of seconds, at most " +
                 std::to_string(kLongestLife));
  }
  const auto now = std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
  return std::optional<Time>(now + std::chrono::seconds(value->as_int()));
}

// From what an OAuth token endpoint answers: access_token, refresh_token, expires_in.  What is
// wrong is said now, not by a call that fails some day.
Result<host::ConnectionFacts> facts_of(const ConnectArguments& given, const Value& tokens,
                                       const Value& settings) {
  if (given.account.empty()) return wrong("--account is empty");
  if (!settings.is_object()) return wrong("--settings is not an object");
  for (const char* name : {"profile", "settings"}) {
    const Value* part = settings.find(name);
    if (part != nullptr && !part->is_object()) {
      return wrong(std::string("--settings: ") + name + " is not an object");
    }
  }
  host::ConnectionFacts facts;
  facts.provider = given.provider;
  facts.account = given.account;
  facts.id = given.id.empty() ? given.provider + ":" + given.account : given.id;
  facts.tokens = {TRY(token_in(tokens, "access_token")), TRY(token_in(tokens, "refresh_token"))};
  if (facts.tokens.access_token.empty()) return wrong("the tokens have no access_token");
  facts.expires_at = TRY(expiry_in(tokens));
  facts.settings = settings;
  return facts;
}

// An engine may have its providers elsewhere, so only a folder that can be seen counts.
bool is_unknown(Console& console, const ConnectArguments& given) {
  const std::string folder = find_folder(given.providers, "providers");
  const auto known = host::list_needs({folder});
  if (folder.empty() || !known.ok() || known->count(given.provider) != 0) return false;
  std::vector<std::string> ids;
  for (const auto& [id, needs] : *known) ids.push_back(id);
  const std::string near = dsl::nearest(given.provider, ids);
  console.fail(
      Exit::kUsage, "there is no provider " + given.provider + " in " + folder,
      near.empty() ? "--providers FOLDER says where it is" : "did you mean \"" + near + "\"?");
  return true;
}

Exit exit_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
    case ErrorCode::kTooLarge:
    case ErrorCode::kRefusedData: return Exit::kUsage;
    case ErrorCode::kDenied: return Exit::kDenied;
    case ErrorCode::kInternal: return Exit::kInternal;
    default: return Exit::kUnavailable;
  }
}

Exit run_connect(Console& console, const ConnectArguments& given) {
  Exit exit = Exit::kOk;
  const auto tokens = read_input(console, given.tokens, "--tokens", exit);
  if (!tokens) return exit;
  const auto settings = read_input(console, given.settings, "--settings", exit);
  if (!settings) return exit;
  const auto facts = facts_of(given, *tokens, *settings);
  if (!facts.ok()) {
    const bool is_tokens = facts.error().message.find("tokens") != std::string::npos;
    return console.fail(
        Exit::kUsage, facts.error().message,
        is_tokens ? "give what the provider's token endpoint answered, as JSON" : "");
  }
  if (is_unknown(console, given)) return Exit::kUsage;
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
  if (!connections.ok())
    return console.fail(exit_of(connections.error().code), connections.error().message);
  const store::Connection connection = host::make_connection(*vault, *facts);
  const Status stored = (*connections)->put(connection);
  if (!stored.ok()) return console.fail(exit_of(stored.error().code), stored.error().message);
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
           {"--providers", &given->providers, "folder of providers; default ./providers"},
           database_option(given->database)},
          [given](Console& console) { return run_connect(console, *given); },
          "Prints the connection's id.  The same id again replaces it."};
}

}  // namespace stepwell::cli
