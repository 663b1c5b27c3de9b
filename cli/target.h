// Target — which engine a command talks to, and how it was found.
//
// Commands about executions speak the API of a server.  In this order: --url, --database,
// STEPWELL_URL, STEPWELL_DATABASE_URL, the dev server that runs in this folder or one above it (it
// leaves .stepwell/dev.json while it runs).  A database is asked directly when it is named.
// Commands about the database itself know only the database's options.
#pragma once

#include <stepwell/engine.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command.h"
#include "cli/executions.h"

namespace stepwell::cli {

// What a running `stepwell dev` leaves for the other commands, in .stepwell/dev.json.
struct DevServer {
  std::string database_url;
  std::string api_url;
  int pid = 0;
  std::string workflows;     // The folder that it deploys.
  std::string folder = ".";  // Where it was found.
};

inline constexpr const char* kStateFolder = ".stepwell";
inline constexpr const char* kDevFile = ".stepwell/dev.json";
inline constexpr const char* kDatabaseVariable = "STEPWELL_DATABASE_URL";
inline constexpr const char* kUrlVariable = "STEPWELL_URL";
inline constexpr const char* kTokenVariable = "STEPWELL_TOKEN";
inline constexpr const char* kVaultKeyVariable = "STEPWELL_VAULT_KEY";

// kConflict when another process has it, kDenied when one may not write there; held until this
// process ends.
Status lock_dev_folder();
Status write_dev_server(const DevServer& server);
void remove_dev_server();
// Looks in this folder and the ones above.  kNotFound when there is none, or its process is gone;
// kDenied when it is there for somebody else only.
Result<DevServer> find_dev_server();

// The key that seals tokens: STEPWELL_VAULT_KEY, else the one in `folder`/.stepwell/vault.key,
// which is made when it is missing and readable to its owner only.
Result<std::string> vault_key(const std::string& folder);
// The same without making one: empty when there is none, or `folder` is.
Result<std::string> known_vault_key(const std::string& folder);

// --database or the environment; empty when neither is given; nothing, and it has been said, when
// it is no URL.
std::optional<std::string> database_url_given(Console& console, const std::string& option);

struct Target {
  std::string database_url;
  std::string folder;     // Of the dev server that was found; empty when a URL was given.
  std::string workflows;  // That the dev server deploys; empty when it is none.
};
// On failure everything has been said, and `exit` is set.
std::optional<Target> find_target(Console& console, const std::string& database_option, Exit& exit);

// What the command line says about the engine to talk to.
struct Where {
  std::string url, database;
};
// Its options, behind `own`; the same for every command about executions.
std::vector<Option> with_where(std::vector<Option> own, Where& where);

struct Found {
  std::unique_ptr<Executions> executions;
  std::string workflows;  // The folder that its dev server deploys; empty when it is none.
};
// On failure everything has been said, and `exit` is set.
std::optional<Found> find_executions(Console& console, const Where& where, Exit& exit);

// Of commands about the database itself.
Option database_option(std::string& target);

}  // namespace stepwell::cli
