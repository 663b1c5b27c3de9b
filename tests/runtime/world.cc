#include "tests/runtime/world.h"

#include <algorithm>
#include <thread>

namespace stepwell::runtime {

bool ManualTasks::serves(const std::string& resource) const {
  return std::find(resources_.begin(), resources_.end(), resource) != resources_.end();
}

void ManualTasks::start(TaskCall call, TaskDone done) {
  const MutexLock lock(mutex_);
  ++begun_;
  waiting_.push_back({std::move(call), std::move(done)});
  changed_.notify_all();
}

void ManualTasks::cancel(ExecutionId, CommandId) {
  const MutexLock lock(mutex_);
  ++cancelled_;
}

ManualTasks::Begun ManualTasks::next() {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  const MutexLock lock(mutex_);
  while (waiting_.empty() && changed_.wait_until(mutex_, until)) {
  }
  EXPECT_FALSE(waiting_.empty()) << "no task was begun";
  if (waiting_.empty()) return {{}, [](const TaskResult&) {}};
  Begun begun = std::move(waiting_.front());
  waiting_.pop_front();
  return begun;
}

std::size_t ManualTasks::cancelled() {
  const MutexLock lock(mutex_);
  return cancelled_;
}

std::size_t ManualTasks::begun() {
  const MutexLock lock(mutex_);
  return begun_;
}

World::World() {
  settings_.lanes = 2;
  settings_.look_period = Millis(5);
  settings_.upkeep_period = Millis(5);
  settings_.summary_after = Millis(10);
  options_.database_url = "memory:";
  store::MemoryStoreOptions options;
  options.seed = 7;
  options.clock = [offset = offset_] {
    const auto now = std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
    return now + Millis(offset->load());
  };
  store_ = store::make_memory_store(options);
}

std::unique_ptr<BlockingEngine> World::engine(std::shared_ptr<TaskHandler> tasks) {
  return engine_on(store_, std::move(tasks));
}

std::unique_ptr<BlockingEngine> World::engine_on(std::shared_ptr<store::Store> store,
                                                 std::shared_ptr<TaskHandler> tasks) {
  auto engine = std::make_unique<BlockingEngine>(
      std::make_shared<AsyncEngine>(std::move(store), options_, settings_));
  engine->task("test.echo", [](const TaskInput& input) { return TaskAnswer::ok(input.input); },
               {.quick = true});
  if (tasks == nullptr) tasks = std::make_shared<ManualTasks>(std::vector<std::string>{});
  // Deploys know all of them, whoever serves them.
  engine->async().add_handlers([tasks](loop::Loop&, unsigned) { return tasks; },
                               {"test.first", "test.second", "test.slow", "test.elsewhere"});
  const auto running = engine->run();
  EXPECT_TRUE(running) << running.error;
  return engine;
}

std::unique_ptr<BlockingEngine> World::idle_engine() {
  return std::make_unique<BlockingEngine>(
      std::make_shared<AsyncEngine>(store_, options_, settings_));
}

void World::deploy(Engine& engine, const std::string& name, const std::string& text) {
  const auto deployed = engine.deploy_text(name, text);
  ASSERT_TRUE(deployed) << deployed.error;
}

std::string World::start(Engine& engine, const std::string& workflow, const std::string& input,
                         const std::string& name) {
  StartOptions options;
  options.name = name;
  const auto started = engine.start(workflow, input, options);
  EXPECT_TRUE(started) << started.error;
  return started.value.id;
}

ExecutionView World::ended(Engine& engine, const std::string& id) {
  auto view = engine.wait(id, kPatience);
  EXPECT_TRUE(view) << view.error << " " << view.value.waiting;
  return view.value;
}

std::string World::outcome(const ExecutionView& view) {
  if (view.status == "SUCCEEDED") return view.status + " " + view.output;
  return view.status + " " + view.error.value_or("-") + ": " + view.cause.value_or("-");
}

void World::eventually(const char* what, const std::function<bool()>& is_so) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!is_so()) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << what;
    std::this_thread::yield();
  }
}

std::vector<store::JournalRow> World::journal(const std::string& id) {
  auto rows = store_->journal(Namespace(), ExecutionId{*Uuid::parse(id)}, 0, 10'000);
  EXPECT_TRUE(rows.ok());
  return rows.ok() ? *rows : std::vector<store::JournalRow>{};
}

store::ExecutionRow World::row(const std::string& id) {
  auto row = store_->describe(Namespace(), ExecutionId{*Uuid::parse(id)});
  EXPECT_TRUE(row.ok());
  return row.ok() ? *row : store::ExecutionRow{};
}

}  // namespace stepwell::runtime
