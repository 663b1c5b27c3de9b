// What a lane is made of, each part alone: room, due snapshots, deadlines, refusals.
#include <gtest/gtest.h>

#include "engine/runtime/deadlines.h"
#include "engine/runtime/due_snapshots.h"
#include "engine/runtime/refusals.h"
#include "engine/runtime/room.h"
#include "engine/runtime/store_clock.h"
#include "tests/http/still_loop.h"
#include "tests/runtime/fake_clock.h"

namespace stepwell::runtime {
namespace {

ExecutionId id_of(std::uint64_t number) { return {Uuid::v4(number, number)}; }

TEST(RoomTest, IsFullUntilAQuarterIsFree) {
  Room room(8);
  EXPECT_EQ(room.left(0), 8u);
  EXPECT_EQ(room.left(7), 1u);
  EXPECT_FALSE(room.has_reopened(0)) << "it was never full";
  EXPECT_EQ(room.left(9), 0u) << "what was being folded counts, too";
  EXPECT_FALSE(room.has(8));
  EXPECT_FALSE(room.has_reopened(7)) << "one place is no reason to claim";
  EXPECT_FALSE(room.has_reopened(6));
  EXPECT_TRUE(room.has_reopened(5));
  EXPECT_FALSE(room.has_reopened(5)) << "told once";
}

// A quarter of three is nothing; it must not be full for ever.
TEST(RoomTest, ReopensHoweverSmallItIs) {
  for (std::size_t most = 1; most <= 4; ++most) {
    Room room(most);
    EXPECT_EQ(room.left(most), 0u);
    EXPECT_TRUE(room.has_reopened(most < 4 ? most - 1 : 2)) << most;
  }
}

// A database far away answers no faster than that: its clock is followed all the same.
TEST(StoreClockTest, FollowsADatabaseThatIsFarAway) {
  FakeClock mono;
  StoreClock clock(mono);
  const auto asked = [&](std::int64_t took_ms, std::int64_t ahead_ms) {
    const std::int64_t before = mono.now_ms;
    mono.now_ms += took_ms;
    clock.correct(from_unix_ms(before + took_ms / 2 + ahead_ms), before);
    return unix_ms(clock.now()) - mono.now_ms;
  };
  EXPECT_EQ(asked(500, 10), 10) << "whatever is said first";
  EXPECT_EQ(asked(30, 20), 20);
  EXPECT_EQ(asked(200, 90), 20) << "a slow answer tells little";
  EXPECT_EQ(asked(30, 21), 21);
  mono.now_ms += 100'000;
  EXPECT_EQ(asked(120, 40), 40) << "but more than what is so old";
}

class DueSnapshotsTest : public ::testing::Test {
 protected:
  void fact(std::uint64_t bytes) {
    ++held_.seq;
    ++held_.facts_since_snapshot;
    held_.bytes_since_snapshot += bytes;
    held_.journal_hash = held_.seq * 7;
    due_.consider(held_);
  }
  DueSnapshots due_{3};
  OwnedExecution held_;
};

TEST_F(DueSnapshotsTest, WaitUntilTheirFactsAreDurable) {
  held_.id = id_of(1);
  fact(10);
  fact(10);
  EXPECT_FALSE(held_.snapshot_under_way) << "two facts are folded faster than a snapshot is read";
  fact(10);
  EXPECT_TRUE(held_.snapshot_under_way);
  fact(10);
  held_.durable = 2;
  EXPECT_FALSE(due_.take(held_)) << "its third fact may be lost yet";
  held_.durable = 4;
  const auto taken = due_.take(held_);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->seq, 3u);
  EXPECT_EQ(taken->journal_hash, 21u);
  EXPECT_FALSE(due_.take(held_)) << "given once";
}

TEST_F(DueSnapshotsTest, AreDueWhenTheJournalHasOutgrownTheLastOne) {
  held_.id = id_of(1);
  for (int i = 0; i < 3; ++i) fact(10);
  held_.durable = held_.seq;
  ASSERT_TRUE(due_.take(held_));
  for (int i = 0; i < 9; ++i) fact(10);
  held_.durable = held_.seq;
  EXPECT_FALSE(due_.take(held_)) << "the last one is still under way";
  DueSnapshots::written(held_, 100);
  fact(9);  // 99 bytes since then.
  EXPECT_FALSE(held_.snapshot_under_way);
  fact(1);
  EXPECT_TRUE(held_.snapshot_under_way);
  due_.forget(held_.id);
  held_.durable = held_.seq;
  EXPECT_FALSE(due_.take(held_));
}

struct LoopClock final : Clock {
  explicit LoopClock(const loop::Loop& of) : loop(of) {}
  std::int64_t monotonic_ms() const override { return loop.monotonic_ms(); }
  const loop::Loop& loop;
};

class DeadlinesTest : public ::testing::Test {
 protected:
  // The store's time says so much more than the monotonic clock.
  void store_is_ahead_by(std::int64_t ms) {
    clock_.correct(from_unix_ms(loop_.monotonic_ms() + ms), loop_.monotonic_ms());
  }
  Time store_time() const { return clock_.now(); }

  http::StillLoop loop_;
  LoopClock mono_{loop_};
  StoreClock clock_{mono_};
  std::vector<std::string> told_;
  Deadlines deadlines_{loop_,
                       mono_,
                       clock_,
                       {.due =
                            [this](const Timers::Entry& entry, Time now) {
                              EXPECT_EQ(now, store_time());
                              told_.push_back("timer " + std::to_string(entry.command.value));
                            },
                        .look =
                            [this](const Timers::Entry& entry) {
                              told_.push_back("look " + std::to_string(entry.command.value));
                            }}};
};

using Told = std::vector<std::string>;

TEST_F(DeadlinesTest, GoByTheStoresClockAndByThisProcessesOwn) {
  store_is_ahead_by(500'000);
  deadlines_.add_timer(store_time() + Millis(30), id_of(1), {1});
  deadlines_.add_look(loop_.monotonic_ms() + 20, id_of(1), {2});
  const TimerKey crossed_out = deadlines_.add_look(loop_.monotonic_ms() + 10, id_of(1), {3});
  deadlines_.cancel_look(crossed_out);
  EXPECT_EQ(loop_.timers(), 1u) << "one alarm, for the earliest";
  loop_.pass(Millis(19));
  EXPECT_EQ(told_, Told{});
  loop_.pass(Millis(1));
  EXPECT_EQ(told_, (Told{"look 2"}));
  loop_.pass(Millis(10));
  EXPECT_EQ(told_, (Told{"look 2", "timer 1"}));
}

TEST_F(DeadlinesTest, AreSetAnewWhenTheStoresClockIsCorrected) {
  store_is_ahead_by(0);
  deadlines_.add_timer(store_time() + Millis(10'000), id_of(1), {1});
  deadlines_.add_look(loop_.monotonic_ms() + 10'000, id_of(1), {2});
  store_is_ahead_by(9'990);
  deadlines_.arm();
  loop_.pass(Millis(10));
  EXPECT_EQ(told_, (Told{"timer 1"})) << "a task's own time is not the store's";
  deadlines_.clear();
  loop_.pass(Millis(20'000));
  EXPECT_EQ(told_, (Told{"timer 1"}));
}

store::JournalRow answer(ExecutionId id, std::uint64_t seq, std::string payload) {
  store::JournalRow row;
  row.execution = id;
  row.seq = seq;
  row.kind = FactKind::kTaskSucceeded;
  row.command = {seq};
  row.payload = std::move(payload);
  return row;
}

std::vector<std::uint64_t> commands(const std::vector<RefusedAnswer>& answers) {
  std::vector<std::uint64_t> all;
  for (const RefusedAnswer& answer : answers) all.push_back(answer.command.value);
  return all;
}

using Commands = std::vector<std::uint64_t>;

TEST(RefusalsTest, KeepTheAnswersThatAreAtFault) {
  Refusals refusals;
  store::Batch batch;
  batch.facts = {answer(id_of(1), 2, R"({"output":1})"), answer(id_of(1), 3, "\xff"),
                 answer(id_of(2), 2, "\xff"), answer(id_of(1), 4, R"({"output":4})"),
                 answer(id_of(1), 5, std::string("\0", 1))};
  EXPECT_TRUE(refusals.keep({id_of(1), "not UTF-8"}, batch, {}));
  const auto kept = refusals.take(id_of(1));
  EXPECT_EQ(commands(kept), (Commands{3, 5}));
  EXPECT_EQ(kept.at(0).reason, "not UTF-8");
  EXPECT_TRUE(refusals.take(id_of(1)).empty()) << "given once";
}

// Failures stand for some answers of the batch already, and are not at fault when another is.
TEST(RefusalsTest, KeepTheAnswersThatWereReplacedBefore) {
  Refusals refusals;
  store::Batch batch;
  batch.facts = {answer(id_of(1), 2, R"({"error":"no"})"), answer(id_of(1), 3, "\xff")};
  EXPECT_TRUE(refusals.keep({id_of(1), "not UTF-8"}, batch, {{{2}, 7, "too long"}}));
  const auto kept = refusals.take(id_of(1));
  EXPECT_EQ(commands(kept), (Commands{2, 3}));
  EXPECT_EQ(kept.at(0).reason, "too long");
  EXPECT_FALSE(refusals.keep({id_of(1), "still not"}, batch, kept)) << "no other is at fault";
}

TEST(RefusalsTest, KeepEveryAnswerWhenNoneIsKnownToBeAtFault) {
  Refusals refusals;
  store::Batch batch;
  batch.facts = {answer(id_of(1), 2, R"({"output":1})"), answer(id_of(1), 3, R"({"output":2})")};
  batch.facts[1].kind = FactKind::kTimerFired;
  batch.facts.push_back(answer(id_of(1), 4, R"({"output":3})"));
  EXPECT_TRUE(refusals.keep({id_of(1), "the end is too long"}, batch, {}));
  EXPECT_EQ(commands(refusals.take(id_of(1))), (Commands{2, 4}));
  batch.facts.resize(2);
  batch.facts.erase(batch.facts.begin());
  EXPECT_FALSE(refusals.keep({id_of(1), "a timer"}, batch, {})) << "nothing can stand in for it";
  EXPECT_TRUE(refusals.take(id_of(1)).empty());
}

}  // namespace
}  // namespace stepwell::runtime
