// The small parts of a runtime, each alone.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "base/sync/cpu_time.h"
#include "engine/runtime/alarms.h"
#include "engine/runtime/end_waiters.h"
#include "engine/runtime/gathering.h"
#include "engine/runtime/lane_choice.h"
#include "engine/runtime/store_clock.h"
#include "engine/runtime/timers.h"
#include "engine/task/bounded_pool.h"
#include "tests/runtime/fake_clock.h"
#include "tests/runtime/world.h"

namespace stepwell::runtime {
namespace {

ExecutionId id_of(std::uint64_t number) { return {Uuid::v4(number, number)}; }

TEST(TimersTest, FireInOrderWithoutThoseCrossedOut) {
  Timers timers;
  std::vector<TimerKey> keys;
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    keys.push_back(timers.add(static_cast<std::int64_t>((i * 7919) % 1'000), id_of(i), {i}));
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i % 10 != 0) timers.cancel(keys[i]);
  }
  EXPECT_EQ(timers.size(), 100u);
  std::int64_t before = -1;
  std::size_t fired = 0;
  while (const auto entry = timers.take_due(500)) {
    EXPECT_GE(entry->at_ms, before);
    EXPECT_EQ(entry->command.value % 10, 0u);
    before = entry->at_ms;
    ++fired;
  }
  EXPECT_EQ(fired + timers.size(), 100u);
  EXPECT_GT(*timers.next_ms(), 500);
}

TEST(EndWaitersTest, TellThoseWhoWait) {
  EndWaiters ends;
  std::vector<std::string> told;
  const auto note = [&](const std::string& who) {
    return [&told, who](const EndedRow& row) {
      told.push_back(who + (row == nullptr ? " released" : " ended " + row->output));
    };
  };
  EXPECT_EQ(ends.when_released(Namespace(), id_of(1), note("nobody")), 0u) << "nobody owns it";
  ends.hold(Namespace(), id_of(1));
  EXPECT_TRUE(ends.is_held(Namespace(), id_of(1)));
  EXPECT_NE(ends.when_released(Namespace(), id_of(1), note("a")), 0u);
  const std::uint64_t forgotten = ends.when_released(Namespace(), id_of(1), note("b"));
  EXPECT_TRUE(ends.forget(id_of(1), forgotten));
  EXPECT_FALSE(ends.forget(id_of(1), forgotten)) << "it is crossed out already";
  ends.release_ended(id_of(1), [] {
    auto row = std::make_shared<store::ExecutionRow>();
    row->output = "7";
    return row;
  });
  EXPECT_FALSE(ends.is_held(Namespace(), id_of(1)));
  ends.hold(Namespace(), id_of(1));
  EXPECT_NE(ends.when_released(Namespace(), id_of(1), note("c")), 0u);
  ends.release(id_of(1));
  EXPECT_EQ(told, (std::vector<std::string>{"a ended 7", "c released"}));
}

TEST(EndWaitersTest, MakeNoRowForNobody) {
  EndWaiters ends;
  ends.hold(Namespace(), id_of(1));
  ends.release_ended(id_of(1), []() -> EndedRow {
    ADD_FAILURE() << "nobody waits";
    return nullptr;
  });
}

TEST(EndWaitersTest, ExpectWhatIsNotOwnedYet) {
  EndWaiters ends;
  int told = 0;
  const std::uint64_t early = ends.expect(id_of(1), [&](const EndedRow&) { ++told; });
  EXPECT_FALSE(ends.is_held(Namespace(), id_of(1)));
  EXPECT_EQ(ends.when_released(Namespace(), id_of(1), [&](const EndedRow&) { ++told; }), 0u);
  ends.hold(Namespace(), id_of(1));
  ends.release(id_of(1));
  EXPECT_EQ(told, 1);
  EXPECT_FALSE(ends.forget(id_of(1), early)) << "it has been told";
  const std::uint64_t in_vain = ends.expect(id_of(1), [&](const EndedRow&) { ++told; });
  EXPECT_TRUE(ends.forget(id_of(1), in_vain));
  ends.release(id_of(1));
  EXPECT_EQ(told, 1);
}

TEST(LaneChoiceTest, StartsThatComeTogetherShareALane) {
  LaneChoice choice(3);
  const std::size_t first = choice.choose(1'000);
  for (unsigned i = 1; i < LaneChoice::kEnough; ++i) EXPECT_EQ(choice.choose(1'001), first);
  for (unsigned i = 1; i < LaneChoice::kEnough; ++i) choice.answered(first);
  EXPECT_EQ(choice.choose(1'002), first) << "one is still under way";
}

// Else a few callers, whose starts are all answered by the same batch, would change lanes with each
// batch, and what follows from their starts would need a batch of its own.
TEST(LaneChoiceTest, ALaneKeepsItsTurnWhenAllIsAnswered) {
  LaneChoice choice(3);
  std::vector<std::size_t> lanes;
  for (int i = 0; i < 6; ++i) {
    lanes.push_back(choice.choose(1'000 + i * LaneChoice::kTurnMs / 2));
    choice.answered(lanes.back());
  }
  EXPECT_EQ(lanes, (std::vector<std::size_t>{1, 1, 2, 2, 0, 0}));
}

TEST(LaneChoiceTest, BeyondEnoughTheNextLaneGathers) {
  LaneChoice choice(2);
  std::vector<unsigned> count(2);
  for (unsigned i = 0; i < 2 * LaneChoice::kEnough; ++i) ++count[choice.choose(1'000)];
  EXPECT_EQ(count, (std::vector<unsigned>{LaneChoice::kEnough, LaneChoice::kEnough}));
  for (unsigned i = 0; i < 10; ++i) ++count[choice.choose(1'000)];
  EXPECT_EQ(count, (std::vector<unsigned>{LaneChoice::kEnough + 5, LaneChoice::kEnough + 5}));
}

TEST(LaneChoiceTest, ALaneThatIsHeldUpHasItsTurnOnly) {
  LaneChoice choice(2);
  const std::size_t held_up = choice.choose(1'000);
  EXPECT_EQ(choice.choose(1'000 + LaneChoice::kTurnMs - 1), held_up);
  EXPECT_NE(choice.choose(1'000 + LaneChoice::kTurnMs), held_up);
}

// A batch with 20 starts took 1 ms.
TEST(GatheringTest, EndsWhenAsManyHaveComeAsWereAnswered) {
  Gathering gathering;
  EXPECT_EQ(gathering.left_us(0, 0), 0) << "nothing was answered yet";
  gathering.landed(20, 1'000, 50'000);
  EXPECT_EQ(gathering.left_us(0, 50'100), 900);
  EXPECT_EQ(gathering.left_us(19, 50'700), 300);
  EXPECT_EQ(gathering.left_us(20, 50'800), 0);
  EXPECT_EQ(gathering.left_us(0, 50'900), 0) << "it has ended";
}

TEST(GatheringTest, EndsAfterAsLongAsTheBatchTook) {
  Gathering gathering;
  gathering.landed(20, 1'000, 50'000);
  EXPECT_EQ(gathering.left_us(19, 51'000), 0);
  gathering.landed(20, 1'000'000, 60'000);  // It stood in a queue.
  EXPECT_EQ(gathering.left_us(0, 60'000), Gathering::kLongestUs);
}

TEST(GatheringTest, OneStartAloneIsFollowedAtOnce) {
  Gathering gathering;
  gathering.landed(1, 1'000, 50'000);
  EXPECT_EQ(gathering.left_us(0, 50'000), 0);
}

// Who starts many and goes away is waited for once, then once in two batches, in four, ...
TEST(GatheringTest, CallersWhoDoNotComeBackAreWaitedForEverMoreRarely) {
  Gathering gathering;
  std::string waited;
  for (int i = 0; i < 150; ++i) {
    gathering.landed(20, 1'000, 50'000);
    waited += gathering.left_us(9, 50'000) > 0 ? 'x' : '.';
    EXPECT_EQ(gathering.left_us(9, 51'000), 0);
  }
  const auto then = [](unsigned passes) { return std::string(passes, '.') + "x"; };
  EXPECT_EQ(waited, "x" + then(1) + then(3) + then(7) + then(15) + then(31) + then(63) +
                        std::string(23, '.'));
  for (int i = 0; i < 64; ++i) {  // Now they come back, and are waited for after each batch.
    gathering.landed(20, 1'000, 60'000);
    gathering.left_us(20, 60'000);
  }
  gathering.landed(20, 1'000, 70'000);
  EXPECT_EQ(gathering.left_us(0, 70'000), 1'000);
}

TEST(ThreadPoolTest, RestsInProportionToWhatItHasWorked) {
  using Clock = std::chrono::steady_clock;
  constexpr int kRests = 3;
  constexpr Millis kWork{10};
  ThreadPool pool(1, kRests);
  Clock::time_point worked;
  std::promise<Clock::time_point> next;
  pool.run([&] {
    const auto begun = thread_cpu_time();
    while (thread_cpu_time() - begun < kWork) {
    }
    worked = Clock::now();
  });
  pool.run([&] { next.set_value(Clock::now()); });
  EXPECT_GE(next.get_future().get() - worked, kWork * kRests);
}

TEST(ThreadPoolTest, EndsItsRestWhenItIsStopped) {
  ThreadPool pool(1, 1'000'000'000);  // However short the work was, it would rest for a day.
  std::promise<void> worked;
  pool.run([&] { worked.set_value(); });
  worked.get_future().wait();
  pool.stop();
}

TEST(BoundedPoolTest, RefusesWhatWouldWaitTooLong) {
  Gate running;
  std::vector<bool> ran;
  std::promise<void> last;
  {
    BoundedPool pool(1, 2);
    EXPECT_TRUE(pool.run([&](bool) { running.pass(); }));
    running.wait();
    EXPECT_TRUE(pool.run([&](bool may_run) { ran.push_back(may_run); }));
    EXPECT_TRUE(pool.run([&](bool may_run) {
      ran.push_back(may_run);
      last.set_value();
    }));
    EXPECT_FALSE(pool.run([&](bool) { ran.push_back(false); })) << "two wait already";
    running.open();
    last.get_future().wait();
  }
  EXPECT_EQ(ran, (std::vector<bool>{true, true}));
}

TEST(BoundedPoolTest, AnswersAllThatItTookWhenItEnds) {
  Gate running;
  std::atomic<int> told{0};
  BoundedPool pool(1, 1'000'000);
  EXPECT_TRUE(pool.run([&](bool) { running.pass(); }));
  running.wait();
  std::thread stopping([&] { pool.stop(); });
  int taken = 0;
  while (pool.run([&](bool) { ++told; })) ++taken;  // Until it stops.
  running.open();
  stopping.join();
  EXPECT_EQ(told, taken);
}

TEST(AlarmsTest, RingInOrderAndNotWhenCancelled) {
  std::vector<int> rang;
  std::promise<void> last;
  Alarms alarms;
  const auto now = std::chrono::steady_clock::now();
  const Alarms::Key cancelled = alarms.at(now + std::chrono::hours(1), [&] { rang.push_back(0); });
  alarms.at(now + Millis(3), [&] {
    rang.push_back(2);
    last.set_value();
  });
  alarms.at(now + Millis(2), [&] { rang.push_back(1); });
  alarms.cancel(cancelled);
  last.get_future().wait();
  EXPECT_EQ(rang, (std::vector<int>{1, 2}));
}

TEST(StoreClockTest, FollowsTheStore) {
  FakeClock mono;
  StoreClock clock(mono);
  mono.now_ms += 10;  // The question took 10 ms: the store's time is that of its middle.
  clock.correct(from_unix_ms(1'000'000), mono.now_ms - 10);
  EXPECT_EQ(unix_ms(clock.now()), 1'000'005);
  // An answer that took too long tells little.
  mono.now_ms += 500;
  clock.correct(from_unix_ms(9'000'000), mono.now_ms - 500);
  EXPECT_EQ(unix_ms(clock.now()), 1'000'505);
}

}  // namespace
}  // namespace stepwell::runtime
