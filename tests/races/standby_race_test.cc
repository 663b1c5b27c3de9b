// R18 and what a promotion leaves behind: a synchronous standby, and the server that takes over.
#include <thread>

#include "tests/races/race.h"

namespace stepwell::testing {
namespace {

using Kind = store::StartOutcome::Kind;

// A standby of the race's server, which acknowledges no commit without it.
class StandbyRace : public Race {
 protected:
  StandbyRace() {
    if (given_database() != nullptr) return;
    server_ =
        std::make_unique<ThrowAwayCluster>(postgres::ClusterOptions{.standby_of = admin_url()});
    run_as_admin("ALTER SYSTEM SET synchronous_standby_names = 'standby'");
    run_as_admin("SELECT pg_reload_conf()");
  }
  ~StandbyRace() override {
    if (given_database() != nullptr) return;
    CHECK(own_cluster().start().ok(), "start");  // Nothing where it runs.
    run_as_admin("ALTER SYSTEM RESET synchronous_standby_names");
    run_as_admin("SELECT pg_reload_conf()");
  }
  void SetUp() override {
    if (given_database() != nullptr) GTEST_SKIP() << "needs a server of its own";
  }
  // The backend that waits for the standby; 0: none but perhaps `besides`.
  std::int64_t waiter(std::int64_t besides = 0) {
    return number(
        "SELECT coalesce(max(pid), 0) FROM pg_stat_activity "
        "WHERE wait_event = 'SyncRep' AND pid <> $1::bigint",
        Parameters().add(besides));
  }

  postgres::Cluster& standby() { return server_->cluster(); }
  // The race's schema on the standby, once that is promoted.
  postgres::PgOptions promoted() {
    postgres::PgOptions options = options_;
    options.url = standby().url();
    return options;
  }

 private:
  std::unique_ptr<ThrowAwayCluster> server_;
};

// R18: the standby is away, the wait of a start's commit is cut off, and the start is asked again.
class R18 : public StandbyRace {
 protected:
  // Whether the second asking is answered before there is a standby that has it.
  bool is_acknowledged_alone(const std::vector<Replacement>& mutation) {
    install("stepwell_known_starts_v2", mutation);
    CHECK(standby().stop().ok(), "stop the standby");
    std::future<Result<std::vector<store::StartOutcome>>> starting;
    std::int64_t first = 0;
    while (first == 0) {  // The server may not have heard yet that it has to wait.
      start_ = start_of(new_execution(), "n" + std::to_string(++starts_));
      starting = std::async(std::launch::async, [&] { return store_->start({start_}); });
      first = waiter_or_end(starting);
    }
    // Its link is lost, and the store asks once more over another.
    sql("SELECT pg_terminate_backend($1)", Parameters().add_int4(static_cast<int>(first)));
    const bool is_alone = waiter_or_end(starting, first) == 0;
    CHECK(standby().start().ok(), "start the standby");
    const auto outcomes = starting.get();
    CHECK(outcomes.ok(), outcomes.error().message);
    CHECK(outcomes->at(0).kind == Kind::kCreated, "outcome");
    return is_alone;
  }
  // The backend that waits for the standby, or 0 when the start was answered first.
  std::int64_t waiter_or_end(const std::future<Result<std::vector<store::StartOutcome>>>& starting,
                             std::int64_t besides = 0) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (starting.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      if (const std::int64_t found = waiter(besides); found != 0) return found;
      CHECK(std::chrono::steady_clock::now() < deadline, "neither waits nor ends");
      std::this_thread::yield();
    }
    return 0;
  }
  store::Start start_;
  int starts_ = 0;
};

TEST_F(R18, LookedUpOnlyItIsAcknowledgedOnNoStandby) {
  EXPECT_TRUE(is_acknowledged_alone(
      {{"ORDER BY y.namespace, y.workflow, y.name FOR KEY SHARE OF y;", "LIMIT 1;"},
       {"WHERE e.id = ANY (ARRAY(SELECT n.id FROM unnest(s) n)) FOR KEY SHARE;", "LIMIT 1;"}}));
}

TEST_F(R18, LockedItIsAcknowledgedWhenTheStandbyHasIt) {
  EXPECT_FALSE(is_acknowledged_alone({}));
  ASSERT_TRUE(own_cluster().crash().ok());
  ASSERT_TRUE(standby().promote().ok());
  const auto there = postgres::open_store(promoted()).value()->describe(Namespace(), start_.id);
  EXPECT_TRUE(there.ok()) << there.error().message;
  ASSERT_TRUE(own_cluster().start().ok());
}

// A server that was promoted long after it started has none of the locks of those who live.
class Promotion : public StandbyRace {
 protected:
  // How many of the lanes that were alive on the old server are marked dead on the new one.
  std::string marked(const std::vector<Replacement>& mutation) {
    install("stepwell_gone_v1", mutation);
    install("stepwell_grace_v1", {{"'3 s'", "'0 s'"}});
    const RawLane lane = raw_lane();
    CHECK(own_cluster().crash().ok(), "crash");
    CHECK(standby().promote().ok(), "promote");
    auto link = Link::open(promoted(), {.name = "race"}).value();
    const Answer marks = link->run("SELECT marked FROM stepwell_mark_dead_v1()");
    CHECK(marks.ok(), marks.trouble().message);
    CHECK(own_cluster().start().ok(), "start");
    return marks.rows().string(0, 0);
  }
};

TEST_F(Promotion, WithoutTheTimelineAllAreTakenForDead) {
  EXPECT_EQ(marked({{"WHERE n.timeline = v_timeline\n      AND NOT EXISTS", "WHERE NOT EXISTS"}}),
            "1");
}

TEST_F(Promotion, WithTheTimelineNobodyIsBeforeItHasRenewedHere) { EXPECT_EQ(marked({}), "0"); }

}  // namespace
}  // namespace stepwell::testing
