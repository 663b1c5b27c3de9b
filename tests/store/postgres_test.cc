// What only Postgres can do to a store: refuse a row, break a connection, be busy, tell others.
#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "engine/postgres/link.h"
#include "engine/store/trouble.h"
#include "tests/store/postgres_fixture.h"
#include "tests/store/world.h"

namespace stepwell::testing {
namespace {

using postgres::Link;
using postgres::Parameters;
using store::Ack;
using store::Batch;
using Ids = std::vector<ExecutionId>;
using Seqs = std::vector<std::uint64_t>;

class OnPostgres : public ::testing::Test {
 protected:
  OnPostgres() {
    store_ = postgres::open_store(options_).value();
    other_ = Link::open(options_, {.name = "other"}).value();
    node_ = store_->join({.label = "p", .lease = Millis{600'000}}).value();
    lane_ = node_->open_session().value();
  }

  Ids claimed(int count) {
    std::vector<store::Start> starts;
    for (int i = 0; i < count; ++i) starts.push_back(start_of(new_execution()));
    CHECK(store_->start(starts).ok(), "start");
    return ids_of(lane_->claim({.limit = 1'000}).value());
  }
  Ack commit(const Batch& batch) {
    auto ack = lane_->commit(batch);
    CHECK(ack.ok(), ack.error().message);
    return *ack;
  }
  Seqs seqs(ExecutionId id) {
    Seqs found;
    const auto rows = store_->journal(Namespace(), id, 0, 1'000);
    CHECK(rows.ok(), rows.error().message);
    for (const auto& row : *rows) found.push_back(row.seq);
    return found;
  }
  // Ends the backend of this lane, as a failing server does.
  void break_lane() {
    const auto answer =
        other_->run("SELECT pg_terminate_backend(backend_pid, 10000) FROM writers WHERE id = $1",
                    Parameters().add(lane_->writer()));
    CHECK(answer.ok() && answer.rows().flag(0, 0), "terminate");
  }
  std::int64_t number(const char* sql) {
    const auto answer = other_->run(sql);
    CHECK(answer.ok(), answer.trouble().message);
    return answer.rows().number(0, 0);
  }

  postgres::PgOptions options_ = fresh_schema();
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Link> other_;
  std::unique_ptr<store::Node> node_;
  std::unique_ptr<store::Session> lane_;
};

TEST_F(OnPostgres, ARowThatOnlyTheServerCanRefuseIsFoundByHalving) {
  const Ids ids = claimed(33);
  ASSERT_TRUE(other_
                  ->run_script("ALTER TABLE journal ADD CONSTRAINT no_evil "
                               "CHECK (payload <> 'evil')")
                  .ok());
  Batch batch;
  batch.number = 1;
  for (const ExecutionId id : ids) batch.facts.push_back(fact(id, 2));
  batch.facts[4].payload = batch.facts[29].payload = "evil";
  const Ack ack = commit(batch);
  ASSERT_EQ(ack.refused.size(), 2u);
  EXPECT_EQ(ack.refused[0].execution, ids[4]);
  EXPECT_EQ(ack.refused[1].execution, ids[29]);
  EXPECT_NE(ack.refused[0].reason.find("no_evil"), std::string::npos) << ack.refused[0].reason;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(seqs(ids[i]), i == 4 || i == 29 ? Seqs{1} : (Seqs{1, 2})) << i;
  }
}

TEST_F(OnPostgres, AnIdBeyondThePartitionsIsRefusedAndItsNeighboursAreNot) {
  store::Start late = start_of(ExecutionId{Uuid::v7(4'000'000'000'000, 1, 1)});
  store::Start good = start_of(new_execution());
  Batch batch;
  batch.number = 1;
  batch.starts = {late, good};
  const Ack ack = commit(batch);
  ASSERT_EQ(ack.refused.size(), 1u);
  EXPECT_EQ(ack.refused[0].execution, late.id);
  EXPECT_EQ(ack.refused[0].reason, store::kNoPartition);
  ASSERT_EQ(ack.starts.size(), 2u);
  EXPECT_EQ(ack.starts[1].kind, store::StartOutcome::Kind::kCreated);
  EXPECT_EQ(store_->start({late}).error().code, ErrorCode::kUnavailable)
      << "not the caller's fault";
}

TEST_F(OnPostgres, ATroubleThatIsNobodysFaultRefusesNobody) {
  const Ids ids = claimed(3);
  ASSERT_TRUE(other_
                  ->run_script("CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS "
                               "$$ BEGIN RAISE 'disk is on fire' USING ERRCODE = 'XX001'; END $$; "
                               "CREATE TRIGGER broken BEFORE INSERT ON journal "
                               "FOR EACH ROW EXECUTE FUNCTION broken()")
                  .ok());
  Batch batch;
  batch.number = 1;
  for (const ExecutionId id : ids) batch.facts.push_back(fact(id, 2));
  const auto refused = lane_->commit(batch);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(refused.error().message, "commit: disk is on fire");
  ASSERT_TRUE(other_->run_script("DROP TRIGGER broken ON journal").ok());
  Batch other = batch;
  other.number = 2;
  EXPECT_EQ(lane_->commit(other).error().message,
            "batch 1 has no answer yet: ask for it before sending another");
  const Ack ack = commit(batch);  // The same arguments again.
  EXPECT_TRUE(ack.refused.empty());
  EXPECT_TRUE(ack.lost.empty());
  for (const ExecutionId id : ids) EXPECT_EQ(seqs(id), (Seqs{1, 2}));
}

// A batch that never ends in time would be sent again for ever; nobody is to blame for it.
TEST_F(OnPostgres, ABatchThatIsTooMuchAtOnceIsSentInHalves) {
  const Ids ids = claimed(5);
  ASSERT_TRUE(
      other_
          ->run_script("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                       "IF (SELECT count(DISTINCT execution) > 2 FROM fresh) THEN RAISE 'canceling "
                       "statement due to statement timeout' USING ERRCODE = '57014'; END IF; "
                       "RETURN NULL; END $$; "
                       "CREATE TRIGGER slow AFTER INSERT ON journal REFERENCING NEW TABLE AS fresh "
                       "FOR EACH STATEMENT EXECUTE FUNCTION slow()")
          .ok());
  Batch batch;
  batch.number = 1;
  for (const ExecutionId id : ids) {
    batch.facts.push_back(fact(id, 2));
    batch.facts.push_back(fact(id, 3));
  }
  // 5, then 3 of them: each time its caller hears of it, and asks again.
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(lane_->commit(batch).error().message,
              "commit: canceling statement due to statement timeout");
  }
  const Ack ack = commit(batch);
  EXPECT_TRUE(ack.refused.empty());
  EXPECT_TRUE(ack.lost.empty());
  for (const ExecutionId id : ids) EXPECT_EQ(seqs(id), (Seqs{1, 2, 3}));
  EXPECT_EQ(number("SELECT count(*) FROM batches"), 1 + 3) << "the claim, and 2 + 1 + 2 executions";
}

TEST_F(OnPostgres, ABrokenConnectionIsTakenOverAndTheBatchSentAgain) {
  const Ids ids = claimed(3);
  for (std::uint64_t i = 1; i <= 3; ++i) {
    break_lane();
    Batch batch;
    batch.number = i;
    batch.facts = {fact(ids[0], i + 1)};
    EXPECT_TRUE(commit(batch).lost.empty());
  }
  EXPECT_EQ(seqs(ids[0]), (Seqs{1, 2, 3, 4}));
  EXPECT_EQ(number("SELECT conn FROM writers"), 4);
  break_lane();
  EXPECT_TRUE(lane_->claim({}).ok());
  EXPECT_EQ(lane_->owned().value(), ids);
}

TEST_F(OnPostgres, ALeaseThatIsRenewedTooLateIsALapse) {
  const auto node = store_->join({.label = "late", .lease = Millis{600}}).value();
  const std::uint64_t before = node->lapses();
  const auto until = [](const std::function<bool()>& is_so) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!is_so() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    return is_so();
  };
  ASSERT_TRUE(other_->run_script("BEGIN; LOCK TABLE nodes IN EXCLUSIVE MODE").ok());
  EXPECT_TRUE(until([&] { return node->age() > node->lease(); })) << "it cannot renew";
  ASSERT_TRUE(other_->run_script("COMMIT").ok());
  EXPECT_TRUE(until([&] { return node->lapses() > before; }));
  EXPECT_EQ(node_->lapses(), 0u) << "its lease is long";
}

TEST_F(OnPostgres, AnAcknowledgedBatchThatIsGoneFencesTheLane) {
  const Ids ids = claimed(1);
  Batch batch;
  batch.number = 1;
  batch.facts = {fact(ids[0], 2)};
  commit(batch);
  // A failover that lost a tail.
  ASSERT_TRUE(other_->run("DELETE FROM batches").ok());
  break_lane();
  batch.number = 2;
  batch.facts = {fact(ids[0], 3)};
  EXPECT_EQ(lane_->commit(batch).error().message,
            "the database lost an acknowledged batch: drop everything");
  EXPECT_EQ(lane_->commit(batch).error().code, ErrorCode::kFenced);
  EXPECT_EQ(number("SELECT count(*) FROM writers WHERE state = 'dead'"), 1);
}

TEST_F(OnPostgres, BatchNumbersAreTrimmed) {
  const Ids ids = claimed(1);
  for (std::uint64_t i = 1; i <= 200; ++i) {
    Batch batch;
    batch.number = i;
    batch.facts = {fact(ids[0], i + 1)};
    commit(batch);
  }
  EXPECT_LE(number("SELECT count(*) FROM batches"), 129);
  EXPECT_EQ(seqs(ids[0]).size(), 201u);
}

TEST_F(OnPostgres, AnIdleClaimWritesNothing) {
  ASSERT_TRUE(lane_->claim({}).ok());
  ASSERT_TRUE(other_->run("SELECT 1").ok());
  const std::int64_t before = number("SELECT count(*) FROM batches");
  const std::string xid = other_->run("SELECT xmax FROM writers").rows().string(0, 0);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(lane_->claim({}).ok());
  EXPECT_EQ(number("SELECT count(*) FROM batches"), before);
  EXPECT_EQ(other_->run("SELECT xmax FROM writers").rows().string(0, 0), xid);
}

TEST_F(OnPostgres, AHintReachesAnotherProcess) {
  auto elsewhere = postgres::open_store(options_).value();
  elsewhere->wait_for_hint(std::chrono::minutes(1));  // Until it listens.
  std::thread waiter([&] { elsewhere->wait_for_hint(std::chrono::minutes(5)); });
  ASSERT_TRUE(store_->start({start_of(new_execution())}).ok());
  waiter.join();
}

TEST_F(OnPostgres, TheViewsNameThings) {
  const Ids ids = claimed(1);
  Batch batch;
  batch.number = 1;
  batch.facts = {fact(ids[0], 2, "{}", FactKind::kTaskFailed)};
  batch.finishes = {finish_of(ids[0], ExecutionStatus::kFailed)};
  commit(batch);
  const auto facts = other_->run("SELECT string_agg(kind, ' ' ORDER BY seq) FROM facts");
  EXPECT_EQ(facts.rows().string(0, 0), "started task_failed");
  EXPECT_EQ(other_->run("SELECT status FROM overview").rows().string(0, 0), "FAILED");
}

TEST_F(OnPostgres, EveryKindOfFactHasAName) {
  const auto view = other_->run("SELECT pg_get_viewdef('facts'::regclass)");
  for (int kind = 1; kind <= 8; ++kind) {
    const std::string quoted = std::string("'") + fact_name(static_cast<FactKind>(kind)) + "'";
    EXPECT_NE(view.rows().string(0, 0).find(quoted), std::string::npos) << quoted;
  }
}

// However the planner is set, a claim takes each row once and no more than its limit.
TEST_F(OnPostgres, AClaimIsRightUnderEveryPlan) {
  const char* const settings[] = {"enable_indexscan", "enable_bitmapscan", "enable_nestloop",
                                  "enable_material",  "enable_sort",       "enable_indexonlyscan"};
  for (unsigned mask = 0; mask < 64; mask += 7) {
    std::vector<store::Start> starts;
    for (int i = 0; i < 12; ++i) starts.push_back(start_of(new_execution()));
    ASSERT_TRUE(store_->start(starts).ok());
    postgres::PgOptions options = options_;
    options.url += "&options=";
    for (unsigned bit = 0; bit < 6; ++bit) {
      options.url += std::string("-c%20") + settings[bit] + "%3D" +
                     ((mask >> bit & 1) != 0 ? "off" : "on") + "%20";
    }
    auto store = postgres::open_store(options).value();
    auto node = store->join({}).value();
    auto lane = node->open_session().value();
    const auto first = lane->claim({.limit = 5}).value();
    EXPECT_EQ(first.claimed.size(), 5u) << mask;
    EXPECT_EQ(lane->claim({.limit = 100}).value().claimed.size(), 7u) << mask;
  }
}

}  // namespace
}  // namespace stepwell::testing
