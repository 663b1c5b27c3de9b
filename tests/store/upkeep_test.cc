// What the upkeep forgets, what it keeps, and what links pin against hostile settings.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/postgres/link.h"
#include "tests/store/postgres_fixture.h"
#include "tests/store/world.h"

namespace stepwell::testing {
namespace {

using postgres::Link;

class Upkeep : public ::testing::Test {
 protected:
  void sql(const std::string& text) {
    const auto answer = link_->run_script(text);
    CHECK(answer.ok(), answer.trouble().message + "\n" + text);
  }
  std::string text(const std::string& query) {
    const auto answer = link_->run_script(query);
    CHECK(answer.ok(), answer.trouble().message);
    return answer.rows().string(0, 0);
  }
  postgres::PgOptions options_ = fresh_schema();
  std::unique_ptr<Link> link_ = Link::open(options_, {.name = "upkeep"}).value();
};

// Writers 1 to 4: dead for long and named by nothing; named by an execution; freed just now; alive.
TEST_F(Upkeep, LanesAreForgottenOnceNothingNamesThem) {
  sql("INSERT INTO writers (id, node, backend_pid, backend_start, state, freed_at) "
      "SELECT lpad(i::text, 32, '0')::uuid, lpad(i::text, 32, '0')::uuid, 0, now(), "
      "CASE WHEN i = 4 THEN 'alive' ELSE 'dead' END, "
      "CASE i WHEN 3 THEN now() WHEN 4 THEN NULL ELSE now() - interval '2 h' END "
      "FROM generate_series(1, 4) i");
  sql("INSERT INTO batches SELECT id, 1 FROM writers");
  sql("INSERT INTO nodes (id, label, build, pools, evidence, lease_until) "
      "SELECT id, '', '', '{}', 0, now() - interval '2 h' FROM writers");
  sql("INSERT INTO executions (id, semantics, input_hash, owner, started_at, namespace, workflow, "
      "program_hash, name, pool, tags, input) VALUES (stepwell_first_id(now()), 1, 0, "
      "lpad('2', 32, '0')::uuid, now(), 'default', 'w', 'h', '', 'p', '{}', '{}')");
  sql("SELECT stepwell_tidy_v1()");
  const std::string left =
      "SELECT string_agg(ltrim(replace(id::text, '-', ''), '0'), ' ' "
      "ORDER BY id) FROM ";
  EXPECT_EQ(text(left + "writers"), "2 3 4");
  EXPECT_EQ(text(left + "nodes"), "2 3 4");
  EXPECT_EQ(text("SELECT count(*) FROM batches"), "3");
}

TEST_F(Upkeep, NamesOfWhatRunsAreKeptHoweverOld) {
  sql("INSERT INTO executions (id, status, semantics, input_hash, wake_at, started_at, namespace, "
      "workflow, program_hash, name, pool, tags, input) "
      "SELECT (left(stepwell_first_id(now())::text, 24) || lpad(i::text, 12, '0'))::uuid, i, 1, 0, "
      "now(), now(), 'default', 'w', 'h', 'n' || i, 'p', '{}', '{}' FROM generate_series(0, 1) i");
  sql("INSERT INTO start_keys (namespace, workflow, name, execution, input_hash, expires_at) "
      "SELECT namespace, workflow, name, id, 0, now() - interval '1 d' FROM executions");
  ASSERT_TRUE(postgres::open_store(options_).value()->maintain().ok());
  EXPECT_EQ(text("SELECT string_agg(name, ' ') FROM start_keys"), "n0");
}

TEST_F(Upkeep, AllNamesThatAreOverAreForgottenButThoseThatAreBeingRead) {
  sql("INSERT INTO start_keys (namespace, workflow, name, execution, input_hash, expires_at) "
      "SELECT 'default', 'w', 'n' || i, gen_random_uuid(), 0, "
      "now() + make_interval(days => CASE WHEN i <= 2500 THEN -1 ELSE 1 END) "
      "FROM generate_series(1, 2501) i");
  auto starter = Link::open(options_, {.name = "starter"}).value();
  ASSERT_TRUE(starter
                  ->run_script("BEGIN; SELECT 1 FROM start_keys WHERE namespace = 'default' AND "
                               "workflow = 'w' AND name = 'n7' FOR KEY SHARE")
                  .ok());
  const auto store = postgres::open_store(options_).value();
  ASSERT_TRUE(store->maintain().ok());
  EXPECT_EQ(text("SELECT string_agg(name, ' ' ORDER BY name) FROM start_keys"), "n2501 n7");
  ASSERT_TRUE(starter->run_script("COMMIT").ok());
  ASSERT_TRUE(store->maintain().ok());
  EXPECT_EQ(text("SELECT string_agg(name, ' ') FROM start_keys"), "n2501");
}

// A freed_at that came too early would leave executions with the dead for ever.
TEST_F(Upkeep, AWriterIsFreedWhenNothingNamesIt) {
  sql("INSERT INTO writers (id, node, backend_pid, backend_start, state) "
      "VALUES (lpad('1', 32, '0')::uuid, lpad('1', 32, '0')::uuid, 0, now(), 'dead')");
  sql("INSERT INTO executions (id, semantics, input_hash, owner, started_at, namespace, workflow, "
      "program_hash, name, pool, tags, input) "
      "SELECT (left(stepwell_first_id(now())::text, 24) || lpad(i::text, 12, '0'))::uuid, 1, 0, "
      "lpad('1', 32, '0')::uuid, now(), 'default', 'w', 'h', '', 'p', '{}', '{}' "
      "FROM generate_series(1, 3) i");
  EXPECT_EQ(text("SELECT stepwell_free_v1(2)"), "2");
  EXPECT_EQ(text("SELECT count(freed_at) FROM writers"), "0");
  // One is locked by somebody: it is left out, and its owner stays known as not freed.
  auto other = Link::open(options_, {.name = "other"}).value();
  ASSERT_TRUE(other
                  ->run_script("BEGIN; SELECT 1 FROM executions WHERE owner IS NOT NULL "
                               "FOR UPDATE")
                  .ok());
  EXPECT_EQ(text("SELECT stepwell_free_v1(2)"), "0");
  EXPECT_EQ(text("SELECT count(freed_at) FROM writers"), "0");
  ASSERT_TRUE(other->run_script("COMMIT").ok());
  EXPECT_EQ(text("SELECT stepwell_free_v1(2)"), "1");
  EXPECT_EQ(text("SELECT count(freed_at) FROM writers"), "1");
}

// An hour, it would be an hour until a process that dies is found by its lease.
TEST_F(Upkeep, AClockThatIsSetBackHoldsUpNobodysDeath) {
  sql(kSteadyNode);
  sql("INSERT INTO nodes (id, label, build, pools, evidence, lease_until, renewed_at, "
      "steady_since) "
      "SELECT lpad('2', 32, '0')::uuid, 'gone', '', '{}', 0, t + interval '1 h', t, t "
      "FROM (SELECT now() + interval '1 h' AS t) later");
  sql("INSERT INTO writers (id, node, backend_pid, backend_start) "
      "VALUES (lpad('3', 32, '0')::uuid, lpad('2', 32, '0')::uuid, 1, now())");
  EXPECT_EQ(text("SELECT stepwell_late_v1()"), "t");
  EXPECT_EQ(text("SELECT marked FROM stepwell_mark_dead_v1()"), "0") << "it may be alive";
  EXPECT_EQ(text("SELECT lease_until < clock_timestamp() + interval '1 h' FROM nodes "
                 "WHERE label = 'gone'"),
            "t");
  sql("UPDATE nodes SET lease_until = now() - interval '1 ms', renewed_at = now() - interval '1 h' "
      "WHERE label = 'gone'");
  EXPECT_EQ(text("SELECT marked FROM stepwell_mark_dead_v1()"), "1");
}

// What a role, a database or an environment sets changes nothing that is written or read.
TEST_F(Upkeep, HostileSettingsOfTheRoleAreOverruled) {
  if (given_database() != nullptr) GTEST_SKIP() << "makes a role: needs a server of its own";
  const std::string role = "hostile_" + options_.schema;
  run_as_admin("CREATE ROLE " + role + " LOGIN; GRANT stepwell TO " + role);
  const struct {
    std::string name, hostile, pinned;
  } settings[] = {
      {"client_encoding", "LATIN1", "UTF8"},
      {"bytea_output", "escape", "hex"},
      {"DateStyle", "German", "ISO, MDY"},
      {"IntervalStyle", "sql_standard", "postgres"},
      {"TimeZone", "Asia/Kathmandu", "UTC"},
      {"standard_conforming_strings", "off", "on"},
      {"extra_float_digits", "-5", "1"},
      {"default_transaction_isolation", "repeatable read", "read committed"},
      {"default_transaction_read_only", "on", "off"},
      {"default_transaction_deferrable", "on", "off"},
      {"synchronous_commit", "local", "on"},
      {"client_min_messages", "error", "warning"},
      {"statement_timeout", "1h", "30s"},
      {"lock_timeout", "1h", "10s"},
      {"idle_in_transaction_session_timeout", "1h", "10s"},
      {"idle_session_timeout", "1s", "0"},
      {"search_path", "nowhere", options_.schema},
  };
  for (const auto& setting : settings) {
    run_as_admin("ALTER ROLE " + role + " SET " + setting.name + " = '" + setting.hostile + "'");
  }
  const postgres::PgOptions hostile = as_role(options_, role);
  auto store = postgres::open_store(hostile).value();
  store::Start start = start_of(new_execution(), "Z\u00fcrich", "\"Z\u00fcrich \\\\ 1.0\"");
  ASSERT_TRUE(store->start({start}).ok());
  ASSERT_TRUE(store->save_snapshot({start.id, 1, 7, std::string("a\0\xff\\z", 5)}).ok());
  auto link = Link::open(hostile, {.name = "hostile"}).value();
  for (const auto& setting : settings) {
    const auto now =
        link->run("SELECT current_setting($1::text)", postgres::Parameters().add(setting.name));
    EXPECT_EQ(now.rows().string(0, 0), setting.pinned) << setting.name;
  }
  auto plain = postgres::open_store(options_).value();
  for (store::Store* reader : {store.get(), plain.get()}) {
    const store::ExecutionRow row = reader->describe(Namespace(), start.id).value();
    EXPECT_EQ(row.name, "Z\u00fcrich");
    EXPECT_EQ(row.input, start.input);
    EXPECT_EQ(row.started_at, start.first.at);
    EXPECT_EQ(reader->load_snapshot(Namespace(), start.id, 1).value()->body,
              std::string("a\0\xff\\z", 5));
  }
  run_as_admin("DROP ROLE " + role);
}

}  // namespace
}  // namespace stepwell::testing
