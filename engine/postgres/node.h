// PgNode — one process in the eyes of the others: its lease, renewed on a thread and a connection
// of its own, so that no slow commit can hold a renewal up.
//
// The connection also holds a session advisory lock.  When the process dies, the lock is gone with
// it; together with the absence of its lanes' backends that lets others take over at once.
// Thread-safe.
#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "base/sync/mutex.h"
#include "engine/postgres/link.h"
#include "engine/store/store.h"

namespace stepwell::postgres {

class PgNode : public store::Node {
 public:
  static Result<std::unique_ptr<store::Node>> join(const PgOptions& options,
                                                   const store::NodeOptions& node);
  // Stops the heartbeat.  Writers that were not closed are found dead by their absence.
  ~PgNode() override;

  Uuid id() const override { return id_; }
  Millis age() const override;
  Millis lease() const override { return node_.lease; }
  std::uint64_t lapses() const override { return lapses_; }
  Result<std::unique_ptr<store::Session>> open_session() override;

 private:
  PgNode(PgOptions options, store::NodeOptions node);
  Status connect();
  Status renew();
  void beat();
  // False when it is time to stop.
  bool rest(Millis pause);

  PgOptions options_;
  store::NodeOptions node_;
  Uuid id_;
  std::int64_t evidence_ = 0;
  std::unique_ptr<Link> link_;  // The heartbeat thread's, once that runs.
  // Of the boot-time clock, taken before the renewal was sent.
  std::atomic<std::int64_t> renewed_at_ms_{0};
  std::atomic<std::uint64_t> lapses_{0};  // Counted before renewed_at_ms_ says so.
  Mutex mutex_;
  CondVar stop_changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

// A random id, and 64 random bits.
Uuid random_uuid();
std::uint64_t random_bits();

}  // namespace stepwell::postgres
