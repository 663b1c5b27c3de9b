// sql/engine/schema.sql and the migrations lead to the same schema; migrating is repeatable and
// safe.
#include <gtest/gtest.h>

#include <future>

#include "engine/postgres/link.h"
#include "engine/postgres/sql_texts.h"
#include "tests/store/postgres_fixture.h"

namespace stepwell::testing {
namespace {

using postgres::Link;
using postgres::Parameters;
using postgres::PgOptions;

std::unique_ptr<Link> link_to(const PgOptions& options) {
  auto link = Link::open(options, {.name = "test"});
  CHECK(link.ok(), link.error().message);
  return std::move(link).value();
}

// Everything that a schema is made of, a line each, without the schema's own name.
std::string described(Link& link) {
  const auto answer = link.run(R"(
    SELECT string_agg(line, E'\n' ORDER BY line COLLATE "C") FROM (
      SELECT concat_ws(' ', 'column', c.relname, a.attnum, a.attname,
                       format_type(atttypid, atttypmod), a.attnotnull,
                       pg_get_expr(d.adbin, d.adrelid)) AS line
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
      LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
      WHERE c.relnamespace = current_schema()::regnamespace
      UNION ALL
      SELECT concat_ws(' ', 'relation', relname, relkind, reloptions, pg_get_partkeydef(oid))
      FROM pg_class WHERE relnamespace = current_schema()::regnamespace
      UNION ALL
      SELECT concat_ws(' ', 'index', indexdef) FROM pg_indexes WHERE schemaname = current_schema()
      UNION ALL
      SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
      FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
      UNION ALL
      SELECT concat_ws(' ', 'view', viewname, definition) FROM pg_views
      WHERE schemaname = current_schema()
      UNION ALL
      SELECT concat_ws(' ', 'function', pg_get_functiondef(oid)) FROM pg_proc
      WHERE pronamespace = current_schema()::regnamespace) all_lines)");
  CHECK(answer.ok(), answer.trouble().message);
  std::string text = answer.rows().string(0, 0);
  const auto name = link.run("SELECT current_schema()");
  const std::string schema = name.rows().string(0, 0);
  for (std::size_t at = 0; (at = text.find(schema + ".", at)) != std::string::npos;) {
    text.erase(at, schema.size() + 1);
  }
  return text;
}

TEST(Schema, MigrationsLeadToSchemaSql) {
  const PgOptions migrated = fresh_schema(), written = empty_schema();
  auto by_migrations = link_to(migrated);
  auto by_schema = link_to(written);
  ASSERT_TRUE(by_schema->run_script("CREATE SCHEMA " + written.schema).ok());
  const auto applied = by_schema->run_script(postgres::schema_texts[0].text);
  ASSERT_TRUE(applied.ok()) << applied.trouble().message;
  ASSERT_TRUE(by_schema->run("SELECT stepwell_maintain()").ok());
  const std::string expected = described(*by_schema);
  EXPECT_GT(expected.size(), 10'000u);
  EXPECT_EQ(described(*by_migrations), expected);
}

TEST(Schema, MigratingAgainDoesNothing) {
  const PgOptions options = empty_schema();
  const auto first = postgres::migrate(options);
  ASSERT_TRUE(first.ok()) << first.error().message;
  EXPECT_EQ(first->from, 0);
  EXPECT_EQ(first->to, postgres::schema_version());
  EXPECT_EQ(first->applied.size(), static_cast<std::size_t>(postgres::schema_version()));
  EXPECT_EQ(first->applied[0], "0001_tables.sql");
  EXPECT_EQ(first->partitions.size(), 9u);
  const auto second = postgres::migrate(options);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->text(),
            "schema is at version " + std::to_string(postgres::schema_version()) + ", as before\n");
}

TEST(Schema, FourMigrateAtOnceAndOneDoesTheWork) {
  const PgOptions options = empty_schema();
  std::vector<std::future<Result<postgres::Migrated>>> all;
  for (int i = 0; i < 4; ++i) {
    all.push_back(std::async(std::launch::async, [&] { return postgres::migrate(options); }));
  }
  std::size_t applied = 0;
  for (auto& one : all) {
    const auto migrated = one.get();
    ASSERT_TRUE(migrated.ok()) << migrated.error().message;
    applied += migrated->applied.size();
  }
  EXPECT_EQ(applied, static_cast<std::size_t>(postgres::schema_version()));
}

TEST(Schema, CheckSaysWhatIsMissing) {
  const PgOptions options = empty_schema();
  auto store = postgres::open_store(options).value();
  EXPECT_EQ(store->check(false).error().message, "there is no Stepwell in schema \"" +
                                                     options.schema +
                                                     "\" of this database; run: stepwell migrate");
  ASSERT_TRUE(postgres::migrate(options).ok());
  const Status usable = store->check(false);
  EXPECT_TRUE(usable.ok()) << usable.error().message;
  auto link = link_to(options);
  const std::string newest = std::to_string(postgres::schema_version());
  ASSERT_TRUE(link->run(("DELETE FROM schema_migrations WHERE version = " + newest).c_str()).ok());
  EXPECT_EQ(store->check(false).error().message,
            "the schema is at version " + std::to_string(postgres::schema_version() - 1) +
                ", this binary needs " + newest + "; run: stepwell migrate");
  ASSERT_TRUE(link->run("INSERT INTO schema_migrations VALUES (99, 'x')").ok());
  EXPECT_EQ(store->check(false).error().message, "the schema is at version 99, this binary needs " +
                                                     std::to_string(postgres::schema_version()) +
                                                     "; use a newer binary");
  EXPECT_EQ(postgres::migrate(options).error().code, ErrorCode::kConflict);
  ASSERT_TRUE(link->run("DELETE FROM schema_migrations WHERE version = 99").ok());
  ASSERT_TRUE(
      link->run(("INSERT INTO schema_migrations VALUES (" + newest + ", 'x')").c_str()).ok());
  ASSERT_TRUE(link->run("UPDATE served_binaries SET oldest = 7, newest = 9").ok());
  EXPECT_EQ(store->check(false).error().message,
            "this database serves binaries of version 7 to 9, this one is 1");
}

TEST(Schema, SettingsThatLoseDataAreRefused) {
  PgOptions options = fresh_schema();
  options.url += "&options=-c%20synchronous_commit%3Doff";
  auto store = postgres::open_store(options).value();
  EXPECT_EQ(
      store->check(false).error().message,
      "this database runs with synchronous_commit=off: it would lose what it has acknowledged; "
      "set it to on, or give --unsafe");
  EXPECT_TRUE(store->check(true).ok());
}

TEST(Schema, ThereIsNoDefaultPartitionAndFewEnough) {
  auto link = link_to(fresh_schema());
  const auto answer = link->run(
      "SELECT count(*), bool_or(pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT') FROM pg_inherits i "
      "JOIN pg_class c ON c.oid = i.inhrelid "
      "WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'");
  ASSERT_TRUE(answer.ok());
  EXPECT_LT(answer.rows().number(0, 0), 100);
  EXPECT_FALSE(answer.rows().flag(0, 1));
}

TEST(Schema, ARunningRowCannotBeForgotten) {
  auto link = link_to(fresh_schema());
  const auto answer = link->run(
      "INSERT INTO executions (id, semantics, input_hash, started_at, workflow, program_hash, "
      "name, "
      "pool, tags, input) VALUES (stepwell_first_id(now()), 1, 0, now(), 'w', 'h', '', 'p', '{}', "
      "'{}')");
  ASSERT_FALSE(answer.ok());
  EXPECT_NE(answer.trouble().message.find("executions_cannot_be_forgotten"), std::string::npos)
      << answer.trouble().message;
}

TEST(Schema, ASchemaNameIsAName) {
  PgOptions options = empty_schema();
  options.schema = "x; drop table y";
  EXPECT_EQ(postgres::migrate(options).error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace stepwell::testing
