// Processes of providers that die or are full, and what becomes of the calls in them.
#include <sys/types.h>

#include <atomic>
#include <csignal>

#include "tests/providers/host_fixture.h"

namespace stepwell::host {
namespace {

using Deaths = HostFixture;

TEST_F(Deaths, RetriesTheNeighboursOfACallThatHangsInC) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer holds a signal back until the next call that it intercepts, so "
                  "the alarm of the CPU limit never rings in a loop of C";
#endif
  std::promise<void> release;
  const auto released = release.get_future().share();
  std::atomic<int> writes{0}, waiting{0};
  serve([&, released](const Asked& asked) {
    if (asked.target == "/v1/write") return Told{200, std::to_string(++writes)};
    if (asked.target == "/v1/wait") {
      ++waiting;
      released.wait();
      return Told{200, R"("waited")"};
    }
    return Told{};
  });
  provider("acme", R"(
    local M = {}
    function M.run(ctx, args)
      local n = sw.http.post("/write").json
      return { n, sw.http.get("/wait").json }
    end
    function M.other() string.find(("a"):rep(2000), (".-"):rep(12) .. "b") end
    return M)",
           "limits: { cpu_ms: 50 }\n");
  connect("acme:u1", "access-secret-1");
  std::vector<std::future<TaskResult>> calls;
  for (int i = 0; i < 3; ++i) {
    calls.push_back(begin("acme.run", Value(Object{{"connection", "acme:u1"}})));
  }
  while (waiting < 3) std::this_thread::yield();
  EXPECT_EQ(run("acme.other", Value(Object{{"connection", "acme:u1"}})),
            "Provider.LimitExceeded: acme.other was stopped: it did not give way for 50 ms of CPU");
  release.set_value();
  std::set<std::string> results;
  for (auto& call : calls) results.insert(finish(call));
  EXPECT_EQ(results,
            (std::set<std::string>{R"([1,"waited"])", R"([2,"waited"])", R"([3,"waited"])"}));
  // They ran again, and nothing was sent twice.
  EXPECT_EQ(writes, 3);
  EXPECT_EQ(waiting, 3);
  EXPECT_EQ(on_loop([this] { return host().figures().calls_retried; }), 3u);
}

// Nine deaths were too many for whoever waited, and told as "safe to repeat".
TEST_F(Deaths, HoldsNoDeathAgainstACallThatWaits) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the alarm of the CPU limit never rings in a loop of C";
#endif
  std::promise<void> release;
  const auto released = release.get_future().share();
  std::atomic<int> writes{0};
  serve([&, released](const Asked&) {
    ++writes;
    released.wait();
    return Told{200, "7"};
  });
  provider("acme", R"(
    local M = {}
    function M.run(ctx, args) return sw.http.post("/write").json end
    function M.other() string.find(("a"):rep(2000), (".-"):rep(12) .. "b") end
    return M)",
           "limits: { cpu_ms: 20 }\n");
  connect("acme:u1", "access-secret-1");
  const Value input(Object{{"connection", "acme:u1"}});
  auto waiting = begin("acme.run", input);
  while (writes == 0) std::this_thread::yield();
  for (int death = 1; death <= 10; ++death) {
    EXPECT_EQ(run("acme.other", input).substr(0, 22), "Provider.LimitExceeded");
  }
  release.set_value();
  EXPECT_EQ(finish(waiting), "7");
  EXPECT_EQ(writes, 1);
}

TEST_F(Deaths, SaysThatItIsNotKnownWhenWhoWroteIsStopped) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the alarm of the CPU limit never rings in a loop of C";
#endif
  serve([](const Asked&) { return Told{200, "7"}; });
  provider("acme", R"(
    local M = {}
    function M.run(ctx, args)
      sw.http[args.method]("/x")
      string.find(("a"):rep(2000), (".-"):rep(12) .. "b")
    end
    return M)",
           "limits: { cpu_ms: 20 }\n");
  connect("acme:u1", "access-secret-1");
  const auto fate = [this](const char* method) {
    return run("acme.run", Value(Object{{"connection", "acme:u1"}, {"method", method}}));
  };
  const std::string why = ": acme.run was stopped: it did not give way for 20 ms of CPU";
  EXPECT_EQ(fate("get"), "Provider.LimitExceeded" + why);
  EXPECT_EQ(fate("post"), "Provider.Ambiguous" + why);
}

// A process has room for so many calls at once; the others wait for one to end.
TEST_F(Deaths, RunsSoManyCallsOfAProcessAtOnce) {
  constexpr int kMost = 32, kCalls = 50;
  std::promise<void> release;
  const auto released = release.get_future().share();
  std::atomic<int> asked{0};
  serve([&, released](const Asked&) {
    ++asked;
    released.wait();
    return Told{200, "7"};
  });
  provider("acme", run_is("return sw.http.get('/x').json"));
  connect("acme:u1", "access-secret-1");
  std::vector<std::future<TaskResult>> calls;
  for (int i = 0; i < kCalls; ++i) {
    calls.push_back(begin("acme.run", Value(Object{{"connection", "acme:u1"}})));
  }
  while (asked < kMost) std::this_thread::yield();
  // One that is behind them is not begun before one of them has ended.
  EXPECT_EQ(run("acme.run", Value(Object{{"connection", "acme:u1"}}), Millis(300)).substr(0, 16),
            "Provider.Timeout");
  EXPECT_EQ(asked, kMost);
  release.set_value();
  for (auto& call : calls) EXPECT_EQ(finish(call), "7");
  EXPECT_EQ(asked, kCalls);
}

TEST_F(Deaths, SurvivesAProcessThatIsKilledFromOutside) {
  std::atomic<int> asked{0};
  std::promise<void> release;
  const auto released = release.get_future().share();
  serve([&, released](const Asked&) {
    ++asked;
    released.wait();
    return Told{200, "7"};
  });
  provider("acme", run_is("return sw.http.post('/x').json"));
  connect("acme:u1", "access-secret-1");
  auto call = begin("acme.run", Value(Object{{"connection", "acme:u1"}}));
  while (asked == 0) std::this_thread::yield();
  ASSERT_EQ(kill(on_loop([this] { return host().plugin_pids().at("acme"); }), SIGKILL), 0);
  release.set_value();
  EXPECT_EQ(finish(call), "7");
  EXPECT_EQ(asked, 1);
}

TEST_F(Deaths, EndsACallAtItsDeadline) {
  std::promise<void> release;
  const auto released = release.get_future().share();
  serve([&, released](const Asked&) {
    released.wait();
    return Told{};
  });
  provider("acme", run_is("return sw.http[args.method]('/x').json"));
  connect("acme:u1", "access-secret-1");
  // The process is up before the clock ticks.
  EXPECT_EQ(run("acme.other", Value(Object{{"connection", "acme:u1"}})).substr(0, 20),
            "Provider.Unsupported");
  const auto fate = [this](const char* method, Millis timeout) {
    const std::string said =
        run("acme.run", Value(Object{{"connection", "acme:u1"}, {"method", method}}), timeout);
    return said.substr(0, said.find(':'));
  };
  EXPECT_EQ(fate("get", Millis(300)), "Provider.Timeout");
  // Long enough for the request to be on its way on the slowest machine.
  EXPECT_EQ(fate("post", Millis(3000)), "Provider.Ambiguous");
  release.set_value();
}

}  // namespace
}  // namespace stepwell::host
