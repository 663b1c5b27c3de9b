// Races between deliveries, starts, and those who claim: R4, R8, R9, R10, R12, R13, R14, R16.
#include <set>

#include "tests/races/race.h"

namespace stepwell::testing {
namespace {

using store::Batch;

// R4: a callback arrives while its execution is being parked.
class R4 : public Race {
 protected:
  // True when the execution is due, and the callback is in its inbox.
  bool is_due(ExecutionId id) {
    return sql("SELECT wake_at <= clock_timestamp() AND owner IS NULL AND EXISTS "
               "(SELECT 1 FROM inbox i WHERE i.execution = e.id) FROM executions e WHERE id = $1",
               Parameters().add(id.uuid))
        .rows()
        .flag(0, 0);
  }
  Batch parked_until_next_year(ExecutionId id) {
    Batch batch;
    batch.parks = {{id, store_->now().value() + std::chrono::hours(24 * 365), 0, ""}};
    return batch;
  }

  bool callback_first(const std::vector<Replacement>& mutation) {
    install("stepwell_commit_v2", {stop_at("fence passed")});
    install("stepwell_commit_parks_v2", mutation);
    RawLane lane = raw_lane();
    const ExecutionId id = owned_by(lane, 1)[0];
    hold();
    auto parking =
        std::async(std::launch::async, [&] { return lane.commit(1, parked_until_next_year(id)); });
    wait_until_waiting(*lane.link, "advisory");
    CHECK(store_->deliver(Namespace(), stop_of(id)).ok(), "deliver");  // Answered: 200.
    release();
    CHECK(parking.get().ok(), "park");
    return is_due(id);
  }

  bool park_first(const std::vector<Replacement>& mutation) {
    install("stepwell_commit_v2", {stop_at("before the end")});
    install("stepwell_deliver_v1", mutation);
    RawLane lane = raw_lane();
    const ExecutionId id = owned_by(lane, 1)[0];
    hold();
    auto parking =
        std::async(std::launch::async, [&] { return lane.commit(1, parked_until_next_year(id)); });
    wait_until_waiting(*lane.link, "advisory");
    auto delivering =
        std::async(std::launch::async, [&] { return store_->deliver(Namespace(), stop_of(id)); });
    wait_for(
        "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE query LIKE '%stepwell_deliver_v1%' "
        "AND wait_event = 'transactionid')");
    release();
    CHECK(parking.get().ok(), "park");
    CHECK(delivering.get().ok(), "deliver");
    return is_due(id);
  }
};

TEST_F(R4, CallbackFirst_WithoutTheCounterItIsParkedUntilNextYear) {
  EXPECT_FALSE(
      callback_first({{"CASE WHEN e.inbox_seq = n.seen THEN stepwell_time(n.wake_ms) "
                       "ELSE now() END",
                       "stepwell_time(n.wake_ms)"}}));
}
TEST_F(R4, CallbackFirst_WithTheCounterItIsDue) { EXPECT_TRUE(callback_first({})); }

TEST_F(R4, ParkFirst_WithoutTheWakeUpItIsParkedUntilNextYear) {
  EXPECT_FALSE(
      park_first({{"wake_at = CASE WHEN x.owner IS NULL THEN least(x.wake_at, now()) "
                   "ELSE x.wake_at END",
                   "wake_at = x.wake_at"}}));
}
TEST_F(R4, ParkFirst_WithTheWakeUpItIsDue) { EXPECT_TRUE(park_first({})); }

Answer start_with(Link& link, const std::vector<store::Start>& starts) {
  Parameters parameters;
  postgres::add_starts(parameters, starts);
  return link.run("SELECT stepwell_start_v2(NULL, $1, $2, $3)", parameters);
}

// R8: two lanes insert the same start keys in opposite order.
class R8 : public Race {
 protected:
  // How many of the two calls died of a deadlock.
  int deadlocks(const std::vector<Replacement>& mutation) {
    install("stepwell_start_v2", mutation);
    const std::vector<store::Start> forth = {start_of(new_execution(), "a"),
                                             start_of(new_execution(), "b")};
    const std::vector<store::Start> back = {start_of(new_execution(), "b"),
                                            start_of(new_execution(), "a")};
    // Both stop before their second key in the order in which they were given.
    const std::string key = stop_at("").to;
    const std::string script =
        "CREATE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.execution IN ('" +
        forth[1].id.text() + "', '" + back[1].id.text() + "') THEN " + key +
        " END IF; RETURN NEW; END $$; CREATE TRIGGER stall BEFORE INSERT ON start_keys "
        "FOR EACH ROW EXECUTE FUNCTION stall()";
    CHECK(control_->run_script(script).ok(), "trigger");
    auto one = session(), two = session();
    hold();
    auto first = std::async(std::launch::async, [&] { return start_with(*one, forth); });
    wait_until_waiting(*one, "advisory");
    auto second = std::async(std::launch::async, [&] { return start_with(*two, back); });
    wait_until_waiting(*two);
    release();
    int count = 0;
    for (auto* answer : {&first, &second}) {
      const Answer got = answer->get();
      if (!got.ok()) {
        EXPECT_EQ(got.trouble().kind, Trouble::Kind::kBusy) << got.trouble().message;
        ++count;
      }
    }
    EXPECT_EQ(number("SELECT count(*) FROM start_keys"), 2);
    return count;
  }
};

TEST_F(R8, InTheOrderGivenTheyLockEachOther) {
  EXPECT_EQ(deadlocks({{"    ORDER BY n.namespace COLLATE \"C\", n.workflow COLLATE \"C\", "
                        "n.name COLLATE \"C\", n.id\n",
                        ""}}),
            1);
}
TEST_F(R8, InTheOrderOfTheKeysOneWaitsForTheOther) { EXPECT_EQ(deadlocks({}), 0); }

// R9: two starts of one key at the same instant.
class R9 : public Race {
 protected:
  R9() {
    winner_ = start_of(new_execution(), "same", "1");
    loser_ = start_of(new_execution(), "same", "1");
    first_ = session();
    CHECK(first_->run_script("BEGIN").ok() && start_with(*first_, {winner_}).ok(), "start");
  }
  void wait_for_the_loser() {
    wait_for(
        "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE query LIKE '%stepwell_start_%' "
        "AND wait_event = 'transactionid')");
    CHECK(first_->run_script("COMMIT").ok(), "commit");
  }
  store::Start winner_, loser_;
  std::unique_ptr<Link> first_;
};

TEST_F(R9, AskedInTheSameStatementTheLoserSeesNobody) {
  install("stepwell_outcomes_v2", {{"LANGUAGE plpgsql AS", "LANGUAGE plpgsql STABLE AS"}});
  auto link = session();
  auto losing = std::async(std::launch::async, [&] {
    Parameters parameters;
    postgres::add_starts(parameters, {loser_});
    return link->run("SELECT stepwell_start_v2(NULL, $1, $2, $3), stepwell_outcomes_v2($1)",
                     parameters);
  });
  wait_for_the_loser();
  const Answer answer = losing.get();
  ASSERT_TRUE(answer.ok()) << answer.trouble().message;
  EXPECT_EQ(answer.rows().text(0, 1), "c");  // "Created": nothing was.
  EXPECT_EQ(store_->describe(Namespace(), loser_.id).error().code, ErrorCode::kNotFound);
}

TEST_F(R9, AskedInALaterStatementItSeesTheWinner) {
  auto losing = std::async(std::launch::async, [&] { return store_->start({loser_}); });
  wait_for_the_loser();
  const auto outcomes = losing.get();
  ASSERT_TRUE(outcomes.ok()) << outcomes.error().message;
  EXPECT_EQ((*outcomes)[0].kind, store::StartOutcome::Kind::kExistsSame);
  EXPECT_EQ((*outcomes)[0].id, winner_.id);
}

TEST_F(R9, InALanesBatchToo) {
  RawLane lane = raw_lane();
  Batch batch;
  batch.starts = {loser_};
  auto losing = std::async(std::launch::async, [&] { return lane.commit(1, batch); });
  wait_until_waiting(*lane.link, "transactionid");
  CHECK(first_->run_script("COMMIT").ok(), "commit");
  const Answer answer = losing.get();
  ASSERT_TRUE(answer.ok()) << answer.trouble().message;
  EXPECT_NE(answer.rows().text(0, 0).find(" s:" + winner_.id.text()), std::string::npos);
}

// R10: one row with a NUL among a hundred.
class R10 : public Race {
 protected:
  Batch a_hundred(const Ids& ids) {
    Batch batch;
    batch.number = 1;
    for (const ExecutionId id : ids) batch.facts.push_back(fact(id, 2));
    batch.facts[41].payload = std::string("{\"a\":\"\0\"}", 9);
    return batch;
  }
};

TEST_F(R10, SentAsItIsTheLaneIsStuckOnItForEver) {
  RawLane lane = raw_lane();
  const Ids ids = owned_by(lane, 100);
  for (int attempt = 0; attempt < 3; ++attempt) {
    const Answer answer = lane.commit(1, a_hundred(ids));
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.trouble().kind, Trouble::Kind::kRefusedData);
  }
  EXPECT_EQ(number("SELECT count(*) FROM journal"), 100);
}

TEST_F(R10, CutOutItHoldsNobody) {
  auto node = store_->join({}).value();
  auto lane = node->open_session().value();
  Ids ids;
  for (int i = 0; i < 100; ++i) ids.push_back(new_execution());
  start(ids);
  ASSERT_EQ(ids_of(lane->claim({}).value()), ids);
  const auto ack = lane->commit(a_hundred(ids));
  ASSERT_TRUE(ack.ok()) << ack.error().message;
  ASSERT_EQ(ack->refused.size(), 1u);
  EXPECT_EQ(ack->refused[0].execution, ids[41]);
  EXPECT_EQ(number("SELECT count(*) FROM journal"), 199);
}

// R12: an answer at 12:00:00, its deadline at :05, the owner dead, claimed at :20.
class R12 : public Race {
 protected:
  // Whether whoever claims it sees the answer before it looks at the deadline.
  bool answer_is_seen(const std::vector<Replacement>& mutation) {
    install("stepwell_claim_v2", mutation);
    RawLane dead = raw_lane();
    const ExecutionId id = owned_by(dead, 1)[0];
    CHECK(
        store_->deliver(Namespace(), {id, FactKind::kTaskSucceeded, CommandId{5}, "callback", "{}"})
            .ok(),
        "200");
    expire(*dead.node);
    sweep();
    auto node = store_->join({}).value();
    auto lane = node->open_session().value();
    const auto result = lane->claim({}).value();
    return result.claimed.size() == 1 && result.claimed[0].inbox.size() == 1 &&
           result.claimed[0].inbox[0].command == CommandId{5};
  }
};

TEST_F(R12, AClaimWithoutTheInboxLetsTheTimerWin) {
  EXPECT_FALSE(answer_is_seen(
      {{"FROM inbox i\n  WHERE i.for_writer = p_writer", "FROM inbox i\n  WHERE false"}}));
}
TEST_F(R12, AClaimBringsTheInboxWithTheJournal) { EXPECT_TRUE(answer_is_seen({})); }

// R13: a task that kills its process after each claim, among many that wait.
class R13 : public Race {
 protected:
  static constexpr int kNeighbours = 40;

  static inline const std::pair<std::string, Replacement> kEveryDeathCounts = {
      "stepwell_free_v1",
      {"WHEN x.claimed_alone THEN x.alone_deaths + 1\n"
       "                          ELSE x.alone_deaths END",
       "ELSE x.alone_deaths + 1 END"}};
  static inline const std::pair<std::string, Replacement> kSuspectsAreClaimedWithTheRest = {
      "stepwell_claim_some_v2",
      {"AND x.quarantined IS NULL AND x.deaths < 2\n",
       "AND x.quarantined IS NULL AND x.alone_deaths < 5\n"}};

  // Ids in quarantine after many deaths of the process.
  std::set<ExecutionId> quarantined(
      const std::vector<std::pair<std::string, Replacement>>& mutations) {
    for (const auto& [function, replacement] : mutations) install(function, {replacement});
    Ids ids;
    for (int i = 0; i <= kNeighbours; ++i) ids.push_back(new_execution());
    start(ids);
    const ExecutionId culprit = ids[kNeighbours / 2];
    std::set<ExecutionId> done;
    RawLane lane = raw_lane();
    for (std::int64_t n = 1; n < 400; ++n) {
      const Answer answer = lane.claim(n);
      CHECK(answer.ok(), answer.trouble().message);
      const auto held = lane_holds(lane);
      if (held.contains(culprit)) {
        // The process is gone before any of its tasks has an answer.
        ++deaths_;
        sql("UPDATE writers SET state = 'dead' WHERE id = $1", Parameters().add(lane.writer));
        sweep();
        lane = raw_lane();
        continue;
      }
      Batch batch;
      for (const ExecutionId id : held) {
        batch.facts.push_back(fact(id, 2));
        batch.finishes.push_back(finish_of(id));
      }
      if (batch.empty()) break;
      CHECK(lane.commit(1'000 + n, batch).ok(), "finish");
    }
    std::set<ExecutionId> found;
    const Answer rows = sql("SELECT id FROM executions WHERE quarantined IS NOT NULL");
    for (std::size_t i = 0; i < rows.rows().size(); ++i) found.insert({rows.rows().uuid(i, 0)});
    culprit_ = culprit;
    return found;
  }
  std::set<ExecutionId> lane_holds(const RawLane& lane) {
    std::set<ExecutionId> ids;
    const Answer rows =
        sql("SELECT id FROM executions WHERE owner = $1", Parameters().add(lane.writer));
    for (std::size_t i = 0; i < rows.rows().size(); ++i) ids.insert({rows.rows().uuid(i, 0)});
    return ids;
  }
  ExecutionId culprit_;
  int deaths_ = 0;
};

TEST_F(R13, ChargedTogetherAllAreQuarantined) {
  EXPECT_GT(quarantined({kEveryDeathCounts, kSuspectsAreClaimedWithTheRest}).size(), 30u);
}

// One is taken alone, and with it those that are not: each of them is blamed in its turn.
TEST_F(R13, ClaimedWithTheRestNeighboursAreQuarantined) {
  EXPECT_GT(quarantined({kSuspectsAreClaimedWithTheRest}).size(), 5u);
}

// What it is blamed for must have happened while it was alone: here two deaths fewer are enough.
TEST_F(R13, ChargedInCompanyItIsQuarantinedTooEarly) {
  const std::set<ExecutionId> found = quarantined({kEveryDeathCounts});
  EXPECT_EQ(found, std::set<ExecutionId>{culprit_});
  EXPECT_EQ(deaths_, 5);
}

TEST_F(R13, BlamedForDeathsAmongOtherSuspectsItIsQuarantinedTooEarly) {
  const std::set<ExecutionId> found = quarantined(
      {{"stepwell_claim_suspects_v2",
        {"claimed_alone = (SELECT count(*) = 1 FROM picked)", "claimed_alone = true"}}});
  EXPECT_EQ(found, std::set<ExecutionId>{culprit_});
  EXPECT_EQ(deaths_, 7);
}

TEST_F(R13, ClaimedAloneOnlyTheCulpritIs) {
  const std::set<ExecutionId> found = quarantined({});
  EXPECT_EQ(found, std::set<ExecutionId>{culprit_});
  EXPECT_EQ(deaths_, 9) << "two to become a suspect, two to be found out, five alone";
  EXPECT_EQ(number("SELECT count(*) FROM executions WHERE status = 1"), kNeighbours);
}

// R14: reconcile between a start's commit and its acknowledgement.
class R14 : public Race {
 protected:
  // Whether the fresh start is still its lane's.
  bool run(const std::vector<Replacement>& mutation, bool names_what_it_keeps) {
    install("stepwell_commit_given_back_v2", mutation);
    RawLane lane = raw_lane();
    const Ids held = owned_by(lane, 2);
    const ExecutionId forgotten = held[0], kept = held[1];
    Batch starting;
    starting.starts = {start_of(new_execution(), "fresh")};
    starting.starts[0].owned = true;
    CHECK(lane.commit(1, starting).ok(), "start");
    // The reconcile was thought out before that start was acknowledged.
    Batch reconcile;
    reconcile.released = {names_what_it_keeps ? kept : forgotten};
    CHECK(lane.commit(2, reconcile).ok(), "reconcile");
    EXPECT_EQ(store_->describe(Namespace(), forgotten).value().owner, std::nullopt);
    EXPECT_EQ(store_->describe(Namespace(), kept).value().owner, lane.writer);
    return store_->describe(Namespace(), starting.starts[0].id).value().owner == lane.writer;
  }
};

TEST_F(R14, FreeingAllThatIsNotHeldFreesWhatWasJustStarted) {
  EXPECT_FALSE(run({{"WHERE id = ANY (p_executions) AND (owner = p_writer) IS TRUE",
                     "WHERE id <> ALL (p_executions) AND owner = p_writer"}},
                   true));
}
TEST_F(R14, FreeingWhatIsNamedDoesNot) { EXPECT_TRUE(run({}, false)); }

// R16: limits raised, a program replaced, the evaluator fixed while executions run.
class R16 : public Race {
 protected:
  std::string source_after_a_second_deployment() {
    CHECK(store_->put_program(Namespace(), {"h", "wf", "first", "{}", "f"}).ok(), "put");
    CHECK(store_->put_program(Namespace(), {"h", "wf", "second", "{}", "f"}).ok(), "put");
    return store_->program_by_hash(Namespace(), "h").value().source;
  }
  bool an_older_step_claims(const std::vector<Replacement>& mutation) {
    install("stepwell_claim_some_v2", mutation);
    store::Start start = start_of(new_execution());
    start.semantics = store::kSemanticsVersion + 1;
    CHECK(store_->start({start}).ok(), "start");
    start.id = new_execution();
    start.semantics = store::kSemanticsVersion;
    CHECK(store_->start({start}).ok(), "start");
    auto node = store_->join({}).value();
    auto lane = node->open_session().value();
    return lane->claim({}).value().claimed.size() == 2;
  }
};

TEST_F(R16, AProgramThatCanBeReplacedChangesUnderItsExecutions) {
  install("stepwell_put_program_v1",
          {{"VALUES (p_hash, p_source, p_definition, p_file) ON CONFLICT DO NOTHING;",
            "VALUES (p_hash, p_source, p_definition, p_file) ON CONFLICT (hash) DO UPDATE "
            "SET source = excluded.source;"}});
  EXPECT_EQ(source_after_a_second_deployment(), "second");
}
TEST_F(R16, AProgramOfOneHashStaysAsItWas) {
  EXPECT_EQ(source_after_a_second_deployment(), "first");
}

TEST_F(R16, WithoutTheVersionAnOlderStepFoldsWhatItDoesNotKnow) {
  EXPECT_TRUE(an_older_step_claims(
      {{"AND x.semantics <= p_semantics AND x.namespace", "AND x.namespace"}}));
}
TEST_F(R16, WithTheVersionItWaitsForWhoeverCan) { EXPECT_FALSE(an_older_step_claims({})); }

}  // namespace
}  // namespace stepwell::testing
