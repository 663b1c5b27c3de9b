// MemoryStore — the Store's rules in one process's memory: for tests, simulation and trying out.
//
// Nothing survives it.  Everything else is as in Postgres: fencing, suspects, parking, names.
// A Node that is destroyed without its sessions having been closed is a killed process.
#pragma once

#include <functional>
#include <memory>

#include "engine/store/store.h"

namespace stepwell::store {

// For tests: what only the world does to a database otherwise.
class MemoryStore : public Store {
 public:
  // The node stops renewing, and its lease is over.
  virtual void expire(Uuid node) = 0;
  // Holds, breaks no rule: the count of all journal rows, for checking what a test wrote.
  virtual std::size_t journal_rows() = 0;
};

struct MemoryStoreOptions {
  std::function<Time()> clock;  // Empty: the system's.
  std::uint64_t seed = 0;       // Of ids; 0: a random one.
};

std::unique_ptr<MemoryStore> make_memory_store(const MemoryStoreOptions& options);

}  // namespace stepwell::store
