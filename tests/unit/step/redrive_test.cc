// Redrive: what failed runs again, what succeeded keeps its result.
#include "tests/unit/step/driver.h"

namespace stepwell {
namespace {

using testing::Driver;

constexpr const char* kMap = R"({"StartAt":"A","States":{
    "A":{"Type":"Pass","Next":"M"},
    "M":{"Type":"Map","End":true,"ItemProcessor":{"StartAt":"T","States":{
      "T":{"Type":"Task","Resource":"t.t","Next":"U"},
      "U":{"Type":"Task","Resource":"u.u","End":true}}}}}})";

TEST(Redrive, OfAMapRunsOnlyWhatDidNotSucceed) {
  Driver driver(kMap, "[0,1,2]");
  driver.succeed("\"t0\"", 0);  // Now in U.
  driver.succeed("\"u0\"", 2);  // Iteration 0 is done.
  driver.succeed("\"t1\"", 0);  // Iteration 1 is in U.
  driver.fail("Broken", 1);     // There it fails; iteration 2 is aborted in T.
  ASSERT_EQ(driver.end(), "FAILED Broken: because");
  const std::size_t from = driver.history.size();

  ASSERT_TRUE(driver.deliver(CommandId{}, Redriven{}));
  EXPECT_EQ(driver.execution.redrive_count, 1u);
  const RunTask first = driver.open<RunTask>(0), second = driver.open<RunTask>(1);
  EXPECT_EQ(driver.open_count(), 2u);
  EXPECT_EQ(first.resource, "u.u");
  EXPECT_EQ(first.input, Value("t1"));
  EXPECT_EQ(second.resource, "t.t");
  EXPECT_EQ(second.input, Value(2));
  EXPECT_EQ(driver.history[from].type, "ExecutionRedriven");

  driver.succeed("\"u1\"", 0);
  driver.succeed("\"t2\"", 0);
  driver.succeed("\"u2\"", 0);
  EXPECT_EQ(driver.end(), R"(SUCCEEDED ["u0","u1","u2"])");
  EXPECT_FALSE(driver.deliver(CommandId{}, Redriven{})) << "what succeeded is not redriven";
}

// docs/decisions/0021-redrive-keeps-its-program.md
TEST(Redrive, UnderAnotherProgramChangesNothing) {
  Driver driver(R"({"StartAt":"T","States":{"T":{"Type":"Task","Resource":"t.t","End":true}}})",
                "1");
  driver.fail("Broken", 0);
  const std::string before = driver.execution.encode();
  EXPECT_FALSE(driver.deliver(CommandId{}, Redriven{"another"}));
  EXPECT_EQ(driver.execution.encode(), before);
  EXPECT_TRUE(driver.deliver(CommandId{}, Redriven{driver.execution.pins.program_hash}));
}

TEST(Redrive, OfAParallelRunsOnlyTheBranchesThatDidNotSucceed) {
  Driver driver(R"({"StartAt":"P","States":{"P":{"Type":"Parallel","End":true,"Branches":[
      {"StartAt":"A","States":{"A":{"Type":"Task","Resource":"a.a","End":true}}},
      {"StartAt":"B","States":{"B":{"Type":"Task","Resource":"b.b","End":true}}}]}}})");
  driver.succeed("1", 0);
  driver.fail("E", 0);
  ASSERT_TRUE(driver.deliver(CommandId{}, Redriven{}));
  EXPECT_EQ(driver.open_count(), 1u);
  EXPECT_EQ(driver.open<RunTask>().resource, "b.b");
  driver.succeed("2");
  EXPECT_EQ(driver.end(), "SUCCEEDED [1,2]");
}

TEST(Redrive, HasItsRetriesAgain) {
  Driver driver(R"({"StartAt":"T","States":{"T":{"Type":"Task","Resource":"t.t","End":true,
      "Retry":[{"ErrorEquals":["E"],"MaxAttempts":1}]}}})");
  for (int round = 0; round < 3; ++round) {
    driver.fail("E");
    driver.fire();
    EXPECT_EQ(driver.open<RunTask>().attempt, 2u);
    driver.fail("E");
    EXPECT_EQ(driver.end(), "FAILED E: because");
    ASSERT_TRUE(driver.deliver(CommandId{}, Redriven{}));
    EXPECT_EQ(driver.open<RunTask>().attempt, 1u);
  }
}

TEST(Redrive, OfWhatWasStoppedOrTimedOutGoesOnWhereItWas) {
  Driver stopped(kMap, "[0,1]");
  stopped.succeed("\"t0\"", 0);
  ASSERT_TRUE(stopped.deliver(CommandId{}, Stopped{}));
  ASSERT_TRUE(stopped.deliver(CommandId{}, Redriven{}));
  EXPECT_EQ(stopped.open<RunTask>(0).resource, "u.u");
  EXPECT_EQ(stopped.open<RunTask>(1).resource, "t.t");

  Driver late(R"({"StartAt":"T","TimeoutSeconds":5,"States":{
      "T":{"Type":"Task","Resource":"t.t","End":true}}})");
  late.fire();
  ASSERT_EQ(late.end(), "TIMED_OUT");
  ASSERT_TRUE(late.deliver(CommandId{}, Redriven{}));
  EXPECT_EQ(late.open<SetTimer>().due, late.now + Millis(5000)) << "the time begins anew";
  late.succeed("1");
  EXPECT_EQ(late.end(), "SUCCEEDED 1");
}

TEST(Redrive, UnderAnotherProgramIsNotTaken) {
  Driver driver(R"({"StartAt":"F","States":{"F":{"Type":"Fail"}}})");
  EXPECT_FALSE(driver.deliver(CommandId{}, Redriven{"another"}));
  EXPECT_EQ(driver.end(), "FAILED");
}

}  // namespace
}  // namespace stepwell
