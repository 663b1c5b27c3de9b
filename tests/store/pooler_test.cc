// A pooler before the database: pgbouncer in each of its modes.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "tests/store/postgres_fixture.h"

namespace stepwell::testing {
namespace {

class Pooler : public ::testing::Test {
 protected:
  void SetUp() override {
    if (given_database() != nullptr) GTEST_SKIP() << "needs a server of its own";
    folder_ = (std::filesystem::temp_directory_path() / "pooler-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    std::filesystem::permissions(folder_, std::filesystem::perms(0777));
  }
  void TearDown() override {
    if (folder_.empty()) return;
    long pid = 0;
    std::ifstream(folder_ + "/pid") >> pid;
    if (pid > 1) kill(static_cast<pid_t>(pid), SIGINT);
    while (pid > 1 && kill(static_cast<pid_t>(pid), 0) == 0) std::this_thread::yield();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  // The database as it is seen through a pooler.
  postgres::PgOptions pooled(const std::string& mode) {
    postgres::PgOptions options = fresh_schema();
    const std::size_t host = options.url.find("host=") + 5;
    const std::size_t end = options.url.find('&', host);
    std::ofstream(folder_ + "/ini")
        << "[databases]\n* = host=" << options.url.substr(host, end - host)
        << " user=stepwell\n[pgbouncer]\npool_mode = " << mode
        << "\nauth_type = any\nlisten_port = 6432\nunix_socket_dir = " << folder_
        << "\nlogfile = " << folder_ << "/log\npidfile = " << folder_ << "/pid\n";
    const std::string as = geteuid() == 0 ? " -u postgres" : "";
    const std::string command = "pgbouncer -q -d" + as + " " + folder_ + "/ini";
    CHECK(std::system(command.c_str()) == 0, command);
    // It goes on in the background.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!std::filesystem::exists(folder_ + "/.s.PGSQL.6432")) {
      CHECK(std::chrono::steady_clock::now() < deadline, "pgbouncer does not listen");
      std::this_thread::yield();
    }
    options.url.replace(host, end - host, folder_ + "&port=6432");
    return options;
  }
  std::string folder_;
};

TEST_F(Pooler, ThatChangesTheBackendBetweenTransactionsIsRefused) {
  const postgres::PgOptions options = pooled("transaction");
  const char* const words =
      "a pooler stands before this database and changes the backend between transactions: give "
      "Stepwell a pool with pool_mode = session, or the database itself";
  EXPECT_EQ(postgres::open_store(options).error().message, words);
  EXPECT_EQ(postgres::migrate(options).error().message, words);
}

TEST_F(Pooler, ThatKeepsABackendForEachConnectionServes) {
  auto store = postgres::open_store(pooled("session"));
  ASSERT_TRUE(store.ok()) << store.error().message;
  EXPECT_TRUE((*store)->check(false).ok());
  auto node = (*store)->join({.label = "pooled"});
  ASSERT_TRUE(node.ok()) << node.error().message;
  EXPECT_TRUE((*node)->open_session().ok());
}

}  // namespace
}  // namespace stepwell::testing
