// A PostgreSQL for tests: one private, throw-away server per test binary, started at its first use
// and gone with it; or the database that STEPWELL_TEST_DATABASE_URL names.
//
//   const postgres::PgOptions options = stepwell::testing::fresh_schema();
//   auto store = postgres::open_store(options).value();
//
// Everything connects as an ordinary role that owns its schema and nothing else, as in production.
// What a test does as an administrator, it does through admin_url().
//
// Each test takes a schema of its own, so tests may run side by side on one database.
#pragma once

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "base/check.h"
#include "engine/postgres/cluster.h"
#include "engine/postgres/link.h"
#include "engine/postgres/postgres.h"
#include "engine/postgres/setup.h"

namespace stepwell::testing {

// A node that has renewed its lease for an hour: leases that end mean death.
inline constexpr const char* kSteadyNode =
    "INSERT INTO nodes (id, label, build, pools, evidence, lease_until, renewed_at, steady_since) "
    "VALUES ('00000000-0000-0000-0000-000000000001', 'steady', '', '{}', 0, "
    "now() + interval '1 hour', now(), now() - interval '1 hour') ON CONFLICT DO NOTHING";

class ThrowAwayCluster {
 public:
  // In a folder of its own, and gone with it.
  explicit ThrowAwayCluster(postgres::ClusterOptions options = {}) {
    std::string folder = (roomy_folder() / "stepwell-test-XXXXXX").string();
    CHECK(mkdtemp(folder.data()) != nullptr, "cannot make " + folder);
    std::filesystem::permissions(folder,
                                 std::filesystem::perms(0755));  // The server's user enters.
    folder_ = folder;
    options.directory = folder;
    options.dies_with_parent = true;
    auto cluster = postgres::Cluster::open(options);
    CHECK(cluster.ok(), cluster.error().message);
    cluster_ = std::move(cluster).value();
  }
  ~ThrowAwayCluster() {
    cluster_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  postgres::Cluster& cluster() { return *cluster_; }

 private:
  // In memory where there is plenty: every fsync is made, and costs nothing.
  static std::filesystem::path roomy_folder() {
    constexpr std::uintmax_t kPlenty = 2'000'000'000;
    std::error_code error;
    const auto space = std::filesystem::space("/dev/shm", error);
    const bool fits = !error && space.available > kPlenty && access("/dev/shm", W_OK) == 0;
    return fits ? std::filesystem::path("/dev/shm") : std::filesystem::temp_directory_path();
  }

  std::string folder_;
  std::unique_ptr<postgres::Cluster> cluster_;
};

inline const char* given_database() { return std::getenv("STEPWELL_TEST_DATABASE_URL"); }

inline postgres::Cluster& own_cluster() {
  static ThrowAwayCluster server;
  return server.cluster();
}

inline std::string database_url() {
  return given_database() != nullptr ? given_database() : own_cluster().url();
}

// As an administrator; of a database that was given, as whom its URL names.
inline std::string admin_url() {
  return given_database() != nullptr ? given_database() : own_cluster().admin_url();
}

inline void run_as_admin(const std::string& sql) {
  auto link = postgres::Link::open({.url = admin_url(), .label = "admin"}, {.name = "admin"});
  CHECK(link.ok(), link.error().message);
  const postgres::Answer answer = (*link)->run_script(sql);
  CHECK(answer.ok(), sql + ": " + answer.trouble().message);
}

// The same database as another role.
inline postgres::PgOptions as_role(postgres::PgOptions options, const std::string& role) {
  const std::size_t user = options.url.find("user=");
  CHECK(user != std::string::npos, options.url);
  const std::size_t end = std::min(options.url.find_first_of("& ", user), options.url.size());
  options.url.replace(user, end - user, "user=" + role);
  return options;
}

// A schema that has nothing in it yet.
inline postgres::PgOptions empty_schema() {
  static std::atomic<int> count{0};
  postgres::PgOptions options;
  options.url = database_url();
  options.schema = "t" + std::to_string(getpid()) + "_" + std::to_string(++count);
  options.label = "test";
  const bool is_own = given_database() == nullptr;
  run_as_admin("CREATE SCHEMA " + options.schema + (is_own ? " AUTHORIZATION stepwell" : ""));
  return options;
}

// A schema with everything in it.
inline postgres::PgOptions fresh_schema() {
  postgres::PgOptions options = empty_schema();
  const auto migrated = postgres::migrate(options);
  CHECK(migrated.ok(), migrated.error().message);
  return options;
}

}  // namespace stepwell::testing
