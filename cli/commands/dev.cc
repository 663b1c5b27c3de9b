#include <unistd.h>

#include <filesystem>
#include <memory>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/providers.h"
#include "cli/server_process.h"
#include "cli/target.h"
#include "engine/postgres/cluster.h"

namespace stepwell::cli {
namespace {

struct DevArguments {
  std::string database;
  ServerOptions server;
};

// The private cluster in .stepwell/postgres, unless a database is named.
Result<std::unique_ptr<postgres::Cluster>> open_cluster(Console& console) {
  postgres::ClusterOptions options;
  options.directory = std::string(kStateFolder) + "/postgres";
  const bool is_new = !std::filesystem::exists(options.directory);
  console.say(std::string("postgres   ") + options.directory + (is_new ? " (new)" : ""));
  return postgres::Cluster::open(options);
}

Exit run_dev(Console& console, const DevArguments& given) {
  const auto other = find_dev_server();
  const Status locked = lock_dev_folder();
  if (!locked.ok() && locked.error().code == ErrorCode::kDenied) {
    return console.fail(Exit::kDenied, locked.error().message, "is this folder writable?");
  }
  if (!locked.ok()) {
    return console.fail(
        Exit::kConflict,
        "a dev server runs here already" +
            (other.ok() ? ": process " + std::to_string(other->pid) + ", " + other->api_url
                        : std::string()),
        "stop it first, or work in another folder");
  }
  ServerOptions options = given.server;
  options.migrate = true;
  options.workflows = find_folder(options.workflows, "workflows");
  if (options.workflows.empty()) options.workflows = "workflows";  // It may come to be.
  options.providers = find_folder(options.providers, "providers");
  const auto url = database_url_given(console, given.database);
  if (!url) return Exit::kUsage;
  options.database_url = *url;
  const auto key = vault_key(".");
  if (!key.ok()) {
    const bool is_made = key.error().code == ErrorCode::kUnavailable;
    return console.fail(Exit::kDenied, key.error().message,
                        is_made ? "is this folder writable?" : "");
  }
  options.vault_key = *key;
  std::unique_ptr<postgres::Cluster> cluster;
  if (options.database_url.empty()) {
    auto opened = open_cluster(console);
    if (!opened.ok()) return console.fail(Exit::kUnavailable, opened.error().message);
    cluster = std::move(*opened);
    options.database_url = cluster->url();
  }
  Exit exit = Exit::kOk;
  options.ready = [&](const std::string& api_url) {
    std::error_code failed;
    const std::string folder = std::filesystem::absolute(options.workflows, failed).string();
    const Status written = write_dev_server({options.database_url, api_url, ::getpid(), folder});
    if (!written.ok()) exit = console.fail(Exit::kDenied, written.error().message);
  };
  const Exit served = run_server(console, options);
  remove_dev_server();
  if (cluster != nullptr) {
    const Status stopped = cluster->stop();
    if (!stopped.ok()) console.say("postgres did not stop cleanly: " + stopped.error().message);
  }
  return exit == Exit::kOk ? served : exit;
}

}  // namespace

Command dev_command() {
  auto given = std::make_shared<DevArguments>();
  ServerOptions& server = given->server;
  return {"dev",
          "Run an engine here, with a PostgreSQL of its own and the workflows of this folder",
          with_server_options(
              {{"--database", &given->database,
                "PostgreSQL URL instead of the private one; else STEPWELL_DATABASE_URL"},
               {"--port", &server.port, "of the API on 127.0.0.1; 0: any free one"},
               {"--workflows", &server.workflows, "folder of workflows; default ./workflows"},
               {"--providers", &server.providers, "folder of providers; default ./providers"}},
              server),
          [given](Console& console) { return run_dev(console, *given); },
          "Everything it keeps is in .stepwell/.  Ctrl-C stops it; started again, it goes on."};
}

}  // namespace stepwell::cli
