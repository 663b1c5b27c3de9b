// Backfill — the real workflow, libraries and providers on an Engine, against the fake vendors.
//
// Memory or Postgres; times are short: settle 0.4 s, late writes land after 0.15 s.
#pragma once

#include <stepwell/engine.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>

#include "engine/runtime/blocking_engine.h"
#include "providers/host/broker/vault.h"
#include "providers/host/host.h"
#include "tests/providers_fake/fake_on_loop.h"

namespace stepwell::fake {

class Backfill : public ::testing::Test {
 protected:
  Backfill() {
    char pattern[] = "/tmp/stepwell-backfill-XXXXXX";
    folder_ = mkdtemp(pattern);
    options.roots = {"providers"};
    options.vault_key = host::Vault::make_key();
    options.notify_path = folder_ + "/notices";
    options.log = [](const std::string&) {};
  }
  ~Backfill() override {
    if (engine != nullptr) engine->stop();
    engine.reset();
    std::filesystem::remove_all(folder_);
  }

  // From here on the providers are a copy, with a text of a file replaced.  Before open_engine().
  void break_file(const std::string& file, const std::string& from, const std::string& to) {
    const std::string copy = folder_ + "/providers";
    const bool is_first = std::filesystem::create_directories(copy);
    for (const char* name : {"strava", "google_health", "sync", "notify"}) {
      if (!is_first) break;
      std::filesystem::copy("providers/" + std::string(name), copy + "/" + name,
                            std::filesystem::copy_options::recursive);
    }
    std::ifstream in(copy + "/" + file);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    std::ofstream(copy + "/" + file) << text;
    options.roots = {copy};
  }

  void start_fake(const FakeOptions& given = {}) {
    fake = std::make_unique<FakeOnLoop>(given);
    fake->control(R"({"google_health": {"land_late_ms": 150, "pending_ms": 20},
                      "strava": {"slow_ms": 1500, "retry_after_s": 1}})");
    for (const char* provider : {"strava", "google_health"}) {
      options.overrides[provider] = {fake->url() + "/" + provider, ""};
      options.apps[provider] = {"client", "secret"};
    }
  }

  // Call after start_fake().  The ledger and the connections are of the same database.
  void open_engine(const std::string& url, std::unique_ptr<store::Ledger> with_ledger,
                   std::unique_ptr<store::Connections> with_connections, unsigned lanes = 2) {
    ledger = std::move(with_ledger);
    connections = std::move(with_connections);
    options.ledger = ledger.get();
    options.connections = connections.get();
    connect("strava:1", "strava", R"({"timeout_s": 1})");
    connect("google_health:1", "google_health", R"({"settle_s": 0.4, "timeout_s": 1})");
    Options with;
    with.database_url = url;
    with.lanes = lanes;
    auto opened = runtime::BlockingEngine::open(with);
    ASSERT_TRUE(opened) << opened.error;
    engine = std::move(opened.value);
    const auto make = [this](loop::Loop& loop, unsigned) -> std::shared_ptr<runtime::TaskHandler> {
      auto host = host::ProviderHost::open(loop, options);
      CHECK(host.ok(), host.error().message);
      return std::move(*host);
    };
    const auto resources = host::list_resources(options.roots);
    ASSERT_TRUE(resources.ok()) << resources.error().message;
    engine->async().add_handlers(make, *resources);
    const auto deployed = engine->deploy_file("workflows/historical_backfill.yaml");
    ASSERT_TRUE(deployed) << deployed.error;
    const auto running = engine->run();
    ASSERT_TRUE(running) << running.error;
  }
  void open_in_memory(const FakeOptions& given = {}) {
    start_fake(given);
    open_engine("memory:", store::make_memory_ledger(), store::make_memory_connections());
  }

  void connect(const std::string& id, const std::string& provider, const std::string& settings) {
    const Value tokens = fake->tokens(provider);
    auto vault = host::Vault::open(options.vault_key);
    host::ConnectionFacts facts;
    facts.id = id;
    facts.provider = provider;
    facts.account = "1";
    facts.tokens = {tokens.find("access_token")->as_string(),
                    tokens.find("refresh_token")->as_string()};
    facts.expires_at = from_unix_ms(tokens.find("expires_at")->as_int() * 1000);
    facts.settings = json(settings);
    const auto stored = connections->put(host::make_connection(*vault, facts));
    ASSERT_TRUE(stored.ok()) << stored.error().message;
  }

  // Three months, unless told otherwise.
  static Object input(const std::string& from = "2026-08-01T00:00:00Z",
                      const std::string& to = "2026-11-01T00:00:00Z") {
    return Object{{"user", "u-1"},     {"source", "strava:1"}, {"destination", "google_health:1"},
                  {"type", "workout"}, {"from", from},         {"to", to}};
  }

  // The id; ended is what became of it.
  std::string run(const Object& with) {
    const auto started = engine->start("historical_backfill", Value(with).to_json());
    EXPECT_TRUE(started) << started.error;
    const auto view = engine->wait(started.value.id, std::chrono::seconds(120));
    EXPECT_TRUE(view) << view.error << " " << view.value.waiting;
    ended = view.value;
    output = ended.output.empty() ? Value() : json(ended.output);
    return started.value.id;
  }
  std::string status() const {
    const Value* status = output.find("status");
    return status == nullptr
               ? ended.status + " " + ended.error.value_or("") + ": " + ended.cause.value_or("")
               : status->as_string();
  }
  std::int64_t counted(const std::string& counter) const {
    const Value* counts = output.find("counts");
    const Value* count = counts == nullptr ? nullptr : counts->find(counter);
    return count == nullptr ? -1 : count->as_int();
  }
  // "2026-09-01..2026-10-01 Provider.Transient"
  std::vector<std::string> failed_ranges() const {
    std::vector<std::string> out;
    const Value* ranges = output.find("failed_ranges");
    if (ranges == nullptr) return {"no failed_ranges"};
    for (const Value& range : ranges->as_array()) {
      out.push_back(range.find("from")->as_string().substr(0, 10) + ".." +
                    range.find("to")->as_string().substr(0, 10) + " " +
                    range.find("error")->as_string());
    }
    return out;
  }
  // The templates sent so far, in order.
  std::string notices() const {
    std::ifstream file(options.notify_path);
    std::string line, out;
    while (std::getline(file, line)) {
      out += (out.empty() ? "" : " ") + json(line).find("template")->as_string();
    }
    return out;
  }
  std::string notice_texts() const {
    std::ifstream file(options.notify_path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  host::HostOptions options;
  std::unique_ptr<FakeOnLoop> fake;
  std::unique_ptr<store::Ledger> ledger;
  std::unique_ptr<store::Connections> connections;
  std::unique_ptr<runtime::BlockingEngine> engine;
  ExecutionView ended;
  Value output;

 private:
  std::string folder_;
};

}  // namespace stepwell::fake
