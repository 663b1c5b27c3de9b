// Executions from start to end: names, stops, redrives, timeouts, and owners that change.
#include <map>

#include "tests/runtime/world.h"

namespace stepwell::runtime {
namespace {

constexpr const char* kPure = R"(
StartAt: One
States:
  One: {Type: Pass, Result: {"a": 1}, Next: Two}
  Two: {Type: Succeed}
)";
constexpr const char* kTimed = R"(
StartAt: Slow
States:
  Slow: {Type: Task, Resource: test.slow, TimeoutSeconds: 1, End: true}
)";
constexpr const char* kBeating = R"(
StartAt: Slow
States:
  Slow:
    Type: Task
    Resource: test.slow
    TimeoutSeconds: 3600
    HeartbeatSeconds: 1
    Catch: [{ErrorEquals: [States.HeartbeatTimeout], Next: Silent}]
    End: true
  Silent: {Type: Pass, Result: silent, End: true}
)";
constexpr const char* kForever = R"(
StartAt: A
States:
  A: {Type: Pass, Next: A}
)";
constexpr const char* kTaskAndForever = R"(
StartAt: First
States:
  First: {Type: Task, Resource: test.first, Next: A}
  A: {Type: Pass, Next: A}
)";
constexpr const char* kMap = R"(
StartAt: Each
States:
  Each:
    Type: Map
    MaxConcurrency: 3
    ItemProcessor: {StartAt: Do, States: {Do: {Type: Task, Resource: test.slow, End: true}}}
    End: true
)";

class Executions : public World {};

TEST_F(Executions, RunToTheirEnd) {
  auto one = engine();
  deploy(*one, "echo", kEcho);
  deploy(*one, "pure", kPure);
  EXPECT_EQ(outcome(ended(*one, start(*one, "echo", R"({"x": [1.0, "é"]})"))),
            R"(SUCCEEDED {"x":[1.0,"é"]})");
  EXPECT_EQ(outcome(ended(*one, start(*one, "pure"))), R"(SUCCEEDED {"a":1})");
}

TEST_F(Executions, BeginOnlyWithAnInputThatFitsTheSchema) {
  auto one = engine();
  deploy(*one, "typed", "InputSchema: {type: array, items: {type: string}}\n" + std::string(kPure));
  const auto refused = one->start("typed", R"(["a",1])", {.name = "n"});
  EXPECT_EQ(refused.code, Code::kInvalid);
  EXPECT_EQ(refused.error,
            "the input does not fit the workflow's InputSchema (line 1): /1 must be a string, not "
            "the number 1");
  EXPECT_TRUE(one->start("typed", R"(["a"])", {.name = "n"}));
}

TEST_F(Executions, KeepTheirInputAsItWasWritten) {
  auto one = engine();
  deploy(*one, "pure", kPure);
  EXPECT_EQ(ended(*one, start(*one, "pure", R"({ "x" : 1e2 })")).input, R"({ "x" : 1e2 })");
}

TEST_F(Executions, OfOneNameAreStartedOnce) {
  auto one = engine();
  deploy(*one, "echo", kEcho);
  const std::string id = start(*one, "echo", R"({"x":1})", "n");
  const auto same = one->start("echo", R"({ "x": 1 })", {.name = "n"});
  EXPECT_EQ(same.value.id, id) << same.error;
  EXPECT_TRUE(same.value.existed);
  const auto other = one->start("echo", R"({"x":2})", {.name = "n"});
  EXPECT_EQ(other.code, Code::kConflict);
  EXPECT_EQ(other.error, "an execution of echo named \"n\" exists with another input: " + id);
  EXPECT_EQ(outcome(ended(*one, id)), R"(SUCCEEDED {"x":1})");
  EXPECT_EQ(one->list("echo", "", 10).value.size(), 1u);
}

TEST_F(Executions, SayWhatIsWrongWithAStart) {
  options_.max_payload_bytes = 100;
  auto one = engine();
  deploy(*one, "echo", kEcho);
  EXPECT_EQ(one->start("nothing", "{}").code, Code::kNotFound);
  EXPECT_EQ(one->start("echo", "{").code, Code::kInvalid);
  EXPECT_EQ(one->start("echo", '"' + std::string(100, 'x') + '"').code, Code::kTooLarge);
  EXPECT_EQ(one->describe("nonsense").error, "\"nonsense\" is not an execution id");
}

// A limit is pinned by the start: what the next engine says is for those it starts.
TEST_F(Executions, KeepTheLimitsOfTheirStart) {
  const std::string large = '"' + std::string(300'000, 'x') + '"';
  auto tasks = std::make_shared<ManualTasks>(std::vector<std::string>{"test.first", "test.second"});
  options_.max_payload_bytes = 1'000'000;
  auto roomy = engine(tasks);
  deploy(*roomy, "two", kTwoSteps);
  const std::string id = start(*roomy, "two");
  tasks->next();
  roomy.reset();
  options_.max_payload_bytes = Options{}.max_payload_bytes;
  auto usual = engine(tasks);
  tasks->next().done(TaskSucceeded{Value(std::string(300'000, 'x'))});
  tasks->next().done(TaskSucceeded{Value(std::string(300'000, 'x'))});
  EXPECT_EQ(outcome(ended(*usual, id)), "SUCCEEDED " + large);
  const std::string next = start(*usual, "two");
  tasks->next().done(TaskSucceeded{Value(std::string(300'000, 'x'))});
  EXPECT_EQ(outcome(ended(*usual, next)),
            "FAILED States.DataLimitExceeded: The state/task 'test' returned a result with a size "
            "exceeding the maximum number of bytes service limit.");
}

TEST_F(Executions, HaveABudgetOfStates) {
  options_.max_transitions = 1'000;
  auto one = engine();
  deploy(*one, "forever", kForever);
  const ExecutionView view = ended(*one, start(*one, "forever"));
  EXPECT_EQ(view.status, "FAILED");
  EXPECT_EQ(view.cause.value_or(""),
            "An error occurred while executing the state 'A' (entered at the event id #2000). The "
            "execution entered more states than its budget of 1000.");
}

// There is always a fact under way of one that never rests; it goes on where the next one finds it.
TEST_F(Executions, ThatNeverRestHoldUpNoStop) {
  auto tasks = std::make_shared<ManualTasks>(std::vector<std::string>{"test.first"});
  auto one = engine(tasks);
  deploy(*one, "forever", kTaskAndForever);
  std::vector<std::string> ids;
  std::vector<ManualTasks::Begun> begun;
  for (int i = 0; i < 500; ++i) {
    ids.push_back(start(*one, "forever"));
    begun.push_back(tasks->next());
  }
  const std::size_t rows = store_->journal_rows();
  for (ManualTasks::Begun& task : begun) task.done(TaskSucceeded{Value()});
  eventually("they go on", [&] { return store_->journal_rows() > rows + 2 * ids.size(); });
  auto stopped = std::async(std::launch::async, [&] { one.reset(); });
  EXPECT_EQ(stopped.wait_for(kPatience), std::future_status::ready);
  for (const std::string& id : ids) {
    EXPECT_EQ(row(id).status, ExecutionStatus::kRunning);
    EXPECT_FALSE(row(id).owner);
  }
}

TEST_F(Executions, AreStoppedWhileATaskRuns) {
  auto tasks = std::make_shared<ManualTasks>(std::vector<std::string>{"test.first"});
  auto one = engine(tasks);
  deploy(*one, "two", kTwoSteps);
  const std::string id = start(*one, "two");
  auto begun = tasks->next();
  // What the database would refuse at the end is refused now.
  const std::string nul("a\0b", 3);
  EXPECT_EQ(one->stop_execution(id, nul, "").error,
            "the error of a stop is not UTF-8 text without NUL");
  EXPECT_EQ(one->stop_execution(id, "", "\xff").error,
            "the cause of a stop is not UTF-8 text without NUL");
  EXPECT_EQ(one->stop_execution(id, std::string(257, 'x'), "").error,
            "the error of a stop is longer than 256 bytes");
  EXPECT_TRUE(one->stop_execution(id, "Operator", "enough"));
  EXPECT_EQ(outcome(ended(*one, id)), "ABORTED Operator: enough");
  EXPECT_EQ(tasks->cancelled(), 1u);
  begun.done(TaskSucceeded{Value("too late")});
  EXPECT_EQ(one->stop_execution(id, "", "").code, Code::kConflict);
  EXPECT_EQ(outcome(ended(*one, id)), "ABORTED Operator: enough");
}

TEST_F(Executions, AreRedrivenFromWhereTheyFailed) {
  auto tasks = std::make_shared<ManualTasks>(std::vector<std::string>{"test.first", "test.second"});
  auto one = engine(tasks);
  deploy(*one, "two", kTwoSteps);
  const std::string id = start(*one, "two");
  tasks->next().done(TaskSucceeded{Value(1)});
  tasks->next().done(TaskFailed{"Bad", "luck", {}});
  EXPECT_EQ(outcome(ended(*one, id)), "FAILED Bad: luck");
  EXPECT_TRUE(one->redrive(id));
  auto again = tasks->next();
  EXPECT_EQ(again.call.resource, "test.second");
  again.done(TaskSucceeded{Value(2)});
  const ExecutionView view = ended(*one, id);
  EXPECT_EQ(outcome(view), "SUCCEEDED 2");
  EXPECT_EQ(view.redrive_count, 1u);
  EXPECT_EQ(one->redrive(id).code, Code::kConflict);
}

TEST_F(Executions, TimeATaskOut) {
  auto tasks = std::make_shared<ManualTasks>(std::vector<std::string>{"test.slow"});
  auto one = engine(tasks);
  deploy(*one, "timed", kTimed);
  const std::string id = start(*one, "timed");
  auto begun = tasks->next();
  EXPECT_EQ(begun.call.timeout, Millis(1000));
  EXPECT_EQ(outcome(ended(*one, id)), "FAILED States.Timeout: -");
  EXPECT_EQ(tasks->cancelled(), 1u);
  begun.done(TaskSucceeded{Value("too late")});
  EXPECT_EQ(outcome(ended(*one, id)), "FAILED States.Timeout: -");
}

TEST_F(Executions, TimeATaskOutThatIsSilentForTooLong) {
  auto tasks = std::make_shared<ManualTasks>(std::vector<std::string>{"test.slow"});
  auto one = engine(tasks);
  deploy(*one, "beating", kBeating);
  const std::string id = start(*one, "beating");
  auto begun = tasks->next();
  EXPECT_EQ(begun.call.heartbeat, Millis(1000));
  const auto later = std::chrono::steady_clock::now() + Millis(1500);
  eventually("it outlives its first second", [&] {
    begun.call.beat();
    return std::chrono::steady_clock::now() > later;
  });
  EXPECT_EQ(row(id).status, ExecutionStatus::kRunning);
  EXPECT_EQ(tasks->cancelled(), 0u);
  EXPECT_EQ(outcome(ended(*one, id)), "SUCCEEDED \"silent\"");
  EXPECT_EQ(tasks->cancelled(), 1u);
  begun.call.beat();  // Of no consequence any more.
}

// A handler's answer is the fact: nothing is added to it, and nothing lost.
TEST_F(Executions, KeepInTheirJournalWhatAHandlerAnswers) {
  auto tasks = std::make_shared<ManualTasks>(std::vector<std::string>{"test.slow"});
  auto one = engine(tasks);
  deploy(*one, "map", kCatchingMap);
  const TaskResult answers[] = {
      TaskSucceeded{Value(Object{{"n", 1.5}})},
      TaskFailed{"Stepwell.DataRefused", "of its own", Millis(1'500)},
      TaskFailed{"Stepwell.DataRefused", std::nullopt, std::nullopt},
      TaskFailed{std::nullopt, "", Millis(0)},
  };
  const std::string id = start(*one, "map", "[0,1,2,3]");
  std::vector<ManualTasks::Begun> begun;
  for (std::size_t i = 0; i < std::size(answers); ++i) begun.push_back(tasks->next());
  for (std::size_t i = 0; i < std::size(answers); ++i) {
    begun[i].done(answers[i]);
    eventually("it is in the journal", [&] { return journal(id).size() == i + 2; });
    const store::JournalRow fact = journal(id).back();
    const Fact answered{begun[i].call.command, {}, 0, body_of(answers[i])};
    EXPECT_EQ(fact.kind, answered.kind());
    EXPECT_EQ(fact.command, answered.command);
    EXPECT_EQ(fact.payload, encode_payload(answered.body));
  }
}

TEST_F(Executions, FailWhereATaskAnswersWhatCannotBeStored) {
  auto tasks = std::make_shared<ManualTasks>(std::vector<std::string>{"test.first", "test.slow"});
  auto one = engine(tasks);
  deploy(*one, "two", kTwoSteps);
  const std::string id = start(*one, "two");
  tasks->next().done(TaskFailed{"Bad", std::string("lu\0ck", 5), {}});
  EXPECT_EQ(
      outcome(ended(*one, id)),
      "FAILED Stepwell.DataRefused: the task's answer cannot be stored: cause contains a NUL, "
      "which the database cannot hold");
  EXPECT_EQ(row(id).quarantined, "");
  EXPECT_EQ(journal(id).size(), 2u);
}

// What its other branches had staged meanwhile goes on from facts that are not there.
TEST_F(Executions, OfWhichOneAnswerCannotBeStoredRunTheOthersAgain) {
  auto tasks = std::make_shared<ManualTasks>(std::vector<std::string>{"test.slow"});
  auto one = engine(tasks);
  deploy(*one, "map", kCatchingMap);
  const std::string id = start(*one, "map", "[0,1,2,3,4,5,6,7]");
  std::vector<ManualTasks::Begun> begun;
  for (int i = 0; i < 8; ++i) begun.push_back(tasks->next());
  for (auto& one_of_them : begun) {
    const bool is_bad = one_of_them.call.input == Value(3);
    one_of_them.done(is_bad ? TaskResult(TaskSucceeded{Value(std::string("\xff\xfe"))})
                            : TaskResult(TaskSucceeded{one_of_them.call.input}));
  }
  std::size_t answered = 0;
  eventually("it ends", [&] {
    for (; answered < tasks->begun() - 8; ++answered) {
      auto again = tasks->next();
      EXPECT_NE(again.call.input, Value(3)) << "it failed";
      again.done(TaskSucceeded{again.call.input});
    }
    return row(id).status != ExecutionStatus::kRunning;
  });
  EXPECT_EQ(outcome(ended(*one, id)), R"(SUCCEEDED [0,1,2,"refused",4,5,6,7])");
}

// What the n-th item answers cannot be stored, from its n-th run on; before that it is silent.
class Garbling : public TaskHandler {
 public:
  bool serves(const std::string& resource) const override { return resource == "test.slow"; }
  std::vector<std::string> resources() const override { return {"test.slow"}; }
  void start(TaskCall call, TaskDone done) override {
    const MutexLock lock(mutex_);
    if (++runs_[call.input.to_json()] < call.input.as_int() + 1) return;
    done(TaskSucceeded{Value(std::string("\xff\xfe"))});
  }
  void cancel(ExecutionId, CommandId) override {}

 private:
  Mutex mutex_;
  std::map<std::string, std::int64_t> runs_ GUARDED_BY(mutex_);
};

// A seed of the simulation: a second answer that cannot be stored came with the failure that stands
// for the first, and the execution was quarantined.
TEST_F(Executions, OfWhichOneAnswerAfterTheOtherCannotBeStoredGoOn) {
  auto one = engine(std::make_shared<Garbling>());
  deploy(*one, "map", kCatchingMap);
  const std::string id = start(*one, "map", "[0,1,2,3]");
  EXPECT_EQ(outcome(ended(*one, id)), R"(SUCCEEDED ["refused","refused","refused","refused"])");
}

TEST_F(Executions, ThatNeverWaitCanBeStopped) {
  auto one = engine();
  deploy(*one, "forever", kForever);
  const std::string id = start(*one, "forever");
  eventually("it goes on in slices", [&] { return store_->journal_rows() > 5; });
  EXPECT_TRUE(one->stop_execution(id, "", ""));
  EXPECT_EQ(outcome(ended(*one, id)), "ABORTED -: -");
}

TEST_F(Executions, OfAStoppedEngineGoOnInAnother) {
  auto tasks = std::make_shared<ManualTasks>(std::vector<std::string>{"test.slow"});
  auto first = engine(tasks);
  deploy(*first, "map", kMap);
  const std::string id = start(*first, "map", "[0,1,2,3,4,5]");
  for (int i = 0; i < 2; ++i) {
    auto begun = tasks->next();
    begun.done(TaskSucceeded{begun.call.input});
  }
  for (int i = 0; i < 3; ++i) tasks->next();  // Begun, and never answered.
  first->stop();
  EXPECT_FALSE(row(id).owner) << "a stopped engine gives back what it holds";

  auto others = std::make_shared<ManualTasks>(std::vector<std::string>{"test.slow"});
  auto second = engine(others);
  for (int i = 0; i < 4; ++i) {
    auto begun = others->next();
    EXPECT_EQ(begun.call.after_crash, i < 3) << "the first three may have run before";
    begun.done(TaskSucceeded{begun.call.input});
  }
  EXPECT_EQ(outcome(ended(*second, id)), "SUCCEEDED [0,1,2,3,4,5]");
}

TEST_F(Executions, KeepTheKeyOfATaskThatRunsAgain) {
  auto tasks = std::make_shared<ManualTasks>(std::vector<std::string>{"test.first", "test.second"});
  auto first = engine(tasks);
  deploy(*first, "two", kTwoSteps);
  const std::string id = start(*first, "two");
  const std::string key = tasks->next().call.idempotency_key;
  EXPECT_EQ(key.size(), 32u);
  first->stop();
  auto second = engine(tasks);
  auto again = tasks->next();
  EXPECT_EQ(again.call.idempotency_key, key);
  again.done(TaskSucceeded{Value(1)});
  EXPECT_NE(tasks->next().call.idempotency_key, key);
}

TEST_F(Executions, WhoseFoldDoesNotFitAreKeptFromRunningAlone) {
  auto tasks = std::make_shared<ManualTasks>(std::vector<std::string>{"test.first"});
  auto first = engine(tasks);
  deploy(*first, "two", kTwoSteps);
  deploy(*first, "echo", kEcho);
  const std::string id = start(*first, "two");
  const CommandId command = tasks->next().call.command;
  first->stop();
  // Somebody wrote an answer to a question that was never asked.
  const auto node = store_->join({.label = "forger", .lease = Millis(1000)});
  const auto session = (*node)->open_session();
  const auto claimed = (*session)->claim({});
  ASSERT_EQ(claimed->claimed.size(), 1u);
  store::Batch batch;
  batch.number = 1;
  batch.facts.push_back({ExecutionId{*Uuid::parse(id)}, 2, FactKind::kTaskSucceeded, command,
                         row(id).started_at, 12345, "1"});
  ASSERT_TRUE((*session)->commit(batch).ok());
  ASSERT_TRUE((*session)->close().ok());

  auto second = engine();
  const ExecutionView view = ended(*second, id);
  EXPECT_EQ(view.status, "RUNNING");
  EXPECT_EQ(view.quarantined.substr(0, 50), "fact 2: the fact for command 1 was made from an in")
      << view.quarantined;
  EXPECT_EQ(outcome(ended(*second, start(*second, "echo", "7"))), "SUCCEEDED 7");

  // A redrive does not mend it; it waits in the inbox while the execution stays in quarantine.
  EXPECT_TRUE(second->redrive(id));
  eventually("it is tried in vain", [&] { return second->async().counters().quarantined == 2; });
  eventually("it is kept out again", [&] { return !row(id).quarantined.empty(); });
  EXPECT_TRUE(second->stop_execution(id, "Gone", "wrong"));
  eventually("it ends", [&] { return row(id).status != ExecutionStatus::kRunning; });
  EXPECT_EQ(outcome(ended(*second, id)), "ABORTED Gone: wrong");
  EXPECT_EQ(row(id).quarantined, "");
  const auto journal = store_->journal(Namespace(), row(id).id, 2, 10);
  ASSERT_EQ(journal->size(), 1u);
  EXPECT_EQ(journal->front().seq, 3u);
  EXPECT_EQ(journal->front().kind, FactKind::kStopped);
  EXPECT_EQ(journal->front().payload, R"({"error":"Gone","cause":"wrong"})");

  // Redriven, it is broken as before; a stop that gives no cause leaves the reason there.
  EXPECT_TRUE(second->redrive(id));
  eventually("it is tried once more", [&] { return !row(id).quarantined.empty(); });
  EXPECT_TRUE(second->stop_execution(id, "", ""));
  eventually("it ends again", [&] { return row(id).status != ExecutionStatus::kRunning; });
  EXPECT_EQ(outcome(ended(*second, id)), "ABORTED -: " + view.quarantined);
}

}  // namespace
}  // namespace stepwell::runtime
