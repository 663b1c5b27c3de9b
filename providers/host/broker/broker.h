// Broker — runs calls in plugin processes and answers their requests.  All of ProviderHost but its
// face.  On the loop's thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "providers/host/broker/blocking_calls.h"
#include "providers/host/broker/call.h"
#include "providers/host/broker/exchange.h"
#include "providers/host/host.h"

namespace stepwell::host {

class Broker {
 public:
  Broker(loop::Loop& loop, HostOptions options, Vault vault,
         std::map<std::string, FolderRef> folders);
  ~Broker();

  const std::map<std::string, FolderRef>& folders() const { return folders_; }
  void start(runtime::TaskCall task, runtime::TaskDone done);
  void cancel(ExecutionId execution, CommandId command);
  ProviderHost::Figures figures() const;
  std::map<std::string, int> plugin_pids() const;

 private:
  friend class LibraryCalls;
  // A call's life (broker.cc).
  void begin(const CallRef& call);
  void begin_with_connection(const CallRef& call, const OpenRef& open);
  void end(const CallRef& call, Outcome outcome);
  void drop(const CallRef& call);
  void on_deadline(const CallRef& call);
  static Failure missed_deadline(const Call& call);
  static Failure after_writes(const Call& call, Failure failure);
  // Processes (processes.cc).
  void dispatch(const CallRef& call);
  void dispatch_to(const PluginRef& plugin, const CallRef& call);
  bool has_room(const Folder& folder) const;
  void pump_waiting(const std::string& provider);
  Result<PluginRef> start_plugin(const FolderRef& folder, bool is_solitary);
  void pump_suspects(const std::string& provider);
  void on_frame(const PluginRef& plugin, const Value& frame);
  void on_gone(const PluginRef& plugin);
  void retry_after_death(const CallRef& call, bool is_suspect);
  // Requests (requests.cc).
  void on_request(const PluginRef& plugin, const CallRef& call, const Value& frame);
  void replay(const CallRef& call, std::size_t index);
  void run_request(const CallRef& call, std::size_t index, const std::string& kind,
                   const Value& body);
  void finish_request(const CallRef& call, const std::shared_ptr<Record>& record, Object answer);
  void deliver(const CallRef& call, std::size_t index);
  void log(const Call& call, const Value& frame);

  Millis now() const { return Millis(loop_.monotonic_ms()); }

  loop::Loop& loop_;
  HostOptions options_;
  std::map<std::string, FolderRef> folders_;
  std::unique_ptr<BrokerShared> shared_;
  BlockingCalls blocking_{loop_, *options_.threads};
  std::map<std::string, PluginRef> plugins_;   // The shared process of each provider.
  std::map<std::string, PluginRef> solitary_;  // The one for suspects, while there is one.
  std::map<std::string, std::deque<CallRef>> suspects_;
  std::map<std::string, std::deque<CallRef>> waiting_;  // For room in the shared process.
  std::map<std::pair<ExecutionId, CommandId>, CallRef> tasks_;
  std::set<CallRef> calls_;
  std::int64_t next_wire_id_ = 1;
  std::size_t processes_started_ = 0, calls_retried_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace stepwell::host
