// Tasks — the work that a workflow asks for, as the lane sees it.
//
// A TaskHandler serves resources by name.  A lane calls start() on its own thread; the handler
// answers through `done`, once, on any thread.  Work runs at least once: `idempotency_key` is the
// same for every run of the same work, in whatever attempt, lane or redrive (engine/step/key.h).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "base/value.h"
#include "engine/step/fact.h"

namespace stepwell::loop {
class Loop;
}

namespace stepwell::runtime {

struct TaskCall {
  ExecutionId execution;
  CommandId command;
  std::string workflow;
  std::string resource;
  Value input;
  std::string idempotency_key;      // 32 hex digits.
  std::uint32_t attempt = 1;        // Retrier attempts, from 1.
  bool after_crash = false;         // An earlier run may have happened and left no trace.
  std::optional<Millis> timeout;    // The lane gives up after this; a hint for the handler.
  std::optional<Millis> heartbeat;  // ... or after so long without a beat.
  // Says that the work goes on; on any thread.  Empty when nobody waits for it.
  std::function<void()> beat;
};

using TaskDone = std::function<void(TaskResult)>;

class TaskHandler {
 public:
  virtual ~TaskHandler() = default;
  // Does this handler serve the resource?  Pure; called at deploy and at run time.
  virtual bool serves(const std::string& resource) const = 0;
  // Names for did-you-mean.
  virtual std::vector<std::string> resources() const = 0;
  // Begins the work.  Called on a lane's thread; must not block.  `done` may be called from inside.
  virtual void start(TaskCall call, TaskDone done) = 0;
  // Whether a run of the resource has no effect, and `done` is called before start() returns.  Such
  // work may begin before what asks for it is durable, and what it came to may be forgotten; the
  // same work then runs again.  Called on a lane's thread.
  virtual bool is_pure(const std::string& /*resource*/) const { return false; }
  // The answer is not waited for any more (stopped, timed out); best effort.
  virtual void cancel(ExecutionId execution, CommandId command) = 0;
};

// Makes the handler of one lane, on that lane's thread; null when it cannot.
using HandlerFactory = std::function<std::shared_ptr<TaskHandler>(loop::Loop& loop, unsigned lane)>;

}  // namespace stepwell::runtime
