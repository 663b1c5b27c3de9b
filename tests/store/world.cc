#include "tests/store/world.h"

#include <algorithm>
#include <atomic>
#include <chrono>

#include "base/hash.h"
#include "engine/postgres/link.h"
#include "engine/store/memory_store.h"
#include "tests/store/postgres_fixture.h"

namespace stepwell::testing {
namespace {

class MemoryWorld : public World {
 public:
  // Each question is asked a millisecond later: what one call did is older than what the next does.
  store::Store& store() override {
    ++now_ms_;
    return *store_;
  }
  void expire(const store::Node& node) override { store_->expire(node.id()); }
  void wait_until_gone(Uuid) override {}

 private:
  std::atomic<std::int64_t> now_ms_{1'900'000'000'000};
  std::unique_ptr<store::MemoryStore> store_ =
      store::make_memory_store({.clock = [this] { return from_unix_ms(now_ms_); }});
};

class PostgresWorld : public World {
 public:
  PostgresWorld() {
    auto store = postgres::open_store(options_);
    CHECK(store.ok(), store.error().message);
    store_ = std::move(store).value();
    auto link = postgres::Link::open(options_, {.name = "test"});
    CHECK(link.ok(), link.error().message);
    link_ = std::move(link).value();
    // The server is young, but nobody is on the way back.
    const auto answer = link_->run_script(
        "CREATE OR REPLACE FUNCTION stepwell_grace_v1() RETURNS interval LANGUAGE sql IMMUTABLE "
        "AS $$ SELECT interval '0' $$");
    CHECK(answer.ok(), answer.trouble().message);
  }
  store::Store& store() override { return *store_; }
  void expire(const store::Node& node) override {
    const auto answer = link_->run(
        "UPDATE nodes SET lease_until = now() - interval '1 s' "
        "WHERE id = $1",
        postgres::Parameters().add(node.id()));
    CHECK(answer.ok() && answer.rows().affected() == 1, answer.trouble().message);
    const auto witness = link_->run(kSteadyNode);
    CHECK(witness.ok(), witness.trouble().message);
  }

  void wait_until_gone(Uuid node) override {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::chrono::steady_clock::now() < deadline) {
      const auto answer = link_->run("SELECT coalesce($1::uuid = ANY (stepwell_gone_v1()), false)",
                                     postgres::Parameters().add(node));
      CHECK(answer.ok(), answer.trouble().message);
      if (answer.rows().flag(0, 0)) return;
    }
    CHECK(false, "the node's backends do not go away");
  }

 private:
  postgres::PgOptions options_ = fresh_schema();
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<postgres::Link> link_;
};

std::int64_t now_ms() {
  return std::chrono::duration_cast<Millis>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

std::unique_ptr<World> make_memory_world() { return std::make_unique<MemoryWorld>(); }
std::unique_ptr<World> make_postgres_world() { return std::make_unique<PostgresWorld>(); }

ExecutionId new_execution() {
  static std::atomic<std::uint64_t> count{0};
  return ExecutionId{Uuid::v7(now_ms(), ++count, 7)};
}

store::JournalRow fact(ExecutionId id, std::uint64_t seq, std::string payload, FactKind kind) {
  return {id,
          seq,
          kind,
          CommandId{seq},
          from_unix_ms(1'700'000'000'000 + static_cast<int>(seq)),
          seq,
          std::move(payload)};
}

store::Start start_of(ExecutionId id, const std::string& name, const std::string& input,
                      const std::string& workflow) {
  store::Start start;
  start.id = id;
  start.workflow = workflow;
  start.program_hash = "hash";
  start.name = name;
  start.input = input;
  start.input_hash = hash64(input);
  start.first = fact(id, 1, input, FactKind::kStarted);
  start.first.command = CommandId{0};
  return start;
}

store::Delivery stop_of(ExecutionId id, const std::string& key) {
  return {id, FactKind::kStopped, CommandId{0}, key, R"({"error":"E"})"};
}

store::FinishRow finish_of(ExecutionId id, ExecutionStatus status) {
  store::FinishRow row;
  row.execution = id;
  row.status = status;
  if (status == ExecutionStatus::kSucceeded) {
    row.output = R"({"ok":1.0})";
  } else {
    row.error = "Bank.Busy";
    row.cause = "the \"cause\"";
  }
  row.at = from_unix_ms(1'700'000'009'123);
  return row;
}

std::vector<ExecutionId> ids_of(const store::ClaimResult& result) {
  std::vector<ExecutionId> ids;
  for (const store::Claimed& claimed : result.claimed) ids.push_back(claimed.id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

OnEveryStore::Process OnEveryStore::process(const store::NodeOptions& options) {
  Process made;
  made.node = db().join(options).value();
  made.lane = made.node->open_session().value();
  return made;
}

void OnEveryStore::kill(Process& process) {
  const Uuid node = process.node->id();
  process.lane.reset();
  process.node.reset();
  world_->wait_until_gone(node);
}

void OnEveryStore::start(const std::vector<ExecutionId>& ids) {
  std::vector<store::Start> starts;
  for (const ExecutionId id : ids) starts.push_back(start_of(id));
  const auto outcomes = db().start(starts);
  ASSERT_TRUE(outcomes.ok()) << outcomes.error().message;
}

std::vector<ExecutionId> OnEveryStore::claimed_by(store::Session& lane, int count) {
  std::vector<ExecutionId> ids;
  for (int i = 0; i < count; ++i) ids.push_back(new_execution());
  start(ids);
  EXPECT_EQ(ids_of(claim(lane)), ids);
  return ids;
}

store::ClaimResult OnEveryStore::claim(store::Session& lane, const store::ClaimRequest& request) {
  auto result = lane.claim(request);
  EXPECT_TRUE(result.ok()) << result.error().message;
  return result.ok() ? *result : store::ClaimResult{};
}

store::Ack OnEveryStore::commit(store::Session& lane, const store::Batch& batch) {
  auto ack = lane.commit(batch);
  EXPECT_TRUE(ack.ok()) << ack.error().message;
  return ack.ok() ? *ack : store::Ack{};
}

std::vector<std::uint64_t> OnEveryStore::seqs(ExecutionId id) {
  std::vector<std::uint64_t> found;
  const auto rows = db().journal(Namespace(), id, 0, 1'000);
  if (!rows.ok() && rows.error().code == ErrorCode::kNotFound) return found;
  EXPECT_TRUE(rows.ok());
  for (const store::JournalRow& row : *rows) found.push_back(row.seq);
  return found;
}

}  // namespace stepwell::testing
