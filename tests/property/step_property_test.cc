// What holds for every program, execution and fact.  STEPWELL_SEED=n runs that seed alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "dsl/dsl.h"
#include "engine/step/key.h"
#include "tests/property/world.h"

namespace stepwell {
namespace {

using testing::Mood;
using testing::random_workflow;
using testing::RandomWorkflow;
using testing::World;
using testing::WorldOptions;

// Runs `check` for many seeds, or for the one of the environment.
template <class Check>
void for_seeds(std::uint64_t count, Check&& check) {
  const char* asked = std::getenv("STEPWELL_SEED");
  const std::uint64_t first = asked != nullptr ? std::strtoull(asked, nullptr, 10) : 1;
  const std::uint64_t last = asked != nullptr ? first : count;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    check(seed);
    if (!::testing::Test::HasFailure()) continue;
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    std::cerr << "replay: STEPWELL_SEED=" << seed
              << " step_property_test --gtest_filter=" << test->test_suite_name() << '.'
              << test->name() << '\n';
    return;
  }
  std::cout << "seeds " << first << " to " << last << '\n';
}

ProgramRef compiled(const RandomWorkflow& workflow) {
  const dsl::Compiled compiled = dsl::compile(workflow.definition.to_json());
  std::string why;
  for (const auto& diagnostic : compiled.diagnostics) {
    if (diagnostic.severity == dsl::Severity::kError) why += diagnostic.message + "\n";
  }
  EXPECT_TRUE(compiled.ok()) << why << workflow.definition.to_pretty_json();
  return compiled.program;
}

// Whether some state of it fails whatever its tasks answer.
bool fails_by_itself(const RandomWorkflow& workflow) {
  const std::string text = workflow.definition.to_json();
  return text.find("\"Fail\"") != std::string::npos || text.find("nowhere") != std::string::npos;
}

std::uint64_t slice_of(std::uint64_t seed) { return seed % 3 == 0 ? 1 + seed % 4 : 10'000; }

TEST(EveryExecution, KeepsItsBooksAndEnds) {
  for_seeds(3000, [](std::uint64_t seed) {
    const RandomWorkflow workflow = random_workflow(seed, Mood::kWild);
    const ProgramRef program = compiled(workflow);
    if (!program) return;
    WorldOptions options;
    options.order_seed = seed;
    options.slice = slice_of(seed);
    World world(*program, workflow.input, options);
    world.start();
    world.run();
    EXPECT_EQ(world.broken(), "") << workflow.definition.to_pretty_json();
    EXPECT_FALSE(world.running()) << "it never ended\n" << workflow.definition.to_pretty_json();
    EXPECT_TRUE(world.fold().same_as(world.execution())) << "the fold differs from the live value";
  });
}

TEST(EveryExecution, ComesOutTheSameInAnyOrderOfParallelWork) {
  for_seeds(1000, [](std::uint64_t seed) {
    const RandomWorkflow workflow = random_workflow(seed, Mood::kMild);
    const ProgramRef program = compiled(workflow);
    if (!program) return;
    std::optional<Value> output;
    for (std::uint64_t order = 1; order <= 4; ++order) {
      WorldOptions options;
      options.mood = Mood::kMild;
      options.order_seed = order * 1000 + seed;
      options.slice = order == 4 ? 1 : 10'000;
      options.duplicate = false;
      World world(*program, workflow.input, options);
      world.start();
      world.run();
      ASSERT_EQ(world.broken(), "") << workflow.definition.to_pretty_json();
      ASSERT_EQ(world.execution().status, ExecutionStatus::kSucceeded)
          << world.execution().cause.value_or("") << workflow.definition.to_pretty_json();
      if (!output) output = world.execution().output;
      ASSERT_EQ(world.execution().output.to_json(), output->to_json()) << "order " << order;
    }
  });
}

TEST(EveryExecution, CanBeStoppedAtAnyTime) {
  for_seeds(1500, [](std::uint64_t seed) {
    const RandomWorkflow workflow = random_workflow(seed, Mood::kWild);
    const ProgramRef program = compiled(workflow);
    if (!program) return;
    WorldOptions options;
    options.order_seed = seed;
    options.slice = slice_of(seed);
    World world(*program, workflow.input, options);
    world.start();
    world.run(Random(seed).below(20));
    const bool was_running = world.running();
    if (was_running) world.stop();
    EXPECT_EQ(world.broken(), "") << workflow.definition.to_pretty_json();
    if (was_running) {
      EXPECT_EQ(world.execution().status, ExecutionStatus::kAborted);
    }
    EXPECT_TRUE(world.fold().same_as(world.execution()));
  });
}

TEST(EveryExecution, CanBeRedrivenUntilItSucceeds) {
  std::uint64_t redriven = 0;
  for_seeds(2000, [&redriven](std::uint64_t seed) {
    const RandomWorkflow workflow = random_workflow(seed, Mood::kWild);
    const ProgramRef program = compiled(workflow);
    if (!program) return;
    const bool may_fail = fails_by_itself(workflow);
    WorldOptions options;
    options.order_seed = seed;
    options.slice = slice_of(seed);
    World world(*program, workflow.input, options);
    world.start();
    world.run(seed % 2 == 0 ? 1000 : Random(seed).below(15));
    if (world.running()) world.stop();
    for (int round = 0; round < 3 && world.execution().status != ExecutionStatus::kSucceeded;
         ++round) {
      if (round == 2) world.be_kind();
      EXPECT_TRUE(world.redrive());
      ++redriven;
      world.run();
    }
    EXPECT_EQ(world.broken(), "") << workflow.definition.to_pretty_json();
    EXPECT_FALSE(world.running());
    if (!may_fail) {
      EXPECT_TRUE(world.execution().status == ExecutionStatus::kSucceeded ||
                  world.execution().status == ExecutionStatus::kTimedOut)
          << world.execution().error.value_or("") << world.execution().cause.value_or("")
          << workflow.definition.to_pretty_json();
    }
    if (world.execution().status == ExecutionStatus::kSucceeded) {
      EXPECT_FALSE(world.redrive()) << "what succeeded is not redriven";
    }
    EXPECT_TRUE(world.fold().same_as(world.execution()));
  });
  std::cout << "redriven " << redriven << " times\n";
}

TEST(EveryExecution, KeepsTheKeysOfItsTasksOverARedriveAndAFold) {
  std::uint64_t compared = 0;
  for_seeds(1500, [&compared](std::uint64_t seed) {
    const RandomWorkflow workflow = random_workflow(seed, Mood::kWild);
    const ProgramRef program = compiled(workflow);
    // What fails in the redrive's own steps takes its siblings with it.
    if (!program || fails_by_itself(workflow)) return;
    WorldOptions options;
    options.order_seed = seed;
    options.slice = slice_of(seed);
    World world(*program, workflow.input, options);
    world.start();
    world.run(Random(seed).below(20));
    if (!world.running()) return;
    const auto before = world.open_keys();
    world.stop();
    EXPECT_TRUE(world.redrive());
    while (world.execution().continuation) {
      world.deliver(Fact{*world.execution().continuation, {}, 0, Continued{}});
    }
    if (!world.running()) return;
    const auto after = world.open_keys();
    EXPECT_TRUE(std::includes(after.begin(), after.end(), before.begin(), before.end()))
        << workflow.definition.to_pretty_json();
    compared += before.size();
    const Execution folded = world.fold();
    for (const Command& command : outstanding(*program, folded)) {
      const auto* task = std::get_if<RunTask>(&command);
      if (task == nullptr) continue;
      EXPECT_TRUE(after.contains(idempotency_key(*program, folded, {}, task->id)));
    }
    EXPECT_EQ(world.broken(), "") << workflow.definition.to_pretty_json();
  });
  EXPECT_GT(compared, 0u);
  std::cout << "compared " << compared << " keys\n";
}

TEST(Snapshots, ThatAreBrokenAreRefused) {
  for_seeds(150, [](std::uint64_t seed) {
    const RandomWorkflow workflow = random_workflow(seed, Mood::kWild);
    const ProgramRef program = compiled(workflow);
    if (!program) return;
    WorldOptions options;
    options.order_seed = seed;
    World world(*program, workflow.input, options);
    world.start();
    world.run(Random(seed).below(10));
    const std::string good = world.execution().encode();
    Random random(seed);
    for (int i = 0; i < 40; ++i) {
      // Cut short: always refused.  A flipped byte: refused or read, never a crash.
      EXPECT_FALSE(Execution::decode(good.substr(0, random.below(good.size()))).ok());
      std::string flipped = good;
      flipped[random.below(flipped.size())] ^= static_cast<char>(1 + random.below(255));
      (void)Execution::decode(flipped).ok();
    }
  });
}

}  // namespace
}  // namespace stepwell
