// HostFixture — a ProviderHost on a loop of its own, with the provider folder `acme` (one Lua text)
// sent to a Responder, and a connection acme:u1 with tokens.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "base/sync/mutex.h"
#include "providers/host/broker/tokens.h"
#include "providers/host/broker/vault.h"
#include "providers/host/host.h"
#include "tests/providers/responder.h"

namespace stepwell::host {

inline std::string show(const TaskResult& result) {
  if (const auto* success = std::get_if<TaskSucceeded>(&result)) {
    return success->output.to_json();
  }
  const auto& failure = std::get<TaskFailed>(result);
  return failure.error.value_or("") + ": " + failure.cause.value_or("") +
         (failure.retry_after
              ? " (retry after " + std::to_string(failure.retry_after->count()) + " ms)"
              : "");
}

class HostFixture : public ::testing::Test {
 protected:
  HostFixture() {
    char pattern[] = "/tmp/stepwell-host-XXXXXX";
    root_ = mkdtemp(pattern);
    options.roots = {root_};
    options.vault_key = Vault::make_key();
    options.notify_path = root_ + "/notices";
    options.grant_retry_delay = Millis(10);
    options.log = [this](const std::string& line) {
      const MutexLock lock(mutex_);
      log_ += line + "\n";
    };
    ledger = store::make_memory_ledger();
    connections = store::make_memory_connections();
    options.ledger = ledger.get();
    options.connections = connections.get();
  }
  ~HostFixture() override {
    if (host_ != nullptr) {
      loop_->post([this] {
        host_.reset();
        loop_->stop();
      });
      thread_.join();
    }
    std::filesystem::remove_all(root_);
  }

  void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root_ + "/" + path).parent_path());
    std::ofstream(root_ + "/" + path) << text;
  }
  // A provider that serves the function `run` and those of the contract.
  void provider(const std::string& id, const std::string& lua, const std::string& more = "") {
    write(
        id + "/provider.yaml",
        "apiVersion: stepwell.dev/provider/v1\nid: " + id + "\nversion: 0.1.0\nname: " + id +
            "\nbase_url: https://api.acme.test/v1\nhosts: [api.acme.test]\n"
            "auth:\n  type: oauth2_code\n  token_url: https://api.acme.test/token\n"
            "functions: [run, other]\n"
            "data_types:\n  workout:\n"
            "    read: { modes: [metadata, full], cursor: event_time, updates: none, deletes: none,"
            " backfill: pull, count: exact }\n"
            "    write: { ops: [create], idempotency: none, lookup: true, async: true }\n" +
            more);
    write(id + "/provider.lua", lua);
  }
  void library(const std::string& id, const std::string& lua) {
    write(id + "/provider.yaml", "apiVersion: stepwell.dev/provider/v1\nkind: library\nid: " + id +
                                     "\nversion: 0.1.0\nname: " + id + "\nfunctions: [run]\n");
    write(id + "/provider.lua", lua);
  }
  void connect(const std::string& id, const std::string& access_token,
               std::optional<Time> expires_at = std::nullopt) {
    auto vault = Vault::open(options.vault_key);
    const auto stored =
        connections->put(make_connection(*vault, {id,
                                                  id.substr(0, id.find(':')),
                                                  "account-1",
                                                  {access_token, "refresh-secret-1"},
                                                  expires_at,
                                                  Value(Object())}));
    CHECK(stored.ok(), "put");
  }
  // Sends `acme` to the responder.
  void serve(std::function<Told(const Asked&)> answer) {
    responder = std::make_unique<Responder>(std::move(answer));
    options.overrides["acme"] = {responder->url() + "/v1", ""};
  }

  ProviderHost& host() {
    if (host_ == nullptr) {
      auto opened = ProviderHost::open(*loop_, options);
      CHECK(opened.ok(), opened.error().message);
      host_ = std::move(opened).value();
      thread_ = std::thread([this] { loop_->run(); });
    }
    return *host_;
  }

  std::future<TaskResult> begin(const std::string& resource, Value input,
                                std::optional<Millis> timeout = std::nullopt) {
    runtime::TaskCall call;
    call.execution.uuid.bytes[0] = 7;
    call.command.value = ++commands_;
    call.resource = resource;
    call.input = std::move(input);
    call.idempotency_key = "0123456789abcdef0123456789abcdef";
    call.timeout = timeout;
    auto answered = std::make_shared<std::promise<TaskResult>>();
    host();
    loop_->post([this, call, answered] {
      host_->start(call, [answered](TaskResult result) { answered->set_value(std::move(result)); });
    });
    return answered->get_future();
  }
  std::string finish(std::future<TaskResult>& future) {
    if (future.wait_for(std::chrono::seconds(30)) != std::future_status::ready) return "no answer";
    return show(future.get());
  }
  std::string run(const std::string& resource, Value input,
                  std::optional<Millis> timeout = std::nullopt) {
    auto future = begin(resource, std::move(input), timeout);
    return finish(future);
  }
  // acme.run for acme:u1.
  std::string run() { return run("acme.run", Value(Object{{"connection", "acme:u1"}})); }

  // Asks something of the host on its loop.
  template <class Ask>
  auto on_loop(Ask ask) {
    std::promise<decltype(ask())> answered;
    loop_->post([&] { answered.set_value(ask()); });
    return answered.get_future().get();
  }
  std::string log() {
    const MutexLock lock(mutex_);
    return log_;
  }
  std::string notices() {
    std::ifstream file(options.notify_path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  HostOptions options;
  std::unique_ptr<store::Ledger> ledger;
  std::unique_ptr<store::Connections> connections;
  std::unique_ptr<Responder> responder;
  std::unique_ptr<loop::UvLoop> loop_ = std::make_unique<loop::UvLoop>();

 private:
  std::string root_;
  std::unique_ptr<ProviderHost> host_;
  std::thread thread_;
  Mutex mutex_;
  std::string log_ GUARDED_BY(mutex_);
  std::uint64_t commands_ = 0;
};

// A provider whose `run` is this body.
inline std::string run_is(const std::string& body) {
  return "local M = {}\nfunction M.run(ctx, args)\n" + body + "\nend\nreturn M";
}

}  // namespace stepwell::host
