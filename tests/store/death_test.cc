// How lanes die, and what becomes of what they owned.
#include "engine/store/suspects.h"
#include "tests/store/world.h"

namespace stepwell::testing {
namespace {

using store::Batch;
using store::ClaimRequest;
using store::ClaimResult;
using Ids = std::vector<ExecutionId>;
using Seqs = std::vector<std::uint64_t>;

class Deaths : public OnEveryStore {
 protected:
  ClaimRequest with_suspects() {
    ClaimRequest request;
    request.take_suspect = true;
    return request;
  }
  // A process claims and is killed.
  Ids claimed_and_killed(const ClaimRequest& request = {}) {
    auto victim = process();
    const Ids ids = ids_of(claim(*victim.lane, request));
    kill(victim);
    EXPECT_EQ(db().sweep().value().executions_freed, ids.size());
    return ids;
  }
};

TEST_P(Deaths, AnExpiredWriterIsFencedAndWhatItOwnedIsClaimedByOthers) {
  auto dead = process(), alive = process();
  const ExecutionId id = claimed_by(*dead.lane, 1)[0];
  world().expire(*dead.node);
  const store::SweepReport report = db().sweep().value();
  EXPECT_EQ(report.writers_marked, 1u);
  EXPECT_EQ(report.executions_freed, 1u);
  EXPECT_FALSE(report.by_evidence);
  Batch made = batch();
  made.facts = {fact(id, 2)};
  EXPECT_EQ(dead.lane->commit(made).error().code, ErrorCode::kFenced);
  EXPECT_EQ(dead.lane->claim({}).error().code, ErrorCode::kFenced);
  EXPECT_EQ(seqs(id), Seqs{1});
  const ClaimResult result = claim(*alive.lane);
  ASSERT_EQ(ids_of(result), Ids{id});
  EXPECT_EQ(result.claimed[0].deaths, 1u);
}

TEST_P(Deaths, ALaneThatWasMarkedBeginsAgainInAProcessThatJoinedAnew) {
  auto p = process();
  const ExecutionId id = claimed_by(*p.lane, 1)[0];
  world().expire(*p.node);
  ASSERT_TRUE(db().sweep().ok());
  // A lane of a node whose lease is over would be marked dead at once, for ever.
  const auto refused = p.node->open_session();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_EQ(refused.error().message, "this process's lease is over: it must join anew");
  auto again = process();
  EXPECT_EQ(ids_of(claim(*again.lane)), Ids{id});
}

TEST_P(Deaths, AProcessThatIsGoneIsNotWaitedFor) {
  auto alive = process();
  const Ids kept = claimed_by(*alive.lane, 1);
  auto killed = process();
  const Ids ids = claimed_by(*killed.lane, 2);
  kill(killed);
  const store::SweepReport report = db().sweep().value();
  EXPECT_EQ(report.writers_marked, 1u);
  EXPECT_EQ(report.executions_freed, 2u);
  EXPECT_TRUE(report.by_evidence);
  EXPECT_EQ(ids_of(claim(*alive.lane)), ids);
  EXPECT_EQ(alive.lane->owned().value().size(), 3u);
}

TEST_P(Deaths, ASweepLeavesTheLivingAlone) {
  auto p = process();
  const Ids ids = claimed_by(*p.lane, 3);
  for (int i = 0; i < 3; ++i) {
    const store::SweepReport report = db().sweep().value();
    EXPECT_EQ(report.writers_marked, 0u);
    EXPECT_EQ(report.executions_freed, 0u);
    EXPECT_EQ(report.backends_terminated, 0u);
  }
  EXPECT_EQ(p.lane->owned().value(), ids);
}

TEST_P(Deaths, ProgressTakesTheSuspicionAway) {
  start({new_execution()});
  for (int i = 0; i < 10; ++i) {
    auto p = process();
    const ClaimResult result = claim(*p.lane);
    ASSERT_EQ(result.claimed.size(), 1u) << i;
    EXPECT_EQ(result.claimed[0].deaths, 0u);
    Batch made = batch();
    made.facts = {fact(result.claimed[0].id, static_cast<std::uint64_t>(i) + 2)};
    commit(*p.lane, made);
    kill(p);
    ASSERT_TRUE(db().sweep().ok());
  }
}

TEST_P(Deaths, OneLaneOfANodeHoldsItsSuspects) {
  const Ids ids = {new_execution(), new_execution(), new_execution()};
  start(ids);
  EXPECT_EQ(claimed_and_killed(), ids);
  EXPECT_EQ(db().describe(Namespace(), ids[0]).value().waiting, "");
  EXPECT_EQ(claimed_and_killed(), ids);
  EXPECT_EQ(db().describe(Namespace(), ids[0]).value().waiting, store::kSuspectWaiting);
  auto p = process();
  EXPECT_TRUE(claim(*p.lane).claimed.empty());  // All three are suspects now.
  const ClaimResult first = claim(*p.lane, with_suspects());
  ASSERT_EQ(ids_of(first), ids);
  EXPECT_EQ(first.claimed[0].deaths, 2u);
  const ExecutionId late = new_execution();
  start({late});
  EXPECT_EQ(claimed_and_killed(), Ids{late});
  EXPECT_EQ(claimed_and_killed(), Ids{late});
  auto second = p.node->open_session().value();
  EXPECT_TRUE(claim(*second, with_suspects()).claimed.empty());  // The node holds some.
  Batch made = batch();
  for (const ExecutionId id : ids) made.facts.push_back(fact(id, 2));
  commit(*p.lane, made);  // They went on: none any more.
  EXPECT_EQ(ids_of(claim(*second, with_suspects())), Ids{late});
}

// Ten thousand that only wait are tried in ten goes; the culprit is alone after two more deaths.
TEST_P(Deaths, SuspectsAreTriedAmongFewerAndFewer) {
  const auto try_suspects = [&] { return claimed_and_killed(with_suspects()); };
  Ids ids;
  for (int i = 0; i < 1100; ++i) ids.push_back(new_execution());
  start(ids);
  ClaimRequest all;
  all.limit = 2'000;
  EXPECT_EQ(claimed_and_killed(all).size(), 1100u);
  EXPECT_EQ(claimed_and_killed(all).size(), 1100u);
  EXPECT_EQ(try_suspects().size(), 1024u);
  EXPECT_EQ(try_suspects().size(), 76u);
  EXPECT_EQ(try_suspects().size(), 32u);
  auto p = process();
  std::size_t by_thirties = 0, alone = 0, claims = 0;
  for (;;) {
    const ClaimResult result = claim(*p.lane, with_suspects());
    if (result.claimed.empty()) break;
    ++claims;
    (result.claimed[0].deaths == 3 ? by_thirties : alone) += result.claimed.size();
    Batch made = batch();
    for (const ExecutionId id : ids_of(result)) made.finishes.push_back(finish_of(id));
    commit(*p.lane, made);
  }
  EXPECT_EQ(by_thirties, 1100u - 32);
  EXPECT_EQ(alone, 32u);
  EXPECT_EQ(claims, (1100u - 32 + 31) / 32 + 32);
}

TEST_P(Deaths, FiveDeathsAloneLeadToQuarantineAndSpareTheNeighbours) {
  const ExecutionId culprit = new_execution();
  start({culprit});
  claimed_and_killed();
  claimed_and_killed();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(db().describe(Namespace(), culprit).value().quarantined, "") << i;
    EXPECT_EQ(claimed_and_killed(with_suspects()), Ids{culprit}) << i;
  }
  const ExecutionId neighbour = new_execution();
  start({neighbour});
  auto p = process();
  EXPECT_EQ(ids_of(claim(*p.lane, with_suspects())), Ids{neighbour});
  EXPECT_EQ(db().describe(Namespace(), culprit).value().quarantined,
            "its process died five times while this execution was the only suspect in it");
  EXPECT_EQ(db().describe(Namespace(), culprit).value().waiting, "");
  // Stopping it lets a lane fold the stop; one more death and it is back.
  ASSERT_TRUE(db().deliver(Namespace(), stop_of(culprit)).ok());
  EXPECT_EQ(claimed_and_killed(with_suspects()), Ids{culprit});
  EXPECT_TRUE(claim(*p.lane, with_suspects()).claimed.empty());
  EXPECT_NE(db().describe(Namespace(), culprit).value().quarantined, "");
}

TEST_P(Deaths, ParkingClearsASuspect) {
  const ExecutionId id = new_execution();
  start({id});
  claimed_and_killed();
  claimed_and_killed();
  auto p = process();
  ASSERT_EQ(ids_of(claim(*p.lane, with_suspects())), Ids{id});
  Batch made = batch();
  made.parks = {{id, db().now().value() - Millis{5}, 0, ""}};
  commit(*p.lane, made);
  const ClaimResult result = claim(*p.lane);
  ASSERT_EQ(ids_of(result), Ids{id});
  EXPECT_EQ(result.claimed[0].deaths, 0u);
}

TEST_P(Deaths, ASweepMakesDueWhatHasSomethingInItsInbox) {
  // A delivery to a dead owner's execution is found by whoever claims it.
  auto p = process();
  const ExecutionId id = claimed_by(*p.lane, 1)[0];
  ASSERT_TRUE(db().deliver(Namespace(), stop_of(id)).ok());
  kill(p);
  ASSERT_TRUE(db().sweep().ok());
  auto q = process();
  const ClaimResult result = claim(*q.lane);
  ASSERT_EQ(ids_of(result), Ids{id});
  EXPECT_EQ(result.claimed[0].inbox.size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Stores, Deaths,
                         ::testing::Values(WorldMaker{"Memory", make_memory_world},
                                           WorldMaker{"Postgres", make_postgres_world}),
                         [](const auto& made) { return std::string(made.param.name); });

}  // namespace
}  // namespace stepwell::testing
