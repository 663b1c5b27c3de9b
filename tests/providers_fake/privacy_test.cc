// No record is ever stored: a backfill runs on Postgres, with faults and failures, and then all
// that the database holds is searched for names, times and ids of the records.
#include <array>
#include <cstdio>
#include <set>

#include "base/hash.h"
#include "providers/ledger/postgres_ledger.h"
#include "tests/providers_fake/backfill_fixture.h"
#include "tests/store/postgres_fixture.h"

namespace stepwell::fake {
namespace {

// Every row of every table, as text.
std::string dump(const std::string& url) {
  const std::string command =
      "$(ls /usr/lib/postgresql/*/bin/pg_dump | tail -1) --data-only --inserts '" + url + "' 2>&1";
  std::string text;
  std::FILE* pipe = ::popen(command.c_str(), "r");
  CHECK(pipe != nullptr, "popen");
  std::array<char, 65'536> bytes{};
  for (std::size_t got; (got = std::fread(bytes.data(), 1, bytes.size(), pipe)) > 0;) {
    text.append(bytes.data(), got);
  }
  EXPECT_EQ(::pclose(pipe), 0) << text.substr(0, 500);
  return text;
}

class Privacy : public Backfill {
 protected:
  void open_on_postgres() {
    url = testing::database_url();
    const auto migrated = postgres::migrate(url);
    ASSERT_TRUE(migrated.ok()) << migrated.error().message;
    start_fake();
    auto ledger_there = postgres::open_ledger(url);
    auto connections_there = postgres::open_connections(url);
    ASSERT_TRUE(ledger_there.ok() && connections_there.ok());
    open_engine(url, std::move(*ledger_there), std::move(*connections_there));
  }
  // What of the user's records stands in the text: "title Morning Run 4f0a21", ...
  std::set<std::string> found_in(const std::string& text) const {
    std::set<std::string> found;
    const auto look_for = [&](const std::string& what, const std::string& value) {
      // Columns of bytes are dumped as hexadecimal digits.
      const bool is_there = text.find(value) != std::string::npos ||
                            text.find(hex_encode(value)) != std::string::npos;
      if (is_there) found.insert(what + " " + value);
    };
    const Value expected = fake->get("/__expected?user=1");
    for (const Value& record : expected.find("records")->as_array()) {
      const Value& time = *record.find("time");
      look_for("id", record.find("source")->find("id")->as_string());
      look_for("title", record.find("data")->find("title")->as_string());
      // Without the Z, so that any way of writing the zone is found.
      look_for("start", time.find("start")->as_string().substr(0, 19));
      look_for("end", time.find("end")->as_string().substr(0, 19));
    }
    return found;
  }

  std::string url;
};

TEST_F(Privacy, NoRecordIsEverInTheDatabase) {
  open_on_postgres();
  fake->control(R"({"preset": "rough"})");
  // One month fails while it is listed, another when single activities are read.
  fake->control(R"({"strava": {"bad_windows": [{"from": "2026-08-10", "to": "2026-08-11"}],
      "slow_windows": [{"from": "2026-09-10", "to": "2026-09-12", "max_days": 0, "status": 404},
                       {"from": "2026-10-10", "to": "2026-10-20", "max_days": 12}]}})");
  Object with = input();
  with.set("fields", json(R"(["sport", "energy_total_kcal"])"));
  run(with);
  ASSERT_EQ(status(), "COMPLETED_WITH_ERRORS") << ended.output;
  EXPECT_GT(counted("created"), 5);
  const std::string text = dump(url);
  EXPECT_NE(text.find("workout/2026-08-01..2026-09-01"), std::string::npos)
      << "the search sees what is stored";
  EXPECT_EQ(found_in(text), std::set<std::string>());
}

// The provider's error quotes the record that it cannot read: while the backfill is planned, and in
// a chunk.
TEST_F(Privacy, NoErrorBringsARecordIntoTheDatabase) {
  break_file("strava/provider.lua", "items = sw.map(answer.json, M.to_canonical)",
             "items = sw.err.BadData { message = answer.json[1].name }");
  open_on_postgres();
  Object with = input();
  with.set("records_per_chunk", 10);
  run(with);
  EXPECT_EQ(status(), "FAILED Provider.BadData: the details are in the server's log");
  run(input());
  EXPECT_EQ(status(), "COMPLETED_WITH_ERRORS") << ended.output;
  EXPECT_EQ(found_in(dump(url)), std::set<std::string>());
}

TEST_F(Privacy, TheSearchFindsARecordThatIsStored) {
  open_on_postgres();
  const Value record = fake->get("/__expected?user=1").find("records")->as_array()[3];
  const std::string title = record.find("data")->find("title")->as_string();
  Object with = input();
  with.set("user", title);
  with.set("source", "strava:none");
  run(with);
  EXPECT_EQ(ended.status, "FAILED");
  EXPECT_EQ(found_in(dump(url)), std::set<std::string>{"title " + title});
}

}  // namespace
}  // namespace stepwell::fake
