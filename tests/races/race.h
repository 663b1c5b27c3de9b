// Race — real sessions of one Postgres, held at named points, and functions with a line taken out.
//
// Each race is told twice: once with the protecting line of sql/engine replaced, when
// the bad thing must happen (so the test has teeth), and once as it is, when it must not.  Nobody
// sleeps: a session is held by an advisory lock at a `-- point:` comment, and the test goes on when
// pg_stat_activity says that it got there.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/postgres/batch_sql.h"
#include "engine/postgres/link.h"
#include "engine/store/store.h"
#include "tests/store/postgres_fixture.h"
#include "tests/store/world.h"

namespace stepwell::testing {

using Ids = std::vector<ExecutionId>;
using Seqs = std::vector<std::uint64_t>;
using postgres::Answer;
using postgres::Link;
using postgres::Parameters;
using postgres::Trouble;

struct Replacement {
  std::string from, to;  // `from` must occur exactly once.
};

// A lane without a session around it: it sends one call and tries nothing again.
struct RawLane {
  std::unique_ptr<store::Node> node;
  std::unique_ptr<Link> link;
  Uuid writer;
  std::int64_t conn = 1;

  Answer commit(std::int64_t n, const store::Batch& batch) {
    return link->run(postgres::kCommitSql, postgres::commit_parameters(writer, conn, n, batch));
  }
  Answer claim(std::int64_t n);
};

class Race : public ::testing::Test {
 protected:
  Race();

  // Replaces a function of the schema by its text with these replacements.
  void install(const std::string& function, const std::vector<Replacement>& replacements);
  // Takes the second line of defence out: that facts are only written by their execution's owner.
  void install_facts_of_anybody();
  // A replacement that stops whoever comes to that point while hold() is in force.
  static Replacement stop_at(const std::string& point);
  void hold();
  void release();
  // True when that session waits for a lock; of the given kind, if one is given.
  bool waits(const Link& link, const std::string& event = "");
  // Polls until the query answers true.
  void wait_for(const char* sql, const Parameters& parameters = {});
  void wait_until_waiting(const Link& link, const std::string& event = "");
  // Until the session is gone or idle.
  void wait_until_ended(int pid);

  RawLane raw_lane();
  // Executions that this lane owns.
  Ids owned_by(RawLane& lane, int count);
  void start(const Ids& ids);
  void expire(const store::Node& node);
  store::SweepReport sweep();
  Seqs seqs(ExecutionId id);
  std::int64_t number(const char* sql, const Parameters& parameters = {});
  Answer sql(const char* text, const Parameters& parameters = {});
  std::unique_ptr<Link> session();

  postgres::PgOptions options_ = fresh_schema();
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Link> control_;
};

}  // namespace stepwell::testing
