// Broker's processes: which call runs where, and what happens to the others when one dies.
#include <algorithm>

#include "providers/host/broker/broker.h"
#include "providers/host/frames.h"

namespace stepwell::host {
namespace {

constexpr int kMaxSuspicion = 2;  // The second death that may be its fault is its fault.
// What the calls of one process may hold together; each may hold as much as its manifest says.
constexpr std::int64_t kProcessBytes = std::int64_t{1} << 30;

std::size_t most_at_once(const Manifest& manifest) {
  return static_cast<std::size_t>(
      std::max<std::int64_t>(1, kProcessBytes / manifest.limits.memory_bytes));
}

Value load_frame(const Folder& folder) {
  Object files, maps;
  for (const auto& [path, text] : folder.files) files.set(path, text);
  for (const auto& [name, text] : folder.maps) maps.set(name, text);
  return Value(Object{{"f", "load"},
                      {"provider", folder.manifest.id},
                      {"version", folder.hash},
                      {"library", folder.manifest.is_library},
                      {"files", Value(std::move(files))},
                      {"maps", Value(std::move(maps))},
                      {"limits", Value(Object{{"memory", folder.manifest.limits.memory_bytes},
                                              {"cpu_ms", folder.manifest.limits.cpu_ms}})}});
}

// A provider may raise only the classes that are left to it; any other is a broken contract.
Failure checked_failure(const Folder& folder, const Value& error) {
  static const std::vector<std::string> kKnown = {
      "RateLimited", "Unauthorized", "Revoked",     "Forbidden",     "NotFound",         "Gone",
      "Transient",   "Timeout",      "TooLarge",    "Ambiguous",     "Duplicate",        "BadData",
      "BadRequest",  "Unsupported",  "ScriptError", "LimitExceeded", "ContractViolation"};
  Failure failure = Failure::from_value(error);
  const std::string prefix = "Provider.";
  const bool is_ours = failure.error_class.rfind(prefix, 0) == 0;
  const bool is_known =
      is_ours && std::find(kKnown.begin(), kKnown.end(),
                           failure.error_class.substr(prefix.size())) != kKnown.end();
  if (is_known || (folder.manifest.is_library && !is_ours)) return failure;
  return fail("ScriptError", "raised an error of the unknown class " +
                                 json_quote(failure.error_class) + ": " + failure.message);
}

}  // namespace

void Broker::dispatch(const CallRef& call) {
  const std::string& provider = call->folder->manifest.id;
  if (call->suspicion > 0) {
    suspects_[provider].push_back(call);
    return pump_suspects(provider);
  }
  auto found = plugins_.find(provider);
  if (found == plugins_.end()) {
    auto plugin = start_plugin(call->folder, false);
    if (!plugin.ok()) return end(call, fail("Transient", plugin.error().message));
    found = plugins_.emplace(provider, *plugin).first;
  }
  // A call that another one waits for does not queue behind those that wait for others like it.
  if (call->depth == 0 && !has_room(*call->folder)) return waiting_[provider].push_back(call);
  dispatch_to(found->second, call);
}

bool Broker::has_room(const Folder& folder) const {
  const auto found = plugins_.find(folder.manifest.id);
  return found == plugins_.end() || found->second->calls.size() < most_at_once(folder.manifest);
}

void Broker::pump_waiting(const std::string& provider) {
  const auto found = waiting_.find(provider);
  if (found == waiting_.end()) return;
  std::deque<CallRef>& queue = found->second;
  while (!queue.empty() && (queue.front()->is_ended || has_room(*queue.front()->folder))) {
    const CallRef call = std::move(queue.front());
    queue.pop_front();
    if (!call->is_ended) dispatch(call);
  }
  if (queue.empty()) waiting_.erase(provider);
}

void Broker::pump_suspects(const std::string& provider) {
  auto& queue = suspects_[provider];
  while (!queue.empty() && queue.front()->is_ended) queue.pop_front();
  const auto running = solitary_.find(provider);
  if (running != solitary_.end() && !running->second->calls.empty()) return;
  if (queue.empty()) {
    // No call is suspected any more: the process for suspects is not needed.
    solitary_.erase(provider);
    suspects_.erase(provider);
    return;
  }
  const CallRef call = queue.front();
  queue.pop_front();
  if (running == solitary_.end()) {
    auto plugin = start_plugin(call->folder, true);
    if (!plugin.ok()) return end(call, fail("Transient", plugin.error().message));
    solitary_[provider] = *plugin;
  }
  dispatch_to(solitary_[provider], call);
}

Result<PluginRef> Broker::start_plugin(const FolderRef& folder, bool is_solitary) {
  auto plugin = std::make_shared<Plugin>();
  plugin->folder = folder;
  plugin->is_solitary = is_solitary;
  const std::weak_ptr<Plugin> weak = plugin;
  PluginProcess::Listener listener;
  listener.frame = [this, weak](const Value& frame) {
    if (const PluginRef still = weak.lock()) on_frame(still, frame);
  };
  listener.gone = [this, weak](const std::string&) {
    if (const PluginRef still = weak.lock()) on_gone(still);
  };
  plugin->process = TRY(PluginProcess::start(loop_, options_, std::move(listener)));
  ++processes_started_;
  return plugin;
}

void Broker::dispatch_to(const PluginRef& plugin, const CallRef& call) {
  if (plugin->loaded.insert(call->folder->hash).second) {
    plugin->process->send(load_frame(*call->folder));
  }
  call->plugin = plugin;
  call->wire_id = next_wire_id_++;
  call->asked = 0;
  call->awaited = 0;
  for (const auto& record : call->records) record->is_wanted = false;
  plugin->calls[call->wire_id] = call;
  const Value frame(Object{{"f", "call"},
                           {"call", call->wire_id},
                           {"version", call->folder->hash},
                           {"function", call->function},
                           {"ctx", call->ctx},
                           {"args", call->args},
                           {"seed", static_cast<std::int64_t>(call->seed)}});
  if (frame.json_size() > kMaxFrameBytes) {
    return end(call, fail("BadRequest", "the input is too large for a provider"));
  }
  plugin->process->send(frame);
}

void Broker::on_frame(const PluginRef& plugin, const Value& frame) {
  const std::string kind = text_of(frame, "f");
  const auto found = plugin->calls.find(int_of(frame, "call"));
  if (found == plugin->calls.end()) return;  // Of a call that ended meanwhile.
  const CallRef call = found->second;
  if (kind == "request") {
    on_request(plugin, call, frame);
  } else if (kind == "log") {
    log(*call, frame);
  } else if (kind == "result") {
    const Value* value = frame.find("value");
    Value result = value == nullptr ? Value() : *value;
    if (call->folder->manifest.is_library) return end(call, std::move(result));
    end(call, check_result(call->function, call->args, std::move(result), call->who));
  } else if (kind == "error") {
    const Value* error = frame.find("error");
    end(call, checked_failure(*call->folder, error == nullptr ? Value() : *error));
  } else if (kind == "overrun") {
    plugin->culprit = call->wire_id;
    plugin->reason = text_of(frame, "reason");
  }
}

void Broker::on_gone(const PluginRef& plugin) {
  const std::string& provider = plugin->folder->manifest.id;
  auto& home = plugin->is_solitary ? solitary_ : plugins_;
  if (const auto found = home.find(provider); found != home.end() && found->second == plugin) {
    home.erase(found);
  }
  // This runs inside one of its callbacks, so it must outlive them: the loop lets go of it later.
  loop_.post([plugin] {});
  const auto calls = std::move(plugin->calls);
  plugin->calls.clear();
  for (const auto& [wire_id, call] : calls) {
    if (call->is_ended) continue;
    if (wire_id == plugin->culprit) {
      const std::string name = provider + "." + call->function;
      Failure failure = fail(
          "LimitExceeded", name + " was stopped: it did not give way for " +
                               std::to_string(call->folder->manifest.limits.cpu_ms) + " ms of CPU");
      if (plugin->reason == "crash") failure = fail("ScriptError", name + " crashed its process");
      end(call, plugin->reason == "deadline" ? missed_deadline(*call)
                                             : after_writes(*call, std::move(failure)));
    } else {
      const bool is_suspect = plugin->culprit == 0 && call->awaited == 0;
      retry_after_death(call, is_suspect);
    }
  }
  pump_waiting(provider);
  if (plugin->is_solitary) pump_suspects(provider);
}

// The innocent are issued again however often that happens: until their deadline, and what they
// asked for is not asked for again.
void Broker::retry_after_death(const CallRef& call, bool is_suspect) {
  call->suspicion += is_suspect ? 1 : 0;
  ++calls_retried_;
  if (call->suspicion < kMaxSuspicion) return dispatch(call);
  const std::string name = call->folder->manifest.id + "." + call->function;
  end(call, after_writes(*call, fail("ScriptError", name + " brought its process down twice")));
}

}  // namespace stepwell::host
