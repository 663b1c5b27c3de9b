#include "cli/plugins.h"

#include <cctype>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>

#include "cli/target.h"
#include "providers/host/broker/vault.h"
#include "providers/host/host.h"
#include "providers/ledger/postgres_ledger.h"

namespace stepwell::cli {
namespace {

// What the handlers of all lanes share; lives as long as the last of them.
struct Shared {
  std::unique_ptr<store::Ledger> ledger;
  std::unique_ptr<store::Connections> connections;
  host::HostOptions options;
};

std::set<std::string> providers_of(const std::vector<std::string>& resources) {
  std::set<std::string> providers;
  for (const std::string& resource : resources) {
    providers.insert(resource.substr(0, resource.find('.')));
  }
  return providers;
}

std::string app_variable(const std::string& provider) {
  std::string variable = "STEPWELL_APP_";
  for (const char c : provider) {
    variable += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return variable;
}

// What an integrator registered with a provider, as "client id:client secret".
host::OAuthApp app_of(const std::string& provider) {
  const char* value = std::getenv(app_variable(provider).c_str());
  if (value == nullptr) return {"fake-client", "fake-secret"};  // `stepwell fake` knows it.
  const std::string text = value;
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return {text, ""};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

// In production nothing is made up: every missing secret is named, and the server does not start.
Status check_secrets(const std::set<std::string>& providers, const ServerOptions& options) {
  const auto needs = TRY(host::list_needs({options.providers}));
  std::string missing, sealed;
  for (const std::string& provider : providers) {
    const host::ProviderNeeds& need = needs.at(provider);
    if (need.tokens) sealed += (sealed.empty() ? "" : ", ") + provider;
    const std::string variable = app_variable(provider);
    const char* app = std::getenv(variable.c_str());
    if (!need.app || (app != nullptr && std::strchr(app, ':') != nullptr)) continue;
    missing += "\n  " + variable + ": \"CLIENT ID:CLIENT SECRET\", what you registered with " +
               provider + (app == nullptr ? "" : "; it has no colon now");
  }
  if (!sealed.empty() && options.vault_key.empty()) {
    missing = std::string("\n  ") + kVaultKeyVariable +
              ": 64 hex digits, the key that seals the tokens of " + sealed + missing;
  }
  if (missing.empty()) return ok_status();
  return Error{
      ErrorCode::kInvalid,
      "these environment variables must be set (only `stepwell dev` makes them up):" + missing};
}

Status open_tables(const std::string& database_url, Shared& shared) {
  if (database_url.rfind("memory:", 0) == 0) {
    shared.ledger = store::make_memory_ledger();
    shared.connections = store::make_memory_connections();
    return ok_status();
  }
  shared.ledger = TRY(postgres::open_ledger(database_url));
  shared.connections = TRY(postgres::open_connections(database_url));
  return ok_status();
}

}  // namespace

Status attach_plugins(Console& console, runtime::AsyncEngine& engine,
                      const ServerOptions& options) {
  if (options.providers.empty()) return ok_status();
  const auto resources = TRY(host::list_resources({options.providers}));
  const std::set<std::string> providers = providers_of(resources);
  std::string names;
  for (const std::string& provider : providers) names += (names.empty() ? "" : ", ") + provider;
  console.say("providers  " + (names.empty() ? "none in " + options.providers : names) +
              (options.fake_url.empty() ? "" : ", at " + options.fake_url));
  if (providers.empty()) return ok_status();

  if (options.is_strict) TRY(check_secrets(providers, options));
  if (!options.vault_key.empty()) TRY(host::Vault::open(options.vault_key));
  auto shared = std::make_shared<Shared>();
  TRY(open_tables(options.database_url, *shared));
  shared->options.roots = {options.providers};
  shared->options.ledger = shared->ledger.get();
  shared->options.connections = shared->connections.get();
  shared->options.vault_key = options.vault_key;
  shared->options.threads = std::make_shared<runtime::BoundedPool>(host::kProviderThreads,
                                                                   host::kMostProviderCallsWaiting);
  shared->options.gates = host::make_gates();
  shared->options.notify_path = options.notify_path;
  for (const std::string& provider : providers) {
    shared->options.apps[provider] = app_of(provider);
    if (options.fake_url.empty()) continue;
    shared->options.overrides[provider] = {options.fake_url + "/" + provider, ""};
  }
  const auto make = [shared, &console](loop::Loop& loop,
                                       unsigned) -> std::shared_ptr<runtime::TaskHandler> {
    auto opened = host::ProviderHost::open(loop, shared->options);
    if (!opened.ok()) {
      console.say(opened.error().message);  // The main thread waits in run() meanwhile.
      return nullptr;
    }
    // The handler goes first, then what it stands on.
    struct Held {
      std::shared_ptr<Shared> shared;
      std::unique_ptr<host::ProviderHost> handler;
    };
    auto held = std::make_shared<Held>(Held{shared, std::move(*opened)});
    return {held, held->handler.get()};
  };
  engine.add_handlers(make, resources);
  return ok_status();
}

}  // namespace stepwell::cli
