#include <map>

#include "base/sync/mutex.h"
#include "providers/ledger/ledger.h"

namespace stepwell::store {
namespace {

class MemoryLedger : public Ledger {
 public:
  Result<std::vector<LedgerRow>> read(const std::string& connection,
                                      const std::vector<std::string>& keys) override {
    const MutexLock lock(mutex_);
    std::vector<LedgerRow> found;
    for (const std::string& key : keys) {
      if (const auto row = rows_.find({connection, key}); row != rows_.end()) {
        found.push_back(row->second);
      }
    }
    return found;
  }

  Status write(const std::vector<LedgerRow>& rows) override {
    const MutexLock lock(mutex_);
    for (const LedgerRow& row : rows) rows_[{row.connection, row.key}] = row;
    return ok_status();
  }

  Status write_chunk(const ChunkRow& row) override {
    const MutexLock lock(mutex_);
    chunks_[row.job][row.chunk] = row;
    return ok_status();
  }

  Result<std::vector<ChunkRow>> chunks(const std::string& job) override {
    const MutexLock lock(mutex_);
    std::vector<ChunkRow> found;
    if (const auto rows = chunks_.find(job); rows != chunks_.end()) {
      for (const auto& [chunk, row] : rows->second) found.push_back(row);
    }
    return found;
  }

 private:
  Mutex mutex_;
  std::map<std::pair<std::string, std::string>, LedgerRow> rows_ GUARDED_BY(mutex_);
  std::map<std::string, std::map<std::string, ChunkRow>> chunks_ GUARDED_BY(mutex_);
};

class MemoryConnections : public Connections {
 public:
  Status put(const Connection& connection) override {
    const MutexLock lock(mutex_);
    const auto found = rows_.find(connection.id);
    const bool is_new = found == rows_.end();
    const std::uint64_t generation =
        is_new ? connection.generation : found->second.row.generation + 1;
    Connection& row = rows_[connection.id].row;
    row = connection;
    row.generation = generation;
    return ok_status();
  }

  Result<Connection> get(const std::string& id) override {
    const MutexLock lock(mutex_);
    const auto found = rows_.find(id);
    if (found == rows_.end()) return absent(id);
    return found->second.row;
  }

  Result<std::vector<Connection>> list() override {
    const MutexLock lock(mutex_);
    std::vector<Connection> all;
    for (const auto& [id, entry] : rows_) all.push_back(entry.row);
    return all;
  }

  Result<Connection> refresh(
      const std::string& id, std::uint64_t seen,
      const std::function<Result<Connection>(const Connection&)>& refresh) override {
    std::shared_ptr<Mutex> row_mutex;
    {
      const MutexLock lock(mutex_);
      const auto found = rows_.find(id);
      if (found == rows_.end()) return absent(id);
      row_mutex = found->second.mutex;
    }
    const MutexLock row_lock(*row_mutex);
    const Connection current = TRY(get(id));
    if (current.generation > seen) return current;
    Connection fresh = TRY(refresh(current));
    fresh.id = id;
    fresh.generation = current.generation + 1;
    TRY(put(fresh));
    return fresh;
  }

 private:
  struct Entry {
    Connection row;
    std::shared_ptr<Mutex> mutex = std::make_shared<Mutex>();  // Held while it is refreshed.
  };

  static Error absent(const std::string& id) {
    return {ErrorCode::kNotFound, "there is no connection " + id};
  }

  Mutex mutex_;
  std::map<std::string, Entry> rows_ GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Ledger> make_memory_ledger() { return std::make_unique<MemoryLedger>(); }
std::unique_ptr<Connections> make_memory_connections() {
  return std::make_unique<MemoryConnections>();
}

}  // namespace stepwell::store
