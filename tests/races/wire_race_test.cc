// R6: a connection is lost, and with it the knowledge of what became of the last call.
#include "tests/races/flaky_wire.h"
#include "tests/races/race.h"

namespace stepwell::testing {
namespace {

using store::Batch;

constexpr const char* kLanded =
    "IF NOT FOUND THEN  -- It has landed before; only its answer was lost.";

class R6 : public Race {
 protected:
  R6() {
    if (options_.url.find("host=") == std::string::npos) return;
    wire_ = std::make_unique<FlakyWire>(options_);
    through_ = postgres::open_store(wire_->options()).value();
    node_ = through_->join({.label = "r6", .lease = Millis{600'000}}).value();
    lane_ = node_->open_session().value();
    start({new_execution()});
    id_ = lane_->claim({}).value().claimed.at(0).id;
  }
  void SetUp() override {
    if (wire_ == nullptr) GTEST_SKIP() << "needs a unix socket: " << options_.url;
  }

  Batch next_fact() {
    Batch batch;
    batch.number = ++number_;
    batch.facts = {fact(id_, number_ + 1)};
    return batch;
  }
  // Prepares the statement, so that a commit is one request and one reply.
  void warm_up() { ASSERT_TRUE(lane_->commit(next_fact()).ok()); }

  std::unique_ptr<FlakyWire> wire_;
  std::unique_ptr<store::Store> through_;
  std::unique_ptr<store::Node> node_;
  std::unique_ptr<store::Session> lane_;
  ExecutionId id_;
  std::uint64_t number_ = 0;
};

TEST_F(R6, ReplyLostAfterTheCommit_WithoutTheNumberAHealthyLaneDropsWhatItHolds) {
  install("stepwell_commit_v2", {{kLanded, "IF false THEN"}});
  warm_up();
  wire_->lose_next_reply();
  const auto ack = lane_->commit(next_fact());
  ASSERT_TRUE(ack.ok()) << ack.error().message;
  EXPECT_EQ(ack->lost, Ids{id_});
  EXPECT_EQ(seqs(id_), (Seqs{1, 2, 3}));  // Though the fact is there.
}

TEST_F(R6, ReplyLostAfterTheCommit_WithTheNumberItIsRecognized) {
  warm_up();
  for (int i = 0; i < 3; ++i) {
    wire_->lose_next_reply();
    const auto ack = lane_->commit(next_fact());
    ASSERT_TRUE(ack.ok()) << ack.error().message;
    EXPECT_TRUE(ack->lost.empty());
  }
  EXPECT_EQ(seqs(id_), (Seqs{1, 2, 3, 4, 5}));
  EXPECT_EQ(number("SELECT conn FROM writers"), 4);
}

TEST_F(R6, ReplyLostAfterAStart_ItsOutcomeIsFoundAgain) {
  warm_up();
  Batch batch = next_fact();
  batch.starts = {start_of(new_execution(), "named")};
  wire_->lose_next_reply();
  const auto ack = lane_->commit(batch);
  ASSERT_TRUE(ack.ok()) << ack.error().message;
  ASSERT_EQ(ack->starts.size(), 1u);
  EXPECT_EQ(ack->starts[0].kind, store::StartOutcome::Kind::kCreated);
  EXPECT_EQ(ack->starts[0].id, batch.starts[0].id);
}

TEST_F(R6, ReplyLostAfterAClaim_WithoutTheNumberNobodyKnowsWhoOwnsIt) {
  install("stepwell_claim_v2", {{kLanded, "IF false THEN"}});
  const ExecutionId other = new_execution();
  start({other});
  wire_->lose_next_reply();
  const auto claimed = lane_->claim({});
  ASSERT_TRUE(claimed.ok()) << claimed.error().message;
  EXPECT_TRUE(claimed->claimed.empty());
  EXPECT_EQ(lane_->owned().value(), (Ids{id_, other}));  // Owned, and held by nobody.
}

TEST_F(R6, ReplyLostAfterAClaim_WithTheNumberItIsToldAgain) {
  const ExecutionId other = new_execution();
  start({other});
  wire_->lose_next_reply();
  const auto claimed = lane_->claim({});
  ASSERT_TRUE(claimed.ok()) << claimed.error().message;
  EXPECT_EQ(ids_of(*claimed), Ids{other});
}

TEST_F(R6, ConnectionLostBefore_TheBatchIsSentAgain) {
  warm_up();
  for (int i = 0; i < 3; ++i) {
    wire_->lose_next_request();
    const auto ack = lane_->commit(next_fact());
    ASSERT_TRUE(ack.ok()) << ack.error().message;
    EXPECT_TRUE(ack->lost.empty());
  }
  EXPECT_EQ(seqs(id_), (Seqs{1, 2, 3, 4, 5}));
}

// The old backend still runs when the lane comes back.
class R6Running : public R6 {
 protected:
  // Goes on when the lane's new backend waits for `event`, with the old one still there or not.
  void run(const std::vector<Replacement>& mutation, const std::string& event, bool old_is_there) {
    install("stepwell_reconnect_v1", mutation);
    install("stepwell_commit_v2", {stop_at("fence passed")});
    hold();
    auto writing = std::async(std::launch::async, [&] { return lane_->commit(next_fact()); });
    wait_for(
        "SELECT coalesce(bool_or(wait_event = 'advisory'), false) FROM pg_stat_activity a "
        "JOIN writers w ON a.pid = w.backend_pid AND a.backend_start = w.backend_start");
    const std::int64_t old = number("SELECT backend_pid FROM writers");
    wire_->lose_clients();
    wait_for(
        "SELECT EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.application_name LIKE "
        "'stepwell lane%' AND a.datname = current_database() AND a.pid <> $1::bigint "
        "AND a.wait_event_type = 'Lock' AND a.wait_event = $2::text "
        "AND a.backend_start > (SELECT max(registered_at) FROM writers))",
        Parameters().add(old).add(event));
    const std::int64_t there = number(
        "SELECT count(*) FROM pg_stat_activity WHERE pid = $1::bigint", Parameters().add(old));
    EXPECT_EQ(there, old_is_there ? 1 : 0);
    release();
    const auto ack = writing.get();
    EXPECT_TRUE(ack.ok());
    EXPECT_TRUE(ack.ok() && ack->lost.empty());
    EXPECT_EQ(seqs(id_), (Seqs{1, 2}));
  }
};

TEST_F(R6Running, WithoutEndingTheOldBackendTheLaneStandsBehindIt) {
  run({{"PERFORM pg_terminate_backend(s.pid)", "PERFORM s.pid"}}, "transactionid", true);
}

TEST_F(R6Running, TheOldBackendIsEndedAndTheBatchIsWrittenOnce) { run({}, "advisory", false); }

}  // namespace
}  // namespace stepwell::testing
