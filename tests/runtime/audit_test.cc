// The audit of an execution: what it waits for, and nobody here will answer.
#include <gtest/gtest.h>

#include "dsl/dsl.h"
#include "engine/runtime/owned_execution.h"

namespace stepwell::runtime {
namespace {

constexpr const char* kAll = R"(
TimeoutSeconds: 100
StartAt: Both
States:
  Both:
    Type: Parallel
    Branches:
      - {StartAt: Do, States: {Do: {Type: Task, Resource: test.do, End: true}}}
      - {StartAt: Wait, States: {Wait: {Type: Wait, Seconds: 5, End: true}}}
    End: true
)";
constexpr const char* kLoop = R"(
StartAt: A
States:
  A: {Type: Pass, Next: A}
)";

std::string words(const Command& command) {
  if (const auto* task = std::get_if<RunTask>(&command)) {
    return "run " + std::to_string(task->id.value);
  }
  if (const auto* timer = std::get_if<SetTimer>(&command)) {
    return "set " + std::to_string(timer->id.value);
  }
  if (const auto* go_on = std::get_if<Continue>(&command)) {
    return "go on " + std::to_string(go_on->id.value);
  }
  return "other";
}

// An execution that has just begun, with nobody who runs anything for it.
class Audit : public ::testing::Test {
 protected:
  void begin(const char* workflow) {
    const dsl::Compiled compiled = dsl::compile(workflow);
    ASSERT_TRUE(compiled.ok());
    held_.program = compiled.program;
    std::vector<Command> commands;
    ASSERT_TRUE(
        step(*held_.program, held_.x, Fact{{}, from_unix_ms(1'000'000), 0, Started{}}, commands));
  }
  std::vector<std::string> found() const {
    std::vector<std::string> all;
    for (const Command& command : unattended(held_)) all.push_back(words(command));
    return all;
  }
  OwnedExecution held_;
};

TEST_F(Audit, FindsTasksTimersAndTheTimeoutOfTheWhole) {
  begin(kAll);
  EXPECT_EQ(found(), (std::vector<std::string>{"set 1", "run 2", "set 3"}));
}

TEST_F(Audit, FindsWhatIsMissingAndNothingElse) {
  begin(kAll);
  held_.outstanding[CommandId{1}];
  held_.outstanding[CommandId{2}];
  EXPECT_EQ(found(), (std::vector<std::string>{"set 3"}));
  held_.outstanding[CommandId{3}];
  EXPECT_EQ(found(), std::vector<std::string>{});
}

TEST_F(Audit, FindsThatNobodyGoesOn) {
  begin(kLoop);
  EXPECT_EQ(found(), (std::vector<std::string>{"go on 1"}));
}

}  // namespace
}  // namespace stepwell::runtime
