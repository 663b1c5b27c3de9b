// A committer, turn by turn: what it asks the store, in which order, and when it rests.
#include "engine/runtime/committer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/store/memory_store.h"
#include "tests/runtime/fake_clock.h"
#include "tests/runtime/tampered_store.h"

namespace stepwell::runtime {
namespace {

class CommitterTest : public ::testing::Test {
 protected:
  CommitterTest() {
    tampering_.on_claim = [this](const store::ClaimRequest&) { log_.push_back("claim"); };
    tampering_.before_commit = [this](const store::Batch& batch) -> Status {
      log_.push_back("commit " + std::to_string(batch.number));
      if (is_away_) return Error{ErrorCode::kUnavailable, "away"};
      return ok_status();
    };
    EXPECT_TRUE(membership_.join().ok());
    EXPECT_TRUE(committer_.open().ok());
  }
  static Chunk chunk() {
    Chunk chunk;
    chunk.batch.released.push_back({});  // Something to write that changes nothing.
    return chunk;
  }
  // A chunk that is not put together with others.
  static Chunk chunk_with_list(std::uint64_t claims_seen) {
    Chunk one = chunk();
    one.held = HeldList{{}, claims_seen};
    return one;
  }
  // Turns until there is nothing to do at once.
  std::optional<Committer::Pause> run() {
    while (true) {
      const auto rest = committer_.turn();
      if (rest != Millis(0)) return rest;
    }
  }
  std::vector<std::string> log() { return std::exchange(log_, {}); }
  using Log = std::vector<std::string>;

  FakeClock mono_;
  std::vector<std::string> log_;
  bool is_away_ = false;
  int woken_ = 0;
  std::size_t landed_ = 0, refused_ = 0, claimed_ = 0;
  std::vector<std::uint64_t> fenced_;
  Tampering tampering_;
  const std::shared_ptr<store::MemoryStore> memory_ =
      store::make_memory_store(store::MemoryStoreOptions{});
  TamperedStore store_{memory_, tampering_};
  Membership membership_{store_, {}};
  StoreClock clock_{mono_};
  Counters counters_;
  Health health_{HealthLimits{}};
  Committer committer_{mono_,
                       membership_,
                       clock_,
                       counters_,
                       health_,
                       {},
                       {.landed =
                            [this](const Landed& landed) {
                              ++landed_;
                              refused_ += landed.ack.refused.size();
                            },
                        .claimed = [this](const store::ClaimResult&) { ++claimed_; },
                        .fenced = [this](const std::vector<StartAnswer>&,
                                         std::uint64_t epoch) { fenced_.push_back(epoch); }}};
};

TEST_F(CommitterTest, RestsUntilItIsWoken) {
  committer_.on_work([this] { ++woken_; });
  EXPECT_EQ(run(), std::nullopt);
  committer_.submit(chunk());
  committer_.submit(chunk());  // Into the one that waits: nobody need be woken twice.
  EXPECT_EQ(woken_, 1);
  EXPECT_EQ(run(), std::nullopt);
  EXPECT_EQ(log(), Log{"commit 1"});
  EXPECT_EQ(landed_, 1u);
}

// A seed of the simulation: the database was slow, two summaries of one execution piled up in one
// batch, the store took the second for somebody else's, and the execution was quarantined.
TEST_F(CommitterTest, TellsOnceInABatchForWhatAnExecutionWaits) {
  const ExecutionId id{Uuid::v4(1, 1)}, other{Uuid::v4(2, 2)};
  std::vector<std::string> told;
  tampering_.before_ack = [&](const store::Batch& batch) {
    for (const store::WaitingRow& row : batch.waitings) told.push_back(row.waiting);
  };
  Chunk begins;
  for (const ExecutionId begun : {id, other}) {
    store::Start start;
    start.id = begun;
    start.owned = true;
    begins.batch.starts.push_back(start);
    begins.answers.push_back([](const Result<store::StartOutcome>&) {});
  }
  committer_.submit(std::move(begins));
  run();
  Chunk older, newer;
  older.batch.waitings = {{id, "old"}, {other, "else"}};
  newer.batch.waitings = {{id, "new"}};
  committer_.submit(std::move(older));
  committer_.submit(std::move(newer));
  run();
  EXPECT_EQ(told, (std::vector<std::string>{"else", "new"}));
  EXPECT_EQ(refused_, 0u);
  EXPECT_EQ(memory_->describe({}, id)->waiting, "new");
}

// Callers who were answered together start their next executions together: one batch, not two.
TEST_F(CommitterTest, KeepsABatchOpenForTheStartsThatItsAnswersBring) {
  std::vector<std::size_t> starts;
  tampering_.before_ack = [&](const store::Batch& batch) {
    starts.push_back(batch.starts.size());
    mono_.now_ms += 3;
  };
  std::uint64_t last = 0;
  const auto chunk_of = [&](int count) {
    Chunk some;
    for (int i = 0; i < count; ++i) {
      store::Start start;
      start.id = ExecutionId{Uuid::v4(++last, 1)};
      some.batch.starts.push_back(start);
      some.answers.push_back([](const Result<store::StartOutcome>&) {});
    }
    return some;
  };
  committer_.on_work([this] { ++woken_; });
  committer_.submit(chunk_of(3));
  EXPECT_EQ(run(), Millis(3));
  woken_ = 0;
  committer_.submit(chunk_of(1));
  mono_.now_ms += 1;
  EXPECT_EQ(run(), Millis(2));
  committer_.submit(chunk_of(1));
  EXPECT_EQ(woken_, 0) << "two of three are not enough";
  committer_.submit(chunk_of(1));
  EXPECT_EQ(woken_, 1);
  run();
  committer_.submit(chunk_of(2));  // One has gone: the batch waits for it as long as one takes.
  EXPECT_EQ(run(), Millis(3));
  mono_.now_ms += 3;
  run();
  EXPECT_EQ(starts, (std::vector<std::size_t>{3, 3, 2}));
}

// Between the store's answer and the lane's hearing of it lies a turn: a process may die there.
TEST_F(CommitterTest, AsksAndTellsInTwoTurns) {
  committer_.submit(chunk());
  EXPECT_EQ(committer_.turn(), Millis(0));
  EXPECT_EQ(log(), Log{});
  EXPECT_EQ(committer_.turn(), Millis(0));
  EXPECT_EQ(log(), Log{"commit 1"});
  EXPECT_EQ(landed_, 0u);
  EXPECT_EQ(committer_.turn(), Millis(0));
  EXPECT_EQ(landed_, 1u);
}

TEST_F(CommitterTest, ClaimsBetweenTwoBatches) {
  committer_.submit(chunk_with_list(0));
  committer_.submit(chunk_with_list(0));
  committer_.want_claim();
  EXPECT_EQ(run(), std::nullopt);
  EXPECT_EQ(log(), (Log{"commit 1", "claim", "commit 2"}));
}

// Lanes stop one after another.  One that still claimed would take what another has given back,
// and begin tasks that have just been cut off: so all end their claims before the first gives back.
TEST_F(CommitterTest, ClaimsNoMoreOnceItIsToldSo) {
  committer_.want_claim();
  EXPECT_EQ(committer_.turn(), Millis(0));  // It will ask.
  committer_.claim_no_more();
  EXPECT_FALSE(committer_.has_claimed_its_last());
  EXPECT_EQ(committer_.turn(), Millis(0));  // It has asked.
  EXPECT_FALSE(committer_.has_claimed_its_last());
  EXPECT_EQ(committer_.turn(), Millis(0));  // It has told.
  EXPECT_TRUE(committer_.has_claimed_its_last());
  EXPECT_EQ(log(), Log{"claim"});
  committer_.want_claim();
  committer_.submit(chunk());
  mono_.now_ms += 2;
  EXPECT_EQ(run(), std::nullopt);
  EXPECT_EQ(log(), Log{"commit 1"}) << "it writes on";
  EXPECT_EQ(claimed_, 1u);
}

// A claim that follows an empty one waits 2 ms; a batch does not wait behind it.
TEST_F(CommitterTest, WritesWhileAClaimHasToWait) {
  committer_.want_claim();
  EXPECT_EQ(run(), std::nullopt);
  committer_.want_claim();
  EXPECT_EQ(run(), Millis(2));
  committer_.submit(chunk());
  EXPECT_EQ(run(), Millis(2));
  EXPECT_EQ(log(), (Log{"claim", "commit 1"}));
  mono_.now_ms += 2;
  EXPECT_EQ(run(), std::nullopt);
  EXPECT_EQ(log(), Log{"claim"});
  EXPECT_EQ(claimed_, 2u);
}

TEST_F(CommitterTest, AsksAgainWithTheSameNumberAndLongerPauses) {
  is_away_ = true;
  committer_.submit(chunk());
  std::vector<std::int64_t> pauses;
  for (int i = 0; i < 8; ++i) {
    pauses.push_back(run()->count() / 1'000);
    EXPECT_EQ(run(), Millis(pauses.back())) << "woken too early, it rests on";
    mono_.now_ms += pauses.back();
  }
  EXPECT_EQ(pauses, (std::vector<std::int64_t>{20, 40, 80, 160, 320, 640, 1'000, 1'000}));
  is_away_ = false;
  EXPECT_EQ(run(), std::nullopt);
  EXPECT_EQ(log(), Log(9, "commit 1"));
  EXPECT_EQ(counters_.unavailable, 8u);
}

TEST_F(CommitterTest, GivesUpAfterAFewTriesWhenItFinishes) {
  is_away_ = true;
  committer_.submit(chunk());
  while (run() != Millis(1'000)) mono_.now_ms += 1'000;
  committer_.finish();
  EXPECT_EQ(run(), Millis(20)) << "the long pause is cut short";
  log_.clear();
  while (!committer_.is_done()) {
    mono_.now_ms += 20;
    run();
  }
  EXPECT_EQ(log().size(), 4u);
  EXPECT_EQ(fenced_, std::vector<std::uint64_t>{0}) << "whoever waits is told; no epoch has ended";
}

TEST_F(CommitterTest, DropsWhatWasStagedBeforeTheLaneHeardThatItIsDead) {
  bool is_dead = true;
  tampering_.is_dead = [&] { return std::exchange(is_dead, false); };
  committer_.want_claim();
  EXPECT_EQ(run(), std::nullopt);
  EXPECT_EQ(fenced_, std::vector<std::uint64_t>{1});
  EXPECT_EQ(log(), (Log{"claim", "claim"})) << "the second one of a new session";
  committer_.submit(chunk());  // Of epoch 0.
  EXPECT_EQ(run(), std::nullopt);
  EXPECT_EQ(log(), Log{});
  Chunk later = chunk();
  later.epoch = 1;
  committer_.submit(std::move(later));
  EXPECT_EQ(run(), std::nullopt);
  EXPECT_EQ(log(), Log{"commit 1"});
}

// A seed of the simulation: another lane of the process was fenced and joined anew, and this one,
// whose node is dead, took the new node's lease for its own and began side effects under it.
TEST_F(CommitterTest, GoesByTheLeaseOfItsOwnSession) {
  EXPECT_EQ(committer_.lease_used_percent(0), 0);
  memory_->expire(*membership_.node());
  EXPECT_GE(committer_.lease_used_percent(0), 100);
  EXPECT_TRUE(membership_.join().ok());
  EXPECT_GE(committer_.lease_used_percent(0), 100) << "the lease of the new node is not its own";
  bool is_dead = true;
  tampering_.is_dead = [&] { return std::exchange(is_dead, false); };
  committer_.want_claim();
  run();
  EXPECT_EQ(committer_.lease_used_percent(0), 100) << "the lane has not heard that it was fenced";
  EXPECT_EQ(committer_.lease_used_percent(1), 0);
}

// A seed of the simulation: a process stood still, its lanes were marked dead, its heartbeat was
// the first to go on, and a lane began what it had held back under a lease that was no longer its.
TEST_F(CommitterTest, GoesByALeaseThatHadEndedOnlyAfterAClaimIsAnswered) {
  memory_->expire(*membership_.node());
  memory_->renew(*membership_.node());
  EXPECT_EQ(committer_.lease_used_percent(0), 100) << "it may have been marked dead meanwhile";
  committer_.want_claim();
  run();
  EXPECT_EQ(committer_.lease_used_percent(0), 0);
  memory_->expire(*membership_.node());
  EXPECT_EQ(memory_->sweep()->writers_marked, 1u);
  memory_->renew(*membership_.node());
  mono_.now_ms += 2;
  committer_.want_claim();
  for (int turns = 0; turns < 3; ++turns) {
    EXPECT_EQ(committer_.lease_used_percent(0), 100);
    committer_.turn();
  }
  EXPECT_EQ(fenced_, std::vector<std::uint64_t>{1});
}

// What a claim took whose reply was lost is in no list, and must not be given back as unheld.
TEST_F(CommitterTest, DoesNotReconcileWhileAClaimIsInDoubt) {
  int owned = 0;
  tampering_.on_owned = [&]() -> Status {
    ++owned;
    return ok_status();
  };
  tampering_.claimed_status = [this]() -> Status {
    if (is_away_) return Error{ErrorCode::kUnavailable, "away"};
    return ok_status();
  };
  is_away_ = true;
  committer_.want_claim();
  EXPECT_EQ(run(), Millis(20));
  is_away_ = false;
  committer_.submit(chunk_with_list(0));
  EXPECT_EQ(run(), Millis(20));
  EXPECT_EQ(owned, 0);
  mono_.now_ms += 20;
  run();
  committer_.submit(chunk_with_list(1));
  run();
  EXPECT_EQ(owned, 1);
}

}  // namespace
}  // namespace stepwell::runtime
