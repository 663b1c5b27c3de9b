// Every list and every statement that looks for something to do reads what it answers, not all that
// there is: blocks read over 20,000 executions, under the settings of the store's own links.
#include <gtest/gtest.h>

#include <thread>

#include "engine/postgres/link.h"
#include "engine/postgres/list_sql.h"
#include "tests/store/postgres_fixture.h"

namespace stepwell::testing {
namespace {

using postgres::Answer;
using postgres::Link;
using postgres::Parameters;

// Of the blocks that a look at every execution would read, a small part.
constexpr std::int64_t kMost = 1'500;

class Plans : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    plans_options = new postgres::PgOptions(fresh_schema());
    plans_link = Link::open(*plans_options, {.name = "plans", .pin_plans = true}).value().release();
    // Of 20,000: 19,900 have succeeded; every 1,000th has failed, every 2,000th waits for an hour,
    // every 1,999th is owned; ten workflows, and one with a single execution.
    run("INSERT INTO writers (id, node, backend_pid, backend_start) "
        "VALUES ('00000000-0000-0000-0000-00000000000a', gen_random_uuid(), 1, now())");
    run("INSERT INTO executions (id, status, semantics, input_hash, owner, wake_at, started_at, "
        "ended_at, namespace, workflow, program_hash, name, pool, tags, input, output) "
        "SELECT (left(stepwell_first_id(now())::text, 24) || lpad(i::text, 12, '0'))::uuid, "
        "CASE WHEN i % 1000 = 0 THEN 2 WHEN i % 2000 = 1 OR i % 1999 = 0 THEN 0 ELSE 1 END, 1, 0, "
        "CASE WHEN i % 1999 = 0 AND i % 1000 <> 0 AND i % 2000 <> 1 THEN "
        "'00000000-0000-0000-0000-00000000000a'::uuid END, "
        "CASE WHEN i % 2000 = 1 THEN now() + interval '1 h' END, now(), NULL, 'default', "
        "CASE WHEN i = 7 THEN 'rare' ELSE 'wf' || i % 10 END, 'h', '', 'default', '{}', '{}', '1' "
        "FROM generate_series(1, 20000) i");
    run("ANALYZE");
  }
  static void TearDownTestSuite() {
    delete plans_link;
    delete plans_options;
  }

  static void run(const std::string& sql) {
    const auto answer = plans_link->run_script(sql);
    CHECK(answer.ok(), answer.trouble().message + "\n" + sql);
  }
  struct Cost {
    std::int64_t blocks = 0, rows = 0;
    std::string plan;
  };
  // Executed as the store does: prepared, with a plan that knows no parameter.
  static Cost cost_of(const std::string& sql, const std::string& arguments) {
    run("DEALLOCATE ALL; PREPARE asked AS " + sql);
    const std::string explain = "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF) ";
    const std::string call = "EXECUTE asked" + arguments;
    run(call);  // Functions plan their statements at their first call.
    const auto answer = plans_link->run_script(explain + call);
    CHECK(answer.ok(), answer.trouble().message);
    Cost cost;
    for (std::size_t i = 0; i < answer.rows().size(); ++i) {
      const std::string line = answer.rows().string(i, 0);
      cost.plan += line + "\n";
      const std::size_t hit = line.find("shared hit="), read = line.find(" read=");
      if (cost.blocks > 0 || hit == std::string::npos) continue;
      cost.blocks = std::stoll(line.substr(hit + 11));
      if (read != std::string::npos) cost.blocks += std::stoll(line.substr(read + 6));
    }
    cost.rows = static_cast<std::int64_t>(plans_link->run_script(call).rows().size());
    return cost;
  }

  static inline postgres::PgOptions* plans_options = nullptr;
  static inline Link* plans_link = nullptr;
};

TEST_F(Plans, EveryListReadsItsPage) {
  const struct {
    std::string workflow;
    std::optional<ExecutionStatus> status;
    std::int64_t rows;
  } lists[] = {
      {"", {}, 50},
      {"wf3", {}, 50},
      {"rare", {}, 1},
      {"none", {}, 0},
      {"", ExecutionStatus::kRunning, 20},
      {"wf1", ExecutionStatus::kRunning, 11},
      {"rare", ExecutionStatus::kRunning, 0},
      {"", ExecutionStatus::kSucceeded, 50},
      {"wf3", ExecutionStatus::kSucceeded, 50},
      {"", ExecutionStatus::kFailed, 20},
      {"wf0", ExecutionStatus::kFailed, 20},
      {"wf3", ExecutionStatus::kFailed, 0},
      {"", ExecutionStatus::kTimedOut, 0},
      {"", ExecutionStatus::kAborted, 0},
  };
  for (const auto& [workflow, status, rows] : lists) {
    store::ListFilter filter;
    filter.workflow = workflow;
    filter.status = status;
    const std::string last = "'ffffffff-ffff-ffff-ffff-ffffffffffff'";
    const std::string arguments =
        "('default', " + last + ", 50" + (workflow.empty() ? "" : ", '" + workflow + "'") + ")";
    const Cost cost = cost_of(postgres::list_sql(filter), arguments);
    const std::string what = workflow + "/" + (status ? to_string(*status) : "any");
    EXPECT_EQ(cost.rows, rows) << what;
    // Ten workflows of fifty candidates each are the most that a page may look at.
    EXPECT_LT(cost.blocks, kMost) << what << "\n" << cost.plan;
  }
}

TEST_F(Plans, WhatLooksForWorkFindsItByItsIndex) {
  run("INSERT INTO start_keys (namespace, workflow, name, execution, input_hash, expires_at) "
      "SELECT 'default', 'wf1', repeat('n', 700) || i, gen_random_uuid(), 0, "
      "now() + make_interval(days => CASE WHEN i % 2000 = 0 THEN -1 ELSE 1 END) "
      "FROM generate_series(1, 20000) i");
  run("UPDATE executions SET wake_at = now() - interval '1 h' WHERE wake_at IS NOT NULL");
  run("INSERT INTO inbox (execution, id, command, kind, dedupe_key, payload, arrived_at) "
      "SELECT id, 1, 1, 2, 'k', '{}', now() - interval '30 s' FROM executions WHERE status = 1");
  run("ANALYZE");
  const std::string pools = "'{default}'", semantics = "9::smallint";
  const std::pair<const char*, std::string> statements[] = {
      {"next due", "SELECT stepwell_next_due_v1(" + pools + ", " + semantics + ", '{}')"},
      {"next suspect", "SELECT stepwell_next_suspect_v1(" + pools + ", " + semantics + ", '{}')"},
      {"look", "SELECT * FROM stepwell_look_v1(" + pools + ", " + semantics + ", NULL)"},
      {"free", "SELECT stepwell_free_v1(1000)"},
      {"a page of wake", "SELECT * FROM stepwell_wake_v2('" + Uuid{}.text() + "', 100)"},
      {"owned",
       "SELECT id FROM executions WHERE owner = '00000000-0000-0000-0000-00000000000a' "
       "ORDER BY id"},
      {"start key",
       "SELECT execution FROM start_keys WHERE namespace = 'default' AND workflow = "
       "'wf1' AND name = 'n'"},
      {"names that are over", "SELECT stepwell_forget_names_v1(1000)"},
  };
  for (const auto& [what, sql] : statements) {
    const Cost cost = cost_of(sql, "");
    EXPECT_LT(cost.blocks, kMost) << what << "\n" << cost.plan;
  }
}

// A lane that began on a small database keeps its plans, and where autovacuum has said that a table
// is empty, a plan may read the whole of it for each row: with the table grown, each batch did.
TEST(PlansOfALane, AreMadeAnewAsItGoesOn) {
  constexpr std::int64_t kRows = 20'000;
  constexpr int kBatches = 40;
  const postgres::PgOptions options = fresh_schema();
  const auto link = Link::open(options, {.name = "plans"}).value();
  for (const char* table : {"executions", "journal"}) {
    ASSERT_TRUE(link->run_script(std::string("VACUUM ANALYZE ") + table).ok());
  }
  const auto store = postgres::open_store(options).value();
  const auto node = store->join({}).value();
  auto lane = node->open_session().value();
  const Uuid backend = lane->writer();
  std::vector<ExecutionId> ids;
  store::Batch starting;
  starting.number = 1;
  for (int i = 0; i < kBatches; ++i) {
    store::Start& start = starting.starts.emplace_back();
    start.id = ExecutionId{Uuid::v7(unix_ms(store->now().value()), 1, i)};
    ids.push_back(start.id);
    start.owned = true;
    start.first.execution = start.id;
    start.first.seq = 1;
  }
  ASSERT_TRUE(lane->commit(starting).ok());
  const auto end_one = [&](std::uint64_t i) {
    store::Batch ending;
    ending.number = 2 + i;
    ending.finishes.push_back({ids[i], ExecutionStatus::kSucceeded, "1", {}, {}, {}});
    ASSERT_TRUE(lane->commit(ending).ok());
  };
  end_one(0);
  const Answer filled = link->run_script(
      "INSERT INTO executions (id, status, semantics, input_hash, started_at, namespace, workflow, "
      "program_hash, name, pool, tags, input) "
      "SELECT (left(stepwell_first_id(now())::text, 24) || lpad(i::text, 12, '0'))::uuid, 1, 1, 0, "
      "now(), 'default', 'w', 'h', '', 'default', '{}', '{}' FROM generate_series(1, " +
      std::to_string(kRows) + ") i");
  ASSERT_TRUE(filled.ok()) << filled.trouble().message;
  for (std::uint64_t i = 1; i < kBatches; ++i) end_one(i);

  const Answer pid =
      link->run("SELECT backend_pid FROM writers WHERE id = $1", Parameters().add(backend));
  lane.reset();
  const auto number = [&](const std::string& sql) {
    return link->run(sql.c_str()).rows().number(0, 0);
  };
  // A backend tells what it has read when it ends.
  while (number("SELECT count(*) FROM pg_stat_activity WHERE pid = " + pid.rows().string(0, 0)) >
         0) {
    std::this_thread::yield();
  }
  EXPECT_LT(number("SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes "
                   "WHERE schemaname = current_schema() AND relname LIKE 'executions_%'"),
            kBatches * kRows / 2);
}

}  // namespace
}  // namespace stepwell::testing
