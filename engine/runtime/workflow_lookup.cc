#include "engine/runtime/workflow_lookup.h"

#include <utility>

namespace stepwell::runtime {
namespace {

const Error kTooMany{ErrorCode::kUnavailable, "too many starts wait for the database"};
const Error kStopped{ErrorCode::kUnavailable, "the engine has stopped"};

}  // namespace

void WorkflowLookup::current(const Namespace& ns, const std::string& workflow, OnProgram told) {
  const Programs::Known known = programs_.known(ns, workflow);
  if (known.missing) return told(*known.missing);
  const bool is_known = known.program != nullptr;
  if (!is_known || known.age_ms >= Programs::kStaleMs) {
    return ask({ns, workflow}, is_known, std::move(told));
  }
  if (known.age_ms >= Programs::kStaleMs / 2) ask({ns, workflow}, true, nullptr);
  told(known.program);
}

// `told` may be empty: then it is only brought up to date.
void WorkflowLookup::ask(const Key& key, bool is_known, OnProgram told) {
  bool is_new = false;
  {
    const MutexLock lock(mutex_);
    const bool may_wait = !is_stopped_ && (told == nullptr || waiting_ < kMostWaiting);
    if (may_wait) {
      const auto [asking, added] = asking_.try_emplace(key);
      is_new = added;
      if (told != nullptr) {
        asking->second.push_back(std::exchange(told, nullptr));
        ++waiting_;
      }
    }
  }
  if (told != nullptr) return told(unasked(key));  // It may not wait.
  if (!is_new) return;
  const auto work = [this, key](bool may_run) {
    answer(key, may_run ? programs_.ask(key.first, key.second) : Result<ProgramRef>(kStopped));
  };
  // There are only as many known names as were deployed.
  const bool is_taken = is_known ? pool_.run_next(work) : pool_.run(work);
  if (!is_taken) answer(key, unasked(key));
}

// The answer when no question can be asked.
Result<ProgramRef> WorkflowLookup::unasked(const Key& key) {
  {
    const MutexLock lock(mutex_);
    if (is_stopped_) return kStopped;
  }
  const Programs::Known known = programs_.known(key.first, key.second);
  return known.program != nullptr ? Result<ProgramRef>(known.program) : kTooMany;
}

void WorkflowLookup::stop() {
  {
    const MutexLock lock(mutex_);
    is_stopped_ = true;
  }
  pool_.stop();
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
