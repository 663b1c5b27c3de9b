// The small parts of a runtime, each alone.
#include <gtest/gtest.h>

#include <thread>

#include "engine/runtime/ends.h"
#include "engine/runtime/store_clock.h"
#include "engine/runtime/timers.h"

namespace stepwell::runtime {
namespace {

struct FakeClock final : Clock {
  std::int64_t monotonic_ms() const override { return now_ms; }
  std::int64_t now_ms = 1'000'000;
};

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

TEST(EndsTest, TellThoseWhoWait) {
  Ends ends;
  EXPECT_FALSE(ends.wait(id_of(1), Millis(1))) << "nobody holds it";
  ends.hold(id_of(1));
  EXPECT_FALSE(ends.wait(id_of(1), Millis(1))) << "time over";
  int told = 0;
  EXPECT_NE(ends.when_released(id_of(1), [&] { ++told; }), 0u);
  const std::uint64_t forgotten = ends.when_released(id_of(1), [&] { told += 100; });
  ends.forget(id_of(1), forgotten);
  std::thread other([&] { ends.release(id_of(1)); });
  ends.wait(id_of(1), Millis(20'000));
  other.join();
  EXPECT_EQ(told, 1);
  EXPECT_FALSE(ends.is_held(id_of(1)));
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
