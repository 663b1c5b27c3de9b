// AsyncEngine — the engine of one process: every question takes the function to be called with its
// answer.  stepwell::Engine is a blocking face over it; the server, the CLI, benches and tests use
// this class.
//
//   auto engine = AsyncEngine::open(options);                    // blocks, as run() and stop() do
//   engine.value->add_handlers(make_handler);
//   engine.value->run();
//   engine.value->start(ns, {.workflow = "greet"}, [](const auto& started) { ... });
//
// Thread-safety: any thread may ask, once run() has returned; what is added is added before.  No
// question blocks its caller.
// Answers: `told` is called exactly once.  On the caller's own thread when the answer is known at
// once (the input is not JSON, the id is no id); else on a thread of the engine's: a lane's for
// starts and ends, a pool's for what was read, the alarms' when a wait is over; or on the thread
// that stops the engine.  It must not block and must not stop or destroy the engine; it may ask the
// engine again.
// What must block has a pool per purpose, with a bound on what waits for it: beyond the bound the
// answer is kUnavailable at once.  Starts and ends use none of them.
// Ownership: the engine owns its threads; the destructor answers what is open, and joins them.
#pragma once

#include <stepwell/engine.h>

#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/namespace.h"
#include "base/value.h"
#include "engine/observe/counters.h"
#include "engine/runtime/settings.h"
#include "engine/store/store.h"
#include "engine/task/task.h"

namespace stepwell::runtime {

template <class T>
using OnAnswer = std::function<void(Answer<T>)>;

struct StartRequest {
  std::string workflow;
  std::variant<std::string, Value> input =
      std::string("{}");  // JSON text, or what is parsed already.
  StartOptions options = {};
};

struct ListRequest {
  std::string workflow;  // Empty: all.
  std::string status;    // Empty: all.
  unsigned limit = 50;
  std::string before = {};  // Only executions older than this id.
};

struct DeployRequest {
  std::string workflow;
  std::string text;  // YAML or JSON.
  std::string file;  // For messages.
};

class AsyncEngine {
 public:
  static Answer<std::unique_ptr<AsyncEngine>> open(const Options& options);
  // On a store that was made elsewhere and is perhaps shared: tests, benches.
  AsyncEngine(std::shared_ptr<store::Store> store, const Options& options,
              const Settings& settings);
  ~AsyncEngine();
  AsyncEngine(const AsyncEngine&) = delete;
  AsyncEngine& operator=(const AsyncEngine&) = delete;

  // ---- before run()
  // See Engine::task.
  void add_task(const std::string& resource, std::function<TaskAnswer(const TaskInput&)> function,
                const TaskOptions& options);
  // `make` is called once on the thread of each lane, with that lane's loop, and answers null when
  // it cannot (run() then fails).  The handler is destroyed on that thread before the loop ends.
  // `resources` are known to deploys (did-you-mean).
  void add_handlers(HandlerFactory make, const std::vector<std::string>& resources = {});
  std::vector<std::string> known_resources() const;  // All of them, sorted.

  Answer<Nothing> run();  // Blocks until the lanes run.
  // Blocks until the lanes have written what they hold.  Whoever waits for an end is answered
  // kUnavailable; what only reads works on.  Idempotent.
  void stop();

  // ---- what is known without asking
  Answer<Nothing> ready() const;     // As Engine::ready.
  Millis start_deadline() const;     // Of settings: how long a blocking start waits for its answer.
  const Counters& counters() const;  // After run().
  store::Store& store() const;

  // ---- questions; the namespace is that of the caller's credential
  // Before run(): stored for whoever serves the pool; kUnavailable when the database is away.
  // Afterwards a lane begins it, without a deadline: while the database is away the answer comes
  // when it is back.  kUnavailable comes earlier when the workflow's program is not known here and
  // cannot be read; when the lane loses its lease, or the engine stops, before the start was
  // written, and then whether it happens is in doubt: the same name again is safe.
  void start(const Namespace& ns, StartRequest request, OnAnswer<StartedExecution> told);
  // Answers with the ended execution, as wait(); without a read when it ended here.
  void start_and_wait(const Namespace& ns, StartRequest request, Millis at_most,
                      OnAnswer<ExecutionView> told);
  void describe(const Namespace& ns, const std::string& id, OnAnswer<ExecutionView> told);
  void list(const Namespace& ns, const ListRequest& request,
            OnAnswer<std::vector<ExecutionView>> told);
  void history(const Namespace& ns, const std::string& id, const HistoryOptions& options,
               OnAnswer<HistoryPage> told);
  // Until it has ended or is quarantined; kTimeout, with the view of now, when the time is over.
  // One that a lane here owns tells its end; another is asked for again and again.
  void wait(const Namespace& ns, const std::string& id, Millis at_most,
            OnAnswer<ExecutionView> told);
  void stop_execution(const Namespace& ns, const std::string& id, const std::string& error,
                      const std::string& cause, OnAnswer<Nothing> told);
  void redrive(const Namespace& ns, const std::string& id, OnAnswer<Nothing> told);
  // Answers the program's hash; kInvalid with the text of all diagnostics.
  void deploy(const Namespace& ns, DeployRequest request, OnAnswer<std::string> told);

  // Calls `told` once, on a lane's thread, when no lane here owns the execution any more: mostly
  // because it has ended.  False: none owns it now.  Cheaper than wait(), for load generators.
  bool when_released(const Namespace& ns, const std::string& id, std::function<void()> told);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace stepwell::runtime
