// The tasks of the library sync, each by itself: the shipped folder beside two small providers.
// The backfill as a whole is tested in tests/providers_fake.
#include <sstream>

#include "tests/providers/host_fixture.h"

namespace stepwell::host {
namespace {

class SyncTest : public HostFixture {
 protected:
  SyncTest() { options.roots.emplace_back("providers"); }

  std::string fail_chunk(const std::string& cause) {
    const Value error(Object{{"Error", "Provider.BadData"}, {"Cause", cause}});
    return run("sync.fail_chunk", Value(Object{{"chunk", "workout/2026-08-01..2026-09-01"},
                                               {"type", "workout"},
                                               {"from", "2026-08-01T00:00:00Z"},
                                               {"to", "2026-09-01T00:00:00Z"},
                                               {"error", error}}));
  }
};

// A source and a destination, and the records of August that the source is asked for.
constexpr const char* kSource = R"(
  local M = {}
  local function record(id, start)
    return { source = { id = id }, data = {}, time = { start = start } }
  end
  function M.fetch() return { items = {
    record("first", "2026-08-01T00:00:00Z"),
    record("a quarter second in", "2026-08-01T00:00:00.250Z"),
    record("the first, elsewhere", "2026-07-31T17:00:00-07:00"),
    record("July, elsewhere", "2026-08-01T00:30:00+01:00"),
    record("last", "2026-08-31T23:59:59.999Z"),
    record("the last, elsewhere", "2026-09-01T00:30:00+01:00"),
    record("September", "2026-09-01T00:00:00Z"),
    record("September, elsewhere", "2026-08-31T23:30:00-01:00"),
    record("never", "soon"),
  } } end
  return M)";
constexpr const char* kDestination = R"(
  local M = {}
  function M.push(ctx, q)
    return { results = sw.each(q.records, function(item)
      sw.log.info("pushed " .. item.record.source.id)
      return { status = "created", remote_id = item.key }
    end) }
  end
  return M)";

std::string repeated(const char* text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

TEST_F(SyncTest, CutsACauseBetweenCharacters) {
  const auto failed = [](const std::string& cause) {
    return R"({"cause":")" + cause +
           R"(","error":"Provider.BadData","from":"2026-08-01T00:00:00Z","status":"failed",)"
           R"("to":"2026-09-01T00:00:00Z","type":"workout"})";
  };
  EXPECT_EQ(fail_chunk("short"), failed("short"));
  EXPECT_EQ(fail_chunk(repeated("x", 201)), failed(repeated("x", 200)));
  EXPECT_EQ(fail_chunk(repeated("ä", 101)), failed(repeated("ä", 100)));
  EXPECT_EQ(fail_chunk("x" + repeated("ä", 100)), failed("x" + repeated("ä", 99)));
  EXPECT_EQ(fail_chunk("xx" + repeated("😀", 100)), failed("xx" + repeated("😀", 49)));
}

// Sources write times with fractions and offsets; no two chunks may leave one out between them.
TEST_F(SyncTest, TakesTheRecordsOfAChunkHoweverTheirTimesAreWritten) {
  provider("acme", kSource);
  provider("dest", kDestination);
  connect("acme:u1", "access-secret-1");
  connect("dest:u1", "access-secret-1");
  EXPECT_EQ(run("sync.run_chunk", Value(Object{{"chunk", "workout/2026-08-01..2026-09-01"},
                                               {"source", "acme:u1"},
                                               {"destination", "dest:u1"},
                                               {"type", "workout"},
                                               {"from", "2026-08-01T00:00:00Z"},
                                               {"to", "2026-09-01T00:00:00Z"},
                                               {"conflicts", "keep_both"}})),
            R"({"counts":{"created":5,"quarantined":1,"read":5},"from":"2026-08-01T00:00:00Z",)"
            R"("status":"done","to":"2026-09-01T00:00:00Z","type":"workout"})");
  std::vector<std::string> pushed;
  std::istringstream lines(log());
  for (std::string line; std::getline(lines, line);) {
    pushed.push_back(parse_json(line)->find("text")->as_string());
  }
  EXPECT_EQ(pushed, (std::vector<std::string>{"pushed first", "pushed a quarter second in",
                                              "pushed the first, elsewhere", "pushed last",
                                              "pushed the last, elsewhere"}));
}

}  // namespace
}  // namespace stepwell::host
