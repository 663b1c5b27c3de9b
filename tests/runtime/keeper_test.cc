// The keeper, look by look: whom it wakes, and how often it asks.
#include "engine/runtime/keeper.h"

#include <gtest/gtest.h>

#include "engine/store/memory_store.h"
#include "tests/runtime/fake_clock.h"
#include "tests/runtime/tampered_store.h"

namespace stepwell::runtime {
namespace {

// Work is done where it comes from.
struct PoolOfNone final : Pool {
  void run(std::function<void()> work) override { work(); }
  void stop() override {}
};

class KeeperTest : public ::testing::Test {
 protected:
  KeeperTest() { EXPECT_TRUE(membership_.join().ok()); }

  // By no lane: due at once.
  ExecutionId start() {
    store::Start row;
    row.id = ExecutionId{Uuid::v4(1, ++started_)};
    row.first = {row.id, 1, FactKind::kStarted, {}, now(), 0, "{}"};
    EXPECT_TRUE(store_->start({row}).ok());
    return row.id;
  }
  Time now() const { return from_unix_ms(mono_.now_ms); }
  // Turn by turn for so long: how often it looked.
  int looks_in(Millis time) {
    int looks = 0;
    const std::int64_t end = mono_.now_ms + time.count();
    while (mono_.now_ms < end) {
      mono_.now_ms += keeper_.turn().count();
      ++looks;
    }
    return looks;
  }

  FakeClock mono_;
  const std::shared_ptr<store::MemoryStore> store_ =
      store::make_memory_store({.clock = [this] { return now(); }, .seed = 7});
  std::uint64_t started_ = 0;
  int woken_ = 0;
  bool holds_ = false;
  Settings settings_;
  Membership membership_{*store_, {}};
  StoreClock clock_{mono_};
  Counters counters_;
  Health health_{HealthLimits{}};
  PoolOfNone pool_;
  Keeper keeper_{{mono_, settings_, *store_, membership_, clock_, counters_, health_, pool_},
                 [this] { ++woken_; },
                 [this] { return holds_; }};
};

TEST_F(KeeperTest, LooksSeldomerAfterAMinuteWithNothingToDo) {
  EXPECT_EQ(looks_in(Millis(60'000)), 200);
  EXPECT_EQ(looks_in(Millis(60'000)), 40);
  EXPECT_EQ(woken_, 0);
  holds_ = true;
  EXPECT_EQ(keeper_.turn(), Millis(300));
}

TEST_F(KeeperTest, WakesTheLanesWhileSomethingIsDue) {
  start();
  std::vector<std::int64_t> pauses;
  for (int i = 0; i < 6; ++i) pauses.push_back(keeper_.turn().count());
  EXPECT_EQ(pauses, (std::vector<std::int64_t>{20, 40, 80, 160, 300, 300})) << "nobody takes it";
  EXPECT_EQ(woken_, 6);
  EXPECT_EQ(unix_ms(clock_.now()), mono_.now_ms) << "it sets the clock";
}

TEST_F(KeeperTest, IsThereWhenSomethingBecomesDue) {
  const ExecutionId id = start();
  auto opened = membership_.open_session();
  ASSERT_TRUE(opened.ok());
  store::Session* session = opened->session.get();
  ASSERT_EQ(session->claim({})->claimed.size(), 1u);
  store::Batch batch;
  batch.parks.push_back({id, now() + Millis(150), 0, ""});
  ASSERT_TRUE(session->commit(batch).ok());
  EXPECT_EQ(keeper_.turn(), Millis(151));
  EXPECT_EQ(woken_, 0);
  mono_.now_ms += 151;
  keeper_.turn();
  EXPECT_EQ(woken_, 1);
}

// Behind what is due now hides what is due next.
TEST_F(KeeperTest, LooksAgainSoonWhileTheLanesTakeUpWhatIsDue) {
  const std::vector<ExecutionId> ids{start(), start()};
  auto opened = membership_.open_session();
  ASSERT_TRUE(opened.ok());
  store::Session* session = opened->session.get();
  ASSERT_EQ(session->claim({})->claimed.size(), 2u);
  store::Batch batch;
  batch.parks = {{ids[0], now() + Millis(150), 0, ""}, {ids[1], now() + Millis(155), 0, ""}};
  ASSERT_TRUE(session->commit(batch).ok());
  EXPECT_EQ(keeper_.turn(), Millis(151));
  mono_.now_ms += 151;
  EXPECT_EQ(keeper_.turn(), Millis(20));
  ASSERT_EQ(session->claim({})->claimed.size(), 1u);
  mono_.now_ms += 20;
  EXPECT_EQ(keeper_.turn(), Millis(20));
  EXPECT_EQ(woken_, 2);
}

// Partitions run out in the quietest of processes, too.
TEST_F(KeeperTest, HasTheStoreMaintainedOnceAnHour) {
  int maintained = 0;
  bool is_away = false;
  Tampering tampering;
  tampering.on_maintain = [&]() -> Status {
    ++maintained;
    if (is_away) return Error{ErrorCode::kUnavailable, "away"};
    return ok_status();
  };
  TamperedStore tampered{store_, tampering};
  PoolOfNone pool;
  Keeper keeper{{mono_, settings_, tampered, membership_, clock_, counters_, health_, pool},
                [] {},
                [] { return false; }};
  const auto pass = [&](Millis time) {
    for (const std::int64_t end = mono_.now_ms + time.count(); mono_.now_ms < end;) {
      mono_.now_ms += keeper.turn().count();
    }
    return std::exchange(maintained, 0);
  };
  EXPECT_EQ(pass(Millis(1'000)), 1);
  EXPECT_EQ(pass(Millis(7'200'000)), 2);
  is_away = true;
  EXPECT_EQ(pass(Millis(7'200'000)), 61) << "every minute while it fails";
  EXPECT_EQ(health_.trouble(mono_.now_ms), "") << "months before a partition lacks";
}

// It answers all the same: a heartbeat that gets no connection, say, where the rest has some.
TEST_F(KeeperTest, TellsThatTheLeaseIsNotRenewed) {
  Millis age{14'999};
  Tampering tampering;
  tampering.age = [&](Millis) { return age; };
  TamperedStore tampered{store_, tampering};
  Membership membership{tampered, {}};
  ASSERT_TRUE(membership.join().ok());
  Keeper keeper{{mono_, settings_, tampered, membership, clock_, counters_, health_, pool_},
                [] {},
                [] { return true; }};
  const auto trouble_in = [&](Millis time) {
    for (const std::int64_t end = mono_.now_ms + time.count(); mono_.now_ms < end;) {
      mono_.now_ms += keeper.turn().count();
    }
    return health_.trouble(mono_.now_ms);
  };
  EXPECT_EQ(trouble_in(Millis(3'000)), "");
  age = Millis(15'000);
  EXPECT_EQ(trouble_in(Millis(3'000)),
            "trouble with the database: this process cannot renew its lease: its tasks wait");
  age = Millis(0);
  EXPECT_EQ(trouble_in(Millis(300)), "");
}

TEST_F(KeeperTest, FreesWhatTheDeadOwned) {
  start();
  {
    auto dead = store_->join({});
    ASSERT_EQ((*(*dead)->open_session())->claim({})->claimed.size(), 1u);
  }
  keeper_.turn();
  EXPECT_EQ(counters_.marked_by_evidence, 1u);
  EXPECT_EQ(counters_.freed, 1u);
  EXPECT_EQ(woken_, 1);
}

}  // namespace
}  // namespace stepwell::runtime
