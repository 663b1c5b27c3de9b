// What is behind AsyncEngine.  Only async_*.cc include this.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/sync/mutex.h"
#include "engine/runtime/async_engine.h"
#include "engine/runtime/history.h"
#include "engine/runtime/programs.h"
#include "engine/runtime/runtime.h"
#include "engine/runtime/surroundings.h"
#include "engine/runtime/views.h"
#include "engine/runtime/waits.h"
#include "engine/runtime/workflow_lookup.h"
#include "engine/task/bounded_pool.h"
#include "engine/task/native_tasks.h"

namespace stepwell::runtime {

struct AsyncEngine::Parts {
  Parts(std::shared_ptr<store::Store> the_store, const Options& the_options,
        const Settings& the_settings);
  ~Parts();

  const Options options;
  const Settings settings;
  const std::shared_ptr<store::Store> store;
  Programs programs{*store, real_surroundings().clock};
  HistoryReader history{*store, programs};
  std::shared_ptr<NativeTasks> natives = std::make_shared<NativeTasks>();
  std::vector<HandlerFactory> factories;
  std::vector<std::string> resources;  // Of the handlers.
  std::unique_ptr<Runtime> runtime;    // From run() to the destructor.
  Mutex stop_mutex;                    // Held by the one that stops, until it is done.
  std::atomic<bool> is_stopped{false};
  mutable Mutex running_mutex;
  bool is_running GUARDED_BY(running_mutex) = false;
  // The threads end first, in this order: the waits, then the pools.
  WorkflowLookup lookup{programs};
  BoundedPool history_threads;
  BoundedPool api_threads;
  BoundedPool delivery_threads;  // A stop waits for its row's lock: it holds up no reads.
  Waits waits;

  // Uses the runtime while it cannot be stopped.  False: it does not run, and `use` is not called.
  template <class Use>
  bool with_runtime(const Use& use) const {
    const MutexLock lock(running_mutex);
    if (is_running) use(*runtime);
    return is_running;
  }
  bool runs() const {
    return with_runtime([](Runtime&) {});
  }

  // ---- starts (async_start.cc)
  struct Start {
    Namespace ns;
    StartRequest request;
  };
  using StartRef = std::shared_ptr<const Start>;
  // Called with the id between the checks and the start.
  using BeforeStart = std::function<void(ExecutionId)>;
  void start(Start start, const BeforeStart& before, OnAnswer<StartedExecution> told);
  void begin(const ProgramRef& program, const StartRef& start, const BeforeStart& before,
             const OnAnswer<StartedExecution>& told);
  Result<Beginning> prepare(const ProgramRef& program, const Start& start);
  Answer<StartedExecution> start_in_store(const Start& start);
  Result<Time> now();

  // ---- questions (async_queries.cc)
  // Runs `work` on the pool and answers with what it returns.
  template <class T, class Work>
  void ask(BoundedPool& pool, Work work, OnAnswer<T> told);
  bool read_row(const Namespace& ns, ExecutionId id, Waits::OnRow told);
  void deliver(const Namespace& ns, const std::string& id, FactKind kind, const FactBody& body,
               const char* key, OnAnswer<Nothing> told);
};

template <class T, class Work>
void AsyncEngine::Parts::ask(BoundedPool& pool, Work work, OnAnswer<T> told) {
  const bool is_taken = pool.run([work = std::move(work), told](bool may_run) {
    told(may_run ? work() : Answer<T>{{}, Code::kUnavailable, "the engine has stopped"});
  });
  if (!is_taken) told({{}, Code::kUnavailable, "too many questions wait for the database"});
}

}  // namespace stepwell::runtime
