// Committer — everything that one lane writes or claims, over one Session, as a state machine.
//
//   choose a question ──> ask the store (one call) ──> tell the lane what came of it ──> choose ...
//
// Each arrow is one turn().  A driver calls it: CommitterThread in the product, the simulation's
// queue of events in tests.  Nothing here has a thread, waits or sleeps but for the store's calls.
//
// The batch is the backlog: whatever piled up while the last batch was under way is the next one,
// and the starts that follow from its answers (gathering.h).
// Claims and reconciling run between two batches, so nothing of this lane is in flight meanwhile.
// Thread-safety: submit(), want_claim(), set_room(), claim_no_more(), finish() from any thread; the
// rest by the driver, one at a time.  The callbacks run in turn().
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <variant>

#include "base/clock.h"
#include "base/sync/mutex.h"
#include "engine/observe/counters.h"
#include "engine/observe/health.h"
#include "engine/runtime/backlog.h"
#include "engine/runtime/gathering.h"
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
  Committer(const Clock& mono, Membership& membership, StoreClock& clock, Counters& counters,
            Health& health, CommitterOptions options, CommitterCalls calls);

  // `woken` is called when turn() may have work again, from whatever thread brought it.  Set before
  // anything else is called.
  void on_work(std::function<void()> woken) { woken_ = std::move(woken); }
  Status open();  // The first session.

  void submit(Chunk&& chunk);
  void want_claim();
  // Of the lease under which this lane owns what it holds, in hundredths, for a lane that has heard
  // of so many fenced sessions.  Another epoch than the present one: the lease is over.  So it is
  // when it ended and was renewed, until a claim is answered: the lane may have been marked dead.
  int lease_used_percent(std::uint64_t epoch) const;
  // How many more executions the lane would take.
  void set_room(std::size_t room) { room_ = room; }
  // As the database said when it was asked last, and nothing was written or claimed since.
  bool owns_nothing() const { return owns_nothing_; }
  // From here on: begins no claim.  Those who stop together do that first, and finish() when all of
  // them are through with theirs: else one would take what another gives back.
  void claim_no_more();
  bool has_claimed_its_last() const;  // For the driver: none is under way, none will be.
  // From here on: writes what is there, gives back what is owned, and is done.
  void finish();

  using Pause = std::chrono::microseconds;
  // When to call again: 0 at once; a pause; nothing: when woken.
  std::optional<Pause> turn();
  bool is_done() const { return phase_ == Phase::kDone; }

 private:
  enum class Phase : std::uint8_t { kChoose, kAsk, kTell, kDone };
  enum class Question : std::uint8_t { kCommit, kOwned, kGiveBack, kClaim, kOpen };
  using Reply = std::variant<Result<store::Ack>, Result<store::ClaimResult>,
                             Result<std::vector<ExecutionId>>, Result<Membership::Opened>>;

  // ---- choose
  std::optional<Pause> choose();
  std::optional<Pause> choose_chunk(Chunk chunk);
  std::optional<Pause> close();
  Pause gathers() REQUIRES(mutex_);
  void cut_followers(Chunk& chunk);
  std::optional<Pause> will_ask(Question question);
  std::optional<Pause> ask_again();
  // ---- ask
  Reply ask();
  store::ClaimRequest claim_request() const;
  // ---- tell
  std::optional<Pause> tell();
  std::optional<Pause> on_commit(Result<store::Ack> reply);
  std::optional<Pause> on_claim(Result<store::ClaimResult> reply);
  std::optional<Pause> on_owned(const Result<std::vector<ExecutionId>>& reply);
  std::optional<Pause> on_open(Result<Membership::Opened> reply);
  void take(Membership::Opened opened);
  std::uint64_t lapses() const;  // Of the node of the session that there is.
  std::optional<Pause> on_fenced(std::vector<StartAnswer> answers);
  void gather_after(const Landed& landed);
  bool take_room(std::size_t count);
  bool is_finishing() const;

  const Clock& mono_;
  Membership& membership_;
  StoreClock& clock_;
  Counters& counters_;
  Health& health_;
  const Health::Probe probe_;
  const CommitterOptions options_;
  const CommitterCalls calls_;
  std::function<void()> woken_ = [] {};

  // Of the driver's thread.
  Phase phase_ = Phase::kChoose;
  Question question_ = Question::kCommit;
  std::optional<Reply> reply_;      // From ask to tell.
  Landed writing_;                  // What kCommit and kGiveBack write.
  std::optional<HeldList> held_;    // To be reconciled once its chunk is durable.
  store::ClaimRequest request_;     // Of the newest claim.
  std::uint64_t asked_lapses_ = 0;  // Of the node, before that.
  bool was_chunk_ = false;          // The last choice: then a claim has its turn.
  std::int64_t asked_ms_ = 0;       // When the question was asked; times are monotonic.
  std::int64_t asked_us_ = 0;       // The same.
  std::int64_t resume_ms_ = 0;      // No turn before that: the database is away.
  std::int64_t next_claim_ms_ = 0;  // No claim before that: the last one found nothing, or failed.
  Millis pause_{0};                 // Before the question is asked again.
  int last_tries_ = 0;              // Of a batch, since finish().
  std::uint64_t epoch_ = 0;         // Counts sessions that were fenced; the lane counts with it.
  std::unique_ptr<store::Session> session_;
  std::uint64_t next_number_ = 1;
  std::uint64_t claims_ = 0;     // That were told to the lane.
  bool claim_in_doubt_ = false;  // The last one failed: it may have taken what nobody lists.
  std::uint64_t refusals_ = 0;   // Batches with refused rows, and
  std::map<ExecutionId, std::uint64_t> refused_since_;  // the newest of each execution.

  std::atomic<std::size_t> room_{1'000};
  std::atomic<bool> owns_nothing_{true};
  mutable Mutex mutex_;
  std::deque<Chunk> chunks_ GUARDED_BY(mutex_);
  Gathering gathering_ GUARDED_BY(mutex_);
  bool claim_wanted_ GUARDED_BY(mutex_) = false;
  bool claims_no_more_ GUARDED_BY(mutex_) = false;
  bool finishing_ GUARDED_BY(mutex_) = false;
  std::shared_ptr<const store::Node> node_ GUARDED_BY(mutex_);  // Of the session; null: none.
  std::uint64_t node_epoch_ GUARDED_BY(mutex_) = 0;             // epoch_ then.
  std::uint64_t known_lapses_ GUARDED_BY(mutex_) = 0;           // Of it, that cost no writer.
};

}  // namespace stepwell::runtime
