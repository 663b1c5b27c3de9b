// Ledger and Connections — what a sync must remember between calls, beside the journal.
//
// The ledger knows, for each record pushed, its key (a hash, never its content) and where it ended
// up: `intent` is stored before the call to the destination, so an intent without a result is a
// write whose outcome is unknown.  Connections hold sealed tokens.
// All calls block: never on a lane's thread.  Any thread may call.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace stepwell::store {

struct LedgerRow {
  std::string connection;  // Destination connection id; (connection, key) is unique.
  std::string key;         // 32 hex digits.
  std::string status;      // intent | done | pending | failed | unknown
  std::string version;     // Content hash of what was (to be) written.
  std::string remote_id;   // When done.
  std::string handle;      // JSON text, when pending.
};

// One part of a backfill, for people: which ranges failed, and why.
struct ChunkRow {
  std::string job;     // Execution id of the backfill.
  std::string chunk;   // "workout/2024-01-01..2024-02-01"
  std::string status;  // running | done | failed | split
  std::string detail;  // JSON text: counters, error; never a record.
};

class Ledger {
 public:
  virtual ~Ledger() = default;
  virtual Result<std::vector<LedgerRow>> read(const std::string& connection,
                                              const std::vector<std::string>& keys) = 0;
  virtual Status write(const std::vector<LedgerRow>& rows) = 0;  // Upsert, all or nothing.
  virtual Status write_chunk(const ChunkRow& row) = 0;
  virtual Result<std::vector<ChunkRow>> chunks(const std::string& job) = 0;
};

struct Connection {
  std::string id;                // "strava:user-1"
  std::string provider;          // Folder id.
  std::string account;           // The user's id at the provider.
  std::string sealed;            // Ciphertext of the tokens (base64); opaque here.
  std::uint64_t generation = 0;  // Counts what was stored under the id.
  std::optional<Time> expires_at;
  std::string status = "ready";  // ready | needs_reauth
  std::string settings;          // JSON text: scopes, profile, base_url override for tests.
};

class Connections {
 public:
  virtual ~Connections() = default;
  // In place of a row of that id the generation is that row's + 1: who knows the old one can tell.
  virtual Status put(const Connection& connection) = 0;
  virtual Result<Connection> get(const std::string& id) = 0;
  virtual Result<std::vector<Connection>> list() = 0;
  // Locks the row across all processes, reads it, calls `refresh` with it (which may take as long
  // as an HTTP call) and stores what that returns with generation + 1.  When the generation has
  // moved beyond `seen` in the meantime, `refresh` is not called and the newer row is returned.
  virtual Result<Connection> refresh(
      const std::string& id, std::uint64_t seen,
      const std::function<Result<Connection>(const Connection&)>& refresh) = 0;
};

std::unique_ptr<Ledger> make_memory_ledger();
std::unique_ptr<Connections> make_memory_connections();

}  // namespace stepwell::store
