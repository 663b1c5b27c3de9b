// What is said of the database when it is away, slow, or refuses what is written.
#include "engine/observe/health.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <regex>
#include <string>
#include <vector>

#include "base/sync/mutex.h"
#include "tests/runtime/tampered_store.h"
#include "tests/runtime/world.h"

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

// It has months, as a rule; and a real outage is told of beside it.
TEST(HealthTest, TellsOfUpkeepThatFailsAndRefusesNobody) {
  Health health({.told = Millis(1'000), .tolerated = Millis(2'000)});
  const auto asker = health.add(), upkeep = health.add(Health::Weight::kUpkeep);
  health.asks(upkeep, 100'000);
  health.fails(upkeep, {ErrorCode::kDenied, "permission denied"});
  EXPECT_EQ(health.trouble(900'000), "");
  EXPECT_EQ(health.news(100'999), "");
  EXPECT_EQ(health.news(101'000),
            "upkeep of the database has failed for 1.0 s, trying again: permission denied");
  EXPECT_EQ(health.news(101'001), "");
  health.asks(asker, 200'000);
  health.fails(asker, kRefused);
  EXPECT_EQ(health.news(201'000),
            "trouble with the database for 1.0 s, trying again: Connection refused");
  EXPECT_EQ(health.trouble(202'000), "trouble with the database: Connection refused");
  health.works(asker);
  EXPECT_EQ(health.news(203'000), "the database works again, after 3.0 s of trouble");
  health.works(upkeep);
  EXPECT_EQ(health.news(204'000), "upkeep of the database works again, after 1m 44s of failing");
  EXPECT_EQ(health.news(204'001), "");
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

TEST(HealthTest, TellsPeopleOnceOfTroubleAndOnceOfItsEnd) {
  Health health({.told = Millis(1'000), .tolerated = Millis(2'000), .silence = Millis(10'000)});
  const auto asker = health.add(), writer = health.add();
  const struct {
    std::int64_t now_ms;
    std::function<void()> happens;
    const char* news;
  } steps[] = {
      {100'000, [&] { health.asks(writer, 99'500), health.fails(writer, kRefused); }, ""},
      {100'400, [&] { health.asks(writer, 100'400), health.works(writer); }, ""},
      {100'500, [&] { health.asks(writer, 100'500), health.fails(writer, kRefused); }, ""},
      {101'600, [] {}, "trouble with the database for 1.1 s, trying again: Connection refused"},
      {103'000, [&] { health.asks(asker, 102'000), health.fails(asker, kFull); }, ""},
      {105'000, [&] { health.asks(writer, 105'000), health.works(writer); }, ""},
      {125'800, [&] { health.works(asker); }, "the database works again, after 25.3 s of trouble"},
      {126'000, [] {}, ""},
      // The same again is told again.
      {130'000, [&] { health.asks(writer, 129'000), health.fails(writer, kRefused); },
       "trouble with the database for 1.0 s, trying again: Connection refused"},
      {130'200, [&] { health.works(writer); }, "the database works again, after 1.2 s of trouble"},
      {140'200, [&] { health.asks(asker, 130'200); },
       "trouble with the database for 10.0 s, trying again: it does not answer"},
  };
  for (const auto& step : steps) {
    step.happens();
    EXPECT_EQ(health.news(step.now_ms), step.news) << "at " << step.now_ms;
  }
}

constexpr const char* kSleep = R"(
StartAt: Sleep
States:
  Sleep: {Type: Wait, Seconds: 3600, End: true}
)";

class Outage : public World {
 protected:
  Outage() {
    settings_.health = {.told = Millis(0), .tolerated = Millis(0)};
    settings_.tell = [this](const std::string& line) {
      const MutexLock lock(mutex_);
      told_.push_back(std::regex_replace(line, std::regex("[0-9.]+ m?s"), "N s"));
    };
    tampering_.before_commit = [this](const store::Batch& batch) -> Status {
      if (is_full_ && !batch.starts.empty()) {
        return Error{ErrorCode::kUnavailable, "could not extend file"};
      }
      return ok_status();
    };
  }
  std::vector<std::string> told() {
    const MutexLock lock(mutex_);
    return told_;
  }
  Tampering tampering_;
  std::atomic<bool> is_full_{false};

 private:
  Mutex mutex_;
  std::vector<std::string> told_ GUARDED_BY(mutex_);
};

TEST_F(Outage, OfWritesIsToldAndAStartDoesNotWaitForItsEnd) {
  settings_.start_deadline = Millis(20);
  auto one = engine_on(std::make_shared<TamperedStore>(store_, tampering_), nullptr);
  deploy(*one, "sleep", kSleep);
  EXPECT_TRUE(one->ready());
  is_full_ = true;
  const auto in_doubt = one->start("sleep", "{}", {.name = "n"});
  EXPECT_EQ(in_doubt.code, Code::kUnavailable);
  EXPECT_EQ(in_doubt.error,
            "starting sleep: the database has not answered within 20 ms; whether it starts is in "
            "doubt (repeated under the same name it starts only once)");
  eventually("it is not ready", [&] { return !one->ready(); });
  EXPECT_EQ(one->ready().error,
            "trouble with the database: writing a batch: could not extend file");
  eventually("it is told", [&] { return told().size() == 1; });
  is_full_ = false;
  eventually("it is ready", [&] { return static_cast<bool>(one->ready()); });
  eventually("its end is told", [&] { return told().size() == 2; });
  EXPECT_EQ(told(), (std::vector<std::string>{"trouble with the database for N s, trying again: "
                                              "writing a batch: could not extend file",
                                              "the database works again, after N s of trouble"}));
  Answer<StartedExecution> again;
  eventually("it is started", [&] {
    again = one->start("sleep", "{}", {.name = "n"});
    return static_cast<bool>(again);
  });
  const auto all = one->list("", "", 10);
  ASSERT_EQ(all.value.size(), 1u) << all.error;
  EXPECT_EQ(all.value[0].id, again.value.id);
}

TEST_F(Outage, AnEngineThatIsStoppedIsNotReady) {
  auto one = engine();
  EXPECT_TRUE(one->ready());
  one->stop();
  EXPECT_EQ(one->ready().error, "the engine does not run");
}

}  // namespace
}  // namespace stepwell::runtime
