// The mocked tasks of one case, and how often each mock was used.
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

  // The next answer, or nullptr when no mock has one for this input.  A mock of the state's name is
  // taken before one of its resource.
  const Answer* next(const std::string& state, const RunTask& task);

 private:
  const std::vector<TaskMocks>& tasks_;
  std::vector<std::vector<std::size_t>> used_;  // Per name, per mock.
};

}  // namespace stepwell::transcript
