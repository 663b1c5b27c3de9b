// What a process asks of the database while there is nothing to do.
#include <gtest/gtest.h>

#include "tests/sim/definitions.h"
#include "tests/sim/process.h"

namespace stepwell::sim {
namespace {

constexpr Micros kSecond = 1'000'000;

class Idle : public ::testing::Test {
 protected:
  Idle() {
    world_.heal();
    world_.told = [this] { process_.on_hint(); };
    EXPECT_TRUE(process_.boot().ok());
  }
  void pass(Micros time) {
    bool is_over = false;
    world_.scheduler.at(world_.scheduler.now() + time, [&] { is_over = true; });
    while (!is_over) ASSERT_TRUE(world_.scheduler.run_one());
  }
  std::uint64_t asked_in(Micros time) {
    const std::uint64_t before = world_.questions;
    pass(time);
    return world_.questions - before;
  }
  // By no lane, as over the API.
  void start(std::size_t number) {
    const Definition& one = definition(number);
    store::Start row;
    row.id = ExecutionId{Uuid::v4(number + 1, 1)};
    row.workflow = one.workflow;
    row.program_hash = one.program->hash;
    row.input = one.input.to_json();
    Started fact;
    fact.pins.program_hash = row.program_hash;
    fact.pins.execution_name = fact.pins.machine_name = one.workflow;
    fact.input = one.input;
    process_.know(one.workflow, one.program);
    row.first = {
        row.id, 1, FactKind::kStarted, {}, process_.clock().now(), 0, encode_payload(fact)};
    ASSERT_TRUE(process_.store().start({row}).ok());
  }

  Tally tally_;
  World world_{1, Mutant::kNone, tally_};
  Witness witness_{world_, program_of};
  runtime::Settings settings_;  // The product's.
  Process process_{world_, witness_, 0, settings_, {}};
};

// The bar: under one query per second, whatever is built in.
TEST_F(Idle, AsksLessThanOnceASecond) {
  pass(61 * kSecond);
  EXPECT_LT(asked_in(600 * kSecond), 600u);
}

TEST_F(Idle, AsksLessThanOnceASecondAfterWorkIsDone) {
  start(0);
  pass(400 * kSecond);
  ASSERT_EQ(witness_.running(), 0u);
  EXPECT_LT(asked_in(600 * kSecond), 600u);
}

// Nobody told it: the hint was lost.
TEST_F(Idle, FindsWhatIsDueWithinALook) {
  pass(120 * kSecond);
  world_.told = nullptr;
  start(0);
  pass(1'600'000);
  EXPECT_TRUE(world_.database->state().executions.begin()->second.row.owner);
}

}  // namespace
}  // namespace stepwell::sim
