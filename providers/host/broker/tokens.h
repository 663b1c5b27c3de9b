// TokenKeeper — connections and their access tokens, as a lane sees them.
//
// Refreshes once across all processes (store::Connections::refresh holds the row), ahead of expiry
// and when a provider refused a token; callers that want the same connection meanwhile wait for the
// same refresh.  On the loop's thread; rows are read on the providers' threads.  Refreshes have
// threads of their own: an endpoint that hangs would hold up all else that the pool does.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/task/thread_pool.h"
#include "providers/host/broker/blocking_calls.h"
#include "providers/host/broker/failure.h"
#include "providers/host/broker/folder.h"
#include "providers/host/broker/secrets.h"
#include "providers/host/broker/vault.h"
#include "providers/host/host.h"
#include "providers/ledger/ledger.h"

namespace stepwell::host {

// A connection with its tokens open.  Never a frame, never a log line.
struct OpenConnection {
  store::Connection row;
  Tokens tokens;
  Millis life{0};  // Of the access token, when it was read.
};
using OpenRef = std::shared_ptr<const OpenConnection>;

class TokenKeeper {
 public:
  using Done = std::function<void(std::variant<OpenRef, Failure>)>;

  TokenKeeper(loop::Loop& loop, const HostOptions& options, Vault vault, Secrets& secrets);
  ~TokenKeeper();

  // The connection as it is stored now: operators replace connections while the engine runs.
  void read(const std::string& id, Done done);
  // The connection as it was read last; reads it when it is not known, or needs re-consent.
  void find(const std::string& id, Done done);
  // With an access token fit for use now; not the one of generation `refused`, if given.
  void access(FolderRef folder, const std::string& id, std::optional<std::uint64_t> refused,
              Done done);

 private:
  struct Refresh;
  void refresh(const FolderRef& folder, const OpenRef& current, bool is_last_chance);
  void refreshed(const FolderRef& folder, const std::string& id,
                 const std::shared_ptr<Refresh>& op);
  void settle(const std::string& id, const std::variant<OpenRef, Failure>& outcome);
  std::variant<OpenRef, Failure> opened(const store::Connection& row);
  bool is_fresh(const Manifest& manifest, const OpenConnection& connection) const;

  loop::Loop& loop_;
  const HostOptions& options_;
  Vault vault_;
  Secrets& secrets_;
  BlockingCalls blocking_{loop_, *options_.threads};
  std::map<std::string, OpenRef> known_;
  std::map<std::string, std::vector<Done>> refreshing_;  // Who waits, by connection.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  // By provider.  The last member: the threads end before what they use.
  std::map<std::string, std::unique_ptr<runtime::ThreadPool>> refreshers_;
};

// {scopes, profile, settings}: what Lua may know of a connection's settings.  What the row holds
// beside scopes and profile is the settings, when it has no member of that name.
Object facts_of(const store::Connection& row);

// Unix milliseconds of the system's clock.
Millis clock_now();

}  // namespace stepwell::host
