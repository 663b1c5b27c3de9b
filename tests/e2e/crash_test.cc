// A worker is killed with -9 in the middle of its work; another one ends it, exactly.
#include <fcntl.h>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <stepwell/engine.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <thread>

#include "engine/runtime/blocking_engine.h"
#include "engine/runtime/programs.h"
#include "engine/runtime/steady_clock.h"
#include "engine/step/step.h"
#include "engine/store/suspects.h"
#include "tests/store/postgres_fixture.h"

namespace stepwell::runtime {
namespace {

constexpr const char* kChain = R"(
StartAt: A
States:
  A: {Type: Task, Resource: crash.count, Next: B}
  B: {Type: Task, Resource: crash.count, Next: Each}
  Each:
    Type: Map
    ItemsPath: $.items
    MaxConcurrency: 2
    ItemProcessor: {StartAt: I, States: {I: {Type: Task, Resource: crash.count, End: true}}}
    ResultPath: $.items
    Next: C
  C: {Type: Task, Resource: crash.count, End: true}
)";
constexpr const char* kDeadly = R"(
StartAt: Die
States:
  Die: {Type: Task, Resource: crash.die, End: true}
)";
// Long enough that its owner dies more than once meanwhile, too short to be parked.
constexpr const char* kNeighbour = R"(
StartAt: Wait
States:
  Wait: {Type: Wait, Seconds: 6, End: true}
)";
// Started by the worker itself: pure tasks, then one with an effect.
constexpr const char* kPure = R"(
StartAt: A
States:
  A: {Type: Task, Resource: crash.pure, Next: B}
  B: {Type: Task, Resource: crash.pure, Next: Effects}
  Effects:
    Type: Choice
    Choices: [{Variable: $.effect, BooleanEquals: true, Next: Effect}]
    Default: Done
  Effect: {Type: Task, Resource: crash.effect, End: true}
  Done: {Type: Succeed}
)";
constexpr std::size_t kStarts = 400, kInFlight = 40;
constexpr int kExecutions = 60;
constexpr std::uint64_t kRuns = kExecutions * 6;  // Of tasks, when none runs twice.
constexpr std::chrono::seconds kPatience{60};

// In a file that both processes map: what a killed one counted stays.
struct Counts {
  std::atomic<std::uint64_t> runs{0}, pure_runs{0};
  std::atomic<bool> answered[kStarts] = {};  // The start of that number, to the worker.
  std::atomic<int> effects[kStarts] = {};
};

Counts& map_counts(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  CHECK(file >= 0 && ftruncate(file, sizeof(Counts)) == 0, "cannot make " + path);
  void* page = mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  CHECK(page != MAP_FAILED, "cannot map " + path);
  close(file);
  return *static_cast<Counts*>(page);
}

std::unique_ptr<BlockingEngine> open_in(const std::string& url, const std::string& schema) {
  auto store = postgres::open_store({.url = url, .schema = schema, .label = "crash"});
  CHECK(store.ok(), store.error().message);
  Settings settings;
  settings.label = "crash";
  settings.lanes = 2;
  return std::make_unique<BlockingEngine>(
      std::make_shared<AsyncEngine>(std::move(*store), Options{}, settings));
}

// This program again, running nothing but one of the workers below.
pid_t spawn_worker(const postgres::PgOptions& database, const std::string& counts,
                   std::uint64_t last_run, const std::string& worker = "Run") {
  setenv("STEPWELL_CRASH_URL", database.url.c_str(), 1);
  setenv("STEPWELL_CRASH_SCHEMA", database.schema.c_str(), 1);
  setenv("STEPWELL_CRASH_COUNTS", counts.c_str(), 1);
  setenv("STEPWELL_CRASH_LAST", std::to_string(last_run).c_str(), 1);
  std::string words[] = {"crash_test", "--gtest_filter=Worker.DISABLED_" + worker,
                         "--gtest_also_run_disabled_tests", "--gtest_brief=1"};
  char* arguments[std::size(words) + 1] = {};
  for (std::size_t i = 0; i < std::size(words); ++i) arguments[i] = words[i].data();
  pid_t pid = -1;
  CHECK(posix_spawn(&pid, "/proc/self/exe", nullptr, nullptr, arguments, environ) == 0,
        "cannot start a worker");
  return pid;
}

// Not a test: what the spawned process runs, until it is killed.
TEST(Worker, DISABLED_Run) {
  const char* url = std::getenv("STEPWELL_CRASH_URL");
  if (url == nullptr) GTEST_SKIP() << "only as a child of Crash.*";
  Counts& counts = map_counts(std::getenv("STEPWELL_CRASH_COUNTS"));
  const std::uint64_t last = std::strtoull(std::getenv("STEPWELL_CRASH_LAST"), nullptr, 10);
  auto engine = open_in(url, std::getenv("STEPWELL_CRASH_SCHEMA"));
  engine->task("crash.count",
               [&counts, last](const TaskInput& input) {
                 if (++counts.runs == last) kill(getpid(), SIGKILL);
                 return TaskAnswer::ok(input.input);
               },
               {.quick = true});
  engine->task("crash.die",
               [](const TaskInput&) {
                 kill(getpid(), SIGKILL);
                 return TaskAnswer::ok("1");
               },
               {.quick = true});
  ASSERT_TRUE(engine->run());
  std::promise<void>().get_future().wait();  // For ever.
}

std::string pure_input(std::size_t i) {
  return fmt::format(R"({{"n":{},"effect":{}}})", i, i % 2 == 0);
}

// Not a test, as above: starts executions and dies in the run of a pure task.
TEST(Worker, DISABLED_Start) {
  const char* url = std::getenv("STEPWELL_CRASH_URL");
  if (url == nullptr) GTEST_SKIP() << "only as a child of Crash.*";
  Counts& counts = map_counts(std::getenv("STEPWELL_CRASH_COUNTS"));
  const std::uint64_t last = std::strtoull(std::getenv("STEPWELL_CRASH_LAST"), nullptr, 10);
  auto engine = open_in(url, std::getenv("STEPWELL_CRASH_SCHEMA"));
  engine->task("crash.pure",
               [&counts, last](const TaskInput& input) {
                 if (++counts.pure_runs == last) kill(getpid(), SIGKILL);
                 return TaskAnswer::ok(input.input);
               },
               {.quick = true, .pure = true});
  engine->task(
      "crash.effect",
      [&counts](const TaskInput& input) {
        ++counts.effects[static_cast<std::size_t>(parse_json(input.input)->find("n")->as_int())];
        return TaskAnswer::ok(input.input);
      },
      {.quick = true});
  ASSERT_TRUE(engine->run());
  const std::function<void(std::size_t)> start = [&](std::size_t i) {
    if (i >= kStarts) return;
    engine->async().start(Namespace(), {"pure", pure_input(i), {.name = std::to_string(i)}},
                          [&, i](const Answer<StartedExecution>& started) {
                            if (started) counts.answered[i] = true;
                            start(i + kInFlight);
                          });
  };
  for (std::size_t i = 0; last != 0 && i < kInFlight; ++i) start(i);
  std::promise<void>().get_future().wait();  // For ever.
}

std::uint64_t facts_that_answer_nothing(store::Store& store, const Program& program,
                                        const store::ExecutionRow& row) {
  Execution execution;
  std::vector<Command> commands;
  std::uint64_t wrong = 0;
  const auto journal = store.journal(Namespace(), row.id, 0, 1'000);
  for (const store::JournalRow& fact : *journal) {
    auto body = decode_payload(fact.kind, fact.payload, store::names_of(row));
    if (!step(program, execution, {fact.command, fact.at, fact.input_hash, std::move(*body)},
              commands)) {
      ++wrong;
    }
  }
  EXPECT_EQ(execution.status, row.status);
  EXPECT_EQ(execution.output.to_json(), row.output);
  return wrong;
}

TEST(Crash, OfAWorkerInTheMiddleLosesAndDoublesNothing) {
  const postgres::PgOptions database = testing::fresh_schema();
  const std::string path = ::testing::TempDir() + "stepwell-crash-" + std::to_string(getpid());
  Counts& counts = map_counts(path);
  auto caller = open_in(database.url, database.schema);
  ASSERT_TRUE(caller->deploy_text("crash", kChain));
  std::vector<std::string> ids, inputs;
  for (int i = 0; i < kExecutions; ++i) {
    inputs.push_back(R"({"n":)" + std::to_string(i) + R"(,"items":[1,2,3]})");
    const auto started = caller->start("crash", inputs.back(), {.name = std::to_string(i)});
    ASSERT_TRUE(started) << started.error;
    ids.push_back(started.value.id);
  }
  const pid_t first = spawn_worker(database, path, kRuns / 2);
  int status = 0;
  waitpid(first, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

  const auto killed = std::chrono::steady_clock::now();
  const pid_t second = spawn_worker(database, path, 0);
  store::Store& store = caller->async().store();
  const auto stored = store.program_by_name(Namespace(), "crash");
  Programs programs(store, steady_clock());
  const ProgramRef program = *programs.get(Namespace(), stored->hash);
  for (int i = 0; i < kExecutions; ++i) {
    const auto ended = caller->wait(ids[static_cast<std::size_t>(i)], kPatience);
    ASSERT_TRUE(ended) << ended.error << " " << ended.value.waiting;
    EXPECT_EQ(ended.value.status + ended.value.output,
              "SUCCEEDED" + inputs[static_cast<std::size_t>(i)]);
    const auto row = store.describe(Namespace(), {*Uuid::parse(ids[static_cast<std::size_t>(i)])});
    EXPECT_EQ(facts_that_answer_nothing(store, *program, *row), 0u);
  }
  // Far less than the lease of 15 s: the dead is seen by evidence.
  EXPECT_LT(std::chrono::steady_clock::now() - killed, std::chrono::seconds(10));
  EXPECT_GE(counts.runs, kRuns);
  kill(second, SIGKILL);
  waitpid(second, nullptr, 0);
  unlink(path.c_str());
}

// R51: what ran before its start was durable leaves no trace, or all of it.
TEST(Crash, OfAWorkerWhosePureTasksRunEarlyLosesAndDoublesNothing) {
  const postgres::PgOptions database = testing::fresh_schema();
  const std::string path = ::testing::TempDir() + "stepwell-pure-" + std::to_string(getpid());
  Counts& counts = map_counts(path);
  auto caller = open_in(database.url, database.schema);
  ASSERT_TRUE(caller->deploy_text("pure", kPure));
  int status = 0;
  waitpid(spawn_worker(database, path, kStarts * 3 / 2, "Start"), &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

  store::Store& store = caller->async().store();
  const auto stored = store.program_by_name(Namespace(), "pure");
  Programs programs(store, steady_clock());
  const ProgramRef program = *programs.get(Namespace(), stored->hash);
  EXPECT_GE(std::count(std::begin(counts.answered), std::end(counts.answered), true), 100);
  for (std::size_t i = 0; i < kStarts; ++i) {
    const auto id = store.find(Namespace(), "pure", std::to_string(i));
    ASSERT_TRUE(id.ok());
    EXPECT_TRUE(*id || !counts.answered[i]) << i << " was answered, and is not there";
    EXPECT_TRUE(*id || counts.effects[i] == 0) << i << " had an effect, and is not there";
    if (!*id || i % 2 == 0) continue;
    const auto row = store.describe(Namespace(), **id);
    EXPECT_EQ(row->status, ExecutionStatus::kSucceeded) << "its end is in the commit of its start";
  }
  const pid_t second = spawn_worker(database, path, 0, "Start");
  for (std::size_t i = 0; i < kStarts; ++i) {
    const auto started = caller->start("pure", pure_input(i), {.name = std::to_string(i)});
    ASSERT_TRUE(started) << started.error;
    const auto ended = caller->wait(started.value.id, kPatience);
    EXPECT_EQ(ended.value.status + ended.value.output, "SUCCEEDED" + pure_input(i)) << ended.error;
    const auto row = store.describe(Namespace(), {*Uuid::parse(started.value.id)});
    EXPECT_EQ(facts_that_answer_nothing(store, *program, *row), 0u);
    EXPECT_EQ(store.journal(Namespace(), row->id, 0, 10)->size(), i % 2 == 0 ? 4u : 3u);
    EXPECT_GE(counts.effects[i], i % 2 == 0 ? 1 : 0);
  }
  kill(second, SIGKILL);
  waitpid(second, nullptr, 0);
  unlink(path.c_str());
}

// R13: each claim of it kills the process, and with it everybody who waits beside it.
TEST(Crash, OfOneDeadlyExecutionQuarantinesNoNeighbour) {
  constexpr int kNeighbours = 12, kMostWorkers = 40;
  const postgres::PgOptions database = testing::fresh_schema();
  const std::string path = ::testing::TempDir() + "stepwell-deadly-" + std::to_string(getpid());
  map_counts(path);
  auto caller = open_in(database.url, database.schema);
  ASSERT_TRUE(caller->deploy_text("deadly", kDeadly));
  ASSERT_TRUE(caller->deploy_text("neighbour", kNeighbour));
  std::vector<std::string> neighbours;
  std::string deadly;
  for (int i = 0; i <= kNeighbours; ++i) {
    const bool is_deadly = i == kNeighbours / 2;
    const auto started = caller->start(is_deadly ? "deadly" : "neighbour", "{}");
    ASSERT_TRUE(started) << started.error;
    is_deadly ? void(deadly = started.value.id) : neighbours.push_back(started.value.id);
  }
  const auto is_quarantined = [&] { return !caller->describe(deadly).value.quarantined.empty(); };
  int workers = 0;
  pid_t worker = 0;
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (bool is_over = false; !is_over;) {
    ASSERT_LT(++workers, kMostWorkers);
    worker = spawn_worker(database, path, 0);
    while (waitpid(worker, nullptr, WNOHANG) == 0 && !(is_over = is_quarantined())) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << workers << " workers";
      (void)caller->wait(deadly, std::chrono::milliseconds(100));
    }
  }
  EXPECT_GE(workers, 9) << "two deaths to become a suspect, two to be found out, five alone";
  for (const std::string& id : neighbours) {
    const auto ended = caller->wait(id, kPatience);
    EXPECT_EQ(ended.value.status + ended.value.quarantined, "SUCCEEDED") << ended.error;
  }
  EXPECT_EQ(caller->describe(deadly).value.quarantined, store::kDeadlyReason);
  kill(worker, SIGKILL);
  waitpid(worker, nullptr, 0);
  unlink(path.c_str());
}

}  // namespace
}  // namespace stepwell::runtime
