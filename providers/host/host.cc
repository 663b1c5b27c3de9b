#include "providers/host/host.h"

#include <algorithm>

#include "providers/host/broker/broker.h"

namespace stepwell::host {

std::shared_ptr<RateGates> make_gates() { return std::make_shared<RateGates>(); }

struct ProviderHost::Parts {
  Broker broker;
};

ProviderHost::ProviderHost(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
ProviderHost::~ProviderHost() = default;

Result<std::unique_ptr<ProviderHost>> ProviderHost::open(loop::Loop& loop, HostOptions options) {
  auto folders = TRY(read_folders(options.roots));
  if (options.vault_key.empty()) options.vault_key = Vault::make_key();  // Nothing sealed fits it.
  if (options.threads == nullptr) {
    options.threads =
        std::make_shared<runtime::BoundedPool>(kProviderThreads, kMostProviderCallsWaiting);
  }
  if (options.gates == nullptr) options.gates = make_gates();
  Vault vault = TRY(Vault::open(options.vault_key));
  auto parts = std::unique_ptr<Parts>(
      new Parts{Broker(loop, std::move(options), std::move(vault), std::move(folders))});
  return std::unique_ptr<ProviderHost>(new ProviderHost(std::move(parts)));
}

bool ProviderHost::serves(const std::string& resource) const {
  const std::size_t dot = resource.find('.');
  if (dot == std::string::npos) return false;
  const auto folder = parts_->broker.folders().find(resource.substr(0, dot));
  if (folder == parts_->broker.folders().end()) return false;
  const auto& functions = folder->second->manifest.functions;
  return std::find(functions.begin(), functions.end(), resource.substr(dot + 1)) != functions.end();
}

std::vector<std::string> ProviderHost::resources() const {
  std::vector<std::string> names;
  for (const auto& [id, folder] : parts_->broker.folders()) {
    for (const std::string& function : folder->manifest.functions) {
      names.push_back(id + "." + function);
    }
  }
  return names;
}

void ProviderHost::start(runtime::TaskCall call, runtime::TaskDone done) {
  parts_->broker.start(std::move(call), std::move(done));
}

void ProviderHost::cancel(ExecutionId execution, CommandId command) {
  parts_->broker.cancel(execution, command);
}

ProviderHost::Figures ProviderHost::figures() const { return parts_->broker.figures(); }

std::map<std::string, int> ProviderHost::plugin_pids() const {
  return parts_->broker.plugin_pids();
}

Result<std::vector<std::string>> list_resources(const std::vector<std::string>& roots) {
  std::vector<std::string> names;
  for (const auto& [id, folder] : TRY(read_folders(roots))) {
    for (const std::string& function : folder->manifest.functions) {
      names.push_back(id + "." + function);
    }
  }
  return names;
}

Result<std::map<std::string, ProviderNeeds>> list_needs(const std::vector<std::string>& roots) {
  std::map<std::string, ProviderNeeds> needs;
  for (const auto& [id, folder] : TRY(read_folders(roots))) {
    const Manifest& manifest = folder->manifest;
    if (manifest.is_library) {
      needs[id] = {};
      continue;
    }
    needs[id] = {manifest.auth_type != "none", manifest.auth_type.rfind("oauth2", 0) == 0};
  }
  return needs;
}

}  // namespace stepwell::host
