// The ledger and connections: one set of rules, in memory and in Postgres.
#include "providers/ledger/ledger.h"

#include <gtest/gtest.h>

#include <future>

#include "providers/ledger/postgres_ledger.h"
#include "tests/store/postgres_fixture.h"

namespace stepwell::testing {
namespace {

using store::ChunkRow;
using store::Connection;
using store::Connections;
using store::Ledger;
using store::LedgerRow;

struct Both {
  std::unique_ptr<Ledger> ledger;
  std::unique_ptr<Connections> connections;
};

struct BothMaker {
  const char* name;
  Both (*make)();
};

Both in_memory() { return {store::make_memory_ledger(), store::make_memory_connections()}; }
Both in_postgres() {
  const postgres::PgOptions options = fresh_schema();
  return {postgres::open_ledger(options).value(), postgres::open_connections(options).value()};
}

class Remembering : public ::testing::TestWithParam<BothMaker> {
 protected:
  void SetUp() override {
    Both both = GetParam().make();
    ledger = std::move(both.ledger);
    connections = std::move(both.connections);
  }
  std::unique_ptr<Ledger> ledger;
  std::unique_ptr<Connections> connections;
};

std::string text_of(const std::vector<LedgerRow>& rows) {
  std::string out;
  for (const LedgerRow& row : rows) {
    out += row.connection + " " + row.key + " " + row.status + " " + row.version + " " +
           row.remote_id + " " + row.handle + "\n";
  }
  return out;
}

TEST_P(Remembering, RowsAreReplacedByKeyAndReadByKey) {
  ASSERT_TRUE(ledger
                  ->write({{"g:1", "k1", "intent", "v1", "", ""},
                           {"g:1", "k2", "intent", "v1", "", ""},
                           {"g:2", "k1", "done", "v9", "r9", ""}})
                  .ok());
  ASSERT_TRUE(ledger
                  ->write({{"g:1", "k1", "done", "v1", "r1", ""},
                           {"g:1", "k3", "pending", "v1", "", R"({"h":1})"}})
                  .ok());
  EXPECT_EQ(text_of(ledger->read("g:1", {"k3", "k1", "k2", "absent"}).value()),
            "g:1 k3 pending v1  {\"h\":1}\n"
            "g:1 k1 done v1 r1 \n"
            "g:1 k2 intent v1  \n");
  EXPECT_EQ(text_of(ledger->read("g:2", {"k1"}).value()), "g:2 k1 done v9 r9 \n");
  EXPECT_TRUE(ledger->read("g:1", {}).value().empty());
}

TEST_P(Remembering, AKeyTwiceInOneWriteKeepsTheLast) {
  ASSERT_TRUE(
      ledger->write({{"g", "k", "intent", "1", "", ""}, {"g", "k", "done", "2", "r", ""}}).ok());
  EXPECT_EQ(text_of(ledger->read("g", {"k"}).value()), "g k done 2 r \n");
}

TEST_P(Remembering, ChunksAreListedInOrder) {
  ASSERT_TRUE(ledger->write_chunk({"job", "b", "running", "{}"}).ok());
  ASSERT_TRUE(ledger->write_chunk({"job", "a", "failed", R"({"error":"x"})"}).ok());
  ASSERT_TRUE(ledger->write_chunk({"job", "b", "done", R"({"n":3})"}).ok());
  ASSERT_TRUE(ledger->write_chunk({"other", "z", "done", "{}"}).ok());
  std::string out;
  const auto rows = ledger->chunks("job");
  ASSERT_TRUE(rows.ok());
  for (const ChunkRow& row : *rows) out += row.chunk + " " + row.status + " " + row.detail + "\n";
  EXPECT_EQ(out, "a failed {\"error\":\"x\"}\nb done {\"n\":3}\n");
}

TEST_P(Remembering, AConnectionIsStoredWhole) {
  Connection connection{"strava:1",
                        "strava",
                        "acc",
                        "c2VhbGVk",
                        3,
                        from_unix_ms(1'700'000'000'123),
                        "needs_reauth",
                        R"({"scopes":["a"]})"};
  ASSERT_TRUE(connections->put(connection).ok());
  const Connection read = connections->get("strava:1").value();
  EXPECT_EQ(read.provider, "strava");
  EXPECT_EQ(read.account, "acc");
  EXPECT_EQ(read.sealed, "c2VhbGVk");
  EXPECT_EQ(read.generation, 3u);
  EXPECT_EQ(read.expires_at, connection.expires_at);
  EXPECT_EQ(read.status, "needs_reauth");
  EXPECT_EQ(read.settings, connection.settings);
  connection.expires_at.reset();
  ASSERT_TRUE(connections->put(connection).ok());
  EXPECT_EQ(connections->get("strava:1").value().expires_at, std::nullopt);
  EXPECT_EQ(connections->list().value().size(), 1u);
  EXPECT_EQ(connections->get("none").error().code, ErrorCode::kNotFound);
}

TEST_P(Remembering, ARowThatReplacesAnotherIsOfALaterGeneration) {
  Connection row{"s:1", "s", "a", "old", 1, {}, "ready", "{}"};
  ASSERT_TRUE(connections->put(row).ok());
  EXPECT_EQ(connections->get("s:1").value().generation, 1u);
  const auto same = [](const Connection& current) -> Result<Connection> { return current; };
  ASSERT_TRUE(connections->refresh("s:1", 1, same).ok());
  row.sealed = "new";
  ASSERT_TRUE(connections->put(row).ok());
  EXPECT_EQ(connections->get("s:1").value().sealed, "new");
  EXPECT_EQ(connections->get("s:1").value().generation, 3u);
  // So a lane that knows the second generation is told of the third instead of refreshing.
  const auto seen = connections->refresh("s:1", 2, [](const Connection&) -> Result<Connection> {
    return Error{ErrorCode::kInternal, "called"};
  });
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  EXPECT_EQ(seen->sealed, "new");
}

TEST_P(Remembering, TwoWhoRefreshAtOnceRefreshOnce) {
  ASSERT_TRUE(connections->put({"s:1", "s", "a", "old", 0, {}, "ready", "{}"}).ok());
  std::atomic<int> calls{0};
  const auto refresh = [&] {
    return connections->refresh("s:1", 0, [&](const Connection& current) -> Result<Connection> {
      ++calls;
      Connection fresh = current;
      fresh.sealed = "new" + std::to_string(current.generation);
      return fresh;
    });
  };
  auto other = std::async(std::launch::async, refresh);
  const auto mine = refresh();
  const auto theirs = other.get();
  ASSERT_TRUE(mine.ok() && theirs.ok());
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(mine->sealed, "new0");
  EXPECT_EQ(theirs->sealed, "new0");
  EXPECT_EQ(connections->get("s:1").value().generation, 1u);
}

TEST_P(Remembering, ARefreshThatFailsChangesNothing) {
  ASSERT_TRUE(connections->put({"s:1", "s", "a", "old", 5, {}, "ready", "{}"}).ok());
  const auto refreshed =
      connections->refresh("s:1", 5, [](const Connection&) -> Result<Connection> {
        return Error{ErrorCode::kDenied, "revoked"};
      });
  EXPECT_EQ(refreshed.error().message, "revoked");
  EXPECT_EQ(connections->get("s:1").value().sealed, "old");
  EXPECT_EQ(connections->get("s:1").value().generation, 5u);
}

INSTANTIATE_TEST_SUITE_P(Stores, Remembering,
                         ::testing::Values(BothMaker{"Memory", in_memory},
                                           BothMaker{"Postgres", in_postgres}),
                         [](const auto& made) { return std::string(made.param.name); });

}  // namespace
}  // namespace stepwell::testing
