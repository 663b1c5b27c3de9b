// What is said of the database when it is away, slow, or refuses what is written.
#include "engine/runtime/health.h"

#include <gtest/gtest.h>

namespace stepwell::runtime {
namespace {

const Error kRefused{ErrorCode::kUnavailable, "Connection refused"};
const Error kFull{ErrorCode::kUnavailable, "could not extend file"};

TEST(HealthTest, TellsOfTroubleThatLasts) {
  Health health({.tolerated = Millis(2'000), .silence = Millis(10'000)});
  const auto asker = health.add(), writer = health.add();
  EXPECT_EQ(health.trouble(99'000), "") << "nobody has asked";

  health.asks(asker, 100'000);
  EXPECT_EQ(health.trouble(109'999), "") << "slow";
  EXPECT_EQ(health.trouble(110'000), "trouble with the database: it does not answer");
  health.works(asker);
  EXPECT_EQ(health.trouble(110'000), "");

  health.asks(writer, 120'000);
  health.fails(writer, kRefused);
  EXPECT_EQ(health.trouble(121'999), "") << "it may be over soon";
  EXPECT_EQ(health.trouble(122'000), "trouble with the database: Connection refused");
  // From the first question on, and for the newest reason.
  health.asks(writer, 121'000);
  health.fails(writer, kFull);
  EXPECT_EQ(health.trouble(122'000), "trouble with the database: could not extend file");
  // Another's success is not the writer's.
  health.asks(asker, 122'000);
  health.works(asker);
  EXPECT_EQ(health.trouble(122'000), "trouble with the database: could not extend file");
  health.asks(writer, 122'000);
  EXPECT_EQ(health.trouble(122'000), "trouble with the database: could not extend file");
  health.works(writer);
  EXPECT_EQ(health.trouble(999'000), "");
}

TEST(HealthTest, TellsOfTheLongestTrouble) {
  Health health({.tolerated = Millis(0), .silence = Millis(10'000)});
  const auto first = health.add(), second = health.add();
  health.asks(first, 2'000);
  health.fails(first, kRefused);
  health.asks(second, 1'000);
  health.fails(second, kFull);
  EXPECT_EQ(health.trouble(3'000), "trouble with the database: could not extend file");
  health.works(second);
  EXPECT_EQ(health.trouble(3'000), "trouble with the database: Connection refused");
}

}  // namespace
}  // namespace stepwell::runtime
