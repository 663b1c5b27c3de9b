// Single lines of the SQL that hold somebody off, each taken out once: what a dead, late or foreign
// caller would do without it.
#include "tests/races/race.h"

namespace stepwell::testing {
namespace {

using store::Batch;

// A stop that arrives while its execution ends: kept, it would end the execution's next redrive.
class LateMail : public Race {
 protected:
  std::int64_t left_after_the_end(const std::vector<Replacement>& mutation) {
    install("stepwell_commit_v2", mutation);
    RawLane lane = raw_lane();
    const ExecutionId id = owned_by(lane, 1)[0];
    CHECK(store_->deliver(Namespace(), stop_of(id)).ok(), "deliver");
    Batch batch;
    batch.finishes = {finish_of(id)};
    const Answer ended = lane.commit(1, batch);
    CHECK(ended.ok(), ended.trouble().message);
    return number("SELECT count(*) FROM inbox");
  }
};

TEST_F(LateMail, LeftWhereItIsWaitsForARedrive) {
  EXPECT_EQ(left_after_the_end({{"DELETE FROM inbox WHERE execution = ANY (v_ended);", "NULL;"}}),
            1);
}
TEST_F(LateMail, GoesWithTheEnd) { EXPECT_EQ(left_after_the_end({}), 0); }

// A node whose heartbeat's lock is free, and whose lease has not ended.
class Gone : public Race {
 protected:
  // How many lanes of it are marked dead.
  std::uint32_t marked(bool has_backend) {
    sql("INSERT INTO nodes (id, label, build, pools, evidence, timeline, lease_until, renewed_at) "
        "VALUES (lpad('1', 32, '0')::uuid, 'quiet', '', '{}', 4711, stepwell_timeline_v1(), "
        "now() + interval '1 h', now())");
    sql(has_backend ? "INSERT INTO writers (id, node, backend_pid, backend_start) "
                      "SELECT lpad('2', 32, '0')::uuid, lpad('1', 32, '0')::uuid, pid, "
                      "backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
                    : "INSERT INTO writers (id, node, backend_pid, backend_start) "
                      "VALUES (lpad('2', 32, '0')::uuid, lpad('1', 32, '0')::uuid, 0, now())");
    return sweep().writers_marked;
  }
  void long_after_the_servers_start() {
    install("stepwell_grace_v1", {{"interval '3 s'", "interval '0 s'"}});
  }
  void right_after_the_servers_start() {
    CHECK(control_
              ->run_script("CREATE OR REPLACE FUNCTION stepwell_cut_off_v1() RETURNS timestamptz "
                           "LANGUAGE sql VOLATILE AS $$ SELECT now() $$")
              .ok(),
          "replace");
  }
};

TEST_F(Gone, WithoutTheLookAtBackendsWhoeverLostItsHeartbeatIsTakenForDead) {
  long_after_the_servers_start();
  install("stepwell_gone_v1", {{"w.node = n.id AND w.state = 'alive'", "false"}});
  EXPECT_EQ(marked(true), 1u);
}
TEST_F(Gone, WhoseLanesAreConnectedIsNotDead) {
  long_after_the_servers_start();
  EXPECT_EQ(marked(true), 0u);
}
TEST_F(Gone, WhoHasNoConnectionAtAllIs) {
  long_after_the_servers_start();
  EXPECT_EQ(marked(false), 1u);
}
TEST_F(Gone, WithoutTheGraceWhoIsOnTheWayBackIsTakenForDead) {
  right_after_the_servers_start();
  long_after_the_servers_start();
  EXPECT_EQ(marked(false), 1u);
}
// The clock was set back since the server's start, and the server has just recovered from a crash.
TEST_F(Gone, NobodyIsRightAfterARecoveryWhateverTheClockDid) {
  install("stepwell_cut_off_v1",
          {{"pg_postmaster_start_time()", "clock_timestamp() + interval '1 h'"},
           {"b.stats_reset", "clock_timestamp() - interval '1 s'"}});
  EXPECT_EQ(marked(false), 0u);
}
TEST_F(Gone, RightAfterTheServersStartNobodyIs) {
  right_after_the_servers_start();
  EXPECT_EQ(marked(false), 0u);
}

// A lane gives back what it thinks its own: meanwhile it is another's.
class GivenBack : public Race {
 protected:
  bool is_still_the_others(const std::vector<Replacement>& mutation) {
    install("stepwell_commit_given_back_v2", mutation);
    RawLane owner = raw_lane(), other = raw_lane();
    const ExecutionId id = owned_by(owner, 1)[0];
    Batch batch;
    batch.released = {id};
    const Answer answer = other.commit(1, batch);
    CHECK(answer.ok(), answer.trouble().message);
    return store_->describe(Namespace(), id).value().owner == owner.writer;
  }
};

TEST_F(GivenBack, WithoutTheOwnerItIsTakenFromTheOther) {
  EXPECT_FALSE(is_still_the_others({{"AND (owner = p_writer) IS TRUE", ""}}));
}
TEST_F(GivenBack, WithTheOwnerItStays) { EXPECT_TRUE(is_still_the_others({})); }

// Somebody has locked the row of one execution that is due, and forgotten it.
class LockedRow : public Race {
 protected:
  Answer claim_beside_it(const std::vector<Replacement>& mutation) {
    install("stepwell_claim_some_v2", mutation);
    locked_ = new_execution();
    start({locked_, new_execution()});
    holder_ = session();
    CHECK(holder_->run_script("BEGIN").ok(), "begin");
    CHECK(holder_
              ->run("SELECT 1 FROM executions WHERE id = $1 FOR UPDATE",
                    Parameters().add(locked_.uuid))
              .ok(),
          "lock");
    lane_ = raw_lane();
    CHECK(lane_.link->run_script("SET lock_timeout = '100ms'").ok(), "set");
    return lane_.claim(1);
  }
  ExecutionId locked_;
  std::unique_ptr<Link> holder_;
  RawLane lane_;
};

TEST_F(LockedRow, WaitedForHoldsUpTheClaim) {
  const Answer answer = claim_beside_it({{"FOR NO KEY UPDATE SKIP LOCKED", "FOR NO KEY UPDATE"}});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.trouble().sqlstate, "55P03");
}
TEST_F(LockedRow, IsLeftForLaterAndTheOtherIsTaken) {
  const Answer answer = claim_beside_it({});
  ASSERT_TRUE(answer.ok()) << answer.trouble().message;
  const auto claimed = ids_of(postgres::read_claim(answer.rows()).result);
  ASSERT_EQ(claimed.size(), 1u);
  EXPECT_NE(claimed[0], locked_);
}

// A lane's end that was sent over a connection which another has replaced.
class LateClose : public Race {
 protected:
  // Whether the lane still owns what it works on.
  bool keeps_what_it_owns(const std::vector<Replacement>& mutation) {
    install("stepwell_close_v1", mutation);
    RawLane lane = raw_lane();
    const ExecutionId id = owned_by(lane, 1)[0];
    auto newer = session();
    CHECK(
        newer->run("SELECT new_conn FROM stepwell_reconnect_v1($1)", Parameters().add(lane.writer))
            .ok(),
        "reconnect");
    const Answer closed = session()->run("SELECT stepwell_close_v1($1, $2)",
                                         Parameters().add(lane.writer).add(lane.conn));
    EXPECT_TRUE(closed.ok() || closed.trouble().kind == Trouble::Kind::kFenced);
    return store_->describe(Namespace(), id).value().owner == lane.writer;
  }
};

TEST_F(LateClose, WithoutTheFenceFreesWhatALivingLaneWorksOn) {
  EXPECT_FALSE(keeps_what_it_owns(
      {{"IF NOT FOUND THEN RAISE EXCEPTION 'fenced' USING ERRCODE = 'SW001'; END IF;", ""}}));
}
TEST_F(LateClose, WithTheFenceIsRefused) { EXPECT_TRUE(keeps_what_it_owns({})); }

}  // namespace
}  // namespace stepwell::testing
