#include "providers/host/broker/broker.h"

#include <algorithm>

#include "base/hash.h"
#include "providers/host/frames.h"

namespace stepwell::host {
namespace {

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

TaskResult to_task_result(Outcome outcome) {
  if (auto* value = std::get_if<Value>(&outcome)) return TaskSucceeded{std::move(*value)};
  const Failure& failure = std::get<Failure>(outcome);
  TaskFailed task{failure.error_class, failure.message, std::nullopt};
  if (failure.retry_after) {
    task.retry_after = Millis(static_cast<std::int64_t>(*failure.retry_after * 1000));
  }
  return task;
}

// The input without `connection`, which only the broker needs.
Value without_connection(const Value& input) {
  if (!input.is_object()) return Value(Object());
  Object args = input.as_object();
  args.erase("connection");
  return Value(std::move(args));
}

}  // namespace

Broker::Broker(loop::Loop& loop, HostOptions options, Vault vault,
               std::map<std::string, FolderRef> folders)
    : loop_(loop),
      options_(std::move(options)),
      folders_(std::move(folders)),
      shared_(std::make_unique<BrokerShared>(loop_, options_, std::move(vault))) {
  for (const auto& [provider, app] : options_.apps) shared_->secrets.add(app.client_secret);
}

Broker::~Broker() {
  *alive_ = false;
  for (const CallRef& call : calls_) {
    call->is_ended = true;
    call->queue.clear();
    loop_.cancel(call->deadline);
  }
}

void Broker::start(runtime::TaskCall task, runtime::TaskDone done) {
  const std::size_t dot = task.resource.find('.');
  const auto folder = folders_.find(task.resource.substr(0, dot));
  if (dot == std::string::npos || folder == folders_.end() ||
      !holds(folder->second->manifest.functions, task.resource.substr(dot + 1))) {
    return done(
        TaskFailed{"Provider.Unsupported", "no provider serves " + task.resource, std::nullopt});
  }
  const Manifest& manifest = folder->second->manifest;
  auto call = std::make_shared<Call>();
  call->folder = folder->second;
  call->function = task.resource.substr(dot + 1);
  call->args = manifest.is_library ? task.input : without_connection(task.input);
  call->connection = manifest.is_library ? "" : text_of(task.input, "connection");
  call->task = {task.execution, task.command};
  call->done = [done = std::move(done)](Outcome outcome) {
    done(to_task_result(std::move(outcome)));
  };
  call->beat = std::move(task.beat);
  Millis limit = manifest.limits.deadline;
  if (task.timeout) limit = std::min(limit, *task.timeout);
  call->ends_at = now() + limit;
  call->seed = hash64(task.resource, hash64(task.idempotency_key));
  call->ctx = Value(Object{{"provider", manifest.id},
                           {"attempt", task.attempt},
                           {"after_crash", task.after_crash},
                           {"now", clock_now().count() / 1000},
                           {"deadline", (clock_now() + limit).count() / 1000},
                           {"key", task.idempotency_key},
                           {"execution", task.execution.text()}});
  tasks_[*call->task] = call;
  begin(call);
}

void Broker::begin(const CallRef& call) {
  calls_.insert(call);
  const Millis left = std::max(Millis(1), call->ends_at - now());
  call->deadline = loop_.after(left, [this, call] { on_deadline(call); });
  const Manifest& manifest = call->folder->manifest;
  call->who = {manifest.id, ""};
  if (call->connection.empty()) {
    if (manifest.is_library || manifest.auth_type == "none") return dispatch(call);
    return end(call, fail("BadRequest",
                          manifest.id + "." + call->function + " needs a connection in its input"));
  }
  shared_->keeper.read(call->connection,
                       [this, call, alive = alive_](std::variant<OpenRef, Failure> found) {
                         if (!*alive || call->is_ended) return;
                         if (const auto* failure = std::get_if<Failure>(&found))
                           return end(call, *failure);
                         begin_with_connection(call, std::get<OpenRef>(found));
                       });
}

void Broker::begin_with_connection(const CallRef& call, const OpenRef& open) {
  const store::Connection& row = open->row;
  if (row.provider != call->folder->manifest.id) {
    return end(call, fail("BadRequest", "the connection " + row.id + " belongs to " + row.provider +
                                            ", not to " + call->folder->manifest.id));
  }
  call->who.account = row.account;
  Object ctx = call->ctx.as_object();
  ctx.set("connection", row.id);
  ctx.set("account", row.account);
  for (const auto& [name, value] : facts_of(row)) ctx.set(name, value);
  call->ctx = Value(std::move(ctx));
  dispatch(call);
}

void Broker::on_deadline(const CallRef& call) {
  if (call->is_ended) return;
  call->deadline = 0;
  const PluginRef plugin = call->plugin.lock();
  if (plugin != nullptr && call->awaited == 0 && plugin->calls.count(call->wire_id) != 0) {
    // It is not waiting for us, so it may be holding its process: that has to go.
    plugin->culprit = call->wire_id;
    plugin->reason = "deadline";
    plugin->process->kill();
    return;
  }
  end(call, missed_deadline(*call));
}

Failure Broker::missed_deadline(const Call& call) {
  Failure failure =
      fail("Timeout", call.folder->manifest.id + "." + call.function + " missed its deadline");
  failure.reason = "deadline";
  // A library's own writes are in its ledger, so it may be called again at any time.
  return call.folder->manifest.is_library ? failure : after_writes(call, std::move(failure));
}

// The class of a failure that is not the provider's own: once something was written, what became
// of it is unknown to the caller, whatever else went wrong.
Failure Broker::after_writes(const Call& call, Failure failure) {
  if (call.has_written()) failure.error_class = "Provider.Ambiguous";
  return failure;
}

// Removes the call from every list that holds it.
void Broker::drop(const CallRef& call) {
  call->is_ended = true;
  call->queue.clear();
  calls_.erase(call);
  loop_.cancel(call->deadline);
  if (call->task) tasks_.erase(*call->task);
  if (const PluginRef plugin = call->plugin.lock()) {
    if (plugin->calls.erase(call->wire_id) != 0) {
      plugin->process->send(Value(Object{{"f", "cancel"}, {"call", call->wire_id}}));
      if (waiting_.count(plugin->folder->manifest.id) != 0) {
        loop_.post([this, provider = plugin->folder->manifest.id, alive = alive_] {
          if (*alive) pump_waiting(provider);
        });
      }
      if (plugin->is_solitary) {
        loop_.post([this, provider = plugin->folder->manifest.id, alive = alive_] {
          if (*alive) pump_suspects(provider);
        });
      }
    }
  }
  for (const auto& child : call->children) {
    if (const CallRef still = child.lock(); still != nullptr && !still->is_ended) drop(still);
  }
}

void Broker::end(const CallRef& call, Outcome outcome) {
  if (call->is_ended) return;
  drop(call);
  if (auto* failure = std::get_if<Failure>(&outcome)) {
    failure->message = shared_->secrets.scrub(failure->message);
  }
  const auto done = std::move(call->done);
  call->done = nullptr;
  if (done) done(std::move(outcome));
}

void Broker::cancel(ExecutionId execution, CommandId command) {
  const auto found = tasks_.find({execution, command});
  if (found == tasks_.end()) return;
  const CallRef call = found->second;
  drop(call);
  call->done = nullptr;
}

ProviderHost::Figures Broker::figures() const {
  return {calls_.size(), plugins_.size() + solitary_.size(), processes_started_, calls_retried_};
}

std::map<std::string, int> Broker::plugin_pids() const {
  std::map<std::string, int> pids;
  for (const auto& [provider, plugin] : plugins_) pids[provider] = plugin->process->pid();
  return pids;
}

}  // namespace stepwell::host
