// What a lane owns, holds and may do: the rules of the protocol that live in the runtime.
#include <set>
#include <thread>

#include "tests/runtime/tampered_store.h"
#include "tests/runtime/world.h"

namespace stepwell::runtime {
namespace {

constexpr const char* kSlow = R"(
StartAt: Slow
States:
  Slow: {Type: Task, Resource: test.slow, End: true}
)";
constexpr const char* kSleep = R"(
StartAt: Sleep
States:
  Sleep: {Type: Wait, Seconds: 3600, End: true}
)";

class Ownership : public World {
 protected:
  Ownership() { settings_.lanes = 1; }
  std::unique_ptr<BlockingEngine> tampered_engine(std::shared_ptr<TaskHandler> tasks) {
    return engine_on(std::make_shared<TamperedStore>(store_, tampering_), std::move(tasks));
  }
  static std::shared_ptr<ManualTasks> slow_tasks() {
    return std::make_shared<ManualTasks>(std::vector<std::string>{"test.slow"});
  }
  Tampering tampering_;
};

// R12: the answer was accepted before the deadline; nobody was there to take it up in time.
TEST_F(Ownership, BeginsWithWhatWasDeliveredNotWithTheTimersThatAreDue) {
  auto one = engine();
  deploy(*one, "sleep", kSleep);
  const std::string id = start(*one, "sleep");
  eventually("it is parked", [&] { return !row(id).owner; });
  one.reset();
  EXPECT_TRUE(idle_engine()->stop_execution(id, "Before", "the timer"));
  pass(Millis(7'200'000));
  auto two = engine();
  EXPECT_EQ(outcome(ended(*two, id)), "ABORTED Before: the timer");
}

// What the first lane of a process gives back when it stops, none of its siblings takes up: a task
// would begin a second time, in a process that is about to be gone.
TEST_F(Ownership, IsNotTakenUpByASiblingThatIsAboutToStop) {
  settings_.lanes = 2;
  std::vector<Uuid> lanes;
  std::promise<void> claims, gave_back;
  std::atomic<bool> is_held_up{false};
  tampering_.opened = [&](Uuid writer) { lanes.push_back(writer); };
  tampering_.before_claim = [&](Uuid writer) {
    if (writer != lanes.back() || !is_held_up.exchange(false)) return;
    claims.set_value();  // The second lane; the first one has the time to stop, if it is going to.
    gave_back.get_future().wait_for(Millis(200));
  };
  auto tasks = slow_tasks();
  std::size_t started = 0;
  tampering_.closed = [&](Uuid writer) {
    if (writer != lanes.front()) return;
    gave_back.set_value();  // The second lane has the time to begin what it takes up.
    const auto until = std::chrono::steady_clock::now() + Millis(200);
    while (tasks->begun() == started && std::chrono::steady_clock::now() < until) {
      std::this_thread::yield();
    }
  };
  auto one = tampered_engine(tasks);
  deploy(*one, "slow", kSlow);
  std::string id, of_the_second;
  for (std::set<Uuid> owners; owners.size() < 2; ++started) {  // Until both lanes have some.
    id = start(*one, "slow");
    tasks->next();
    const Uuid owner = row(id).owner.value();
    owners.insert(owner);
    if (owner == lanes.back()) of_the_second = id;
  }
  is_held_up = true;
  EXPECT_TRUE(one->stop_execution(of_the_second, "", ""));  // Makes all lanes claim.
  claims.get_future().wait();
  one.reset();
  EXPECT_EQ(tasks->begun(), started);
}

// R14: the store has committed a start, and the lane has not heard of it.
TEST_F(Ownership, IsNotReconciledBetweenAStartAndItsAcknowledgement) {
  settings_.reconcile_period = Millis(1);
  settings_.upkeep_period = Millis(1);
  std::promise<void> committed, go_on;
  std::atomic<int> starts{0}, later_batches{0};
  tampering_.before_ack = [&](const store::Batch& batch) {
    if (batch.starts.empty() || starts.fetch_add(1) != 0) return void(++later_batches);
    committed.set_value();
    go_on.get_future().wait();
  };
  auto tasks = slow_tasks();
  auto one = tampered_engine(tasks);
  deploy(*one, "slow", kSlow);
  auto started = std::async(std::launch::async, [&] { return start(*one, "slow", "1"); });
  committed.get_future().wait();
  // The lane makes its list of what it holds, many times over.
  const auto later = std::chrono::steady_clock::now() + Millis(50);
  eventually("lists are made", [&] { return std::chrono::steady_clock::now() > later; });
  EXPECT_EQ(tasks->begun(), 0u) << "nothing leaves before the acknowledgement";
  go_on.set_value();
  auto begun = tasks->next();
  EXPECT_TRUE(row(started.get()).owner);
  begun.done(TaskSucceeded{Value(2)});
  EXPECT_EQ(outcome(ended(*one, begun.call.execution.text())), "SUCCEEDED 2");
  EXPECT_EQ(one->async().counters().reconciled, 0u);
  EXPECT_EQ(one->async().counters().lost, 0u);
}

TEST_F(Ownership, OfWhatNobodyHoldsIsGivenBack) {
  settings_.reconcile_period = Millis(10);
  bool is_lost = false;
  tampering_.claimed = [&](store::ClaimResult& result) {
    if (result.claimed.empty() || std::exchange(is_lost, true)) return;
    result.claimed.clear();  // The store gave it to this lane, and the lane never learns.
  };
  auto one = tampered_engine(slow_tasks());
  deploy(*one, "slow", kSlow);
  const auto caller = idle_engine();  // Runs no lanes: what it starts is due.
  one.reset();
  const std::string id = start(*caller, "slow", "1");
  auto tasks = slow_tasks();
  one = tampered_engine(tasks);
  auto begun = tasks->next();
  EXPECT_TRUE(is_lost);
  EXPECT_EQ(begun.call.execution.text(), id);
  begun.done(TaskSucceeded{Value(2)});
  EXPECT_EQ(outcome(ended(*one, id)), "SUCCEEDED 2");
  EXPECT_EQ(one->async().counters().reconciled, 1u);
}

// A seed of the simulation: the database was away while an execution was being parked, its timer
// became due meanwhile, and the lane wrote for what it owned no longer.
TEST_F(Ownership, EndsWhenAParkIsStagedWhateverBecomesDueUntilItLands) {
  Gate park;
  std::atomic<bool> is_parking{false}, is_claimed{false};
  std::atomic<int> looks{0}, facts{0};
  tampering_.before_commit = [&](const store::Batch& batch) -> Status {
    if (!batch.parks.empty() && !is_parking.exchange(true)) park.pass();
    if (is_parking && !is_claimed) facts += static_cast<int>(batch.facts.size());
    return ok_status();
  };
  tampering_.claimed = [&](store::ClaimResult& result) {
    if (!result.claimed.empty()) is_claimed = true;
  };
  tampering_.before_look = [&]() -> Status {
    ++looks;
    return ok_status();
  };
  auto one = tampered_engine(slow_tasks());
  deploy(*one, "sleep", kSleep);
  const std::string id = start(*one, "sleep");
  park.wait();
  pass(Millis(7'200'000));
  const int from = looks;
  eventually("the lane knows the time", [&] { return looks > from + 20; });
  park.open();
  EXPECT_EQ(outcome(ended(*one, id)), "SUCCEEDED {}");
  one->stop();
  EXPECT_EQ(facts, 0) << "it was given back";
  EXPECT_EQ(one->async().counters().lost, 0u);
}

TEST_F(Ownership, OfALeaseThatRunsOutStartsNoSideEffectAndClaimsNothing) {
  std::atomic<int> used_percent{0}, last_limit{-1};
  tampering_.age = [&](Millis) { return settings_.lease * used_percent.load() / 100; };
  tampering_.on_claim = [&](const store::ClaimRequest& request) {
    last_limit = static_cast<int>(request.limit);
  };
  auto tasks = slow_tasks();
  auto one = tampered_engine(tasks);
  deploy(*one, "slow", kSlow);
  used_percent = 85;
  const auto caller = idle_engine();  // Runs no lanes.
  const std::string due = start(*caller, "slow", "0");
  eventually("it claims nothing any more", [&] { return last_limit == 0; });
  const std::string id = start(*one, "slow", "1");
  eventually("its task is held back", [&] { return one->async().counters().held_back > 3; });
  EXPECT_EQ(tasks->begun(), 0u);
  used_percent = 75;
  auto begun = tasks->next();
  EXPECT_EQ(last_limit, 0) << "70 % is where claiming ends";
  used_percent = 10;
  eventually("it claims again", [&] { return last_limit > 0; });
  begun.done(TaskSucceeded{Value(2)});
  EXPECT_EQ(outcome(ended(*one, id)), "SUCCEEDED 2");
  tasks->next().done(TaskSucceeded{Value(3)});
  EXPECT_EQ(outcome(ended(*one, due)), "SUCCEEDED 3");
}

// A seed of the simulation: the database was away just when the lane asked, and it asked no more,
// because it held nothing and claimed nothing.
TEST_F(Ownership, OfWhatNobodyHoldsIsGivenBackWhenTheFirstQuestionIsLost) {
  settings_.reconcile_period = Millis(10);
  bool is_lost = false, is_away = true;
  tampering_.claimed = [&](store::ClaimResult& result) {
    if (result.claimed.empty() || std::exchange(is_lost, true)) return;
    result.claimed.clear();
  };
  tampering_.on_owned = [&]() -> Status {
    if (!is_lost || !std::exchange(is_away, false)) return ok_status();
    return Error{ErrorCode::kUnavailable, "away"};
  };
  auto tasks = slow_tasks();
  auto one = tampered_engine(tasks);
  deploy(*one, "slow", kSlow);
  const auto caller = idle_engine();
  const std::string id = start(*caller, "slow", "1");
  auto begun = tasks->next();
  EXPECT_FALSE(is_away);
  begun.done(TaskSucceeded{Value(2)});
  EXPECT_EQ(outcome(ended(*one, id)), "SUCCEEDED 2");
}

// The lease had ended and was renewed: the lane asks by itself whether it is let in still.
TEST_F(Ownership, OfALeaseThatHadEndedGoesOnOnceAClaimIsAnswered) {
  std::atomic<std::uint64_t> lapses{0};
  std::atomic<bool> is_held_back{false};
  tampering_.lapses = [&] { return lapses.load(); };
  tampering_.on_claim = [&](const store::ClaimRequest&) {
    if (!is_held_back) ++lapses;  // Once more, so that this claim says nothing.
  };
  auto tasks = slow_tasks();
  auto one = tampered_engine(tasks);
  deploy(*one, "slow", kSlow);
  ++lapses;
  const std::string id = start(*one, "slow", "1");
  eventually("it is held back", [&] { return one->async().counters().held_back > 0; });
  EXPECT_EQ(tasks->begun(), 0u);
  is_held_back = true;
  tasks->next().done(TaskSucceeded{Value(2)});
  EXPECT_EQ(outcome(ended(*one, id)), "SUCCEEDED 2");
}

// A fold that was under way when the writer was marked dead is of no use to the next one, though
// that claims the same execution: it has gone on elsewhere meanwhile.
TEST_F(Ownership, ByANewWriterBeginsWithAFoldOfItsOwn) {
  Gate folds[2], second_writer;
  std::atomic<int> programs{0}, writers{1};
  std::atomic<bool> is_dead{false};
  tampering_.on_program = [&] {
    if (const int number = programs++; number < 2) folds[number].pass();
  };
  tampering_.on_claim = [&](const store::ClaimRequest&) {
    if (writers == 2 && writers++ == 2) second_writer.pass();
  };
  tampering_.is_dead = [&] { return is_dead.exchange(false) && ++writers == 2; };
  auto one = engine();
  deploy(*one, "two", kTwoSteps);
  deploy(*one, "slow", kSlow);
  const auto caller = idle_engine();  // Runs no lanes.
  one.reset();
  auto tasks = std::make_shared<ManualTasks>(std::vector<std::string>{"test.first", "test.second"});
  auto cut_off = tampered_engine(tasks);
  const std::string id = start(*caller, "two");
  folds[0].wait();
  const std::string slow = start(*caller, "slow");
  folds[1].wait();  // Now both threads that fold are busy: the next fold comes after these.
  is_dead = true;
  EXPECT_TRUE(caller->stop_execution(slow, "Stop", "so that the lane claims"));
  second_writer.wait();
  EXPECT_EQ(cut_off->async().counters().fenced, 1u);
  auto others = std::make_shared<ManualTasks>(tasks->resources());
  auto other = engine(others);
  others->next().done(TaskSucceeded{Value(1)});
  EXPECT_EQ(others->next().call.resource, "test.second");
  other.reset();
  second_writer.open();
  eventually("it is claimed again", [&] { return cut_off->async().counters().claimed == 3; });
  folds[0].open();
  auto begun = tasks->next();
  EXPECT_EQ(begun.call.resource, "test.second");
  begun.done(TaskSucceeded{Value(2)});
  EXPECT_EQ(outcome(ended(*cut_off, id)), "SUCCEEDED 2");
  EXPECT_EQ(cut_off->async().counters().lost, 0u);
  folds[1].open();
}

// R16: an execution runs under the program it began with, whatever was deployed since.
TEST_F(Ownership, KeepsTheProgramOfTheStartAcrossOwners) {
  auto tasks = slow_tasks();
  auto one = engine(tasks);
  deploy(*one, "slow", kSlow);
  const std::string id = start(*one, "slow", "1");
  tasks->next();
  deploy(*one, "slow", "StartAt: New\nStates:\n  New: {Type: Pass, Result: new, End: true}\n");
  one.reset();
  auto two = engine(tasks);
  tasks->next().done(TaskSucceeded{Value("old")});
  EXPECT_EQ(outcome(ended(*two, id)), "SUCCEEDED \"old\"");
  EXPECT_EQ(outcome(ended(*two, start(*two, "slow"))), "SUCCEEDED \"new\"");
}

}  // namespace
}  // namespace stepwell::runtime
