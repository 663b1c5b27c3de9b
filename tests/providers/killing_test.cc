// Half a year of workouts from the fake Strava to the fake Google Health by the shipped providers
// and the sync library, with faults on both sides, tokens that live one second, and a plugin
// process killed after every eight requests or so: the destination is exact, and no refresh token
// was used twice.
#include <csignal>
#include <deque>

#include "providers/fake/fake.h"
#include "providers/host/frames.h"
#include "tests/providers/host_fixture.h"

namespace stepwell::host {
namespace {

const char* const kFaults = R"({
  "strava": {"errors": 0.05, "resets": 0.02, "limited": 0.02, "truncated": 0.02,
             "access_ttl_s": 1, "rotation": "single_use"},
  "google_health": {"errors": 0.05, "resets": 0.03, "commit_then_fail": 0.05, "land_late": 0.02,
                    "land_late_ms": 100, "pending": 0.1, "truncated": 0.03, "latency_ms": 5,
                    "access_ttl_s": 1, "rotation": "single_use"}})";

class KillingTest : public HostFixture {
 protected:
  void SetUp() override {
    options.roots = {"providers"};
    auto started = fake::FakeServer::start(*loop_, {});
    ASSERT_TRUE(started.ok()) << started.error().message;
    fake_ = std::move(*started);
    const auto faults = parse_json(kFaults);
    ASSERT_TRUE(fake_->control(*faults).ok());
    for (const std::string provider : {"strava", "google_health"}) connect_to_fake(provider);
  }
  void TearDown() override {
    on_loop([this] {
      loop_->cancel(killing_);  // It looks at the fake.
      fake_.reset();
      return 0;
    });
  }

  void connect_to_fake(const std::string& provider) {
    options.overrides[provider] = {fake_->url() + "/" + provider, ""};
    options.apps[provider] = {"fake-client", "fake-secret"};
    const auto tokens = fake_->tokens(provider, 1);
    const auto vault = Vault::open(options.vault_key);
    ASSERT_TRUE(tokens.ok() && vault.ok());
    ConnectionFacts facts;
    facts.id = provider + ":1";
    facts.provider = provider;
    facts.account = "1";
    facts.tokens = {text_of(*tokens, "access_token"), text_of(*tokens, "refresh_token")};
    facts.settings = Value(Object{{"settle_s", 0.4}, {"timeout_s", 5}});
    ASSERT_TRUE(connections->put(make_connection(*vault, facts)).ok());
  }

  std::int64_t requests_so_far() const {
    const Value audit = fake_->audit(1);
    const Value& clients = *audit.find("clients");
    return int_of(*clients.find("strava"), "requests") +
           int_of(*clients.find("google_health"), "requests");
  }

  static runtime::TaskCall chunk_call(const Value& chunk, std::uint64_t number) {
    Object input = chunk.as_object();
    input.set("source", "strava:1");
    input.set("destination", "google_health:1");
    runtime::TaskCall call;
    call.command.value = number;
    call.resource = "sync.run_chunk";
    call.input = Value(std::move(input));
    call.idempotency_key = "chunk-" + text_of(chunk, "chunk");
    return call;
  }

  // On the loop, until the chunk is done; a failure comes back when it asks to.
  void run_chunk(const Value& chunk) {
    host().start(chunk_call(chunk, ++calls_), [this, chunk](TaskResult result) {
      if (const auto* success = std::get_if<TaskSucceeded>(&result)) {
        read_ += int_of(*success->output.find("counts"), "read");
        if (--open_ == 0) all_done_.set_value();
        return;
      }
      const auto& failure = std::get<TaskFailed>(result);
      ++failures_[failure.error.value_or("")];
      const Millis wait = std::max(failure.retry_after.value_or(Millis(0)), Millis(50));
      loop_->after(wait, [this, chunk] { run_chunk(chunk); });
    });
  }

  // Only after something was done since the last time: on a slow machine a process that is killed
  // as soon as it is up would never get anywhere.
  void kill_one() {
    const auto pids = host().plugin_pids();
    const std::int64_t requests = requests_so_far();
    if (pids.empty() || requests < killed_at_ + 8) return;
    killed_at_ = requests;
    auto victim = pids.begin();
    std::advance(victim, kills_++ % pids.size());
    kill(victim->second, SIGKILL);
  }

  std::unique_ptr<fake::FakeServer> fake_;
  loop::TimerId killing_ = 0;
  std::promise<void> all_done_;
  std::size_t open_ = 0, kills_ = 0;
  std::uint64_t calls_ = 1000;
  std::int64_t read_ = 0, killed_at_ = 0;
  std::map<std::string, int> failures_;
};

TEST_F(KillingTest, BackfillIsExact) {
  const auto input = parse_json(
      R"({"user": "u", "source": "strava:1", "destination": "google_health:1", "type": "workout",
          "from": "2026-05-01", "to": "2026-11-01"})");
  const auto job = parse_json(run("sync.validate", *input));
  ASSERT_TRUE(job.ok());
  const auto plan = parse_json(run("sync.plan_chunks", *job));
  ASSERT_TRUE(plan.ok());
  const Value chunks = *plan->find("chunks");
  ASSERT_EQ(chunks.size(), 6u) << chunks.to_json();
  auto all_done = all_done_.get_future();
  loop_->post([&] {
    open_ = chunks.size();
    killing_ = loop_->every(Millis(20), [this] { kill_one(); });
    for (const Value& chunk : chunks.as_array()) run_chunk(chunk);
  });
  ASSERT_EQ(all_done.wait_for(std::chrono::seconds(120)), std::future_status::ready);
  const Value audit = on_loop([this] { return fake_->audit(1); });
  const Value expected = on_loop([this] { return Value(static_cast<std::int64_t>(kills_)); });
  EXPECT_GT(expected.as_int(), 3);
  EXPECT_GT(int_of(audit, "found"), 50);
  // The audit is of three years; what was found must be right, and nothing more than once.
  EXPECT_EQ(int_of(audit, "extra"), 0) << audit.to_json();
  EXPECT_EQ(int_of(audit, "corrupt"), 0) << audit.to_json();
  EXPECT_EQ(read_, int_of(audit, "found"));
  for (const char* vendor : {"strava", "google_health"}) {
    EXPECT_EQ(int_of(*audit.find("clients")->find(vendor), "dead_refresh_tokens"), 0) << vendor;
  }
  std::printf("killed %zu processes; failures:", kills_);
  for (const auto& [error, count] : failures_) std::printf(" %s x%d", error.c_str(), count);
  std::printf("\n");
}

}  // namespace
}  // namespace stepwell::host
