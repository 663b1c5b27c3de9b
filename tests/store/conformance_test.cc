// The rules that every Store keeps: starts, batches, claims, parking, deliveries, reading.
#include <thread>

#include "tests/store/world.h"

namespace stepwell::testing {
namespace {

using store::Ack;
using store::Batch;
using store::ClaimRequest;
using store::ClaimResult;
using store::ExecutionRow;
using store::Start;
using store::StartOutcome;
using Kind = StartOutcome::Kind;
using Ids = std::vector<ExecutionId>;
using Seqs = std::vector<std::uint64_t>;

class Conformance : public OnEveryStore {};

TEST_P(Conformance, AStartIsARunningRowThatIsDueAndNobodyOwns) {
  Start start = start_of(new_execution(), "monday", R"({"n": 1.0, "s": "\"é\\"})");
  start.tags = {"a,b", "quote\"", "back\\slash", "{}", ""};
  start.redrive_of = new_execution();
  start.input_hash = 0xfedc'ba98'7654'3210;
  const auto outcomes = db().start({start});
  ASSERT_TRUE(outcomes.ok()) << outcomes.error().message;
  EXPECT_EQ((*outcomes)[0].kind, Kind::kCreated);
  EXPECT_EQ((*outcomes)[0].id, start.id);

  const ExecutionRow row = db().describe(Namespace(), start.id).value();
  EXPECT_EQ(row.workflow, "wf");
  EXPECT_EQ(row.program_hash, "hash");
  EXPECT_EQ(row.name, "monday");
  EXPECT_EQ(row.pool, "default");
  EXPECT_EQ(row.status, ExecutionStatus::kRunning);
  EXPECT_EQ(row.input, start.input);
  EXPECT_EQ(row.started_at, start.first.at);
  EXPECT_EQ(row.tags, start.tags);
  EXPECT_EQ(row.redrive_of, start.redrive_of);
  EXPECT_FALSE(row.owner);
  EXPECT_TRUE(row.wake_at);
  EXPECT_FALSE(row.ended_at);
  EXPECT_EQ(db().find(Namespace(), "wf", "monday").value(), start.id);
  EXPECT_EQ(db().find(Namespace(), "wf", "tuesday").value(), std::nullopt);
  EXPECT_EQ(db().find(Namespace(), "other", "monday").value(), std::nullopt);
}

TEST_P(Conformance, ANameStartsOneExecution) {
  const Start first = start_of(new_execution(), "n", "1");
  ASSERT_TRUE(db().start({first}).ok());
  const Start same = start_of(new_execution(), "n", "1");
  const Start other = start_of(new_execution(), "n", "2");
  const Start fresh = start_of(new_execution(), "m", "2");
  const Start twice = start_of(new_execution(), "m", "2");
  const Start elsewhere = start_of(new_execution(), "n", "1", "wf2");
  const auto outcomes = db().start({same, other, fresh, twice, elsewhere});
  ASSERT_TRUE(outcomes.ok()) << outcomes.error().message;
  const std::vector<std::pair<Kind, ExecutionId>> expected = {{Kind::kExistsSame, first.id},
                                                              {Kind::kExistsOther, first.id},
                                                              {Kind::kCreated, fresh.id},
                                                              {Kind::kExistsSame, fresh.id},
                                                              {Kind::kCreated, elsewhere.id}};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ((*outcomes)[i].kind, expected[i].first) << i;
    EXPECT_EQ((*outcomes)[i].id, expected[i].second) << i;
  }
  EXPECT_EQ(error_of(Status(db().describe(Namespace(), same.id).error())), ErrorCode::kNotFound);
  EXPECT_EQ(seqs(fresh.id), Seqs{1});
}

TEST_P(Conformance, AStartSentTwiceIsOneStart) {
  const Start named = start_of(new_execution(), "n"), unnamed = start_of(new_execution());
  for (int i = 0; i < 2; ++i) {
    const auto outcomes = db().start({named, unnamed});
    ASSERT_TRUE(outcomes.ok()) << outcomes.error().message;
    EXPECT_EQ((*outcomes)[0].kind, Kind::kCreated);
    EXPECT_EQ((*outcomes)[1].kind, Kind::kCreated);
  }
  EXPECT_EQ(seqs(named.id), Seqs{1});
  EXPECT_EQ(seqs(unnamed.id), Seqs{1});
}

TEST_P(Conformance, AStartThatNoStoreCanHoldIsRefused) {
  EXPECT_EQ(db().start({start_of(new_execution(), std::string("a\0b", 3))}).error().code,
            ErrorCode::kRefusedData);
  EXPECT_EQ(db().start({start_of(new_execution(), "\xff")}).error().message,
            "execution name is not valid UTF-8");
  EXPECT_EQ(db().start({start_of(new_execution(), std::string(1001, 'x'))}).error().message,
            "execution name has 1001 bytes, more than 1000");
}

TEST_P(Conformance, AClaimTakesWhatIsDueOnce) {
  auto a = process(), b = process();
  const Ids ids = {new_execution(), new_execution(), new_execution()};
  start(ids);
  ClaimRequest two;
  two.limit = 2;
  const ClaimResult first = claim(*a.lane, two);
  EXPECT_EQ(first.claimed.size(), 2u);
  const ClaimResult second = claim(*b.lane);
  ASSERT_EQ(second.claimed.size(), 1u);
  EXPECT_TRUE(claim(*a.lane).claimed.empty());
  const store::Claimed& claimed = second.claimed[0];
  EXPECT_EQ(claimed.workflow, "wf");
  EXPECT_EQ(claimed.program_hash, "hash");
  EXPECT_EQ(claimed.inbox_seq, 0u);
  EXPECT_EQ(claimed.deaths, 0u);
  ASSERT_EQ(claimed.journal.size(), 1u);
  EXPECT_EQ(claimed.journal[0].kind, FactKind::kStarted);
  EXPECT_EQ(claimed.journal[0].payload, "{}");
  const ExecutionRow row = db().describe(Namespace(), claimed.id).value();
  EXPECT_EQ(row.owner, b.lane->writer());
  EXPECT_FALSE(row.wake_at);
}

TEST_P(Conformance, AClaimTakesOnlyItsPoolsAndVersions) {
  auto p = process();
  Start gpu = start_of(new_execution()), later = start_of(new_execution());
  gpu.pool = "gpu";
  later.semantics = store::kSemanticsVersion + 1;
  ASSERT_TRUE(db().start({gpu, later}).ok());
  EXPECT_TRUE(claim(*p.lane).claimed.empty());
  ClaimRequest served;
  served.pools = {"default", "gpu"};
  EXPECT_EQ(ids_of(claim(*p.lane, served)), Ids{gpu.id});
  served.semantics = store::kSemanticsVersion + 1;
  EXPECT_EQ(ids_of(claim(*p.lane, served)), Ids{later.id});
}

TEST_P(Conformance, ABatchIsWrittenAndReadBack) {
  auto p = process();
  const ExecutionId id = claimed_by(*p.lane, 1)[0];
  Batch made = batch();
  made.facts = {fact(id, 2, R"({"output":"🏃 \\ \" {,}"})"), fact(id, 3, "", FactKind::kTimerFired)};
  made.facts[0].input_hash = 0xffff'ffff'ffff'fff0;
  made.facts[0].command = CommandId{77};
  const Ack ack = commit(*p.lane, made);
  EXPECT_TRUE(ack.lost.empty());
  EXPECT_TRUE(ack.refused.empty());
  EXPECT_GT(unix_ms(ack.now), 1'600'000'000'000);
  const auto rows = db().journal(Namespace(), id, 1, 10).value();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].payload, made.facts[0].payload);
  EXPECT_EQ(rows[0].input_hash, made.facts[0].input_hash);
  EXPECT_EQ(rows[0].command, CommandId{77});
  EXPECT_EQ(rows[0].at, made.facts[0].at);
  EXPECT_EQ(rows[0].kind, FactKind::kTaskSucceeded);
  EXPECT_EQ(rows[1].payload, "");
  EXPECT_EQ(rows[1].kind, FactKind::kTimerFired);
}

TEST_P(Conformance, AJournalIsReadByPages) {
  auto p = process();
  const ExecutionId id = claimed_by(*p.lane, 1)[0];
  Batch made = batch();
  for (std::uint64_t seq = 2; seq <= 10; ++seq) made.facts.push_back(fact(id, seq));
  commit(*p.lane, made);
  const auto page = db().journal(Namespace(), id, 3, 4).value();
  Seqs found;
  for (const auto& row : page) found.push_back(row.seq);
  EXPECT_EQ(found, (Seqs{4, 5, 6, 7}));
  EXPECT_TRUE(db().journal(Namespace(), id, 10, 4).value().empty());
  EXPECT_EQ(db().journal(Namespace(), new_execution(), 0, 4).error().code, ErrorCode::kNotFound);
}

TEST_P(Conformance, TheSameBatchSentTwiceIsWrittenOnce) {
  auto p = process();
  const ExecutionId id = claimed_by(*p.lane, 1)[0];
  Batch made = batch();
  made.facts = {fact(id, 2)};
  commit(*p.lane, made);
  const Ack again = commit(*p.lane, made);
  EXPECT_TRUE(again.lost.empty());
  EXPECT_EQ(seqs(id), (Seqs{1, 2}));
}

TEST_P(Conformance, AFinishEndsTheRow) {
  auto p = process();
  const Ids ids = claimed_by(*p.lane, 2);
  Batch made = batch();
  made.facts = {fact(ids[0], 2), fact(ids[1], 2, "{}", FactKind::kTaskFailed)};
  made.finishes = {finish_of(ids[0]), finish_of(ids[1], ExecutionStatus::kFailed)};
  commit(*p.lane, made);
  const ExecutionRow good = db().describe(Namespace(), ids[0]).value(),
                     bad = db().describe(Namespace(), ids[1]).value();
  EXPECT_EQ(good.status, ExecutionStatus::kSucceeded);
  EXPECT_EQ(good.output, R"({"ok":1.0})");
  EXPECT_EQ(good.error, std::nullopt);
  EXPECT_EQ(good.ended_at, made.finishes[0].at);
  EXPECT_FALSE(good.owner);
  EXPECT_FALSE(good.wake_at);
  EXPECT_EQ(bad.status, ExecutionStatus::kFailed);
  EXPECT_EQ(bad.output, "");
  EXPECT_EQ(bad.error, "Bank.Busy");
  EXPECT_EQ(bad.cause, "the \"cause\"");
  EXPECT_TRUE(claim(*p.lane).claimed.empty());
  EXPECT_EQ(error_of(db().deliver(Namespace(), stop_of(ids[0]))), ErrorCode::kConflict);
}

TEST_P(Conformance, StartsOfALaneAreOwnedAtOnceAndMayEndInTheSameBatch) {
  auto p = process();
  Start mine = start_of(new_execution(), "mine"), quick = start_of(new_execution(), "quick"),
        handed = start_of(new_execution(), "handed");
  mine.owned = quick.owned = true;
  Batch made = batch();
  made.starts = {mine, quick, handed};
  made.facts = {fact(mine.id, 2), fact(quick.id, 2)};
  made.finishes = {finish_of(quick.id)};
  const Ack ack = commit(*p.lane, made);
  ASSERT_EQ(ack.starts.size(), 3u);
  for (const StartOutcome& outcome : ack.starts) EXPECT_EQ(outcome.kind, Kind::kCreated);
  EXPECT_EQ(db().describe(Namespace(), mine.id).value().owner, p.lane->writer());
  EXPECT_EQ(db().describe(Namespace(), quick.id).value().status, ExecutionStatus::kSucceeded);
  EXPECT_EQ(seqs(quick.id), (Seqs{1, 2}));
  EXPECT_EQ(ids_of(claim(*p.lane)), Ids{handed.id});
}

TEST_P(Conformance, AStartThatLosesItsNameTakesItsFollowersWithIt) {
  auto p = process();
  const Start held = start_of(new_execution(), "n");
  ASSERT_TRUE(db().start({held}).ok());
  Start loser = start_of(new_execution(), "n"), winner = start_of(new_execution(), "m");
  loser.owned = winner.owned = true;
  Batch made = batch();
  made.starts = {loser, winner};
  made.facts = {fact(loser.id, 2), fact(winner.id, 2)};
  made.finishes = {finish_of(loser.id)};
  const Ack ack = commit(*p.lane, made);
  ASSERT_EQ(ack.starts.size(), 2u);
  EXPECT_EQ(ack.starts[0].kind, Kind::kExistsSame);
  EXPECT_EQ(ack.starts[0].id, held.id);
  EXPECT_EQ(ack.starts[1].kind, Kind::kCreated);
  EXPECT_TRUE(ack.lost.empty());
  EXPECT_TRUE(seqs(loser.id).empty());
  EXPECT_EQ(seqs(winner.id), (Seqs{1, 2}));
}

TEST_P(Conformance, OneBadRowIsCutOutOfItsBatch) {
  auto p = process();
  const Ids ids = claimed_by(*p.lane, 20);
  Batch made = batch();
  for (const ExecutionId id : ids) made.facts.push_back(fact(id, 2));
  made.facts[7].payload = std::string("a\0b", 3);
  made.finishes = {finish_of(ids[11], ExecutionStatus::kFailed)};
  made.finishes[0].cause = "\xc0\x80";
  const Ack ack = commit(*p.lane, made);
  ASSERT_EQ(ack.refused.size(), 2u);
  EXPECT_EQ(ack.refused[0].execution, ids[7]);
  EXPECT_EQ(ack.refused[0].reason,
            "payload of a fact contains a NUL, which the database cannot hold");
  EXPECT_EQ(ack.refused[1].execution, ids[11]);
  EXPECT_EQ(ack.refused[1].reason, "cause is not valid UTF-8");
  for (std::size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(seqs(ids[i]), i == 7 || i == 11 ? Seqs{1} : (Seqs{1, 2})) << i;
  }
}

TEST_P(Conformance, AFactThatIsThereAlreadySaysThatTheExecutionIsLost) {
  auto p = process();
  const Ids ids = claimed_by(*p.lane, 2);
  Batch made = batch();
  made.facts = {fact(ids[0], 1), fact(ids[0], 2), fact(ids[1], 2)};
  const Ack ack = commit(*p.lane, made);
  EXPECT_EQ(ack.lost, Ids{ids[0]});
  EXPECT_EQ(seqs(ids[0]), Seqs{1});
  EXPECT_EQ(seqs(ids[1]), (Seqs{1, 2}));
}

TEST_P(Conformance, WhatALaneDoesNotOwnItCannotChange) {
  auto a = process(), b = process();
  const Ids ids = claimed_by(*a.lane, 4);
  const ExecutionId mine = claimed_by(*b.lane, 1)[0];
  Batch made = batch();
  made.finishes = {finish_of(ids[0])};
  made.parks = {{ids[1], from_unix_ms(0), 0, ""}};
  made.waitings = {{ids[2], "{}"}, {mine, R"({"for":"timer"})"}};
  made.quarantines = {{ids[3], "broken"}};
  made.released = ids;
  Ack ack = commit(*b.lane, made);
  std::sort(ack.lost.begin(), ack.lost.end());
  EXPECT_EQ(ack.lost, ids);
  for (const ExecutionId id : ids) {
    const ExecutionRow row = db().describe(Namespace(), id).value();
    EXPECT_EQ(row.owner, a.lane->writer());
    EXPECT_EQ(row.status, ExecutionStatus::kRunning);
    EXPECT_EQ(row.quarantined, "");
  }
  EXPECT_EQ(db().describe(Namespace(), mine).value().waiting, R"({"for":"timer"})");
}

TEST_P(Conformance, AParkedExecutionHasNoOwnerUntilItsTime) {
  auto p = process();
  const Ids ids = claimed_by(*p.lane, 2);
  const Time now = db().now().value();
  Batch made = batch();
  made.parks = {{ids[0], now + std::chrono::hours(24), 0, R"({"state":"Wait"})"},
                {ids[1], now - Millis{1}, 0, ""}};
  commit(*p.lane, made);
  const ExecutionRow row = db().describe(Namespace(), ids[0]).value();
  EXPECT_FALSE(row.owner);
  EXPECT_EQ(row.wake_at, now + std::chrono::hours(24));
  EXPECT_EQ(row.waiting, R"({"state":"Wait"})");
  const ClaimResult result = claim(*p.lane);
  EXPECT_EQ(ids_of(result), Ids{ids[1]});
  EXPECT_EQ(result.next_due, now + std::chrono::hours(24));
}

TEST_P(Conformance, ADeliveryWakesAParkedExecution) {
  auto p = process();
  const ExecutionId id = claimed_by(*p.lane, 1)[0];
  Batch made = batch();
  made.parks = {{id, db().now().value() + std::chrono::hours(24), 0, ""}};
  commit(*p.lane, made);
  ASSERT_TRUE(db().deliver(Namespace(), stop_of(id)).ok());
  const ClaimResult result = claim(*p.lane);
  ASSERT_EQ(ids_of(result), Ids{id});
  EXPECT_EQ(result.claimed[0].inbox_seq, 1u);
  ASSERT_EQ(result.claimed[0].inbox.size(), 1u);
  const store::InboxRow& row = result.claimed[0].inbox[0];
  EXPECT_EQ(row.id, 1u);
  EXPECT_EQ(row.execution, id);
  EXPECT_EQ(row.kind, FactKind::kStopped);
  EXPECT_EQ(row.dedupe_key, "stop");
  EXPECT_EQ(row.payload, R"({"error":"E"})");
  EXPECT_TRUE(result.inbox.empty());
}

TEST_P(Conformance, AParkThatHasNotSeenADeliveryIsDueAtOnce) {
  auto p = process();
  const ExecutionId id = claimed_by(*p.lane, 1)[0];
  ASSERT_TRUE(db().deliver(Namespace(), stop_of(id)).ok());
  Batch made = batch();
  made.parks = {{id, db().now().value() + std::chrono::hours(24), 0, ""}};
  commit(*p.lane, made);
  EXPECT_EQ(ids_of(claim(*p.lane)), Ids{id});
}

TEST_P(Conformance, TheOwnerGetsADeliveryOnceAndConsumesIt) {
  auto p = process();
  const ExecutionId id = claimed_by(*p.lane, 1)[0];
  ASSERT_TRUE(db().deliver(Namespace(), stop_of(id, "a")).ok());
  ASSERT_TRUE(db().deliver(Namespace(), stop_of(id, "a")).ok());  // Repeated: changes nothing.
  ASSERT_TRUE(db().deliver(Namespace(), stop_of(id, "b")).ok());
  const ClaimResult first = claim(*p.lane);
  ASSERT_EQ(first.inbox.size(), 2u);
  EXPECT_EQ(first.inbox[0].id, 1u);
  EXPECT_EQ(first.inbox[1].id, 2u);
  EXPECT_TRUE(claim(*p.lane).inbox.empty());
  Batch made = batch();
  made.facts = {fact(id, 2, "{}", FactKind::kStopped)};
  made.consumed = {{id, 1}, {id, 2}};
  made.parks = {{id, db().now().value() + std::chrono::hours(24), 2, ""}};
  EXPECT_TRUE(commit(*p.lane, made).lost.empty());
  EXPECT_TRUE(claim(*p.lane).claimed.empty());
  EXPECT_EQ(db().sweep().value().inbox_woken, 0u);
}

TEST_P(Conformance, WhatWasConsumedByAnotherIsLost) {
  auto p = process();
  const ExecutionId id = claimed_by(*p.lane, 1)[0];
  Batch made = batch();
  made.facts = {fact(id, 2)};
  made.consumed = {{id, 9}};
  EXPECT_EQ(commit(*p.lane, made).lost, Ids{id});
  EXPECT_EQ(seqs(id), Seqs{1});
}

TEST_P(Conformance, ADeliveryToNothingIsNotFound) {
  EXPECT_EQ(error_of(db().deliver(Namespace(), stop_of(new_execution()))), ErrorCode::kNotFound);
}

TEST_P(Conformance, OnlyWhatEndedBadlyIsRedriven) {
  auto p = process();
  const Ids ids = claimed_by(*p.lane, 3);
  Batch made = batch();
  made.finishes = {finish_of(ids[0]), finish_of(ids[1], ExecutionStatus::kFailed)};
  commit(*p.lane, made);
  const auto redrive = [&](ExecutionId id) {
    return db().deliver(Namespace(), {id, FactKind::kRedriven, CommandId{0}, "r1", "{}"});
  };
  EXPECT_EQ(error_of(redrive(ids[0])), ErrorCode::kConflict);
  EXPECT_EQ(error_of(redrive(ids[2])), ErrorCode::kConflict);
  ASSERT_TRUE(redrive(ids[1]).ok());
  ASSERT_TRUE(redrive(ids[1]).ok());  // Repeated.
  const ExecutionRow row = db().describe(Namespace(), ids[1]).value();
  EXPECT_EQ(row.status, ExecutionStatus::kRunning);
  EXPECT_EQ(row.redrive_count, 1u);
  EXPECT_EQ(row.error, std::nullopt);
  EXPECT_EQ(row.ended_at, std::nullopt);
  const ClaimResult result = claim(*p.lane);
  ASSERT_EQ(ids_of(result), Ids{ids[1]});
  ASSERT_EQ(result.claimed[0].inbox.size(), 1u);
  EXPECT_EQ(result.claimed[0].inbox[0].kind, FactKind::kRedriven);
}

TEST_P(Conformance, QuarantineKeepsAnExecutionOutUntilItIsStoppedOrRedriven) {
  auto p = process();
  const Ids ids = claimed_by(*p.lane, 2);
  Batch made = batch();
  made.quarantines = {{ids[0], "fold mismatch at 7"}, {ids[1], "fold mismatch at 8"}};
  commit(*p.lane, made);
  EXPECT_EQ(db().describe(Namespace(), ids[0]).value().quarantined, "fold mismatch at 7");
  EXPECT_TRUE(claim(*p.lane).claimed.empty());
  ASSERT_TRUE(db().deliver(Namespace(), stop_of(ids[0])).ok());
  ASSERT_TRUE(
      db().deliver(Namespace(), {ids[1], FactKind::kRedriven, CommandId{0}, "r", "{}"}).ok());
  EXPECT_EQ(db().describe(Namespace(), ids[0]).value().quarantined, "");
  EXPECT_EQ(db().describe(Namespace(), ids[1]).value().redrive_count, 0u);  // It had not ended.
  EXPECT_EQ(ids_of(claim(*p.lane)), ids);
}

TEST_P(Conformance, ReconcileFreesWhatIsOwnedButNotHeld) {
  auto p = process(), q = process();
  const Ids ids = claimed_by(*p.lane, 2);
  EXPECT_EQ(p.lane->owned().value(), ids);
  Batch made = batch();
  made.released = {ids[0]};
  commit(*p.lane, made);
  EXPECT_EQ(p.lane->owned().value(), Ids{ids[1]});
  EXPECT_EQ(ids_of(claim(*q.lane)), Ids{ids[0]});
}

TEST_P(Conformance, AClaimBringsTheNewestSnapshotAndTheJournalAfterIt) {
  auto p = process();
  const ExecutionId id = claimed_by(*p.lane, 1)[0];
  Batch made = batch();
  for (std::uint64_t seq = 2; seq <= 6; ++seq) made.facts.push_back(fact(id, seq));
  commit(*p.lane, made);
  const std::string body("\0\x01\xff binary", 10);
  ASSERT_TRUE(db().save_snapshot({id, 2, 22, "old"}).ok());
  ASSERT_TRUE(db().save_snapshot({id, 4, 0xffff'0000'0000'0004, body}).ok());
  const auto at = [&](std::uint64_t seq) {
    const auto found = db().load_snapshot(Namespace(), id, seq).value();
    return found ? std::pair(found->seq, found->body) : std::pair(std::uint64_t{0}, std::string());
  };
  EXPECT_EQ(at(1), std::pair(std::uint64_t{0}, std::string()));
  EXPECT_EQ(at(3), std::pair(std::uint64_t{2}, std::string("old")));
  EXPECT_EQ(at(UINT64_MAX), std::pair(std::uint64_t{4}, body));
  ASSERT_TRUE(p.lane->close().ok());

  auto q = process();
  const ClaimResult result = claim(*q.lane);
  ASSERT_EQ(result.claimed.size(), 1u);
  const store::Claimed& claimed = result.claimed[0];
  EXPECT_EQ(claimed.snapshot, body);
  EXPECT_EQ(claimed.snapshot_seq, 4u);
  EXPECT_EQ(claimed.snapshot_hash, 0xffff'0000'0000'0004u);
  ASSERT_EQ(claimed.journal.size(), 2u);
  EXPECT_EQ(claimed.journal[0].seq, 5u);
  EXPECT_EQ(claimed.journal[1].seq, 6u);
}

TEST_P(Conformance, AClaimStopsAtItsBytes) {
  auto p = process();
  const Ids ids = claimed_by(*p.lane, 3);
  Batch made = batch();
  for (const ExecutionId id : ids) made.facts.push_back(fact(id, 2, std::string(1'000, 'x')));
  commit(*p.lane, made);
  ASSERT_TRUE(p.lane->close().ok());
  auto q = process();
  ClaimRequest request;
  request.max_journal_bytes = 2'500;
  EXPECT_EQ(claim(*q.lane, request).claimed.size(), 2u);
  request.max_journal_bytes = 10;
  EXPECT_EQ(claim(*q.lane, request).claimed.size(), 1u);  // The first, whatever its size.
}

TEST_P(Conformance, AProgramKeepsItsVersion) {
  const auto put = [&](const std::string& hash, const std::string& workflow) {
    return db()
        .put_program(Namespace(),
                     {hash, workflow, "source " + hash, "{\"h\":\"" + hash + "\"}", "f.yaml"})
        .value();
  };
  EXPECT_EQ(put("h1", "a"), 1u);
  EXPECT_EQ(put("h2", "a"), 2u);
  EXPECT_EQ(db().program_by_name(Namespace(), "a").value().hash, "h2");
  EXPECT_EQ(put("h1", "a"), 1u);
  EXPECT_EQ(put("h1", "b"), 1u);
  const store::StoredProgram newest = db().program_by_name(Namespace(), "a").value();
  EXPECT_EQ(newest.hash, "h1");
  EXPECT_EQ(newest.version, 1u);
  EXPECT_EQ(newest.source, "source h1");
  EXPECT_EQ(newest.definition, "{\"h\":\"h1\"}");
  EXPECT_EQ(newest.file, "f.yaml");
  EXPECT_EQ(db().program_by_hash(Namespace(), "h2").value().version, 2u);
  EXPECT_EQ(db().program_by_hash(Namespace(), "none").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(db().program_by_name(Namespace(), "none").error().code, ErrorCode::kNotFound);
}

TEST_P(Conformance, ListsArePagedFromTheNewest) {
  auto p = process();
  const Ids ids = claimed_by(*p.lane, 5);
  const Start other = start_of(new_execution(), "", "{}", "other");
  ASSERT_TRUE(db().start({other}).ok());
  Batch made = batch();
  made.finishes = {finish_of(ids[1], ExecutionStatus::kFailed), finish_of(ids[2])};
  commit(*p.lane, made);
  const auto listed = [&](const store::ListFilter& filter) {
    Ids found;
    const auto rows = db().list(Namespace(), filter);
    EXPECT_TRUE(rows.ok());
    for (const ExecutionRow& row : *rows) found.push_back(row.id);
    return found;
  };
  store::ListFilter filter;
  EXPECT_EQ(listed(filter), (Ids{other.id, ids[4], ids[3], ids[2], ids[1], ids[0]}));
  filter.limit = 2;
  EXPECT_EQ(listed(filter), (Ids{other.id, ids[4]}));
  filter.before = ids[4];
  EXPECT_EQ(listed(filter), (Ids{ids[3], ids[2]}));
  filter.workflow = "wf";
  filter.before.reset();
  EXPECT_EQ(listed(filter), (Ids{ids[4], ids[3]}));
  filter.status = ExecutionStatus::kFailed;
  EXPECT_EQ(listed(filter), Ids{ids[1]});
  filter.workflow.clear();
  filter.status = ExecutionStatus::kSucceeded;
  EXPECT_EQ(listed(filter), Ids{ids[2]});
}

TEST_P(Conformance, AStartWakesWhoeverWaitsForHints) {
  // The first wait may end at once (connecting counts as a hint); the second one is a wait.
  db().wait_for_hint(Millis{1});
  std::thread waiter([this] { db().wait_for_hint(std::chrono::minutes(5)); });
  ASSERT_TRUE(db().start({start_of(new_execution())}).ok());
  waiter.join();
}

TEST_P(Conformance, ASessionClosedInOrderGivesEverythingBack) {
  auto p = process(), q = process();
  const Ids ids = claimed_by(*p.lane, 3);
  ASSERT_TRUE(p.lane->close().ok());
  const ClaimResult result = claim(*q.lane);
  EXPECT_EQ(ids_of(result), ids);
  EXPECT_EQ(result.claimed[0].deaths, 0u);
  Batch made = batch();
  made.facts = {fact(ids[0], 2)};
  EXPECT_EQ(p.lane->commit(made).error().code, ErrorCode::kFenced);
  EXPECT_EQ(seqs(ids[0]), Seqs{1});
}

INSTANTIATE_TEST_SUITE_P(Stores, Conformance,
                         ::testing::Values(WorldMaker{"Memory", make_memory_world},
                                           WorldMaker{"Postgres", make_postgres_world}),
                         [](const auto& made) { return std::string(made.param.name); });

}  // namespace
}  // namespace stepwell::testing
