// A lane's session over a wire on which questions, replies and whole statements are lost.
#include "engine/store/lane_session.h"

#include <gtest/gtest.h>

#include <deque>
#include <optional>

#include "engine/store/memory_store.h"
#include "tests/store/world.h"

namespace stepwell::testing {
namespace {

using store::WireFault;
using store::WireStatement;

class LaneSessionTest : public ::testing::Test {
 protected:
  LaneSessionTest() {
    store::MemoryStoreOptions options;
    options.fault = [this](Uuid, WireStatement statement) {
      if (statement != WireStatement::kCommit || faults_.empty()) return WireFault::kNone;
      const WireFault next = faults_.front();
      faults_.pop_front();
      return next;
    };
    store_ = store::make_memory_store(options);
    node_ = store_->join({}).value();
    lane_ = node_->open_session().value();
  }
  // The answer to the last of so many calls; those before it have none.
  store::Ack commit_at(int call, const store::Batch& batch) {
    for (int i = 1; i < call; ++i) {
      const auto none = lane_->commit(batch);
      EXPECT_EQ(none.ok() ? ErrorCode::kInternal : none.error().code, ErrorCode::kUnavailable);
    }
    auto ack = lane_->commit(batch);
    EXPECT_TRUE(ack.ok()) << ack.error().message;
    return ack.ok() ? *ack : store::Ack{};
  }

  std::deque<WireFault> faults_;  // Of the next batches that are sent.
  std::shared_ptr<store::MemoryStore> store_;
  std::unique_ptr<store::Node> node_;
  std::unique_ptr<store::Session> lane_;
};

// A seed of the simulation: the batch had landed, asking for its reply took too long, and the
// session wrote it a second time under another number: the lane dropped all that was in it.
TEST_F(LaneSessionTest, ABatchThatHasLandedIsNotHalvedWhenItsReplyTakesTooLong) {
  store::Batch batch;
  batch.number = 1;
  for (int i = 0; i < 2; ++i) {
    batch.starts.push_back(start_of(new_execution()));
    batch.starts.back().owned = true;
  }
  EXPECT_EQ(commit_at(1, batch).starts.size(), 2u);
  store::Batch next;
  next.number = 2;
  for (const store::Start& start : batch.starts) next.facts.push_back(fact(start.id, 2));
  faults_ = {WireFault::kReplyLost, WireFault::kTooMuch, WireFault::kReplyLost,
             WireFault::kTooMuch};
  const store::Ack ack = commit_at(5, next);
  EXPECT_EQ(ack.lost, std::vector<ExecutionId>{});
  EXPECT_TRUE(ack.refused.empty());
  EXPECT_EQ(store_->journal_rows(), 4u);
}

// Of one whose question was lost, nothing has happened.
TEST_F(LaneSessionTest, ABatchThatHasNotLandedIsHalvedWhenItTakesTooLong) {
  store::Batch batch;
  batch.number = 1;
  for (int i = 0; i < 4; ++i) batch.starts.push_back(start_of(new_execution()));
  faults_ = {WireFault::kRequestLost, WireFault::kTooMuch, WireFault::kNone, WireFault::kReplyLost,
             WireFault::kTooMuch};
  EXPECT_EQ(commit_at(5, batch).starts.size(), 4u);
  EXPECT_EQ(store_->journal_rows(), 4u);
}

}  // namespace
}  // namespace stepwell::testing
