// The tasks of one case: who answers what, and how often that was asked.
// Not thread-safe: one per run.
#pragma once

#include <string>
#include <vector>

#include "authoring/transcript/script.h"
#include "engine/step/command.h"

namespace stepwell::transcript {

class MockedTasks {
 public:
  explicit MockedTasks(const std::vector<TaskMocks>& tasks) : tasks_(tasks) {
    for (const TaskMocks& one : tasks) used_.emplace_back(one.mocks.size(), 0);
  }

  // The next answer, or nullptr when nobody has one for this input.  A state's name goes before its
  // resource.
  const Answer* next(const std::string& state, const RunTask& task);

 private:
  const std::vector<TaskMocks>& tasks_;
  std::vector<std::vector<std::size_t>> used_;  // Per name, per mock.
};

}  // namespace stepwell::transcript
