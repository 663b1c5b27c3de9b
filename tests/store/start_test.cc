// What a start writes, what a claim takes first, and messages that come without a row.
#include <algorithm>

#include "engine/store/claim_room.h"
#include "engine/store/memory_store.h"
#include "tests/store/world.h"

namespace stepwell::testing {
namespace {

using store::Batch;
using store::ExecutionRow;
using store::Priority;
using store::Start;
using Ids = std::vector<ExecutionId>;

class Starts : public OnEveryStore {
 protected:
  Start slim(const std::string& name = "") {
    Start start = start_of(new_execution(), name, R"({"n": 1.0})");
    start.first.payload = R"({"p":"hash","s":1})";
    start.is_first_slim = true;
    return start;
  }
};

TEST_P(Starts, AnInputIsWrittenOnceAndReadInItsFact) {
  const std::string whole = R"({"p":"hash","s":1,"i":{"n": 1.0}})";
  const Start unowned = slim();
  ASSERT_TRUE(db().start({unowned}).ok());
  auto p = process();
  Batch made = batch();
  made.starts = {slim()};
  made.starts[0].owned = true;
  commit(*p.lane, made);
  for (const ExecutionId id : {unowned.id, made.starts[0].id}) {
    EXPECT_EQ(db().journal(Namespace(), id, 0, 10).value().at(0).payload, whole);
    EXPECT_EQ(db().describe(Namespace(), id).value().input, R"({"n": 1.0})");
  }
  const auto claimed = claim(*p.lane).claimed;
  ASSERT_EQ(claimed.size(), 1u);
  EXPECT_EQ(claimed[0].journal.at(0).payload, whole);
}

TEST_P(Starts, WhatEndsInItsBatchIsWrittenAsItEnds) {
  auto p = process();
  Batch made = batch();
  made.starts = {slim("n"), slim()};
  made.starts[0].end = finish_of(made.starts[0].id);
  made.starts[1].end = finish_of(made.starts[1].id, ExecutionStatus::kFailed);
  made.facts = {fact(made.starts[1].id, 2)};
  const store::Ack ack = commit(*p.lane, made);
  EXPECT_TRUE(ack.lost.empty());
  const ExecutionRow good = db().describe(Namespace(), made.starts[0].id).value();
  EXPECT_EQ(good.status, ExecutionStatus::kSucceeded);
  EXPECT_EQ(good.output, R"({"ok":1.0})");
  EXPECT_EQ(good.ended_at, made.starts[0].end->at);
  EXPECT_FALSE(good.owner);
  EXPECT_FALSE(good.wake_at);
  const ExecutionRow bad = db().describe(Namespace(), made.starts[1].id).value();
  EXPECT_EQ(bad.status, ExecutionStatus::kFailed);
  EXPECT_EQ(bad.error, "Bank.Busy");
  EXPECT_EQ(bad.cause, "the \"cause\"");
  EXPECT_EQ(seqs(bad.id), (std::vector<std::uint64_t>{1, 2}));
  EXPECT_TRUE(claim(*p.lane).claimed.empty());
  EXPECT_TRUE(p.lane->owned().value().empty());

  // Whoever comes second under the name hears of it, and nothing of the loser is written.
  Batch second = batch();
  second.starts = {slim("n")};
  second.starts[0].end = finish_of(second.starts[0].id);
  second.facts = {fact(second.starts[0].id, 2)};
  const store::Ack told = commit(*p.lane, second);
  EXPECT_EQ(told.starts.at(0).id, good.id);
  EXPECT_EQ(db().describe(Namespace(), second.starts[0].id).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(seqs(second.starts[0].id).empty());
}

TEST_P(Starts, RoomIsSharedByPriorityAndWhatIsLeftIsPassedOn) {
  const auto start_many = [this](Priority priority, int count) {
    std::vector<Start> starts;
    for (int i = 0; i < count; ++i) {
      starts.push_back(start_of(new_execution()));
      starts.back().priority = priority;
    }
    ASSERT_TRUE(db().start(starts).ok());
  };
  start_many(Priority::kHigh, 30);
  start_many(Priority::kNormal, 30);
  start_many(Priority::kLow, 30);
  auto p = process();
  store::ClaimRequest request;
  request.limit = 20;
  // 14 + 4 + 2 twice, though there are 60 that were there before the low ones.
  EXPECT_EQ(claim(*p.lane, request).claimed.size(), 20u);
  EXPECT_EQ(claim(*p.lane, request).claimed.size(), 20u);
  // 2 high ones are left: the others take their room.
  EXPECT_EQ(claim(*p.lane, request).claimed.size(), 20u);
  EXPECT_EQ(claim(*p.lane, request).claimed.size(), 20u);
  EXPECT_EQ(claim(*p.lane, request).claimed.size(), 10u);
  EXPECT_EQ(p.lane->owned().value().size(), 90u);
}

TEST_P(Starts, ALowOneIsNotStarvedByOneAtATime) {
  const ExecutionId low = new_execution();
  Start start = start_of(low);
  start.priority = Priority::kLow;
  ASSERT_TRUE(db().start({start}).ok());
  auto p = process();
  store::ClaimRequest request;
  request.limit = 1;
  for (int i = 0; i < 10; ++i) {
    Start high = start_of(new_execution());
    high.priority = Priority::kHigh;
    ASSERT_TRUE(db().start({high}).ok());
    if (ids_of(claim(*p.lane, request)) == Ids{low}) return;
  }
  FAIL() << "ten claims of one, and none was low";
}

TEST(ClaimRoom, IsSharedByTensAndTheRestByTurns) {
  using Room = std::array<std::uint32_t, 3>;
  EXPECT_EQ(store::room_by_priority(100, 5), (Room{70, 20, 10}));
  EXPECT_EQ(store::room_by_priority(0, 5), (Room{0, 0, 0}));
  Room sum = {0, 0, 0};
  for (std::uint64_t turn = 0; turn < 10; ++turn) {
    const Room room = store::room_by_priority(1, turn);
    for (std::size_t i = 0; i < 3; ++i) sum[i] += room[i];
  }
  EXPECT_EQ(sum, (Room{7, 2, 1}));
}

INSTANTIATE_TEST_SUITE_P(Stores, Starts,
                         ::testing::Values(WorldMaker{"Memory", make_memory_world},
                                           WorldMaker{"Postgres", make_postgres_world}),
                         [](const auto& made) { return std::string(made.param.name); });

}  // namespace
}  // namespace stepwell::testing
