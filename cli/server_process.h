// The part of `stepwell dev` and `stepwell serve` that is the same: engine, providers, workflows,
// API, until somebody asks it to stop.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/substitutions.h"

namespace stepwell::cli {

struct ServerOptions {
  std::string database_url;
  std::string host = "127.0.0.1";
  int port = 7233;
  std::string workflows, providers;  // Folders; empty: none.
  std::string vault_key;             // 64 hex digits; empty: no provider may have tokens.
  std::string fake_url;              // If set: every provider talks to FAKE_URL/<provider>.
  std::string notify_path;           // Where notifications go; empty: standard output.
  int lanes = 0;                     // 0: one per core.
  int lease_ms = 15'000;
  int max_payload_bytes = 262'144, max_transitions = 10'000'000;  // As in stepwell::Options.
  bool migrate = false, is_unsafe = false;
  bool is_strict = false;             // A workflow with errors ends the process.
  SubstitutionOptions substitutions;  // Put into the workflows that it deploys.
  std::function<void(const std::string& api_url)> ready;
};

// The options of the command line that both have, behind `own`; they are written to `server`.
std::vector<Option> with_server_options(std::vector<Option> own, ServerOptions& server);

// Says what it does on the way; ends on Ctrl-C or SIGTERM with kOk: the requests under way are
// answered first, then the engine stops.
Exit run_server(Console& console, const ServerOptions& options);

}  // namespace stepwell::cli
