#include "authoring/transcript/mocks.h"

#include <algorithm>

namespace stepwell::transcript {

namespace {

// Every member of `pattern` is in `value`; lists and scalars are equal.
bool contains(const Value& value, const Value& pattern) {
  if (!pattern.is_object()) return value == pattern;
  if (!value.is_object()) return false;
  for (const auto& [key, wanted] : pattern.as_object()) {
    const Value* found = value.find(key);
    if (found == nullptr || !contains(*found, wanted)) return false;
  }
  return true;
}

}  // namespace

const Answer* MockedTasks::next(const std::string& state, const RunTask& task) {
  for (const std::string& name : {state, task.resource}) {
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      if (tasks_[i].name != name) continue;
      for (std::size_t j = 0; j < tasks_[i].mocks.size(); ++j) {
        const Mock& mock = tasks_[i].mocks[j];
        if (mock.when && !contains(task.input, *mock.when)) continue;
        const std::size_t at = std::min(used_[i][j]++, mock.answers.size() - 1);
        return &mock.answers[at];
      }
    }
  }
  return nullptr;
}

}  // namespace stepwell::transcript
