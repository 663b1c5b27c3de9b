// ProviderHost — runs the functions of provider folders as tasks of a lane.
//
//   strava.fetch {"connection": "strava:u1", "type": "workout", ...}
//        │
//   ProviderHost ── frames ──> plugin process (one per provider; sandboxed Lua; plugin/)
//        │   ^                        │
//        │   └── request: http, ... ──┘
//        └ broker/: HTTP on the lane's loop, tokens, rate limits, ledger, the check of every result
//
// A lane has one.  Everything on the loop's thread.  The ledger and the connections are called on
// `HostOptions::threads`; they and the loop must outlive the host.  Tokens never leave the broker.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/task/bounded_pool.h"
#include "engine/task/task.h"
#include "net/loop/loop.h"
#include "providers/ledger/ledger.h"

namespace stepwell::host {

class RateGates;

// Sends a provider somewhere else: to the fake server.
struct ProviderOverride {
  std::string base_url;   // Replaces the manifest's as a whole: "http://127.0.0.1:9100/strava"
  std::string token_url;  // Empty: base_url + "/oauth/token".
};

// What an integrator registered with the provider.
struct OAuthApp {
  std::string client_id, client_secret;
};

struct HostOptions {
  std::vector<std::string> roots;  // Folders of provider folders; the first of a name wins.
  store::Ledger* ledger = nullptr;
  store::Connections* connections = nullptr;
  std::string vault_key;                              // 64 hex digits; see broker/vault.h.
  std::map<std::string, ProviderOverride> overrides;  // By provider id.
  std::map<std::string, OAuthApp> apps;               // By provider id.
  std::vector<std::string> extra_hosts;  // Allowed for every provider, beside its manifest's.
  std::string plugin_path = "/proc/self/exe";
  std::string plugin_argument = "__plugin";
  bool is_trusted = false;  // Lua in a thread of this process: debugging only.
  std::string notify_path;  // Where sw.notify appends lines; empty: standard output.
  std::function<void(const std::string& line)> log;  // Empty: standard error.
  // For calls of the ledger and the connections, which block.  The hosts of a process share them;
  // null: the host has threads of its own.
  std::shared_ptr<runtime::BoundedPool> threads;
  // What rate limits said.  The hosts of a process share it; null: the host has its own.
  std::shared_ptr<RateGates> gates;
  Millis grant_retry_delay{5'000};  // Before a refused refresh token is believed dead.
};

// For HostOptions::gates.
std::shared_ptr<RateGates> make_gates();

// The threads for all hosts of a process, and how much may wait for them.
inline constexpr unsigned kProviderThreads = 2;
inline constexpr std::size_t kMostProviderCallsWaiting = 1'000;

class ProviderHost : public runtime::TaskHandler {
 public:
  // Reads the folders; the error names every problem of every manifest.
  static Result<std::unique_ptr<ProviderHost>> open(loop::Loop& loop, HostOptions options);
  ~ProviderHost() override;

  bool serves(const std::string& resource) const override;
  std::vector<std::string> resources() const override;
  void start(runtime::TaskCall call, runtime::TaskDone done) override;
  void cancel(ExecutionId execution, CommandId command) override;

  // For tests and operators: how many calls are in flight, how many processes were started.
  struct Figures {
    std::size_t calls = 0, processes = 0, processes_started = 0, calls_retried = 0;
  };
  Figures figures() const;
  // Process ids of the running plugins, by provider.
  std::map<std::string, int> plugin_pids() const;

 private:
  struct Parts;
  explicit ProviderHost(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// What a provider needs of the operator before it can act for a user.
struct ProviderNeeds {
  bool tokens = false;  // Sealed ones: a vault key.
  bool app = false;     // A client id and secret (OAuth).
};
// By provider id, of the folders below `roots`.
Result<std::map<std::string, ProviderNeeds>> list_needs(const std::vector<std::string>& roots);

// Resources of the folders below `roots` without a loop (for lint and deploy).
Result<std::vector<std::string>> list_resources(const std::vector<std::string>& roots);

}  // namespace stepwell::host
