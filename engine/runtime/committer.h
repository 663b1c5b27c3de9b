// Committer — one thread and one Session for one lane: everything that the lane writes or claims.
//
// The batch is the backlog: whatever piled up while the last batch was under way is the next one.
// Claims and reconciling run between two batches, so nothing of this lane is in flight meanwhile.
// Thread-safety: submit() by the lane; want_claim(), finish() by any thread.  The callbacks run on
// the committer's thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "engine/observe/figures.h"
#include "engine/observe/health.h"
#include "engine/runtime/backlog.h"
#include "engine/runtime/membership.h"
#include "engine/runtime/store_clock.h"

namespace stepwell::runtime {

struct CommitterCalls {
  std::function<void(Landed)> landed;
  std::function<void(store::ClaimResult)> claimed;
  // This lane was marked dead: nothing it holds is its own.  `unsent` were not applied.  What the
  // lane stages after it heard of this bears the new epoch.
  std::function<void(std::vector<StartAnswer> unsent, std::uint64_t epoch)> fenced;
};

struct CommitterOptions {
  std::vector<std::string> pools;
  std::uint32_t claim_limit = 200;
  std::size_t batch_rows = 4'000;  // Beyond these a batch takes no further chunk.
  std::size_t batch_bytes = 16u << 20;
};

class Committer {
 public:
  Committer(const Clock& mono, Membership& membership, StoreClock& clock, Figures& figures,
            Health& health, CommitterOptions options, CommitterCalls calls);
  ~Committer();

  Status start();  // Opens the session.
  void submit(Chunk&& chunk);
  bool is_idle() const { return is_idle_; }
  void want_claim();
  // How many more executions the lane would take.
  void set_room(std::size_t room) { room_ = room; }
  // Writes what is there, gives back what is owned, ends the thread.  Blocks.
  void finish();

 private:
  struct Work {
    Chunk chunk;
    bool claim = false;
    bool finish = false;
  };

  void run();
  Work next();
  void commit(Chunk chunk);
  void cut_followers(Chunk& chunk);
  bool commit_batch(store::Batch& batch, store::Ack& ack, std::vector<StartAnswer>& answers);
  void claim();
  void reconcile(const HeldList& held);
  void on_fenced(std::vector<StartAnswer> answers);
  bool reopen();
  bool pause(Millis how_long);

  const Clock& mono_;
  Membership& membership_;
  StoreClock& clock_;
  Figures& figures_;
  Health& health_;
  const Health::Talker talker_;
  const CommitterOptions options_;
  const CommitterCalls calls_;

  // Of the committer's thread.
  std::uint64_t epoch_ = 0;  // Counts sessions that were fenced; the lane counts with it.
  std::unique_ptr<store::Session> session_;
  std::uint64_t next_number_ = 1;
  std::uint64_t claims_ = 0;
  std::uint64_t refusals_ = 0;                          // Batches with refused rows, and
  std::map<ExecutionId, std::uint64_t> refused_since_;  // the newest of each execution.
  std::int64_t last_empty_claim_ms_ = 0;

  std::atomic<bool> is_idle_{true};
  std::atomic<std::size_t> room_{1'000};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Chunk> chunks_;  // Guarded by mutex_, as what follows.
  bool claim_wanted_ = false;
  bool finishing_ = false;
  std::thread thread_;
};

}  // namespace stepwell::runtime
