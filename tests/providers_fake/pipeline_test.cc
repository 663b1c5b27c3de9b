// The backfill end to end: whatever the vendors do, the destination ends exact, and what failed can
// be run again by itself.
#include <cstdlib>

#include "providers/fake/truth.h"
#include "tests/providers_fake/backfill_fixture.h"

namespace stepwell::fake {
namespace {

constexpr const char* kThreeMonths = "user=1&from=2026-08-01&to=2026-11-01";

std::string exact(std::int64_t expected) {
  return "expected " + std::to_string(expected) +
         ", missing 0, duplicates 0, unexpected 0, corrupt 0";
}

class Pipeline : public Backfill {
 protected:
  std::int64_t expected() const {
    return fake->get("/__audit?" + std::string(kThreeMonths)).find("expected")->as_int();
  }
};

TEST_F(Pipeline, BringsAQuietBackfillOver) {
  open_in_memory();
  run(input());
  ASSERT_EQ(status(), "COMPLETED");
  EXPECT_EQ(fake->verdict(kThreeMonths), exact(expected()));
  EXPECT_EQ(counted("read"), expected());
  EXPECT_EQ(counted("created"), expected());
  EXPECT_EQ(output.find("done")->as_int(), 3);
  EXPECT_EQ(notices(), "N-04 N-05");
  const Value clients = *fake->get("/__audit").find("clients");
  EXPECT_EQ(clients.find("google_health")->find("unknown_routes")->as_int(), 0);
  EXPECT_EQ(clients.find("strava")->find("unknown_routes")->as_int(), 0);
  EXPECT_EQ(clients.find("google_health")->find("writes_without_key")->as_int(), 0);
}

TEST_F(Pipeline, RunAgainChangesNothing) {
  open_in_memory();
  run(input());
  run(input());
  ASSERT_EQ(status(), "COMPLETED");
  EXPECT_EQ(counted("created"), 0);
  EXPECT_EQ(counted("unchanged"), expected());
  EXPECT_EQ(fake->verdict(kThreeMonths), exact(expected()));
}

// STEPWELL_SEED=n runs it with other data and other faults.
TEST_F(Pipeline, IsExactWhateverTheVendorsDo) {
  const char* given = std::getenv("STEPWELL_SEED");
  const std::uint64_t seed = given == nullptr ? 7 : std::strtoull(given, nullptr, 10);
  SCOPED_TRACE("STEPWELL_SEED=" + std::to_string(seed));
  open_in_memory({.seed = seed});
  fake->control(R"({"preset": "rough"})");
  run(input("2026-05-01T00:00:00Z"));
  ASSERT_EQ(status(), "COMPLETED") << ended.output;
  const std::string half_year = "user=1&from=2026-05-01&to=2026-11-01";
  const auto all = fake->get("/__audit?" + half_year).find("expected")->as_int();
  EXPECT_EQ(fake->verdict(half_year), exact(all));
  EXPECT_EQ(counted("read"), all);
  EXPECT_EQ(counted("created"), all) << "a repeat within the run counts what it did before";
  EXPECT_GT(fake->get("/__audit").find("clients")->find("google_health")->find("faults")->as_int(),
            5);
}

TEST_F(Pipeline, ListsWhatFailedAndRunsOnlyThatAgain) {
  open_in_memory();
  fake->control(R"({"strava": {"bad_windows": [{"from": "2026-09-10", "to": "2026-09-11"}]}})");
  run(input());
  ASSERT_EQ(status(), "COMPLETED_WITH_ERRORS");
  EXPECT_EQ(failed_ranges(), std::vector<std::string>{"2026-09-01..2026-10-01 Provider.Transient"});
  EXPECT_EQ(notices(), "N-04 N-06");
  fake->control(R"({"strava": {"bad_windows": []}})");
  Object again = input();
  again.set("ranges", *output.find("failed_ranges"));
  run(again);
  ASSERT_EQ(status(), "COMPLETED") << ended.output;
  EXPECT_EQ(output.find("done")->as_int(), 1);
  EXPECT_EQ(notices(), "N-04 N-06 N-04 N-05");
  EXPECT_EQ(fake->verdict(kThreeMonths), exact(expected()));
}

TEST_F(Pipeline, SplitsWhatIsTooLargeOrTooSlow) {
  open_in_memory();
  // September: weeks are fine.  October does not answer, but for single days.
  fake->control(R"({"strava": {"slow_windows": [
      {"from": "2026-09-01", "to": "2026-10-01", "max_days": 7.5},
      {"from": "2026-10-15", "to": "2026-10-16", "max_days": 1.5, "status": 0}]}})");
  run(input());
  ASSERT_EQ(status(), "COMPLETED") << ended.output;
  EXPECT_EQ(output.find("split")->as_int(), 3) << "September, October, and its third week";
  EXPECT_EQ(output.find("done")->as_int(), 1 + 5 + 4 + 7);
  EXPECT_EQ(fake->verdict(kThreeMonths), exact(expected()));
}

TEST_F(Pipeline, LeavesTheWorkoutOfAnotherAppAlone) {
  open_in_memory();
  const Value theirs =
      fake->get("/__expected?user=1&from=2026-09-01&to=2026-10-01").find("records")->as_array()[0];
  const Value& time = *theirs.find("time");
  const auto start = parse_rfc3339(time.find("start")->as_string());
  const Object interval{{"startTime", to_rfc3339(*start + std::chrono::seconds(60))},
                        {"startUtcOffset", "0s"},
                        {"endTime", *time.find("end")}};
  std::string sport;
  for (const Sport& one : sports()) {
    if (theirs.find("data")->find("sport")->as_string() == one.canonical) sport = one.google;
  }
  const Value body(
      Object{{"exercise", Value(Object{{"interval", Value(interval)}, {"exerciseType", sport}})}});
  ASSERT_EQ(fake->call("POST", "/google_health/users/me/dataTypes/exercise/dataPoints",
                       body.to_json(), fake->bearer("google_health"))
                .status,
            200);
  run(input());
  ASSERT_EQ(status(), "COMPLETED") << ended.output;
  EXPECT_EQ(counted("conflicts"), 1);
  EXPECT_EQ(counted("created"), expected() - 1);
}

TEST_F(Pipeline, ReadsEachRecordWhereListsDoNotHaveWhatIsWanted) {
  open_in_memory();
  Object with = input("2026-10-01T00:00:00Z");
  with.set("fields", json(R"(["sport", "energy_total_kcal"])"));
  run(with);
  ASSERT_EQ(status(), "COMPLETED") << ended.output;
  const std::string october = "user=1&from=2026-10-01&to=2026-11-01";
  const auto all = fake->get("/__audit?" + october).find("expected")->as_int();
  EXPECT_EQ(fake->verdict(october), exact(all));
  const Value routes = *fake->get("/__audit").find("clients")->find("strava")->find("routes");
  EXPECT_EQ(routes.find("activity")->as_int(), all);
}

TEST_F(Pipeline, ChunksByVolumeWhenAskedTo) {
  open_in_memory();
  Object with = input();
  with.set("records_per_chunk", 10);
  run(with);
  ASSERT_EQ(status(), "COMPLETED") << ended.output;
  EXPECT_GE(output.find("done")->as_int(), 4);
  EXPECT_LE(output.find("done")->as_int(), 9);
  EXPECT_EQ(fake->verdict(kThreeMonths), exact(expected()));
}

TEST_F(Pipeline, RefusesWhatCannotBeSayingAllThatIsWrong) {
  open_in_memory();
  Object with = input("2026-11-01T00:00:00Z", "2026-10-01T00:00:00Z");
  with.set("source", "google_health:1");
  with.set("destination", "strava:1");
  with.set("conflicts", "source_wins");
  run(with);
  EXPECT_EQ(status(),
            "FAILED Sync.Refused: the range ends before it begins; strava takes no workout");
  run(Object{{"source", "strava:9"}, {"destination", "google_health:1"}});
  EXPECT_EQ(status(),
            "FAILED Sync.Refused: the input needs \"user\"; the input needs \"type\", such as "
            "workout; source: there is no connection \"strava:9\"; the input needs \"from\" and "
            "\"to\", or \"ranges\"");
  with = input();
  with.set("conflicts", "source_wins");
  run(with);
  EXPECT_EQ(status(),
            "FAILED Sync.Refused: conflicts: source_wins cannot be had, google_health lets nobody "
            "change records of others; use destination_wins or keep_both");
  EXPECT_EQ(notices(), "");
}

TEST_F(Pipeline, TellsTheUserInHisLanguage) {
  open_in_memory();
  Object with = input("2026-10-25T00:00:00Z");
  with.set("locale", "de-AT");
  run(with);
  ASSERT_EQ(status(), "COMPLETED") << ended.output;
  EXPECT_NE(notice_texts().find("Dein Verlauf ist vollständig"), std::string::npos)
      << notice_texts();
}

TEST_F(Pipeline, RefreshesTokensThatEndInTheMiddle) {
  start_fake();
  fake->control(R"({"google_health": {"access_ttl_s": 1, "rotation": "single_use"},
                    "strava": {"access_ttl_s": 1, "rotation": "single_use"}})");
  open_engine("memory:", store::make_memory_ledger(), store::make_memory_connections());
  run(input());
  ASSERT_EQ(status(), "COMPLETED") << ended.output;
  EXPECT_EQ(fake->verdict(kThreeMonths), exact(expected()));
  const Value clients = *fake->get("/__audit").find("clients");
  EXPECT_EQ(clients.find("google_health")->find("dead_refresh_tokens")->as_int(), 0);
  EXPECT_EQ(clients.find("strava")->find("dead_refresh_tokens")->as_int(), 0);
}

TEST_F(Pipeline, IsExactWhereTheDestinationHonoursOurNames) {
  open_in_memory();
  fake->control(R"({"preset": "rough", "google_health": {"client_ids": "honoured"}})");
  run(input());
  ASSERT_EQ(status(), "COMPLETED") << ended.output;
  EXPECT_EQ(fake->verdict(kThreeMonths), exact(expected()));
}

TEST_F(Pipeline, WaitsForAQuotaAndDoesNotCallThatAFailure) {
  open_in_memory();
  fake->control(R"({"google_health": {"quota": 25, "quota_s": 2}})");
  run(input());
  ASSERT_EQ(status(), "COMPLETED") << ended.output;
  EXPECT_EQ(fake->verdict(kThreeMonths), exact(expected()));
  const Value google = *fake->get("/__audit").find("clients")->find("google_health");
  ASSERT_NE(google.find("statuses")->find("429"), nullptr) << "the quota was met";
  // One process, two lanes: each learns of the limit by being refused once in a window.
  EXPECT_LE(google.find("statuses")->find("429")->as_int(), 30);
}

TEST_F(Pipeline, ListsWhatAPersonHasToMend) {
  open_in_memory();
  ASSERT_EQ(fake->call("POST", "/__revoke?provider=google_health&user=1").status, 200);
  run(input("2026-10-01T00:00:00Z"));
  ASSERT_EQ(status(), "COMPLETED_WITH_ERRORS") << ended.output;
  EXPECT_EQ(failed_ranges(),
            std::vector<std::string>{"2026-10-01..2026-11-01 Provider.Unauthorized"});
}

// Negative controls: the same run with a broken library must not come out exact.  A test that stays
// green here would prove nothing.
class Broken : public Pipeline {
 protected:
  std::int64_t audited(const char* what) const {
    return fake->get("/__audit?" + std::string(kThreeMonths)).find(what)->as_int();
  }
};

TEST_F(Broken, LookingUpBeforeItHasSettledMakesDuplicates) {
  break_file("sync/provider.lua", "settle_s = (destination.settings or {}).settle_s or",
             "settle_s = 0 or");
  open_in_memory();
  fake->control(R"({"google_health": {"land_late": 0.3, "land_late_ms": 1500}})");
  run(input());
  // The first copies are still landing.
  for (int i = 0; i < 50'000 && audited("duplicates") == 0; ++i) {
  }
  EXPECT_GT(audited("duplicates"), 0) << ended.output;
}

TEST_F(Broken, KeysThatChangeMakeDuplicates) {
  break_file("sync/provider.lua", "key = sw.key(job.destination,", "key = sw.key(sw.clock(),");
  open_in_memory();
  fake->control(R"({"google_health": {"commit_then_fail": 0.05}})");
  Object with = input();
  with.set("conflicts", "keep_both");
  run(with);
  EXPECT_GT(audited("duplicates"), 0) << ended.output;
}

TEST_F(Broken, ADroppedPageIsMissing) {
  break_file("sync/provider.lua", "limit = read.page_size or 100", "limit = 7");
  break_file("sync/provider.lua", "cursor = page.next\n  until", "cursor = nil\n  until");
  open_in_memory();
  run(input());
  EXPECT_GT(audited("missing"), 0) << ended.output;
}

}  // namespace
}  // namespace stepwell::fake
