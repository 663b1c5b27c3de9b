// Call — one run of one function, as the broker sees it; and Plugin, the process it runs in.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "providers/host/broker/contract.h"
#include "providers/host/broker/failure.h"
#include "providers/host/broker/folder.h"
#include "providers/host/broker/plugin_process.h"

namespace stepwell::host {

using Outcome = std::variant<Value, Failure>;
struct Plugin;

// One request of a call and its answer.  Kept until the call ends: when its process dies by a
// neighbour's fault, the call runs again and is told the same, so that nothing is sent twice.
struct Record {
  std::uint64_t fingerprint = 0;
  bool is_write = false;  // Must not be repeated: it writes, or the call that it made has written.
  std::optional<Object> answer;
  bool is_wanted = false;  // The present run waits for it.
};

struct Call {
  FolderRef folder;
  std::string function;
  Value ctx, args;
  std::uint64_t seed = 0;
  std::string connection;
  Answerer who;
  std::optional<std::pair<ExecutionId, CommandId>> task;  // Of calls that a lane started.
  std::function<void(Outcome)> done;
  std::function<void()> beat;  // With every request and answer: it lives.  May be empty.
  int depth = 0;
  Millis ends_at{0};  // Of the loop's clock.
  loop::TimerId deadline = 0;

  // Of a call that a library made: the library's request.
  std::weak_ptr<Call> caller;
  std::shared_ptr<Record> asked_by;

  std::weak_ptr<Plugin> plugin;
  std::int64_t wire_id = 0;  // Its name in the frames of this run.
  std::vector<std::shared_ptr<Record>> records;
  std::vector<std::weak_ptr<Call>> children;
  std::deque<std::function<void()>> queue;  // Requests beyond the few that may run at once.
  int running_requests = 0;
  std::int64_t asked = 0;  // Requests of the present run.
  int awaited = 0;         // Answers that the present run waits for.
  int suspicion = 0;       // Deaths of a process that may have been its fault.
  bool is_ended = false;

  // Something was sent, by it or a call that it made, that must not be sent twice.
  bool has_written() const {
    for (const auto& record : records) {
      if (record->is_write) return true;
    }
    return false;
  }
};
using CallRef = std::shared_ptr<Call>;

struct Plugin {
  FolderRef folder;
  std::unique_ptr<PluginProcess> process;
  bool is_solitary = false;      // For suspects: one call at a time.
  std::set<std::string> loaded;  // Versions.
  std::map<std::int64_t, CallRef> calls;
  std::int64_t culprit = 0;  // Wire id of the call that brings it down; 0: not known.
  std::string reason;        // cpu, crash, deadline
};
using PluginRef = std::shared_ptr<Plugin>;

}  // namespace stepwell::host
