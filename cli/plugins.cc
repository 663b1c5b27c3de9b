#include "cli/plugins.h"

#include <cctype>
#include <cstdlib>
#include <memory>
#include <set>

#include "engine/postgres/postgres.h"
#include "engine/runtime/attach.h"
#include "providers/host/host.h"

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

// What an integrator registered with a provider: STEPWELL_APP_STRAVA="client id:client secret".
host::OAuthApp app_of(const std::string& provider) {
  std::string variable = "STEPWELL_APP_";
  for (const char c : provider) {
    variable += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  const char* value = std::getenv(variable.c_str());
  const std::string text = value == nullptr ? "fake-client:fake-secret" : value;
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return {text, ""};
  return {text.substr(0, colon), text.substr(colon + 1)};
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

Status attach_plugins(Console& console, Engine& engine, const ServerOptions& options) {
  if (options.providers.empty()) return ok_status();
  const auto resources = TRY(host::list_resources({options.providers}));
  const std::set<std::string> providers = providers_of(resources);
  std::string names;
  for (const std::string& provider : providers) names += (names.empty() ? "" : ", ") + provider;
  console.say("providers  " + (names.empty() ? "none in " + options.providers : names) +
              (options.fake_url.empty() ? "" : ", at " + options.fake_url));
  if (providers.empty()) return ok_status();

  auto shared = std::make_shared<Shared>();
  TRY(open_tables(options.database_url, *shared));
  shared->options.roots = {options.providers};
  shared->options.ledger = shared->ledger.get();
  shared->options.connections = shared->connections.get();
  shared->options.vault_key = options.vault_key;
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
  runtime::attach(engine, make, resources);
  return ok_status();
}

}  // namespace stepwell::cli
