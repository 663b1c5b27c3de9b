// Who asks for another namespace's things is told that they do not exist; names, and what is
// nobody's name.
#include "tests/store/world.h"

namespace stepwell::testing {
namespace {

using store::Start;

class Namespaces : public OnEveryStore {};

TEST_P(Namespaces, WhatBelongsToAnotherDoesNotExist) {
  const Namespace mine, theirs("other", "111111111111");
  ASSERT_TRUE(db().put_program(mine, {"h", "wf", "source", "{}", "f.yaml"}).ok());
  const Start start = start_of(new_execution(), "n");
  ASSERT_TRUE(db().start({start}).ok());
  ASSERT_TRUE(db().save_snapshot({start.id, 1, 7, "body"}).ok());
  EXPECT_EQ(db().describe(mine, start.id).value().ns, mine);

  const std::string words = "there is no execution " + start.id.text();
  EXPECT_EQ(db().describe(theirs, start.id).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(db().describe(theirs, start.id).error().message, words);
  EXPECT_EQ(db().journal(theirs, start.id, 0, 10).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(error_of(db().deliver(theirs, stop_of(start.id))), ErrorCode::kNotFound);
  EXPECT_EQ(db().find(theirs, "wf", "n").value(), std::nullopt);
  EXPECT_TRUE(db().list(theirs, {}).value().empty());
  EXPECT_FALSE(db().load_snapshot(theirs, start.id, 10).value().has_value());
  EXPECT_EQ(db().program_by_hash(theirs, "h").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(db().program_by_name(theirs, "wf").error().code, ErrorCode::kNotFound);

  // Nothing arrived.
  auto p = process();
  const auto claimed = claim(*p.lane).claimed;
  ASSERT_EQ(claimed.size(), 1u);
  EXPECT_TRUE(claimed[0].inbox.empty());
  EXPECT_EQ(claimed[0].ns, mine);
  EXPECT_EQ(claimed[0].ns.account(), "000000000000");
  EXPECT_EQ(claimed[0].name, "n");
}

TEST_P(Namespaces, ANamelessExecutionIsFoundByItsId) {
  const ExecutionId by_id = new_execution(), by_nothing = new_execution();
  ASSERT_TRUE(db().start({start_of(by_id, by_id.text()), start_of(by_nothing)}).ok());
  for (const ExecutionId id : {by_id, by_nothing}) {
    EXPECT_EQ(db().describe(Namespace(), id).value().name, id.text());
    EXPECT_EQ(db().find(Namespace(), "wf", id.text()).value(), id);
    EXPECT_EQ(db().find(Namespace(), "other", id.text()).value(), std::nullopt);
    EXPECT_EQ(db().find(Namespace("other"), "wf", id.text()).value(), std::nullopt);
  }
  // Who gave that text as a name has it.
  const Start named = start_of(new_execution(), by_id.text());
  ASSERT_TRUE(db().start({named}).ok());
  EXPECT_EQ(db().find(Namespace(), "wf", by_id.text()).value(), named.id);
  EXPECT_EQ(db().find(Namespace(), "wf", new_execution().text()).value(), std::nullopt);
}

TEST_P(Namespaces, ALookTellsWhatIsToBeDone) {
  auto p = process();
  const store::LookRequest request{.node = p.node->id()};
  const auto look = [&] { return db().look(request).value(); };
  EXPECT_FALSE(look().next_due);
  EXPECT_FALSE(look().needs_sweep());

  const ExecutionId id = new_execution();
  start({id});
  const auto wake_at = db().describe(Namespace(), id).value().wake_at;
  EXPECT_EQ(look().next_due, wake_at);
  EXPECT_LE(*look().next_due, look().now);
  EXPECT_FALSE(db().look({.pools = {"elsewhere"}}).value().next_due);
  EXPECT_FALSE(db().look({.semantics = 0}).value().next_due);

  claim(*p.lane);
  EXPECT_FALSE(look().next_due);
  EXPECT_FALSE(look().has_inbox);
  ASSERT_TRUE(db().deliver(Namespace(), stop_of(id)).ok());
  EXPECT_TRUE(look().has_inbox);
  EXPECT_FALSE(db().look({}).value().has_inbox);
  EXPECT_FALSE(look().needs_sweep());

  world().expire(*p.node);
  EXPECT_TRUE(look().has_late);
  EXPECT_EQ(db().sweep().value().executions_freed, 1u);
  EXPECT_FALSE(look().has_late);
  EXPECT_FALSE(look().has_inbox);
  EXPECT_LE(look().next_due.value(), look().now);
}

INSTANTIATE_TEST_SUITE_P(Stores, Namespaces,
                         ::testing::Values(WorldMaker{"Memory", make_memory_world},
                                           WorldMaker{"Postgres", make_postgres_world}),
                         [](const auto& made) { return std::string(made.param.name); });

}  // namespace
}  // namespace stepwell::testing
