// A runtime in memory, with a clock and tasks that the test holds in its hand.
#pragma once

#include <gtest/gtest.h>
#include <stepwell/engine.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/runtime/blocking_engine.h"
#include "engine/store/memory_store.h"

namespace stepwell::runtime {

constexpr std::chrono::seconds kPatience{20};  // Nothing here should take a tenth of it.

// Workflows of more than one test.
inline constexpr const char* kEcho = R"(
StartAt: Echo
States:
  Echo: {Type: Task, Resource: test.echo, End: true}
)";
inline constexpr const char* kTwoSteps = R"(
StartAt: First
States:
  First: {Type: Task, Resource: test.first, Next: Second}
  Second: {Type: Task, Resource: test.second, End: true}
)";
inline constexpr const char* kCatchingMap = R"(
StartAt: Each
States:
  Each:
    Type: Map
    ItemProcessor:
      StartAt: Do
      States:
        Do:
          Type: Task
          Resource: test.slow
          Catch: [{ErrorEquals: [Stepwell.DataRefused], Next: Refused}]
          End: true
        Refused: {Type: Pass, Result: refused, End: true}
    End: true
)";

// Tasks that begin and end when the test says so.
class ManualTasks : public TaskHandler {
 public:
  struct Begun {
    TaskCall call;
    TaskDone done;
  };

  explicit ManualTasks(std::vector<std::string> resources) : resources_(std::move(resources)) {}

  bool serves(const std::string& resource) const override;
  std::vector<std::string> resources() const override { return resources_; }
  void start(TaskCall call, TaskDone done) override;
  void cancel(ExecutionId execution, CommandId command) override;

  // The next one that was begun; fails the test when none comes.
  Begun next();
  std::size_t cancelled();
  std::size_t begun();

 private:
  const std::vector<std::string> resources_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<Begun> waiting_ GUARDED_BY(mutex_);
  std::size_t begun_ GUARDED_BY(mutex_) = 0;
  std::size_t cancelled_ GUARDED_BY(mutex_) = 0;
};

// Holds up the first that comes to it, until it is opened.
struct Gate {
  void pass() {
    came.set_value();
    opened.get_future().wait();
  }
  void wait() { came.get_future().wait(); }
  void open() { opened.set_value(); }
  std::promise<void> came, opened;
};

// One store, and engines on it.
class World : public ::testing::Test {
 protected:
  World();

  // An engine with these tasks, running.
  std::unique_ptr<BlockingEngine> engine(std::shared_ptr<TaskHandler> tasks = nullptr);
  std::unique_ptr<BlockingEngine> engine_on(std::shared_ptr<store::Store> store,
                                            std::shared_ptr<TaskHandler> tasks);
  std::unique_ptr<BlockingEngine> idle_engine();  // Runs no lanes.
  void deploy(Engine& engine, const std::string& name, const std::string& text);
  std::string start(Engine& engine, const std::string& workflow, const std::string& input = "{}",
                    const std::string& name = "");
  ExecutionView ended(Engine& engine, const std::string& id);
  // "SUCCEEDED {...}" or "FAILED error: cause".
  static std::string outcome(const ExecutionView& view);
  // Waits until it is so; fails the test when it does not become so.
  void eventually(const char* what, const std::function<bool()>& is_so);
  void pass(Millis time) { jumped_ms_ += time.count(); }
  store::ExecutionRow row(const std::string& id);
  std::vector<store::JournalRow> journal(const std::string& id);

  Settings settings_;
  Options options_;
  std::shared_ptr<store::MemoryStore> store_;

 private:
  std::shared_ptr<std::atomic<std::int64_t>> offset_ =
      std::make_shared<std::atomic<std::int64_t>>();
  std::atomic<std::int64_t>& jumped_ms_ = *offset_;
};

}  // namespace stepwell::runtime
