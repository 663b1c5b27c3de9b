// The files of sql/engine make the schema; migrating is repeatable and safe.
#include <gtest/gtest.h>

#include <future>

#include "engine/postgres/link.h"
#include "engine/postgres/sql_texts.h"
#include "tests/store/postgres_fixture.h"

namespace stepwell::testing {
namespace {

using postgres::Link;
using postgres::PgOptions;

std::unique_ptr<Link> link_to(const PgOptions& options) {
  auto link = Link::open(options, {.name = "test"});
  CHECK(link.ok(), link.error().message);
  return std::move(link).value();
}

// The month of the last partition: "2026_12".
std::string newest_month(Link& link) {
  return link.run("SELECT to_char((now() AT TIME ZONE 'UTC') + interval '2 months', 'YYYY_MM')")
      .rows()
      .string(0, 0);
}

TEST(Schema, MigratingAgainDoesNothing) {
  const PgOptions options = empty_schema();
  const auto first = postgres::migrate(options);
  ASSERT_TRUE(first.ok()) << first.error().message;
  EXPECT_EQ(first->from, 0);
  EXPECT_EQ(first->to, postgres::schema_version());
  EXPECT_EQ(first->applied, std::vector<std::string>{"schema"});
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
  EXPECT_EQ(applied, 1u);
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
}

TEST(Schema, ADatabaseOfAnotherEncodingIsRefusedBeforeAnythingIsMade) {
  PgOptions options = empty_schema();
  const std::string name = "latin_" + options.schema;
  run_as_admin("CREATE DATABASE " + name +
               " ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
  const std::size_t at = options.url.find('/', options.url.find("://") + 3) + 1;
  options.url.replace(at, options.url.find('?') - at, name);
  EXPECT_EQ(postgres::migrate(options).error().message,
            "the database's encoding is LATIN1; Stepwell needs UTF8: CREATE DATABASE ... ENCODING "
            "'UTF8' TEMPLATE template0");
  run_as_admin("DROP DATABASE " + name + " WITH (FORCE)");
}

// A binary works with schemas from its oldest one on; a newer schema says whom it still serves.
TEST(Schema, ABinaryWorksWithAWindowOfVersions) {
  const PgOptions options = fresh_schema();
  auto store = postgres::open_store(options).value();
  auto link = link_to(options);
  // One version ahead, as while a fleet is being updated.
  ASSERT_TRUE(link->run_script("INSERT INTO schema_migrations VALUES (12, 'x')").ok());
  EXPECT_TRUE(store->check(false).ok());
  EXPECT_EQ(postgres::migrate(options)->text(), "schema is at version 12, as before\n");
  ASSERT_TRUE(link->run_script("UPDATE served_binaries SET oldest = 12").ok());
  EXPECT_EQ(store->check(false).error().message,
            "this database serves binaries that know version 12 of the schema or a newer one, this "
            "one knows 11: use a newer binary");
  EXPECT_EQ(store->check(false).error().code, ErrorCode::kUnavailable);
}

TEST(Schema, WhatAnEarlyBinaryMadeIsRefusedWithWordsThatSayWhatToDo) {
  const PgOptions options = fresh_schema();
  auto store = postgres::open_store(options).value();
  auto link = link_to(options);
  ASSERT_TRUE(link->run_script("UPDATE schema_migrations SET version = 3").ok());
  const std::string words =
      "schema \"" + options.schema +
      "\" was made by an early Stepwell (version 3) that nothing leads on from: remove .stepwell/ "
      "if `stepwell dev` made it, else use a new schema or a new database";
  EXPECT_EQ(store->check(false).error().message, words);
  EXPECT_EQ(postgres::migrate(options).error().message, words);
  EXPECT_EQ(postgres::migrate(options).error().code, ErrorCode::kConflict);
}

TEST(Schema, WhatIsPrintedForTheAdministratorIsAllThatIsNeeded) {
  if (given_database() != nullptr) GTEST_SKIP() << "makes a database: needs a server of its own";
  const std::string name = "new-" + std::to_string(getpid());
  PgOptions options = empty_schema();
  options.schema = "stepwell";
  const std::string host = options.url.substr(options.url.find('?'));
  options.url = "postgresql:///" + name + host.substr(0, host.find("user=")) + "user=" + name;
  const auto script = postgres::setup_script(postgres::setup_of(options.url).value());
  ASSERT_TRUE(script.ok()) << script.error().message;
  for (int i = 0; i < 2; ++i) {
    std::FILE* psql =
        popen(("psql -qX -v ON_ERROR_STOP=1 '" + admin_url() + "' >/dev/null").c_str(), "w");
    std::fputs(script->c_str(), psql);
    EXPECT_EQ(pclose(psql), 0);
  }
  const auto migrated = postgres::migrate(options);
  EXPECT_TRUE(migrated.ok()) << migrated.error().message;
  auto store = postgres::open_store(options).value();
  EXPECT_TRUE(store->check(false).ok());
  EXPECT_EQ(link_to(options)
                ->run("SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles "
                      "WHERE rolname = current_user")
                .rows()
                .text(0, 0),
            "f");
  store.reset();
  run_as_admin("DROP DATABASE \"" + name + "\" WITH (FORCE)");
  run_as_admin("DROP ROLE \"" + name + "\"");
}

TEST(Schema, AUrlThatIsNoneIsNotShown) {
  EXPECT_EQ(postgres::setup_of("postgresql://me:sec%zzret@host/db").error().message,
            "the database's URL cannot be read; its shape is "
            "postgresql://ROLE:PASSWORD@HOST:PORT/DATABASE, and what is no letter or digit in a "
            "part stands as %XX");
  const postgres::Setup named = postgres::setup_of("postgresql://me:secret@host/db").value();
  EXPECT_EQ(named.role + " " + named.database, "me db");
  EXPECT_EQ(postgres::setup_script({.role = "a\"b"}).error().message,
            "role \"a\"b\": use up to 63 letters, digits, underscores and dashes");
}

TEST(Schema, WhoMayNotMakeASchemaIsToldWhatAnAdministratorDoes) {
  if (given_database() != nullptr) GTEST_SKIP() << "needs a role of its own";
  PgOptions options = empty_schema();
  options.schema += "_more";
  const Error denied = postgres::migrate(options).error();
  EXPECT_EQ(denied.message, "cannot create schema \"" + options.schema +
                                "\": permission denied for database stepwell; what an "
                                "administrator does once: stepwell migrate --print-setup");
  EXPECT_EQ(denied.code, ErrorCode::kDenied);
}

// A role that can write but owns nothing would serve until the month ends.
TEST(Schema, WhoMayNotMakePartitionsIsToldAtTheStart) {
  if (given_database() != nullptr) GTEST_SKIP() << "makes a role: needs a server of its own";
  const PgOptions options = fresh_schema();
  const std::string role = "writer_" + options.schema;
  run_as_admin("CREATE ROLE " + role + " LOGIN; GRANT USAGE ON SCHEMA " + options.schema + " TO " +
               role + "; GRANT ALL ON ALL TABLES IN SCHEMA " + options.schema + " TO " + role);
  auto store = postgres::open_store(as_role(options, role)).value();
  EXPECT_TRUE(store->check(false).ok()) << "who only reads is welcome";
  EXPECT_EQ(store->join({}).error().message,
            "role \"" + role +
                "\" could make no partitions here: the tables belong to \"stepwell\"; connect as "
                "that role");
  store.reset();
  run_as_admin("DROP OWNED BY " + role + "; DROP ROLE " + role);
}

// The clock goes back over a month's end: what there is stays as it is.
TEST(Schema, PartitionsAreMadeByWhatThereIs) {
  auto link = link_to(fresh_schema());
  const auto end = link->run("SELECT stepwell_partitions_end_v1('journal'::regclass)");
  EXPECT_EQ(end.rows().string(0, 0).substr(13), "-0000-0000-000000000000");
  ASSERT_TRUE(link->run_script("DROP TABLE journal_" + newest_month(*link)).ok());
  const auto made = link->run("SELECT array_to_string(stepwell_maintain_v1(), ' ')");
  ASSERT_TRUE(made.ok()) << made.trouble().message;
  EXPECT_EQ(made.rows().string(0, 0), "journal_" + newest_month(*link));
  EXPECT_EQ(link->run("SELECT stepwell_partitions_end_v1('journal'::regclass)").rows().text(0, 0),
            end.rows().text(0, 0));
}

// Nobody who reads holds up the making of partitions, and so everybody else.
TEST(Schema, PartitionsAreMadeBesideAReader) {
  const PgOptions options = fresh_schema();
  auto link = link_to(options), reader = link_to(options);
  ASSERT_TRUE(link->run_script("DROP TABLE executions_" + newest_month(*link)).ok());
  ASSERT_TRUE(reader->run_script("BEGIN").ok());
  ASSERT_TRUE(reader->run("SELECT count(*) FROM executions").ok());
  ASSERT_TRUE(link->run_script("SET lock_timeout = '10s'").ok());
  const auto made = link->run("SELECT array_to_string(stepwell_maintain_v1(), ' ')");
  ASSERT_TRUE(made.ok()) << made.trouble().message;
  EXPECT_EQ(made.rows().string(0, 0), "executions_" + newest_month(*link));
}

// `local` would acknowledge what only one of two servers has.
TEST(Schema, ACommitIsOnDiskAndOnTheStandbyWhateverTheRoleSets) {
  for (const std::string set : {"off", "local", "remote_write", "remote_apply"}) {
    PgOptions options = fresh_schema();
    options.url += "&options=-c%20synchronous_commit%3D" + set;
    const std::string pinned = set == "remote_apply" ? set : "on";
    const char* const asked = "SELECT current_setting('synchronous_commit')";
    EXPECT_EQ(link_to(options)->run(asked).rows().string(0, 0), pinned);
    EXPECT_TRUE(postgres::open_store(options).value()->check(false).ok());
    options.is_unsafe = true;
    EXPECT_EQ(link_to(options)->run(asked).rows().string(0, 0), set);
  }
}

TEST(Schema, AServerThatMayLoseWhatItHasIsRefused) {
  ThrowAwayCluster server({.settings = {"full_page_writes=off"}});
  const PgOptions options{.url = server.cluster().url(), .label = {}};
  ASSERT_TRUE(postgres::migrate(options).ok());
  auto store = postgres::open_store(options).value();
  EXPECT_EQ(store->check(false).error().message,
            "this database runs with full_page_writes=off: it would lose what it has acknowledged; "
            "set it to on, or give --unsafe");
  EXPECT_TRUE(store->check(true).ok());
}

// A cluster of an earlier `stepwell dev`, which worked as the administrator.
TEST(Schema, ThatBelongsToSomebodyElseIsRefused) {
  if (given_database() != nullptr) GTEST_SKIP() << "needs a server of its own";
  const PgOptions options = fresh_schema();
  run_as_admin("ALTER SCHEMA " + options.schema + " OWNER TO postgres");
  EXPECT_EQ(postgres::migrate(options).error().message,
            "schema \"" + options.schema +
                "\" belongs to \"postgres\", not to \"stepwell\": connect as its owner; if an "
                "earlier `stepwell dev` made it, remove .stepwell/");
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
      "INSERT INTO executions (id, semantics, input_hash, started_at, namespace, workflow, "
      "program_hash, name, pool, tags, input) VALUES (stepwell_first_id(now()), 1, 0, now(), "
      "'default', 'w', 'h', '', 'p', '{}', '{}')");
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
