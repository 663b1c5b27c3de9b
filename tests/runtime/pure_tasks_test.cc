// Tasks that are declared pure: what they come to is committed with the start of their execution,
// and every other task waits for that commit.
#include "dsl/dsl.h"
#include "engine/runtime/lane_thread.h"
#include "engine/task/native_tasks.h"
#include "engine/task/thread_pool.h"
#include "tests/runtime/tampered_store.h"
#include "tests/runtime/world.h"

namespace stepwell::runtime {
namespace {

constexpr const char* kThree = R"(
StartAt: Each
States:
  Each:
    Type: Map
    ItemProcessor: {StartAt: Do, States: {Do: {Type: Task, Resource: test.pure, End: true}}}
    Next: All
  All: {Type: Task, Resource: test.pure, End: true}
)";
constexpr const char* kMixed = R"(
StartAt: Pure
States:
  Pure: {Type: Task, Resource: test.pure, Next: Effect}
  Effect: {Type: Task, Resource: test.effect, Next: Again}
  Again: {Type: Task, Resource: test.pure, End: true}
)";
constexpr const char* kLoop = R"(
StartAt: Add
States:
  Add: {Type: Task, Resource: test.add, Next: More}
  More:
    Type: Choice
    Choices: [{Variable: $, NumericLessThan: 200, Next: Add}]
    Default: Done
  Done: {Type: Succeed}
)";
constexpr const char* kCaught = R"(
StartAt: Do
States:
  Do:
    Type: Task
    Resource: test.pure
    Next: After
    Catch: [{ErrorEquals: [States.ALL], Next: After}]
  After: {Type: Task, Resource: test.pure, End: true}
)";
constexpr const char* kRescued = R"(
StartAt: Do
States:
  Do:
    Type: Task
    Resource: test.pure
    Catch: [{ErrorEquals: [Stepwell.DataRefused], Next: Rescue}]
    End: true
  Rescue: {Type: Task, Resource: test.effect, End: true}
)";
constexpr const char* kBranches = R"(
StartAt: Both
TimeoutSeconds: 60
States:
  Both:
    Type: Parallel
    Branches:
      - StartAt: A
        States:
          A: {Type: Task, Resource: test.pure, Parameters: 1, TimeoutSeconds: 5, Next: B}
          B: {Type: Task, Resource: test.effect, End: true}
      - StartAt: C
        States:
          C: {Type: Task, Resource: test.pure, Parameters: 2, Next: D}
          D: {Type: Task, Resource: test.pure, End: true}
    End: true
)";

constexpr TaskOptions kPure{.quick = true, .pure = true};
constexpr TaskOptions kQuick{.quick = true};

TaskAnswer answer_of(const TaskInput& input) {
  if (input.input == R"("bad")") return TaskAnswer::fail("Bad", "luck");
  if (input.input == R"("unstorable")") return TaskAnswer::fail("Bad", std::string("lu\0ck", 5));
  if (input.input == R"("garbled")") return TaskAnswer::fail("Bad", "\xff\xfe");
  return TaskAnswer::ok(input.input);
}

TaskAnswer add_one(const TaskInput& input) {
  return TaskAnswer::ok(std::to_string(std::stoi(input.input) + 1));
}

std::string to_text(const store::Batch& batch) {
  const auto ends = std::count_if(batch.starts.begin(), batch.starts.end(),
                                  [](const store::Start& start) { return start.end.has_value(); });
  return std::to_string(batch.starts.size()) + " starts (" + std::to_string(ends) +
         " with ends), " + std::to_string(batch.facts.size()) + " facts, " +
         std::to_string(batch.finishes.size()) + " ends";
}

class PureTasks : public World {
 protected:
  ~PureTasks() override { engine_->stop(); }

  // An engine on `store`, whose batches are noted.
  void run_on(std::shared_ptr<store::Store> store) {
    note_ = tampering_.before_commit;
    tampering_.before_commit = [this](const store::Batch& batch) -> Status {
      {
        const MutexLock lock(mutex_);
        batches_.push_back(to_text(batch));
      }
      return note_ ? note_(batch) : ok_status();
    };
    settings_.lanes = 1;
    engine_ = std::make_unique<BlockingEngine>(std::make_shared<AsyncEngine>(
        std::make_shared<TamperedStore>(std::move(store), tampering_), options_, settings_));
    engine_->task(
        "test.pure",
        [this](const TaskInput& input) {
          ++pure_runs_;
          return answer_of(input);
        },
        kPure);
    engine_->task("test.add", add_one, kPure);
    engine_->task(
        "test.effect",
        [this](const TaskInput& input) {
          ++effects_;
          return answer_of(input);
        },
        kQuick);
    const auto running = engine_->run();
    ASSERT_TRUE(running) << running.error;
  }
  void run() { run_on(store_); }

  std::vector<std::string> batches() {
    engine_->stop();  // What is staged is handed over.
    const MutexLock lock(mutex_);
    return batches_;
  }

  Tampering tampering_;
  std::unique_ptr<BlockingEngine> engine_;
  std::atomic<int> pure_runs_{0}, effects_{0};

 private:
  std::function<Status(const store::Batch&)> note_;
  Mutex mutex_;
  std::vector<std::string> batches_ GUARDED_BY(mutex_);
};

using Batches = std::vector<std::string>;

TEST_F(PureTasks, AreOneCommitWithTheirStartAndItsEnd) {
  run();
  deploy(*engine_, "three", kThree);
  const std::string id = start(*engine_, "three", "[1,2,3]");
  EXPECT_EQ(outcome(ended(*engine_, id)), "SUCCEEDED [1,2,3]");
  EXPECT_EQ(journal(id).size(), 5u);
  EXPECT_EQ(batches(), (Batches{"1 starts (1 with ends), 4 facts, 0 ends"}));
}

TEST_F(PureTasks, ThatFailAreOneCommitTooAndCanBeRedriven) {
  run();
  deploy(*engine_, "three", kThree);
  const std::string id = start(*engine_, "three", R"([1,"bad",3])");
  EXPECT_EQ(outcome(ended(*engine_, id)), "FAILED Bad: luck");
  EXPECT_EQ(pure_runs_, 2) << "the third was cancelled before it ran";
  EXPECT_TRUE(engine_->redrive(id));
  eventually("it fails again", [&] { return row(id).redrive_count == 1 && row(id).ended_at; });
  EXPECT_EQ(outcome(ended(*engine_, id)), "FAILED Bad: luck");
  EXPECT_EQ(batches().front(), "1 starts (1 with ends), 2 facts, 0 ends");
}

TEST_F(PureTasks, RunEarlyOnlyUpToTheFirstThatIsNot) {
  bool had_effect = false;
  tampering_.before_ack = [&](const store::Batch& batch) {
    if (!batch.starts.empty()) had_effect = effects_ != 0;  // It is durable, and nobody heard yet.
  };
  run();
  deploy(*engine_, "mixed", kMixed);
  EXPECT_EQ(outcome(ended(*engine_, start(*engine_, "mixed", "7"))), "SUCCEEDED 7");
  EXPECT_FALSE(had_effect);
  EXPECT_EQ(batches(), (Batches{"1 starts (0 with ends), 1 facts, 0 ends",
                                "0 starts (0 with ends), 1 facts, 0 ends",
                                "0 starts (0 with ends), 1 facts, 1 ends"}));
}

// A lane has others to serve.
TEST_F(PureTasks, InALoopAreCommittedInParts) {
  run();
  deploy(*engine_, "loop", kLoop);
  EXPECT_EQ(outcome(ended(*engine_, start(*engine_, "loop", "0"))), "SUCCEEDED 200");
  EXPECT_EQ(batches().front(), "1 starts (0 with ends), 64 facts, 0 ends");
}

TEST_F(PureTasks, OfAStartThatWasThereAlreadyChangeNothing) {
  run();
  deploy(*engine_, "three", kThree);
  const std::string id = start(*engine_, "three", "[1]", "once");
  EXPECT_EQ(outcome(ended(*engine_, id)), "SUCCEEDED [1]");
  const std::size_t rows = store_->journal_rows();
  EXPECT_EQ(start(*engine_, "three", "[1]", "once"), id);
  EXPECT_EQ(engine_->start("three", "[2]", {.name = "once"}).code, Code::kConflict);
  EXPECT_EQ(pure_runs_, 6) << "a pure task may run and be forgotten";
  EXPECT_EQ(store_->journal_rows(), rows);
  EXPECT_EQ(outcome(ended(*engine_, id)), "SUCCEEDED [1]");
}

TEST_F(PureTasks, AreHeardOfByNobodyBeforeTheyAreDurable) {
  Gate durable;
  tampering_.before_ack = [&](const store::Batch& batch) {
    if (!batch.starts.empty()) durable.pass();
  };
  run();
  deploy(*engine_, "three", kThree);
  std::atomic<int> told{0};
  std::promise<Answer<ExecutionView>> ended;
  engine_->async().start_and_wait(Namespace(), {"three", std::string("[1]")}, Millis(20'000),
                                  [&](const Answer<ExecutionView>& view) {
                                    ++told;
                                    ended.set_value(view);
                                  });
  durable.wait();
  EXPECT_EQ(pure_runs_, 2);
  EXPECT_EQ(told, 0);
  durable.open();
  const auto view = ended.get_future().get();
  ASSERT_TRUE(view) << view.error;
  EXPECT_EQ(outcome(view.value), "SUCCEEDED [1]");
}

TEST_F(PureTasks, RunOnceWhileTheDatabaseIsAway) {
  std::atomic<int> away{3};
  tampering_.before_commit = [&](const store::Batch&) -> Status {
    if (away-- > 0) return Error{ErrorCode::kUnavailable, "away"};
    return ok_status();
  };
  run();
  deploy(*engine_, "three", kThree);
  EXPECT_EQ(outcome(ended(*engine_, start(*engine_, "three", "[1]"))), "SUCCEEDED [1]");
  EXPECT_EQ(pure_runs_, 2);
  const std::string one = "1 starts (1 with ends), 2 facts, 0 ends";
  EXPECT_EQ(batches(), (Batches{one, one, one, one}));
}

// The commit has landed, and its answer was lost: the session finds it by its number.
TEST_F(PureTasks, AndWhatFollowsThemAreNotDoneAgainAfterALostReply) {
  std::atomic<bool> is_lost{false};
  store::MemoryStoreOptions options;
  options.seed = 7;
  options.fault = [&](Uuid, store::WireStatement statement) {
    const bool is_first = statement == store::WireStatement::kCommit && !is_lost.exchange(true);
    return is_first ? store::WireFault::kReplyLost : store::WireFault::kNone;
  };
  store_ = store::make_memory_store(options);
  run();
  deploy(*engine_, "mixed", kMixed);
  const std::string id = start(*engine_, "mixed", "7");
  EXPECT_EQ(outcome(ended(*engine_, id)), "SUCCEEDED 7");
  EXPECT_TRUE(is_lost);
  EXPECT_EQ(effects_, 1);
  EXPECT_EQ(pure_runs_, 2);
  EXPECT_EQ(journal(id).size(), 4u);
}

// What the lane had staged is void.  The start of that name is then written as one without a lane,
// and its tasks run when it is durable.
TEST_F(PureTasks, OfALaneThatWasCutOffAreForgottenAndRunAgain) {
  std::atomic<bool> was_cut{false};
  tampering_.before_commit = [&](const store::Batch& batch) -> Status {
    if (batch.starts.empty() || was_cut.exchange(true)) return ok_status();
    return Error{ErrorCode::kFenced, "marked dead"};
  };
  run();
  deploy(*engine_, "three", kThree);
  const std::string id = start(*engine_, "three", "[1]", "once");
  EXPECT_EQ(outcome(ended(*engine_, id)), "SUCCEEDED [1]");
  EXPECT_EQ(pure_runs_, 4);
  EXPECT_EQ(start(*engine_, "three", "[1]", "once"), id);
  EXPECT_EQ(journal(id).size(), 3u);
}

TEST_F(PureTasks, WhoseAnswerCannotBeStoredFailAsOthersDo) {
  run();
  deploy(*engine_, "three", kThree);
  const std::string id = start(*engine_, "three", R"([1,"unstorable",3])");
  EXPECT_EQ(
      outcome(ended(*engine_, id)),
      "FAILED Stepwell.DataRefused: the task's answer cannot be stored: cause contains a NUL, "
      "which the database cannot hold");
  EXPECT_EQ(row(id).quarantined, "");
  EXPECT_EQ(journal(id).size(), 2u);
}

// The start is written again without the answer, and the task runs when that is durable.
TEST_F(PureTasks, WhoseAnswerCannotBeStoredAreCaughtAsOthersAre) {
  bool had_effect = false;
  tampering_.before_ack = [&](const store::Batch& batch) {
    if (!batch.starts.empty()) had_effect |= effects_ != 0;
  };
  run();
  deploy(*engine_, "rescued", kRescued);
  const std::string id = start(*engine_, "rescued", R"("garbled")");
  EXPECT_EQ(ended(*engine_, id).status, "SUCCEEDED");
  EXPECT_FALSE(had_effect);
  EXPECT_EQ(effects_, 1);
  EXPECT_EQ(pure_runs_, 2);
  EXPECT_EQ(journal(id).size(), 3u);
  EXPECT_EQ(
      batches(),
      (Batches{"1 starts (1 with ends), 1 facts, 0 ends", "1 starts (0 with ends), 0 facts, 0 ends",
               "0 starts (0 with ends), 1 facts, 1 ends", "0 starts (0 with ends), 1 facts, 0 ends",
               "0 starts (0 with ends), 1 facts, 1 ends"}));
}

// ---- Two lanes, each alone on a store of its own: in one the tasks are pure, in the other not.

struct StillClock final : Clock {
  std::int64_t monotonic_ms() const override { return 1'000'000; }
};

Beginning beginning_of(const ProgramRef& program, const std::string& input) {
  Beginning beginning;
  beginning.program = program;
  store::Start& row = beginning.row;
  row.id = ExecutionId{Uuid::v7(1'000'000, 1, 2)};
  row.workflow = "w";
  row.program_hash = program->hash;
  row.name = row.id.text();
  row.input = input;
  beginning.fact.input = *parse_json(input);
  row.input_hash = beginning.fact.input.hash();
  Pins& pins = beginning.fact.pins;
  pins.program_hash = program->hash;
  pins.seed = 42;
  pins.execution_name = row.name;
  pins.machine_name = row.workflow;
  return beginning;
}

std::string to_text(const store::JournalRow& row) {
  return std::to_string(row.seq) + " " + fact_name(row.kind) + " " +
         std::to_string(row.command.value) + " " + std::to_string(unix_ms(row.at)) + " " +
         std::to_string(row.input_hash) + " " + row.payload;
}

struct Written {
  std::vector<std::string> journal;
  std::string row;
  std::string first_batch;
};

// Runs it to its end in a lane; everything that was written.
Written run_alone(const ProgramRef& program, const std::string& input, const TaskOptions& options) {
  const StillClock mono;
  store::MemoryStoreOptions on;
  on.seed = 7;
  on.clock = [&mono] { return from_unix_ms(mono.monotonic_ms()); };
  const std::shared_ptr<store::MemoryStore> store = store::make_memory_store(on);
  Written written;
  Tampering tampering;
  tampering.before_commit = [&](const store::Batch& batch) {
    if (written.first_batch.empty()) written.first_batch = to_text(batch);
    return ok_status();
  };
  TamperedStore tampered(store, tampering);
  Settings settings;
  Counters counters;
  Health health{HealthLimits{}};
  Membership membership(tampered, {.label = "lane", .lease = settings.lease});
  StoreClock clock(mono);
  Programs programs(tampered, mono);
  EndWaiters ends;
  ThreadPool folders(1), archivists(1);
  EXPECT_TRUE(membership.join().ok());
  const auto natives = std::make_shared<NativeTasks>();
  natives->add("test.pure", answer_of, options);
  natives->add("test.add", add_one, options);
  natives->add("test.effect", answer_of, kQuick);
  LaneThread lane({mono, settings, tampered, membership, clock, counters, programs, ends, folders,
                   archivists, health},
                  0);
  EXPECT_TRUE(lane.start({[&](loop::Loop&, unsigned) { return natives; }}).ok());
  Beginning beginning = beginning_of(program, input);
  const ExecutionId id = beginning.row.id;
  std::promise<void> ended;
  ends.expect(id, [&](const EndedRow&) { ended.set_value(); });
  lane.begin(std::move(beginning), [](const Result<store::StartOutcome>& outcome) {
    EXPECT_TRUE(outcome.ok() && outcome->kind == store::StartOutcome::Kind::kCreated);
  });
  EXPECT_EQ(ended.get_future().wait_for(kPatience), std::future_status::ready);
  lane.stop();
  folders.stop();  // What still folds posts to the lane's loop.
  archivists.stop();
  const store::ExecutionRow row = *store->describe(Namespace(), id);
  written.row = std::string(to_string(row.status)) + " " + row.output + row.error.value_or("-") +
                row.cause.value_or("-") + row.waiting + (row.owner ? " owned " : " ") +
                std::to_string(unix_ms(row.started_at)) + " " +
                std::to_string(unix_ms(row.ended_at.value_or(Time())));
  for (const auto& fact : *store->journal(Namespace(), id, 0, 10'000)) {
    written.journal.push_back(to_text(fact));
  }
  return written;
}

TEST(PureExecutions, AreWrittenFactForFactAsIfTheyWereRunApart) {
  const struct {
    const char* text;
    std::string input;
    std::string together;  // The first batch.
  } cases[] = {
      {kThree, "[1,2,3]", "1 starts (1 with ends), 4 facts, 0 ends"},
      {kThree, R"([1,"bad",3])", "1 starts (1 with ends), 2 facts, 0 ends"},
      {kThree, R"([1,"unstorable",3])", "1 starts (1 with ends), 2 facts, 0 ends"},
      {kThree, "[]", "1 starts (1 with ends), 1 facts, 0 ends"},
      {kCaught, R"("bad")", "1 starts (1 with ends), 2 facts, 0 ends"},
      {kRescued, R"("garbled")", "1 starts (1 with ends), 1 facts, 0 ends"},
      {kLoop, "0", "1 starts (0 with ends), 64 facts, 0 ends"},
      {kMixed, "7", "1 starts (0 with ends), 1 facts, 0 ends"},
      {kBranches, "7", "1 starts (0 with ends), 2 facts, 0 ends"},
  };
  for (const auto& one : cases) {
    const auto compiled = dsl::compile(one.text);
    ASSERT_NE(compiled.program, nullptr);
    const Written together = run_alone(compiled.program, one.input, kPure);
    const Written apart = run_alone(compiled.program, one.input, kQuick);
    EXPECT_EQ(together.journal, apart.journal) << one.text;
    EXPECT_EQ(together.row, apart.row) << one.text;
    EXPECT_EQ(together.first_batch, one.together);
    EXPECT_EQ(apart.first_batch, "1 starts (0 with ends), 0 facts, 0 ends");
  }
}

}  // namespace
}  // namespace stepwell::runtime
