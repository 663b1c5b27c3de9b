#include <algorithm>
#include <cstdlib>
#include <memory>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/server_process.h"
#include "cli/target.h"

namespace stepwell::cli {
namespace {

struct ServeArguments {
  std::string database, listen = "127.0.0.1:7233", workflows, providers, fake, notify;
  int lanes = 0, lease_ms = 15'000;
  int max_payload_bytes = 262'144, max_transitions = 10'000'000;
  bool is_unsafe = false, migrate = false;
};

Exit run_serve(Console& console, const ServeArguments& given) {
  ServerOptions options;
  const auto url = database_url_given(console, given.database);
  if (!url) return Exit::kUsage;
  options.database_url = *url;
  if (options.database_url.empty()) {
    return console.fail(Exit::kUsage, "which database?",
                        "name it with --database URL or " + std::string(kDatabaseVariable) +
                            "; `stepwell dev` brings its own");
  }
  const std::size_t colon = given.listen.rfind(':');
  const std::string port = colon == std::string::npos ? "" : given.listen.substr(colon + 1);
  if (port.empty() || port.size() > 5 ||
      port.find_first_not_of("0123456789") != std::string::npos) {
    return console.fail(Exit::kUsage, "--listen " + given.listen + " is not HOST:PORT");
  }
  options.host = given.listen.substr(0, colon);
  options.port = std::stoi(port);
  options.workflows = given.workflows;
  options.providers = given.providers;
  options.fake_url = given.fake;
  options.notify_path = given.notify;
  options.lanes = given.lanes;
  options.lease_ms = given.lease_ms;
  options.max_payload_bytes = std::max(given.max_payload_bytes, 1);
  options.max_transitions = std::max(given.max_transitions, 1);
  options.is_unsafe = given.is_unsafe;
  options.migrate = given.migrate;
  options.is_strict = true;
  const char* key = std::getenv(kVaultKeyVariable);
  options.vault_key = key == nullptr ? "" : key;
  return run_server(console, options);
}

}  // namespace

Command serve_command() {
  auto given = std::make_shared<ServeArguments>();
  return {
      "serve",
      "Run an engine on a database of yours",
      {{"--database", &given->database, "PostgreSQL URL; else STEPWELL_DATABASE_URL"},
       {"--listen", &given->listen, "HOST:PORT of the API"},
       {"--workflows", &given->workflows, "folder of workflows to deploy first"},
       {"--providers", &given->providers, "folder of providers"},
       {"--fake", &given->fake, "URL of `stepwell fake`: providers talk to it, not the world"},
       {"--notify", &given->notify, "file for notifications; default standard output"},
       {"--lanes", &given->lanes, "threads that run executions; 0: one per core"},
       {"--max-payload-bytes", &given->max_payload_bytes,
        "of a state's input, output or result; AWS's 262144"},
       {"--max-transitions", &given->max_transitions,
        "states that one execution may enter; 10 million"},
       {"--lease-ms", &given->lease_ms, "after so long without a sign a process counts as dead"},
       {"--migrate", &given->migrate, "bring the schema up to date first"},
       {"--unsafe", &given->is_unsafe, "accept a database that would lose data (fsync=off)"}},
      [given](Console& console) { return run_serve(console, *given); },
      "STEPWELL_VAULT_KEY (64 hex digits) seals the tokens of connections; "
      "STEPWELL_APP_<PROVIDER>\n"
      "(CLIENT ID:CLIENT SECRET) is what you registered with a provider.  SIGTERM stops it\n"
      "gracefully: its executions are handed to the others at once."};
}

}  // namespace stepwell::cli
