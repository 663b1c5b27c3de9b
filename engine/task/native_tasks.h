// NativeTasks — functions of the embedding program, as a task handler.
//
// add() before the lanes run; the rest from any lane's thread.
#pragma once

#include <stepwell/engine.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/task/task.h"
#include "engine/task/thread_pool.h"

namespace stepwell::runtime {

class NativeTasks : public TaskHandler {
 public:
  using Function = std::function<TaskAnswer(const TaskInput&)>;

  void add(const std::string& resource, Function function, const TaskOptions& options);
  // Ends the threads; what runs is waited for.
  void stop();

  bool serves(const std::string& resource) const override;
  std::vector<std::string> resources() const override;
  void start(TaskCall call, TaskDone done) override;
  bool is_pure(const std::string& resource) const override;
  void cancel(ExecutionId execution, CommandId command) override;

 private:
  struct Task {
    Function function;
    TaskOptions options;
  };
  static TaskResult run(const Function& function, const TaskCall& call);

  std::map<std::string, Task> tasks_;
  std::unique_ptr<ThreadPool> threads_;  // Made with the first task that is not quick.
};

}  // namespace stepwell::runtime
