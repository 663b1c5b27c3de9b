#include "engine/task/native_tasks.h"

#include <algorithm>
#include <exception>
#include <thread>

namespace stepwell::runtime {
namespace {

constexpr unsigned kFewestThreads = 8;  // Such functions mostly wait for something.

}  // namespace

void NativeTasks::add(const std::string& resource, Function function, const TaskOptions& options) {
  if (!options.quick && threads_ == nullptr) {
    threads_ = std::make_unique<ThreadPool>(
        std::max(kFewestThreads, 2 * std::thread::hardware_concurrency()));
  }
  tasks_[resource] = {std::move(function), options};
}

void NativeTasks::stop() {
  if (threads_ != nullptr) threads_->stop();
}

bool NativeTasks::serves(const std::string& resource) const { return tasks_.contains(resource); }

std::vector<std::string> NativeTasks::resources() const {
  std::vector<std::string> names;
  for (const auto& [name, task] : tasks_) names.push_back(name);
  return names;
}

TaskResult NativeTasks::run(const Function& function, const TaskCall& call) {
  TaskAnswer answer;
  try {
    answer = function({call.input.to_json(), call.idempotency_key, call.execution.text(),
                       call.attempt, call.beat ? call.beat : [] {}});
  } catch (const std::exception& thrown) {
    // The embedder's function, not ours: its exception is the task's failure.
    return TaskFailed{"States.TaskFailed", std::string("the task threw: ") + thrown.what(), {}};
  } catch (...) {
    return TaskFailed{"States.TaskFailed", "the task threw something unknown", {}};
  }
  if (!answer.succeeded) {
    return TaskFailed{std::move(answer.error), std::move(answer.cause), answer.retry_after};
  }
  auto output = parse_json(answer.output);
  if (!output.ok()) {
    return TaskFailed{
        "States.TaskFailed", "the task's answer is not valid JSON: " + output.error().message, {}};
  }
  return TaskSucceeded{std::move(*output)};
}

void NativeTasks::start(TaskCall call, TaskDone done) {
  const Task& task = tasks_.at(call.resource);
  if (task.options.quick) {
    done(run(task.function, call));
    return;
  }
  auto shared = std::make_shared<TaskCall>(std::move(call));
  threads_->run([&task, shared, done = std::move(done)] { done(run(task.function, *shared)); });
}

bool NativeTasks::is_pure(const std::string& resource) const {
  const TaskOptions& options = tasks_.at(resource).options;
  return options.pure && options.quick;
}

// A function that runs cannot be called back; its answer will be ignored.
void NativeTasks::cancel(ExecutionId, CommandId) {}

}  // namespace stepwell::runtime
