// Races between a lane that writes and those who think it dead: R1, R2, R3, R5, R7, R11, R17.
#include "tests/races/race.h"

namespace stepwell::testing {
namespace {

using store::Batch;

class FenceRace : public Race {
 protected:
  static Batch one_fact(ExecutionId id, std::uint64_t seq) {
    Batch batch;
    batch.facts = {fact(id, seq)};
    return batch;
  }
};

// R1: a batch passes the fence and stalls, its lease ends, another takes over, the batch commits.
class R1 : public FenceRace {
 protected:
  struct End {
    bool zombie_wrote = false;
    store::SweepReport first, second;
    bool other_has_inbox = false;
    store::Ack other;
  };

  End run(const std::vector<Replacement>& mutation) {
    std::vector<Replacement> replacements = mutation;
    replacements.push_back(stop_at("fence passed"));
    install("stepwell_commit_v2", replacements);
    if (!mutation.empty()) install_facts_of_anybody();
    RawLane slow = raw_lane();
    const ExecutionId id = owned_by(slow, 1)[0];
    CHECK(store_->deliver(Namespace(), stop_of(id)).ok(), "deliver");
    hold();
    Batch batch = one_fact(id, 2);
    batch.consumed = {{id, 1}};
    auto writing = std::async(std::launch::async, [&] { return slow.commit(1, batch); });
    wait_until_waiting(*slow.link, "advisory");
    expire(*slow.node);
    End end;
    end.first = sweep();
    // Terminated: the stalled statement must be gone before it can be called dead.
    if (end.first.backends_terminated > 0) wait_until_ended(slow.link->backend_pid());
    end.second = sweep();
    auto node = store_->join({}).value();
    auto lane = node->open_session().value();
    const auto claimed = lane->claim({}).value();
    end.other_has_inbox = claimed.claimed.size() == 1 && claimed.claimed[0].inbox.size() == 1;
    release();
    end.zombie_wrote = writing.get().ok();
    Batch mine = batch;
    mine.number = 1;
    end.other = lane->commit(mine).value();
    return end;
  }
};

TEST_F(R1, WithoutTheLockTheDeadWritesAndTheOwnerIsRobbed) {
  const End end = run({{"AND w.state = 'alive' FOR NO KEY UPDATE;", "AND w.state = 'alive';"}});
  EXPECT_EQ(end.first.writers_marked, 1u);
  EXPECT_TRUE(end.other_has_inbox);
  EXPECT_TRUE(end.zombie_wrote);
  EXPECT_EQ(end.other.lost.size(), 1u);  // The rightful owner is told that it owns nothing.
}

TEST_F(R1, TheStalledBatchIsEndedBeforeItsLaneIsMarked) {
  const End end = run({});
  EXPECT_EQ(end.first.writers_marked, 0u);
  EXPECT_EQ(end.first.backends_terminated, 1u);
  EXPECT_EQ(end.second.writers_marked, 1u);
  EXPECT_EQ(end.second.executions_freed, 1u);
  EXPECT_FALSE(end.zombie_wrote);
  EXPECT_TRUE(end.other_has_inbox);
  EXPECT_TRUE(end.other.lost.empty());
}

// R2: the reaper's snapshot is older than a new lane's registration and claim.
class R2 : public FenceRace {
 protected:
  // True when the healthy lane still owns its execution.
  bool run(const std::vector<Replacement>& mutation) {
    install("stepwell_free_v1", mutation);
    RawLane dead = raw_lane();
    const ExecutionId id = owned_by(dead, 1)[0];
    sql("UPDATE writers SET state = 'dead' WHERE id = $1", Parameters().add(dead.writer));
    auto healthy = session(), reaper = session();
    CHECK(healthy->run_script("BEGIN").ok(), "begin");
    CHECK(
        healthy->run("SELECT 1 FROM executions WHERE id = $1 FOR UPDATE", Parameters().add(id.uuid))
            .ok(),
        "lock");
    auto reaping =
        std::async(std::launch::async, [&] { return reaper->run("SELECT stepwell_free_v1(100)"); });
    if (mutation.empty()) {
      reaping.wait();
    } else {
      wait_until_waiting(*reaper);
    }
    // Meanwhile somebody else has freed it, and a lane registers and claims it.
    const Uuid fresh = ExecutionId{new_execution()}.uuid;
    CHECK(healthy
              ->run("INSERT INTO writers (id, node, backend_pid, backend_start) "
                    "VALUES ($1, $1, 1, now())",
                    Parameters().add(fresh))
              .ok(),
          "register");
    CHECK(healthy
              ->run("UPDATE executions SET owner = $1 WHERE id = $2",
                    Parameters().add(fresh).add(id.uuid))
              .ok(),
          "claim");
    CHECK(healthy->run_script("COMMIT").ok(), "commit");
    CHECK(reaping.get().ok(), "reap");
    return store_->describe(Namespace(), id).value().owner == fresh;
  }
};

TEST_F(R2, FreeingWhatNoLivingOwnsRobsAHealthyLane) {
  EXPECT_FALSE(
      run({{"FROM executions x WHERE x.owner = ANY (v_dead)\n"
            "    LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED",
            "FROM executions x WHERE x.owner IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "
            "writers w WHERE w.id = x.owner AND w.state = 'alive')\n"
            "    LIMIT p_limit FOR NO KEY UPDATE"}}));
}

TEST_F(R2, FreeingWhatTheMarkedOwnDoesNot) { EXPECT_TRUE(run({})); }

// R3: a lease is renewed while a slow reaper runs.
class R3 : public FenceRace {
 protected:
  std::int64_t marked(std::vector<Replacement> mutation) {
    mutation.push_back(stop_at("candidates locked"));
    install("stepwell_mark_dead_v1", mutation);
    RawLane lane = raw_lane();
    expire(*lane.node);
    auto reaper = session();
    hold();
    auto reaping = std::async(std::launch::async, [&] {
      return reaper->run("SELECT marked FROM stepwell_mark_dead_v1()");
    });
    wait_until_waiting(*reaper, "advisory");
    sql("UPDATE nodes SET lease_until = now() + interval '1 min' WHERE id = $1",
        Parameters().add(lane.node->id()));
    release();
    return reaping.get().rows().number(0, 0);
  }
};

TEST_F(R3, LookingOnceKillsWhoHasJustRenewed) {
  EXPECT_EQ(
      marked({{"WHERE w.id = ANY (v_locked)\n"
               "      AND NOT EXISTS (SELECT 1 FROM nodes n\n"
               "                      WHERE n.id = w.node\n"
               "                        AND (NOT v_late OR n.lease_until > clock_timestamp())\n"
               "                        AND n.id <> ALL (v_gone));",
               "WHERE w.id = ANY (v_locked);"}}),
      1);
}

TEST_F(R3, LookingAgainSeesTheRenewal) { EXPECT_EQ(marked({}), 0); }

// R5: the fence finds no row in a batch of many statements.
class R5 : public FenceRace {
 protected:
  Seqs run(const std::vector<Replacement>& mutation) {
    install("stepwell_commit_v2", mutation);
    if (!mutation.empty()) install_facts_of_anybody();
    RawLane lane = raw_lane();
    const ExecutionId id = owned_by(lane, 1)[0];
    expire(*lane.node);
    EXPECT_EQ(sweep().writers_marked, 1u);
    Batch batch = one_fact(id, 2);
    batch.starts = {start_of(new_execution(), "started by a zombie")};
    const Answer answer = lane.commit(1, batch);
    EXPECT_EQ(answer.ok(), !mutation.empty());
    EXPECT_TRUE(answer.ok() || answer.trouble().kind == Trouble::Kind::kFenced);
    EXPECT_EQ(store_->find(Namespace(), "wf", "started by a zombie").value().has_value(),
              !mutation.empty());
    return seqs(id);
  }
};

TEST_F(R5, WithoutTheExceptionTheRestIsApplied) {
  EXPECT_EQ(
      run({{"IF NOT FOUND THEN RAISE EXCEPTION 'fenced' USING ERRCODE = 'SW001'; END IF;", ""}}),
      (Seqs{1, 2}));
}

TEST_F(R5, TheExceptionLeavesNothing) { EXPECT_EQ(run({}), Seqs{1}); }

// R7: a client is killed while its statement waits for a lock; the statement goes on without it.
class R7 : public FenceRace {
 protected:
  // `meanwhile` changes the writer's row, under its lock, while the statement waits.
  bool applied(const std::vector<Replacement>& mutation, const char* meanwhile) {
    install("stepwell_commit_v2", mutation);
    RawLane lane = raw_lane();
    const ExecutionId id = owned_by(lane, 1)[0];
    auto other = session();
    CHECK(other->run_script("BEGIN").ok(), "begin");
    CHECK(other->run(meanwhile, Parameters().add(lane.writer)).ok(), "change");
    // Nobody will look at the answer for long: its client is as good as dead.
    auto orphan = std::async(std::launch::async, [&] { return lane.commit(1, one_fact(id, 2)); });
    wait_until_waiting(*lane.link);
    CHECK(other->run_script("COMMIT").ok(), "commit");
    orphan.wait();
    return seqs(id).size() == 2;
  }
  static constexpr const char* kMark = "UPDATE writers SET state = 'dead' WHERE id = $1";
  static constexpr const char* kTakeOver = "UPDATE writers SET conn = conn + 1 WHERE id = $1";
};

TEST_F(R7, WithoutTheStateItIsAppliedAfterItsDeath) {
  EXPECT_TRUE(applied(
      {{"AND w.conn = p_conn AND w.state = 'alive' FOR", "AND w.conn = p_conn FOR"}}, kMark));
}
TEST_F(R7, WithTheStateItIsFenced) { EXPECT_FALSE(applied({}, kMark)); }

TEST_F(R7, WithoutTheConnectionsNumberItIsAppliedBehindItsSuccessor) {
  EXPECT_TRUE(applied(
      {{"AND w.conn = p_conn AND w.state = 'alive' FOR", "AND w.state = 'alive' FOR"}}, kTakeOver));
}
TEST_F(R7, WithTheConnectionsNumberItIsFenced) { EXPECT_FALSE(applied({}, kTakeOver)); }

// R11: a healthy lane whose commit takes longer than its lease.
class R11 : public FenceRace {
 protected:
  store::SweepReport run(bool heartbeat_lands) {
    install("stepwell_commit_v2", {stop_at("fence passed")});
    sql(kSteadyNode);
    auto node = store_->join({.label = "slow", .lease = Millis{400}}).value();
    auto lane = node->open_session().value();
    start({new_execution()});
    const ExecutionId id = lane->claim({}).value().claimed.at(0).id;
    hold();
    if (!heartbeat_lands) {
      // As if renewals went through the lane's own, busy connection.
      CHECK(control_
                ->run_script("CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS "
                             "$$ BEGIN RETURN NULL; END $$; CREATE TRIGGER busy BEFORE UPDATE ON "
                             "nodes FOR EACH ROW EXECUTE FUNCTION nothing()")
                .ok(),
            "trigger");
    }
    Batch batch = one_fact(id, 2);
    batch.number = 1;
    auto writing = std::async(std::launch::async, [&] { return lane->commit(batch); });
    wait_for(
        "SELECT EXISTS (SELECT 1 FROM writers w JOIN pg_stat_activity a ON a.pid = w.backend_pid "
        "WHERE a.wait_event = 'advisory')");
    // Three leases later.
    wait_for("SELECT clock_timestamp() > joined_at + interval '1200 ms' FROM nodes WHERE id = $1",
             Parameters().add(node->id()));
    if (!heartbeat_lands) {  // The last that landed may have been a late one.
      wait_for("SELECT clock_timestamp() > lease_until FROM nodes WHERE id = $1",
               Parameters().add(node->id()));
    }
    const store::SweepReport report = sweep();
    release();
    const auto ack = writing.get();
    if (heartbeat_lands) {
      EXPECT_TRUE(ack.ok());
      EXPECT_EQ(lane->owned().value(), Ids{id});
    }
    return report;
  }
};

TEST_F(R11, WithoutAHeartbeatOfItsOwnItIsTakenForDead) {
  EXPECT_EQ(run(false).backends_terminated, 1u);
}

TEST_F(R11, WithOneItIsLeftAlone) {
  const store::SweepReport report = run(true);
  EXPECT_EQ(report.backends_terminated, 0u);
  EXPECT_EQ(report.writers_marked, 0u);
  EXPECT_EQ(report.executions_freed, 0u);
}

// The database is out of everybody's reach for longer than a lease.
class Outage : public FenceRace {
 protected:
  // Two processes with a lane each.  This session holds their locks: there is no evidence of death.
  void SetUp() override {
    for (int i = 1; i <= 2; ++i) {
      const Parameters row = Parameters().add(std::int64_t{i});
      sql("SELECT pg_advisory_lock($1)", row);
      sql("INSERT INTO nodes (id, label, build, pools, evidence, lease_until, renewed_at, "
          "steady_since) SELECT lpad(n::text, 32, '0')::uuid, '', '', '{}', n, now() - interval '1 "
          "s', "
          "now() - interval '16 s', now() - interval '1 hour' FROM (SELECT $1::bigint AS n) one",
          row);
      sql("INSERT INTO writers (id, node, backend_pid, backend_start) "
          "VALUES (lpad($1::bigint::text, 32, '0')::uuid, lpad($1::bigint::text, 32, '0')::uuid, "
          "0, now())",
          row);
    }
  }
  void comes_back(std::int64_t which) {
    sql("SELECT stepwell_renew_v1(id, label, build, pools, resources, evidence, interval '15 s') "
        "FROM nodes "
        "WHERE evidence = $1",
        Parameters().add(which));
  }
  std::uint32_t marked() { return sweep().writers_marked; }
};

TEST_F(Outage, WithoutAWitnessWhoeverComesBackFirstTakesTheOthersForDead) {
  install("stepwell_witness_v1", {{"RETURN EXISTS (", "RETURN true OR EXISTS ("}});
  comes_back(1);
  EXPECT_EQ(marked(), 1u);
}

TEST_F(Outage, KillsNobodyWhoComesBackSoon) {
  EXPECT_EQ(marked(), 0u);  // Not even oneself.
  comes_back(1);
  EXPECT_EQ(marked(), 0u);
  comes_back(2);
  EXPECT_EQ(marked(), 0u);
}

TEST_F(Outage, WhoStaysAwayIsDeadOnceSomebodyIsSteady) {
  comes_back(1);
  EXPECT_EQ(marked(), 0u);
  sql("UPDATE nodes SET steady_since = now() - interval '4 s' WHERE evidence = 1");
  EXPECT_EQ(marked(), 1u);
  const Answer dead =
      sql("SELECT n.evidence FROM writers w JOIN nodes n ON n.id = w.node "
          "WHERE w.state = 'dead'");
  ASSERT_EQ(dead.rows().size(), 1u);
  EXPECT_EQ(dead.rows().number(0, 0), 2);
}

// R17: a claim by a writer that is being marked dead.
class R17 : public FenceRace {
 protected:
  // Whether another lane gets the execution in the end.
  bool run(std::vector<Replacement> mutation) {
    mutation.push_back(stop_at("fence passed"));
    install("stepwell_claim_v2", mutation);
    RawLane dying = raw_lane();
    const ExecutionId id = new_execution();
    start({id});
    hold();
    auto claiming = std::async(std::launch::async, [&] { return dying.claim(1); });
    wait_until_waiting(*dying.link, "advisory");
    expire(*dying.node);
    const store::SweepReport first = sweep();
    if (first.backends_terminated > 0) wait_until_ended(dying.link->backend_pid());
    sweep();
    release();
    claiming.wait();
    install("stepwell_claim_v2", {});
    sweep();
    auto node = store_->join({}).value();
    auto lane = node->open_session().value();
    return ids_of(lane->claim({}).value()) == Ids{id};
  }
};

TEST_F(R17, WithoutTheLockItIsOwnedByTheDeadForEver) {
  EXPECT_FALSE(run({{"AND w.state = 'alive' FOR NO KEY UPDATE;", "AND w.state = 'alive';"}}));
}

TEST_F(R17, WithTheLockItIsFreeForOthers) { EXPECT_TRUE(run({})); }

}  // namespace
}  // namespace stepwell::testing
