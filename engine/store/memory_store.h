// MemoryStore — the Store's rules in one process's memory: for tests, simulation and trying out.
//
// A model of sql/engine: leases are times, calls are numbered, connections too, and a lane writes
// through the same LaneSession as over Postgres.  Nothing survives it.
// A Node that is destroyed, with its sessions, without their having been closed is a killed
// process.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/store/store.h"

namespace stepwell::store {

class MemoryState;

// What becomes of a lane's next statement.
enum class WireFault : std::uint8_t {
  kNone,
  kRequestLost,  // The connection breaks before it arrives: nothing happens.
  kReplyLost,    // It happens, and the connection breaks before anybody hears.
  kAway,         // The database cannot be reached at all.
  kTooMuch,      // It takes too long and is cancelled: nothing happens, and the session halves it.
};

enum class WireStatement : std::uint8_t { kConnect, kCommit, kClaim, kAsk, kClose };

struct MemoryStoreOptions {
  std::function<Time()> clock = {};  // Empty: the system's.
  std::uint64_t seed = 0;            // Of ids; 0: a random one.
  // Nodes renew their leases as long as their objects live.  False: by renew() only.
  bool renews_by_itself = true;
  // Called with every hint that something may be due, after the call that gave it.
  std::function<void()> on_hint = {};
  // Asked before each statement of a lane.  After a lost connection or an absence the session
  // answers kUnavailable at once, and goes on where it was with the next call.
  std::function<WireFault(Uuid writer, WireStatement)> fault = {};
};

// For tests and simulation: what only the world does to a database otherwise.
class MemoryStore : public Store {
 public:
  // A heartbeat.
  virtual void renew(Uuid node) = 0;
  // The node stops renewing, and its lease is over; others, that have renewed all the time, can
  // tell.
  virtual void expire(Uuid node) = 0;
  // The database is started again: all connections are lost, and for some seconds nobody counts as
  // gone.
  virtual void restart() = 0;
  // The connection of that lane breaks while nothing is under way.
  virtual void cut(Uuid writer) = 0;
  virtual void put_notice(const Notice& notice) = 0;
  // Holds, breaks no rule: the count of all journal rows, for checking what a test wrote.
  virtual std::size_t journal_rows() = 0;
  // Every table, a line for each row.
  virtual std::string dump() = 0;
  // The tables themselves, for a simulation: nobody else may be using the store meanwhile.
  virtual MemoryState& state() = 0;
};

std::unique_ptr<MemoryStore> make_memory_store(const MemoryStoreOptions& options);

}  // namespace stepwell::store
