// Engine: the blocking face of an AsyncEngine.
#include <fmt/core.h>
#include <stepwell/engine.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "base/namespace.h"
#include "base/sync/mutex.h"
#include "base/time.h"
#include "engine/runtime/async_engine.h"

namespace stepwell {
namespace {

const Namespace kOurs;  // An embedder has one: the default.

// An answer that one thread waits for.  In place of a std::promise, which costs twice the system
// calls: twenty callers that start executions spend a third of their time in those.
template <class T>
class Awaited {
 public:
  void set(Answer<T> answer) {
    {
      const MutexLock lock(mutex_);
      if (answer_) return;
      answer_ = std::move(answer);
    }
    there_.notify_one();
  }
  Answer<T> get() {
    const MutexLock lock(mutex_);
    while (!answer_) there_.wait(mutex_);
    return std::move(*answer_);
  }
  // Nothing: the time is over.
  std::optional<Answer<T>> get_within(Millis time) {
    const auto until = std::chrono::steady_clock::now() + time;
    const MutexLock lock(mutex_);
    while (!answer_) {
      if (!there_.wait_until(mutex_, until) && !answer_) return std::nullopt;
    }
    return std::move(answer_);
  }

 private:
  Mutex mutex_;
  CondVar there_;
  std::optional<Answer<T>> answer_ GUARDED_BY(mutex_);
};

// Asks.  What is awaited is shared: an answer may come when nobody waits for it any more.
template <class T, class Ask>
std::shared_ptr<Awaited<T>> answer_to(const Ask& ask) {
  auto awaited = std::make_shared<Awaited<T>>();
  // Whoever drops the question has answered it.
  const std::shared_ptr<Awaited<T>> asked(awaited.get(), [awaited](Awaited<T>* one) {
    one->set({{}, Code::kUnavailable, "the engine has stopped"});
  });
  ask([asked](Answer<T> answer) { asked->set(std::move(answer)); });
  return awaited;
}

std::string in_doubt(const std::string& workflow, Millis waited) {
  return fmt::format(
      "starting {}: the database has not answered within {}; whether it starts is in doubt "
      "(repeated under the same name it starts only once)",
      workflow, to_human(waited));
}

}  // namespace

TaskAnswer TaskAnswer::ok(std::string output_json) {
  return {true, std::move(output_json), {}, {}, {}};
}

TaskAnswer TaskAnswer::fail(std::string error, std::string cause) {
  return {false, {}, std::move(error), std::move(cause), {}};
}

Engine::Engine(std::shared_ptr<runtime::AsyncEngine> engine) : engine_(std::move(engine)) {}

Engine::~Engine() { stop(); }

Answer<std::unique_ptr<Engine>> Engine::open(const Options& options) {
  auto opened = runtime::AsyncEngine::open(options);
  if (!opened) return {nullptr, opened.code, opened.error};
  return {std::make_unique<Engine>(std::move(opened.value)), Code::kOk, {}};
}

void Engine::task(const std::string& resource, std::function<TaskAnswer(const TaskInput&)> function,
                  const TaskOptions& options) {
  engine_->add_task(resource, std::move(function), options);
}

Answer<std::string> Engine::deploy_text(const std::string& name, const std::string& yaml_or_json) {
  return answer_to<std::string>([&](auto told) {
           engine_->deploy(kOurs, {name, yaml_or_json, name + ".yaml"}, std::move(told));
         })
      ->get();
}

Answer<std::string> Engine::deploy_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return {{}, Code::kNotFound, "cannot read " + path};
  std::stringstream text;
  text << file.rdbuf();
  const std::string name = std::filesystem::path(path).stem().string();
  return answer_to<std::string>([&](auto told) {
           engine_->deploy(kOurs, {name, text.str(), path}, std::move(told));
         })
      ->get();
}

Answer<Nothing> Engine::run() { return engine_->run(); }
void Engine::stop() { engine_->stop(); }
Answer<Nothing> Engine::ready() const { return engine_->ready(); }

Answer<StartedExecution> Engine::start(const std::string& workflow, const std::string& input_json,
                                       const StartOptions& options) {
  const auto awaited = answer_to<StartedExecution>([&](auto told) {
    engine_->start(kOurs, {workflow, input_json, options}, std::move(told));
  });
  const Millis deadline = engine_->start_deadline();
  auto answer = awaited->get_within(deadline);
  if (!answer) return {{}, Code::kUnavailable, in_doubt(workflow, deadline)};
  return std::move(*answer);
}

Answer<ExecutionView> Engine::describe(const std::string& id) {
  return answer_to<ExecutionView>([&](auto told) { engine_->describe(kOurs, id, std::move(told)); })
      ->get();
}

Answer<ExecutionView> Engine::wait(const std::string& id, std::chrono::milliseconds at_most) {
  return answer_to<ExecutionView>(
             [&](auto told) { engine_->wait(kOurs, id, at_most, std::move(told)); })
      ->get();
}

Answer<std::vector<ExecutionView>> Engine::list(const std::string& workflow,
                                                const std::string& status, unsigned limit,
                                                const std::string& before) {
  return answer_to<std::vector<ExecutionView>>([&](auto told) {
           engine_->list(kOurs, {workflow, status, limit, before}, std::move(told));
         })
      ->get();
}

Answer<HistoryPage> Engine::history(const std::string& id, const HistoryOptions& options) {
  return answer_to<HistoryPage>(
             [&](auto told) { engine_->history(kOurs, id, options, std::move(told)); })
      ->get();
}

Answer<Nothing> Engine::stop_execution(const std::string& id, const std::string& error,
                                       const std::string& cause) {
  return answer_to<Nothing>(
             [&](auto told) { engine_->stop_execution(kOurs, id, error, cause, std::move(told)); })
      ->get();
}

Answer<Nothing> Engine::redrive(const std::string& id) {
  return answer_to<Nothing>([&](auto told) { engine_->redrive(kOurs, id, std::move(told)); })
      ->get();
}

}  // namespace stepwell
