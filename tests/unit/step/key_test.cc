// Idempotency keys: which runs of a task are the same work (engine/step/key.h).
#include "engine/step/key.h"

#include <algorithm>
#include <set>

#include "tests/unit/step/driver.h"

namespace stepwell {
namespace {

using testing::Driver;
using Keys = std::vector<std::string>;

const ExecutionId kId{*Uuid::parse("0190a5c4-0000-7000-8000-0123456789ab")};

// Of the tasks that are outstanding, in the order of their commands.
Keys keys_of(const Driver& x) {
  Keys keys;
  for (const Command& command : outstanding(*x.program, x.execution)) {
    if (const auto* task = std::get_if<RunTask>(&command)) {
      keys.push_back(idempotency_key(*x.program, x.execution, kId, task->id));
    }
  }
  return keys;
}

std::string key_of(const Driver& x) {
  const Keys keys = keys_of(x);
  EXPECT_EQ(keys.size(), 1u);
  return keys.empty() ? "" : keys.front();
}

bool have_none_in_common(const Keys& a, const Keys& b) {
  std::set<std::string> all(a.begin(), a.end());
  all.insert(b.begin(), b.end());
  return all.size() == a.size() + b.size();
}

// As a new owner finds it: from a snapshot.
void reload(Driver& x) {
  auto decoded = Execution::decode(x.execution.encode());
  ASSERT_TRUE(decoded.ok());
  x.execution = std::move(*decoded);
}

constexpr const char* kRetried = R"({"QueryLanguage": "JSONata", "StartAt": "Charge", "States": {
  "Charge": {"Type": "Task", "Resource": "shop.charge", "End": true,
    "Arguments": {"at": "{% $now() %}", "n": "{% $states.context.State.RetryCount %}",
                  "id": "{% $uuid() %}"},
    "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 3}]}}})";

TEST(Key, IsTheSameAtEveryAttemptWhateverTheArgumentsComeTo) {
  Driver x(kRetried);
  const std::string key = key_of(x);
  std::set<std::uint64_t> hashes{x.open<RunTask>().input_hash};
  for (int attempt = 2; attempt <= 4; ++attempt) {
    ASSERT_TRUE(x.fail("Busy"));
    ASSERT_TRUE(x.fire());
    EXPECT_EQ(key_of(x), key) << "attempt " << attempt;
    hashes.insert(x.open<RunTask>().input_hash);
  }
  EXPECT_EQ(hashes.size(), 4u) << "the arguments are others each time";
}

TEST(Key, DoesNotChange) {
  // Stored by those whom we send it to: a change of these texts is a new semantics.
  Driver x(R"({"StartAt": "A", "States": {
    "A": {"Type": "Task", "Resource": "x.a", "Next": "M"},
    "M": {"Type": "Map", "End": true, "ItemProcessor": {"StartAt": "B", "States": {
      "B": {"Type": "Task", "Resource": "x.b", "End": true}}}}}})");
  EXPECT_EQ(key_of(x), "c1c967e3a0c2ad2be128b5e1bb777d05");
  ASSERT_TRUE(x.succeed("[1,2]"));
  EXPECT_EQ(keys_of(x),
            (Keys{"44c656a631019adb291d9a782e761788", "43e28c08a4f3dda3f79620bee6beaa68"}));
}

TEST(Key, OfOlderSemanticsIsThatOfTheCommandAndItsInput) {
  for (const std::uint32_t semantics : {1u, 2u}) {
    Driver x(R"({"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "t.t", "End": true,
        "Retry": [{"ErrorEquals": ["States.ALL"]}]}}})",
             R"({"a":1})", {}, semantics);
    EXPECT_EQ(key_of(x), "15784e4d7b3fbe8608b4c5ea7e3be057");
    ASSERT_TRUE(x.fail("Busy"));
    ASSERT_TRUE(x.fire());
    reload(x);
    EXPECT_EQ(key_of(x), "15d3ecad769d9e76a2b9396c679a0df3");
  }
}

TEST(Key, IsAnotherInAnotherExecution) {
  const Driver x(kRetried);
  const ExecutionId other{*Uuid::parse("0190a5c4-0000-7000-8000-0123456789ac")};
  EXPECT_NE(idempotency_key(*x.program, x.execution, other, x.open<RunTask>().id), key_of(x));
}

TEST(Key, IsAnotherForEachEntryOfAState) {
  Driver x(R"({"StartAt": "T", "States": {
    "T": {"Type": "Task", "Resource": "t.t", "Next": "Again"},
    "Again": {"Type": "Choice", "Default": "T", "Choices": [
      {"Variable": "$.done", "BooleanEquals": true, "Next": "Done"}]},
    "Done": {"Type": "Succeed"}}})");
  std::set<std::string> keys;
  for (int lap = 0; lap < 5; ++lap) {
    keys.insert(key_of(x));
    if (lap == 2) reload(x);
    ASSERT_TRUE(x.succeed(R"({"done":false})"));
  }
  EXPECT_EQ(keys.size(), 5u);
}

constexpr const char* kMapOfParallels = R"({"StartAt": "M", "States": {
  "M": {"Type": "Map", "End": true, "Retry": [{"ErrorEquals": ["Whole"]}],
    "ItemProcessor": {"StartAt": "P", "States": {
      "P": {"Type": "Parallel", "End": true, "Retry": [{"ErrorEquals": ["Part"]}], "Branches": [
        {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "x.x", "End": true,
          "Retry": [{"ErrorEquals": ["Own"]}]}}},
        {"StartAt": "U", "States": {
          "U": {"Type": "Task", "Resource": "x.x", "End": true}}}]}}}}}})";

TEST(Key, TellsBranchesAndIterationsApart) {
  const Driver x(kMapOfParallels, "[0,1]");
  const Keys keys = keys_of(x);
  EXPECT_EQ(keys.size(), 4u);
  EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()).size(), 4u);
}

TEST(Key, InAMapOrParallelThatIsTriedAgainIsNew) {
  Driver x(kMapOfParallels, "[0,1]");
  const Keys first = keys_of(x);
  ASSERT_TRUE(x.fail("Own", 0));
  ASSERT_TRUE(x.fire());
  Keys own = keys_of(x);  // The command of the one that was tried again is the newest.
  std::rotate(own.begin(), own.end() - 1, own.end());
  EXPECT_EQ(own, first) << "a task that is tried again keeps its key";

  ASSERT_TRUE(x.fail("Part", 0));  // The other branch of iteration 0.
  reload(x);
  ASSERT_TRUE(x.fire());
  const Keys part = keys_of(x);
  ASSERT_EQ(part.size(), 4u);
  EXPECT_EQ((Keys{part[0], part[1]}), (Keys{first[2], first[3]})) << "iteration 1 has gone on";
  EXPECT_TRUE(have_none_in_common({part[2], part[3]}, first));

  ASSERT_TRUE(x.fail("Whole", 0));
  ASSERT_TRUE(x.fire());
  reload(x);
  const Keys whole = keys_of(x);
  ASSERT_EQ(whole.size(), 4u);
  EXPECT_TRUE(have_none_in_common(whole, first));
  EXPECT_TRUE(have_none_in_common(whole, {part[2], part[3]}));
}

TEST(Key, InAGroupThatIsTriedAgainIsNew) {
  Driver x(R"({"StartAt": "A",
    "Groups": {"G": {"States": ["A", "B"], "Retry": [{"ErrorEquals": ["Again"]}]}},
    "States": {
      "A": {"Type": "Task", "Resource": "x.a", "Next": "B"},
      "B": {"Type": "Task", "Resource": "x.b", "End": true,
            "Retry": [{"ErrorEquals": ["Own"]}]}}})");
  std::set<std::string> keys;
  for (int lap = 0; lap < 3; ++lap) {
    keys.insert(key_of(x));
    ASSERT_TRUE(x.succeed("1"));
    const std::string key = key_of(x);
    keys.insert(key);
    ASSERT_TRUE(x.fail("Own"));
    ASSERT_TRUE(x.fire());
    EXPECT_EQ(key_of(x), key) << "the state's own retry";
    ASSERT_TRUE(x.fail("Again"));
    reload(x);
    ASSERT_TRUE(x.fire());
  }
  EXPECT_EQ(keys.size(), 6u);
}

TEST(Key, IsKeptByARedrive) {
  Driver x(R"({"StartAt": "A", "States": {
    "A": {"Type": "Task", "Resource": "x.a", "Next": "B"},
    "B": {"Type": "Task", "Resource": "x.b", "End": true}}})");
  ASSERT_TRUE(x.succeed("1"));
  const std::string key = key_of(x);
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(x.fail("Broken"));
    ASSERT_TRUE(x.deliver(CommandId{}, Redriven{}));
    EXPECT_EQ(key_of(x), key);
    reload(x);
  }
}

TEST(Key, OfWhatIsLeftInAMapIsKeptByARedrive) {
  Driver x(kMapOfParallels, "[0,1,2]");
  const Keys first = keys_of(x);
  ASSERT_TRUE(x.succeed("1", 0));
  ASSERT_TRUE(x.fail("Broken", 2));  // In iteration 1: all that runs is halted.
  ASSERT_EQ(x.end(), "FAILED Broken: because");
  ASSERT_TRUE(x.deliver(CommandId{}, Redriven{}));
  EXPECT_EQ(keys_of(x), Keys(first.begin() + 1, first.end()));
}

TEST(Key, IsKeptWhenItIsStoppedBetweenTwoAttempts) {
  Driver task(kRetried);
  const std::string key = key_of(task);
  ASSERT_TRUE(task.fail("Busy"));
  ASSERT_TRUE(task.deliver(CommandId{}, Stopped{}));
  ASSERT_TRUE(task.deliver(CommandId{}, Redriven{}));
  EXPECT_EQ(key_of(task), key);

  Driver map(kMapOfParallels, "[0]");
  const Keys first = keys_of(map);
  ASSERT_TRUE(map.fail("Whole", 1));
  ASSERT_TRUE(map.deliver(CommandId{}, Stopped{}));
  ASSERT_TRUE(map.deliver(CommandId{}, Redriven{}));
  EXPECT_TRUE(have_none_in_common(keys_of(map), first)) << "the run that failed is over";
}

TEST(Key, OfAStateThatWasNotYetEnteredCountsItOnce) {
  constexpr const char* kThree = R"({"StartAt": "A", "States": {
    "A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "T"},
    "T": {"Type": "Task", "Resource": "t.t", "End": true}}})";
  const Driver straight(kThree);
  Limits one;
  one.slice_transitions = 1;
  Driver stopped(kThree, "{}", one);
  ASSERT_TRUE(stopped.deliver(CommandId{}, Stopped{}));
  ASSERT_TRUE(stopped.deliver(CommandId{}, Redriven{}));
  while (stopped.execution.continuation) {
    ASSERT_TRUE(stopped.deliver(*stopped.execution.continuation, Continued{}));
  }
  EXPECT_EQ(key_of(stopped), key_of(straight));
}

}  // namespace
}  // namespace stepwell
