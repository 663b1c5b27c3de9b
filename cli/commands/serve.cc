#include <cstdlib>
#include <memory>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/server_process.h"
#include "cli/target.h"

namespace stepwell::cli {
namespace {

struct ServeArguments {
  std::string database, listen = "127.0.0.1:7233";
  ServerOptions server;
};

Exit run_serve(Console& console, const ServeArguments& given) {
  ServerOptions options = given.server;
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
  const bool is_local = options.host == "localhost" || options.host.rfind("127.", 0) == 0 ||
                        options.host == "::1" || options.host == "[::1]";
  if (!is_local) {
    console.say("warning: " + given.listen +
                " is open to everybody who reaches it: the API asks nobody who they are.  Put a "
                "proxy that does in front, and listen on 127.0.0.1");
  }
  options.port = std::stoi(port);
  options.is_strict = true;
  const char* key = std::getenv(kVaultKeyVariable);
  options.vault_key = key == nullptr ? "" : key;
  return run_server(console, options);
}

}  // namespace

Command serve_command() {
  auto given = std::make_shared<ServeArguments>();
  ServerOptions& server = given->server;
  return {
      "serve", "Run an engine on a database of yours",
      with_server_options(
          {{"--database", &given->database, "PostgreSQL URL; else STEPWELL_DATABASE_URL"},
           {"--listen", &given->listen, "HOST:PORT of the API"},
           {"--workflows", &server.workflows, "folder of workflows to deploy first"},
           {"--providers", &server.providers, "folder of providers"},
           {"--migrate", &server.migrate, "bring the schema up to date first"},
           {"--unsafe", &server.is_unsafe, "accept a database that would lose data (fsync=off)"}},
          server),
      [given](Console& console) { return run_serve(console, *given); },
      "STEPWELL_VAULT_KEY (64 hex digits) seals the tokens of connections; "
      "STEPWELL_APP_<PROVIDER>\n"
      "(CLIENT ID:CLIENT SECRET) is what you registered with a provider.  SIGTERM stops it\n"
      "gracefully: its executions are handed to the others at once."};
}

}  // namespace stepwell::cli
