// The plugin process: what a provider's Lua can do, what it cannot, and what happens when it tries.
#include <gtest/gtest.h>

#include "tests/providers/plugin_driver.h"

namespace stepwell::host {
namespace {

struct Case {
  const char* name;
  const char* body;
  std::string outcome = {};
};

void expect_all(const std::vector<Case>& cases) {
  for (const Case& c : cases) EXPECT_EQ(run_lua(c.body), c.outcome) << c.name;
}

TEST(Sandbox, GlobalsAreAnAllowList) {
  EXPECT_EQ(run_lua(R"(
    local names = {}
    for k in pairs(_G) do names[#names + 1] = k end
    table.sort(names)
    return table.concat(names, " "))"),
            "result \"_G _VERSION assert coroutine error getmetatable ipairs math next pairs pcall "
            "rawequal rawget rawlen rawset require select setmetatable string sw table tonumber "
            "tostring type utf8 xpcall\"");
  EXPECT_EQ(run_lua(R"(
    local names = {}
    for k in pairs(string) do names[#names + 1] = k end
    table.sort(names)
    return table.concat(names, " "))"),
            "result \"byte char find format gmatch gsub len lower match pack packsize rep reverse "
            "sub unpack upper\"");
}

TEST(Sandbox, HidesAddressesAndFinalizers) {
  expect_all({
      {"tostring",
       "return tostring({}) .. tostring(print) .. tostring(coroutine.create(run or type))",
       "result \"tablenilthread\""},
      {"format", "return string.format('%s %d', {}, 3)", "result \"table 3\""},
      {"pointer", "return string.format('%p', {})",
       "error Provider.ScriptError: acme/provider.lua:3: '%p' is not available to providers"},
      {"pointer behind NUL", "return string.format('\\0%p', {})",
       "error Provider.ScriptError: acme/provider.lua:3: '%p' is not available to providers"},
      {"gc", "setmetatable({}, {__gc = function() while true do end end})",
       "error Provider.ScriptError: acme/provider.lua:3: finalizers (__gc) are not available to "
       "providers"},
      {"string metatable", "return getmetatable('')", "result false"},
      {"bytecode", "return load", "result null"},
  });
}

TEST(Sandbox, StopsWhatRunsTooLong) {
  const Case endless[] = {
      {"loop", "while true do end"},
      {"pcall loop", "while true do pcall(function() while true do end end) end"},
      {"nested pcall",
       "local function f(n) if n == 0 then while true do end end pcall(f, n - 1) "
       "end while true do f(100) end"},
      {"xpcall handler", "while true do xpcall(error, function() while true do end end) end"},
      {"coroutine", "while true do coroutine.wrap(function() while true do end end)() end"},
      {"coroutine in pcall",
       "while true do pcall(coroutine.wrap(function() while true do end end)) "
       "end"},
      {"resume swallows",
       "while true do coroutine.resume(coroutine.create(function() while true do "
       "end end)) end"},
      {"close",
       "while true do local x <close> = setmetatable({}, {__close = function() while true "
       "do end end}) end"},
      {"comparator", "table.sort({3, 1, 2}, function() while true do end end)"},
      {"gsub callback", "('a'):gsub('a', function() while true do pcall(error) end end)"},
  };
  for (const Case& c : endless) {
    EXPECT_EQ(run_lua(c.body, 100),
              "error Provider.LimitExceeded: acme.run was stopped: CPU limit of 100 ms")
        << c.name;
  }
}

TEST(Sandbox, StopsWhatGrowsTooLarge) {
  const char* const memory =
      "error Provider.LimitExceeded: acme.run was stopped: memory limit of 32 MiB";
  expect_all({
      {"rep", "return ('x'):rep(1e9)", memory},
      {"rep of nothing", "return (''):rep(1 << 40)", "result \"\""},
      {"table", "local t = {} for i = 1, 1e9 do t[i] = i end", memory},
      {"strings in pcall", "local s = 'x' while true do pcall(function() s = s .. s end) end",
       memory},
      {"buffer", "local t = {} for i = 1, 25 do t[i] = ('x'):rep(1 << 20) end table.concat(t)",
       memory},
      {"buffer in pcall",
       "local t = {} for i = 1, 25 do t[i] = ('x'):rep(1 << 20) end return pcall(table.concat, t)",
       memory},
      {"buffer in a coroutine",
       "local t = {} for i = 1, 25 do t[i] = ('x'):rep(1 << 20) end "
       "return coroutine.resume(coroutine.create(function() return table.concat(t) end))",
       memory},
  });
  PluginDriver plugin;
  plugin.load(
      "return { run = function() local s = 'a' while true do s = s:gsub('a', 'aa') end end }", {},
      {{"memory", 1 << 20}});
  plugin.call(1);
  EXPECT_EQ(outcome(plugin.receive()),
            "error Provider.LimitExceeded: acme.run was stopped: memory limit of 1 MiB");
  // A result that shares its parts is small in Lua and endless as JSON.
  EXPECT_EQ(run_lua("local t = {} for i = 1, 60 do t = {t, t} end return t"),
            "error Provider.ScriptError: the value is too large");
  EXPECT_EQ(run_lua("local t = {} t.t = t return t"),
            "error Provider.ScriptError: a table is nested too deeply, or in itself");
}

// Pattern bombs and the like run in C, where no hook reaches them: the process ends and names the
// call that did it.
TEST(Sandbox, EndsTheProcessForWhatHangsInC) {
  for (const char* body :
       {"string.find(('a'):rep(2000), ('.-'):rep(12) .. 'b')", "table.move({}, 1, 1 << 40, 2)",
        "table.insert(setmetatable({}, {__len = function() return 1 << 40 end}), "
        "1, 1)"}) {
    PluginDriver plugin;
    plugin.load(std::string("return { run = function() ") + body + " end }");
    plugin.call(41);
    EXPECT_EQ(outcome(plugin.receive()), R"({"f":"overrun","call":41,"reason":"cpu"})") << body;
    EXPECT_FALSE(plugin.receive().has_value()) << body;
    EXPECT_EQ(WEXITSTATUS(plugin.wait()), 72) << body;
  }
}

TEST(Sandbox, RefusesBytecodeAndForeignFiles) {
  PluginDriver plugin;
  plugin.load("\x1bLuaT", {});
  plugin.call(1);
  EXPECT_EQ(
      outcome(plugin.receive()),
      "error Provider.ScriptError: acme/provider.lua: attempt to load a binary chunk (mode is "
      "'t')");
  EXPECT_EQ(run_lua("return require '../secret'"),
            "error Provider.ScriptError: acme/provider.lua:3: there is no ///secret.lua in this "
            "provider's folder");
}

TEST(Sandbox, ReportsErrorsThatAreNoText) {
  expect_all({
      {"bytes", "error('\\255', 0)", "error Provider.ScriptError: (not text)"},
      {"nothing", "error()",
       "error Provider.ScriptError: an error that is neither text nor a table "
       "with a class"},
      {"table", "error({ class = 5 })",
       "error Provider.ScriptError: an error that is neither text "
       "nor a table with a class"},
      {"class", "error({ class = 'Provider.Gone', message = 'm' })", "error Provider.Gone: m"},
      {"no number",
       "error({ class = 'Provider.RateLimited', message = 'm', retry_after = 0/0, status = 1/0 })",
       "error Provider.RateLimited: m"},
  });
  std::string long_text;
  for (int i = 0; i < 2000; ++i) long_text += "ä";
  expect_all({
      {"long text", "error(('ä'):rep(3000), 0)", "error Provider.ScriptError: " + long_text},
      {"long message", "error({ class = 'Provider.BadData', message = ('ä'):rep(1000000) })",
       "error Provider.BadData: " + long_text},
      {"message of bytes", "error({ class = 'Provider.BadData', message = '\\255' })",
       "error Provider.BadData: (not text)"},
  });
}

TEST(Sandbox, RequiresFilesOfItsFolderAndMaps) {
  PluginDriver plugin;
  plugin.load(R"(
    local sport = require "lib.sport"
    return { run = function() return { sport.of("Run"), require("lib.sport") == sport } end })",
              {{"lib/sport.lua", R"(
    local map = sw.map_file "sport"
    return { of = function(word) return map[word] end })"}});
  plugin.call(1);
  EXPECT_EQ(outcome(plugin.receive()), R"(result ["running",true])");
}

TEST(Sandbox, LeavesNothingBehindForTheNextCall) {
  PluginDriver plugin;
  plugin.load("return { run = function() leak = (leak or 0) + 1 string.x = 1 return leak end }");
  for (int i = 1; i <= 3; ++i) {
    plugin.call(i);
    EXPECT_EQ(outcome(plugin.receive()), "result 1");
  }
}

// ---- suspending ----

// Runs `body`, answering request n with {"status":200,"body":"<n>"}, and returns the outcome.
std::string run_with_answers(const std::string& body) {
  PluginDriver plugin;
  plugin.load(
      "local M = {}\nlocal function get() return sw.http.get('/x').body end\n"
      "function M.run(ctx, args)\n" +
      body + "\nend\nreturn M");
  plugin.call(1);
  for (int i = 0; i < 20; ++i) {
    const auto frame = plugin.receive();
    if (!frame || text_of(*frame, "f") != "request") return outcome(frame);
    const std::int64_t n = int_of(*frame, "n");
    plugin.answer(1, n, Value(Object{{"status", 200}, {"body", std::to_string(n)}}));
  }
  return "endless";
}

TEST(Suspending, WorksWhereLuaAllowsIt) {
  const std::vector<Case> cases = {
      {"plain", "return get() .. get()", "result \"12\""},
      {"pcall", "local ok, x = pcall(get) return {ok, x}", "result [true,\"1\"]"},
      {"pcall with an error after",
       "local ok, e = pcall(function() get() error('x', 0) end) return "
       "{ok, e, get()}",
       "result [false,\"x\",\"2\"]"},
      {"xpcall", "local ok, x = xpcall(function() return get() end, error) return {ok, x}",
       "result [true,\"1\"]"},
      {"xpcall handler",
       "local ok, x = xpcall(function() get() error('e', 0) end, function(e) return "
       "e .. get() end) return {ok, x}",
       "result [false,\"e2\"]"},
      {"iterator",
       "local s = '' for x in function() local x = get() return x ~= '3' and x or nil end "
       "do s = s .. x end return s",
       "result \"12\""},
      {"__index", "return setmetatable({}, {__index = function() return get() end}).x",
       "result \"1\""},
      {"__lt",
       "local t = setmetatable({}, {__lt = function() return get() == '1' end}) return t < t",
       "result true"},
      {"own coroutine",
       "local co = coroutine.create(function() local a = get() coroutine.yield(a) "
       "return get() end) local _, a = coroutine.resume(co) local _, b = "
       "coroutine.resume(co) return {a, b, coroutine.status(co)}",
       "result [\"1\",\"2\",\"dead\"]"},
      {"wrap in wrap",
       "local f = coroutine.wrap(function() local g = coroutine.wrap(function() "
       "coroutine.yield(get()) return get() end) coroutine.yield(g()) return g() "
       "end) return f() .. f()",
       "result \"12\""},
      {"each", "return #sw.each({'a', 'b', 'c'}, function(i) return {status = get()} end)",
       "result 3"},
  };
  for (const Case& c : cases) EXPECT_EQ(run_with_answers(c.body), c.outcome) << c.name;
}

TEST(Suspending, SaysWhereItCannot) {
  const std::string why =
      "cannot be used here: inside a callback of string.gsub or table.sort, in a __tostring or "
      "__close, or while a file is being loaded";
  const char* const closing =
      "local co = coroutine.create(function() local x <close> = setmetatable({}, {__close = "
      "function() get() end}) coroutine.yield() end) coroutine.resume(co) local ok, e = "
      "coroutine.close(co) error(e, 0)";
  for (const char* body :
       {"return ('a'):gsub('a', get)", "table.sort({2, 1}, function() return get() end)",
        "return tostring(setmetatable({}, {__tostring = function() return get() end}))",
        "return ('a'):gsub('a', function() return coroutine.wrap(get)() end)", closing}) {
    const std::string said = run_with_answers(body);
    EXPECT_NE(said.find(why), std::string::npos) << body << " -> " << said;
  }
}

TEST(Suspending, SharesTheProcessFairly) {
  PluginDriver plugin;
  plugin.load(
      "return { spin = function() while true do end end, quick = function() return 1 end }");
  plugin.call(1, "spin");
  plugin.call(2, "quick");
  EXPECT_EQ(outcome(plugin.receive()), "result 1");
  EXPECT_EQ(outcome(plugin.receive()),
            "error Provider.LimitExceeded: acme.spin was stopped: CPU limit of 500 ms");
}

TEST(Suspending, IgnoresStrangeAnswersAndCancels) {
  PluginDriver plugin;
  plugin.load("return { run = function() return sw.http.get('/x').body end }");
  plugin.call(1);
  plugin.call(2);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(text_of(*plugin.receive(), "f"), "request");
  plugin.send(Value(Object{{"f", "cancel"}, {"call", 1}}));
  plugin.answer(1, 1, Value());  // Cancelled.
  plugin.answer(9, 1, Value());  // Never was.
  plugin.answer(2, 5, Value());  // Not asked for.
  plugin.answer(2, 1, Value(Object{{"status", 200}, {"body", "ok"}}));
  EXPECT_EQ(outcome(plugin.receive()), "result \"ok\"");
  plugin.answer(2, 1, Value());  // Late.
}

}  // namespace
}  // namespace stepwell::host
