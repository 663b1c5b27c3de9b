#include "engine/runtime/workflow_lookup.h"

#include <utility>

namespace stepwell::runtime {
namespace {

const Error kTooMany{ErrorCode::kUnavailable, "too many starts wait for the database"};

}  // namespace

void WorkflowLookup::current(const Namespace& ns, const std::string& workflow, OnProgram told) {
  const Programs::Known known = programs_.known(ns, workflow);
  if (known.program == nullptr || known.age_ms >= Programs::kStaleMs) {
    return ask({ns, workflow}, std::move(told));
  }
  if (known.age_ms >= Programs::kStaleMs / 2) ask({ns, workflow}, nullptr);
  told(known.program);
}

// `told` may be empty: then it is only brought up to date.
void WorkflowLookup::ask(const Key& key, OnProgram told) {
  bool is_new = false, is_too_much = false;
  {
    const MutexLock lock(mutex_);
    is_too_much = told != nullptr && waiting_ >= kMostWaiting;
    if (!is_too_much) {
      const auto [asking, added] = asking_.try_emplace(key);
      is_new = added;
      if (told != nullptr) {
        asking->second.push_back(std::move(told));
        ++waiting_;
      }
    }
  }
  if (is_too_much) return told(kTooMany);
  if (!is_new) return;
  const bool is_taken = pool_.run([this, key](bool may_run) {
    const Error stopped{ErrorCode::kUnavailable, "the engine has stopped"};
    answer(key, may_run ? programs_.ask(key.first, key.second) : Result<ProgramRef>(stopped));
  });
  if (!is_taken) answer(key, kTooMany);
}

void WorkflowLookup::answer(const Key& key, const Result<ProgramRef>& program) {
  std::vector<OnProgram> waiting;
  {
    const MutexLock lock(mutex_);
    const auto asking = asking_.find(key);
    waiting = std::move(asking->second);
    waiting_ -= waiting.size();
    asking_.erase(asking);
  }
  for (const OnProgram& told : waiting) told(program);
}

}  // namespace stepwell::runtime
