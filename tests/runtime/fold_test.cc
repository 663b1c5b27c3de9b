// What a fold does with a store that does not give it what was written.
#include "tests/runtime/tampered_store.h"
#include "tests/runtime/world.h"

namespace stepwell::runtime {
namespace {

class Fold : public World {
 protected:
  // An execution that stands in its second step, and that nobody owns.
  std::string in_its_second_step() {
    auto first = engine(tasks_);
    deploy(*first, "two", kTwoSteps);
    const std::string id = start(*first, "two");
    tasks_->next().done(TaskSucceeded{Value("one")});
    EXPECT_EQ(tasks_->next().call.input.to_json(), "\"one\"");
    first->stop();
    return id;
  }
  std::unique_ptr<BlockingEngine> tampered_engine() {
    return engine_on(std::make_shared<TamperedStore>(store_, tampering_), tasks_);
  }

  std::shared_ptr<ManualTasks> tasks_ =
      std::make_shared<ManualTasks>(std::vector<std::string>{"test.first", "test.second"});
  Tampering tampering_;
};

TEST_F(Fold, OfASnapshotThatCannotBeReadReadsTheJournal) {
  const std::string id = in_its_second_step();
  tampering_.claimed = [](store::ClaimResult& result) {
    for (store::Claimed& claimed : result.claimed) {
      claimed.snapshot = "of another release";
      claimed.snapshot_seq = claimed.journal.back().seq;
      claimed.journal.clear();
    }
  };
  auto second = tampered_engine();
  auto again = tasks_->next();
  EXPECT_EQ(again.call.input.to_json(), "\"one\"");
  again.done(TaskSucceeded{Value("two")});
  EXPECT_EQ(outcome(ended(*second, id)), "SUCCEEDED \"two\"");
}

TEST_F(Fold, OfAJournalWithAGapIsKeptFromRunning) {
  const std::string id = in_its_second_step();
  tampering_.claimed = [](store::ClaimResult& result) {
    for (store::Claimed& claimed : result.claimed) claimed.journal.erase(claimed.journal.begin());
  };
  auto second = tampered_engine();
  EXPECT_EQ(ended(*second, id).quarantined, "fact 1 is missing");
  EXPECT_EQ(journal(id).size(), 2u);
}

// The end of the facts reached the store, and that of the row did not.
TEST_F(Fold, OfAnExecutionWhoseFactsHaveEndedEndsItsRow) {
  auto idle = idle_engine();
  deploy(*idle, "pass", "StartAt: P\nStates: {P: {Type: Pass, Result: 7, End: true}}");
  const std::string id = start(*idle, "pass");
  auto one = engine();
  EXPECT_EQ(outcome(ended(*one, id)), "SUCCEEDED 7");
}

TEST_F(Fold, KeepsWhenAServerWantsToBeAskedAgain) {
  auto one = engine(tasks_);
  deploy(*one, "asks", R"(
StartAt: First
States:
  First:
    Type: Task
    Resource: test.first
    Retry: [{ErrorEquals: [States.ALL], IntervalSeconds: 1, MaxAttempts: 1, RetryAfter: HONOR}]
    End: true
)");
  const std::string id = start(*one, "asks");
  tasks_->next().done(TaskFailed{"Slow", "down", Millis(3'600'000)});
  eventually("it is parked", [&] { return !row(id).owner; });
  const store::JournalRow failed = journal(id).at(1);
  EXPECT_EQ(failed.payload, R"({"error":"Slow","cause":"down","retry_after_ms":3600000})");
  EXPECT_EQ(*row(id).wake_at - failed.at, Millis(3'600'000));
}

}  // namespace
}  // namespace stepwell::runtime
