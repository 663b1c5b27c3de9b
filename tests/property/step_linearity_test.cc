// The cost per item of a Map does not depend on how many there are.  Counted, not timed: by calls
// of operator new, and by the bytes they ask for.
#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>
#include <iostream>
#include <new>

#include "dsl/dsl.h"
#include "engine/step/step.h"

namespace {
std::uint64_t allocations = 0, allocated_bytes = 0;
}  // namespace

// Not inlined: GCC then takes the free() below for one that does not belong to this new.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  allocated_bytes += size;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  allocated_bytes += size;
  return std::malloc(size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace stepwell {
namespace {

struct Cost {
  double allocations = 0, bytes = 0;
};

// A Map of `items` tasks, each answered by a fact of its own.
Cost cost_per_item(const std::string& map_fields, std::uint64_t items,
                   std::uint32_t semantics = kSemantics) {
  const std::string definition = R"({"StartAt":"M","States":{"M":{"Type":"Map","End":true,)" +
                                 map_fields +
                                 R"("ItemProcessor":{"StartAt":"P","States":{
      "P":{"Type":"Pass","Next":"T"},
      "T":{"Type":"Task","Resource":"test.work","End":true}}}}}})";
  const auto compiled = dsl::compile(definition);
  EXPECT_TRUE(compiled.ok());
  if (!compiled.ok()) return {};
  Value::Array array;
  for (std::uint64_t i = 0; i < items; ++i) array.push_back(Object{{"n", i}});
  Started started;
  started.input = std::move(array);
  started.pins.limits.max_payload_bytes = 1u << 30;
  started.pins.semantics = semantics;
  Execution execution;
  const std::uint64_t allocations_before = allocations, bytes_before = allocated_bytes;
  std::deque<Fact> facts{Fact{CommandId{}, Time{}, 0, std::move(started)}};
  std::vector<Command> commands;
  while (!facts.empty()) {
    const Fact fact = std::move(facts.front());
    facts.pop_front();
    commands.clear();
    step(*compiled.program, execution, fact, commands);
    for (Command& command : commands) {
      if (auto* task = std::get_if<RunTask>(&command)) {
        facts.push_back(Fact{task->id, Time{}, task->input_hash, TaskSucceeded{task->input}});
      } else if (auto* go_on = std::get_if<Continue>(&command)) {
        facts.push_back(Fact{go_on->id, Time{}, 0, Continued{}});
      }
    }
  }
  EXPECT_EQ(execution.status, ExecutionStatus::kSucceeded);
  EXPECT_EQ(execution.output.size(), items);
  const auto per = static_cast<double>(items);
  return {static_cast<double>(allocations - allocations_before) / per,
          static_cast<double>(allocated_bytes - bytes_before) / per};
}

class CostOfAMap : public ::testing::TestWithParam<const char*> {};

TEST_P(CostOfAMap, IsTheSamePerItem) {
  // Before semantics 4 any number of iterations may be open at once.
  const Cost few = cost_per_item(GetParam(), 1'000, 3);
  const Cost many = cost_per_item(GetParam(), 100'000, 3);
  std::cout << "per item of 1,000: " << few.allocations << " allocations, " << few.bytes
            << " bytes; of 100,000: " << many.allocations << ", " << many.bytes << '\n';
  EXPECT_LT(many.allocations, few.allocations * 1.2);
  EXPECT_LT(many.bytes, few.bytes * 1.3);
}

TEST_P(CostOfAMap, IsTheSamePerItemWhereTheOpenOnesAreBounded) {
  const Cost few = cost_per_item(GetParam(), 20'000);
  const Cost many = cost_per_item(GetParam(), 100'000);
  EXPECT_LT(many.allocations, few.allocations * 1.2);
  EXPECT_LT(many.bytes, few.bytes * 1.3);
}

INSTANTIATE_TEST_SUITE_P(
    Concurrency, CostOfAMap,
    ::testing::Values("", R"("MaxConcurrency":40,)",
                      R"("MaxConcurrency":8,"ItemSelector":{"v.$":"$$.Map.Item.Value"},)"));

TEST(Snapshot, IsLinearInWhatIsHeld) {
  // A hundred thousand iterations see one large variable: it is written once.
  const auto compiled = dsl::compile(R"({"StartAt":"A","States":{
      "A":{"Type":"Pass","Assign":{"big.$":"$"},"Next":"M"},
      "M":{"Type":"Map","End":true,"ItemProcessor":{"StartAt":"T","States":{
        "T":{"Type":"Task","Resource":"test.work","End":true}}}}}})");
  ASSERT_TRUE(compiled.ok());
  Value::Array array;
  for (int i = 0; i < 10'000; ++i) array.push_back(Object{{"n", i}, {"pad", "0123456789"}});
  Started started;
  started.input = std::move(array);
  started.pins.limits.max_payload_bytes = 1u << 30;
  started.pins.limits.slice_transitions = 100'000;
  started.pins.semantics = 3;  // All of them are open at once.
  Execution execution;
  std::vector<Command> commands;
  step(*compiled.program, execution, Fact{CommandId{}, Time{}, 0, started}, commands);
  ASSERT_EQ(commands.size(), 10'000u);
  const std::size_t input_bytes = started.input.json_size();
  const std::size_t snapshot_bytes = execution.encode().size();
  std::cout << "input " << input_bytes << " bytes, snapshot " << snapshot_bytes << '\n';
  // The input three times over (whole, as items, one by one), and what a frame is besides.
  EXPECT_LT(snapshot_bytes, input_bytes * 3 + 10'000 * 100);
}

}  // namespace
}  // namespace stepwell
