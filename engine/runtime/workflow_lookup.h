// WorkflowLookup — which program a workflow's name means now, without blocking whoever asks.
//
// What was asked for a short while ago is answered at once, and asked for again on the way, so that
// a steady stream of starts never waits.  All that ask for one name at the same time are one
// question to the store.  Names that are known go before those that are not, and are answered with
// what is known when the store does not answer: no flood of wrong names holds them up.
// Thread-safety: any thread may call.  `told` runs on the caller's thread or on the lookup's own.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/namespace.h"
#include "base/result.h"
#include "base/sync/mutex.h"
#include "engine/runtime/programs.h"
#include "engine/task/bounded_pool.h"

namespace stepwell::runtime {

class WorkflowLookup {
 public:
  using OnProgram = std::function<void(const Result<ProgramRef>&)>;

  explicit WorkflowLookup(Programs& programs) : programs_(programs) {}

  void current(const Namespace& ns, const std::string& workflow, OnProgram told);
  void stop();  // Whoever waits is told kUnavailable.  Idempotent.

 private:
  static constexpr std::size_t kMostNames = 1'000;     // That nobody here knows, asked for at once.
  static constexpr std::size_t kMostWaiting = 10'000;  // Starts that wait for such an answer.

  using Key = std::pair<Namespace, std::string>;
  void ask(const Key& key, bool is_known, OnProgram told);
  Result<ProgramRef> unasked(const Key& key);
  void answer(const Key& key, const Result<ProgramRef>& program);

  Programs& programs_;
  Mutex mutex_;
  std::map<Key, std::vector<OnProgram>> asking_ GUARDED_BY(mutex_);
  std::size_t waiting_ GUARDED_BY(mutex_) = 0;
  bool is_stopped_ GUARDED_BY(mutex_) = false;
  BoundedPool pool_{1, kMostNames};  // Last: ends first.
};

}  // namespace stepwell::runtime
