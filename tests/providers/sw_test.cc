// The `sw` table's functions that need nobody else: time, keys, hashes, JSON, pages, TCX.
#include <gtest/gtest.h>

#include "tests/providers/plugin_driver.h"

namespace stepwell::host {
namespace {

struct Case {
  const char* body;
  const char* outcome;
};

void expect_all(const std::vector<Case>& cases) {
  for (const Case& c : cases) EXPECT_EQ(run_lua(c.body), c.outcome) << c.body;
}

TEST(SwTime, ReadsAndWritesInstants) {
  expect_all({
      {"return { sw.time.parse '2026-03-01T06:30:00Z' }", "result [1772346600,0]"},
      {"return { sw.time.parse '2026-03-01T07:30:00+01:00' }", "result [1772346600,3600]"},
      {"return { sw.time.parse '2026-03-01T07:30:00.250-0130' }", "result [1772355600.25,-5400]"},
      {"return sw.time.parse '2026-03-01'", "result 1772323200"},
      {"return sw.time.parse 'yesterday'", "error Provider.BadData: not a time: yesterday"},
      {"return sw.time.parse '2026-02-30T00:00:00Z'",
       "error Provider.BadData: not a time: 2026-02-30T00:00:00Z"},
      {"return sw.time.iso(1772346600)", "result \"2026-03-01T06:30:00Z\""},
      {"return sw.time.iso(0, 1 << 62)",
       "error Provider.ScriptError: acme/provider.lua:3: bad argument #2 to 'iso' (more than 18 "
       "hours)"},
      {"return sw.time.iso(1772346600, -5400)", "result \"2026-03-01T05:00:00-01:30\""},
      {"return sw.time.iso(1772346600.25)", "result \"2026-03-01T06:30:00.250Z\""},
      {"return sw.time.iso(-1)", "result \"1969-12-31T23:59:59Z\""},
      {"return sw.time.civil(1772346600, 3600)", "result \"2026-03-01T07:30:00\""},
      {"return sw.time.from_civil('2026-03-01T07:30:00', 3600)", "result 1772346600"},
      {"return sw.time.date(1772346600, -25200)", "result \"2026-02-28\""},
      {"return sw.time.iso(sw.time.add(sw.time.parse '2024-01-31', '1mo'))",
       "result \"2024-02-29T00:00:00Z\""},
      {"return sw.time.iso(sw.time.add(sw.time.parse '2026-03-01', '-1d'))",
       "result \"2026-02-28T00:00:00Z\""},
      {"return { sw.time.duration 'PT2H44M', sw.time.duration '2448s', sw.time.duration 'P1DT0.5S' "
       "}",
       "result [9840,2448,86400.5]"},
      {"return sw.time.now()", "result 1000"},
  });
}

TEST(SwKeys, AreStableAndUnambiguous) {
  expect_all({
      {"return #sw.key('a', 'b', 1)", "result 32"},
      {"return sw.key('a|b', 'c') == sw.key('a', 'b|c')", "result false"},
      {"return sw.key('a', 'b')", "result \"0eab8a0a3380abf4c7d1fb0b43b66aaf\""},
      {"return sw.hash { b = 7140.0, a = { 1, 2 } } == sw.hash { a = { 1, 2 }, b = 7140 }",
       "result true"},
      {"return sw.hash { a = 1 } == sw.hash { a = 2 }", "result false"},
      {"return sw.crypto.uuid() == sw.crypto.uuid()", "result false"},
      {"return sw.crypto.hmac('sha256', 'key', 'The quick brown fox jumps over the lazy dog')",
       "result \"f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8\""},
      {"return { sw.crypto.base64url('\\255\\254'), sw.crypto.unbase64 'aGk', sw.crypto.hex 'hi' }",
       "result [\"__4\",\"hi\",\"6869\"]"},
      {"return { sw.crypto.equal('a', 'a'), sw.crypto.equal('a', 'b'), sw.crypto.equal('a', 'aa') "
       "}",
       "result [true,false,false]"},
  });
  // The same call, the same numbers.
  EXPECT_EQ(run_lua("return { math.random(1000000), sw.crypto.uuid() }"),
            run_lua("return { math.random(1000000), sw.crypto.uuid() }"));
}

TEST(SwJson, KeepsWhatLuaWouldLose) {
  expect_all({
      {"return sw.json.encode { b = 1, a = { true, 'x' }, n = 1.5 }",
       R"(result "{\"a\":[true,\"x\"],\"b\":1,\"n\":1.5}")"},
      {"return sw.json.decode '[9223372036854775807, 9223372036854775808, null, []]'",
       R"(result [9223372036854775807,"9223372036854775808",null,[]])"},
      {"return { sw.json.encode {}, sw.json.encode(sw.json.array {}) }", R"(result ["{}","[]"])"},
      {"return sw.json.decode '{\"a\": null}'.a == nil", "result true"},
      {R"(return sw.json.decode '"\\u00e9\\ud83d\\ude00\\u0000"')", "result \"é😀\xef\xbf\xbd\""},
      {"return sw.json.decode '{\"a\": 1,}'",
       "error Provider.BadData: the JSON text lacks a key at byte 8"},
      {"return sw.json.decode(('['):rep(200))",
       "error Provider.BadData: the JSON text is nested too deeply at byte 101"},
      {"return { 1, x = 2 }",
       "error Provider.ScriptError: a table has both list items and named fields"},
      {"return { f = print or type }",
       "error Provider.ScriptError: a function cannot be written as "
       "JSON"},
  });
}

TEST(SwPages, ComputeTheNextCursor) {
  expect_all({
      {"return sw.page.number({ cursor = { page = 3 } }, 200, 200)", R"(result {"page":4})"},
      {"return sw.page.number({}, 199, 200)", "result null"},
      {"return sw.page.offset({ cursor = { offset = 50 } }, 50, 50)", R"(result {"offset":100})"},
      {"return { sw.page.token 'x', sw.page.token '', nil }", R"(result [{"token":"x"}])"},
      {R"(local link = '<https://a/1>; rel="prev", <https://a/2>; rel="next"'
          return sw.page.link { headers = { link = link } })",
       R"(result {"url":"https://a/2"})"},
  });
}

TEST(SwMap, QuarantinesBadItems) {
  expect_all({
      {"return sw.map({ { id = 1 }, { id = 2 } }, function(x) if x.id == 2 then sw.err.BadData "
       "{ message = 'no start' } end return { id = x.id } end)",
       R"(result [{"id":1},{"bad":{"id":"2","message":"no start"}}])"},
      {"return sw.map({ 1 }, function() sw.err.Gone { message = 'closed' } end)",
       "error Provider.Gone: closed"},
      {"return sw.each({ 'a' }, function() local x = nil; return x.y end)",
       "error Provider.ScriptError: acme/provider.lua:3: attempt to index a nil value (local 'x')"},
      {"return sw.map({}, type)", "result []"},
  });
}

// A vendor that renamed `data` was read as one without records.
TEST(SwMap, WantsAList) {
  expect_all({
      {"local x = sw.map(nil, type) return x",
       "error Provider.BadData: acme/provider.lua:3: sw.map needs a list, not nil"},
      {"local x = sw.map({ a = 1 }, type) return x",
       "error Provider.BadData: acme/provider.lua:3: sw.map needs a list, not a map"},
      {"local x = sw.map('x', type) return x",
       "error Provider.BadData: acme/provider.lua:3: sw.map needs a list, not string"},
      {"local x = sw.map(sw.json.null, type) return x",
       "error Provider.BadData: acme/provider.lua:3: sw.map needs a list, not null"},
      {"local x = sw.map(sw.json.decode('[]'), type) return x", "result []"},
      {"local x = sw.each(nil, type) return x",
       "error Provider.ScriptError: acme/provider.lua:3: sw.each needs a list, not nil"},
  });
}

TEST(SwTcx, BuildsADocument) {
  const std::string said = run_lua(R"(
    return sw.tcx.build { time = { start = "2026-03-01T06:30:00Z" },
      data = { sport = "trail_running", elapsed_s = 60, distance_m = 250.5, hr_avg_bpm = 141,
               title = "A & B" } })");
  for (const char* part :
       {R"(<Activity Sport=\"Running\"><Id>2026-03-01T06:30:00Z</Id>)",
        "<TotalTimeSeconds>60.0</TotalTimeSeconds>", "<DistanceMeters>250.5</DistanceMeters>",
        "<AverageHeartRateBpm><Value>141</Value></AverageHeartRateBpm>",
        "<Time>2026-03-01T06:31:00Z</Time>", "<Notes>A &amp; B</Notes>"}) {
    EXPECT_NE(said.find(part), std::string::npos) << part << "\n" << said;
  }
}

TEST(SwUnits, Convert) {
  expect_all({
      {"return { sw.units.g_kg(72350), sw.units.kg_g(72.35), sw.units.mm_m(7140500), "
       "sw.units.kj_kcal(4184), sw.units.mi_m(1), sw.units.lb_kg(nil) == nil }",
       "result [72.35,72350.0,7140.5,1000.0,1609.344,true]"},
  });
}

}  // namespace
}  // namespace stepwell::host
