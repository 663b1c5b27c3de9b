// A whole ProviderHost: errors by status, tokens, the contract, libraries.
#include <sys/types.h>

#include <atomic>
#include <csignal>

#include "tests/providers/host_fixture.h"

namespace stepwell::host {
namespace {

using HostTest = HostFixture;

TEST_F(HostTest, CallsAFunctionWithItsContext) {
  provider("acme", run_is("return { ctx.provider, ctx.connection, ctx.account, ctx.key, args.x }"));
  connect("acme:u1", "access-secret-1");
  EXPECT_EQ(run("acme.run", Value(Object{{"connection", "acme:u1"}, {"x", 5}})),
            R"(["acme","acme:u1","account-1","0123456789abcdef0123456789abcdef",5])");
  EXPECT_EQ(run("acme.fly", Value(Object())), "Provider.Unsupported: no provider serves acme.fly");
  EXPECT_EQ(run("acme.run", Value(Object())),
            "Provider.BadRequest: acme.run needs a connection in its input");
  EXPECT_EQ(run("acme.run", Value(Object{{"connection", "acme:u9"}})),
            "Provider.NotFound: there is no connection \"acme:u9\"");
  EXPECT_EQ(run("acme.other", Value(Object{{"connection", "acme:u1"}})),
            "Provider.Unsupported: acme has no function other");
  EXPECT_TRUE(host().serves("acme.fetch"));
  EXPECT_FALSE(host().serves("acme.has_new_data"));
  EXPECT_EQ(
      host().resources(),
      (std::vector<std::string>{"acme.count", "acme.fetch", "acme.fetch_payloads", "acme.lookup",
                                "acme.other", "acme.push", "acme.push_status", "acme.run"}));
}

// Each of these showed at the first task, some as the vendor's fault.
TEST_F(HostTest, OpensNoFolderWhoseFilesCannotBeRead) {
  provider("acme", "local M = {}\nfunction M.run( return M");
  write("acme/lib/helper.lua", "return {\n  a = ,\n}");
  write("acme/maps/sport.json", "{broken");
  write("acme/maps/words.json", "[1]");
  const auto opened = ProviderHost::open(*loop_, options);
  ASSERT_FALSE(opened.ok());
  const std::string folder = options.roots[0] + "/acme/";
  EXPECT_EQ(opened.error().message,
            folder + "lib/helper.lua:2: unexpected symbol near ','\n" + folder +
                "provider.lua:2: <name> or '...' expected near 'return'\n" + folder +
                "maps/sport.json: not JSON: parse error at line 1, column 2: syntax error while "
                "parsing object key - invalid literal; last read: '{b'; expected string literal\n" +
                folder + "maps/words.json: is not a JSON object");
}

TEST_F(HostTest, ReadsSettingsHoweverTheyAreNested) {
  provider("acme", run_is("return { ctx.settings, ctx.profile }"));
  const auto said = [this](const char* settings) {
    auto row = *connections->get("acme:u1");
    row.id = std::string("acme:") + settings;
    row.settings = settings;
    row.sealed.clear();
    EXPECT_TRUE(connections->put(row).ok());
    return run("acme.run", Value(Object{{"connection", row.id}}));
  };
  connect("acme:u1", "access-secret-1");
  EXPECT_EQ(said(R"({"x":1,"profile":{"zone":"UTC"}})"), R"([{"x":1},{"zone":"UTC"}])");
  EXPECT_EQ(said(R"({"settings":{"x":1}})"), R"([{"x":1},{}])");
  EXPECT_EQ(said(""), "[{},{}]");
}

TEST_F(HostTest, NoticesThatAConnectionWasReplaced) {
  serve([](const Asked&) { return Told{}; });
  provider("acme", run_is("return { ctx.account, ctx.settings.v, sw.http.get('/x').status }"));
  for (const std::int64_t v : {1, 2}) {
    const std::string name = std::to_string(v);
    const auto row = make_connection(*Vault::open(options.vault_key), {"acme:u1",
                                                                       "acme",
                                                                       "account-" + name,
                                                                       {"access-" + name, ""},
                                                                       {},
                                                                       Value(Object{{"v", v}})});
    ASSERT_TRUE(connections->put(row).ok());
    EXPECT_EQ(run(), "[\"account-" + name + "\"," + name + ",200]");
    EXPECT_EQ(responder->asked().back().headers.at("authorization"), "Bearer access-" + name);
  }
}

TEST_F(HostTest, RoundTripsRequestsAndAnswers) {
  serve([](const Asked&) {
    return Told{200, R"({"id": 9007199254740993, "big": 18446744073709551616, "none": null})",
                "X-Name: v\r\nSet-Cookie: a=b\r\n"};
  });
  provider("acme", run_is(R"(
    local r = sw.http.post("/things", { query = { b = "x y&z", a = 1 },
                                        json = { n = 1, l = sw.json.array {} },
                                        headers = { ["X-Mine"] = "m" } })
    sw.http.put("/form", { form = { a = "1+2", b = "ü" } })
    sw.http.delete("/gone")
    sw.http.patch("/bytes", { body = "\0\255" })
    sw.http.post("/upload", { multipart = { { name = "n", value = "v" },
                                            { name = "f", filename = "a.tcx", bytes = "<x/>" } } })
    return { r.status, r.json.id, r.json.big, r.json.none == nil, r.headers["x-name"],
             r.headers["set-cookie"] == nil })"));
  connect("acme:u1", "access-secret-1");
  EXPECT_EQ(run(), R"([200,9007199254740993,"18446744073709551616",true,"v",true])");
  const auto asked = responder->asked();
  ASSERT_EQ(asked.size(), 5u);
  EXPECT_EQ(asked[0].method + " " + asked[0].target, "POST /v1/things?a=1&b=x%20y%26z");
  EXPECT_EQ(asked[0].body, R"({"l":[],"n":1})");
  EXPECT_EQ(asked[0].headers.at("authorization"), "Bearer access-secret-1");
  EXPECT_EQ(asked[0].headers.at("content-type"), "application/json");
  EXPECT_EQ(asked[0].headers.at("x-mine"), "m");
  EXPECT_EQ(asked[1].body, "a=1%2B2&b=%C3%BC");
  EXPECT_EQ(asked[2].method, "DELETE");
  EXPECT_EQ(asked[3].body, std::string("\0\xff", 2));
  EXPECT_NE(
      asked[4].body.find("filename=\"a.tcx\"\r\nContent-Type: application/octet-stream\r\n\r\n"
                         "<x/>\r\n--"),
      std::string::npos);
}

struct StatusCase {
  const char* request;
  Told told;
  const char* outcome;
};

TEST_F(HostTest, TurnsStatusesIntoErrorClasses) {
  Mutex mutex;
  Told told;
  serve([&](const Asked& asked) {
    const MutexLock lock(mutex);
    if (asked.target == "/v1/oauth/token") {
      return Told{200, R"({"access_token":"access-secret-2","expires_in":3600})"};
    }
    return told;
  });
  provider("acme", run_is(R"(
    local options = { accept = args.accept, timeout = args.timeout }
    local ok, e = pcall(sw.http[args.method], "/x", options)
    local said = {}
    for _, field in ipairs(ok and { "status" } or { "class", "status", "retry_after", "reason" }) do
      said[#said + 1] = e[field]
    end
    return said)"));
  connect("acme:u1", "access-secret-1");
  const std::vector<StatusCase> cases = {
      {"get", {403}, R"(["Provider.Forbidden",403,"policy"])"},
      {"get", {404}, R"(["Provider.NotFound",404])"},
      {"get", {410}, R"(["Provider.Gone",410])"},
      {"get", {413}, R"(["Provider.TooLarge",413])"},
      {"get", {422}, R"(["Provider.BadRequest",422])"},
      {"get", {500}, R"(["Provider.Transient",500])"},
      {"get", {503, "", "Retry-After: 7\r\n"}, R"(["Provider.Transient",503,7])"},
      {"post", {502, "<html>", "", "text/html"}, R"(["Provider.Ambiguous",502])"},
      {"put", {500}, R"(["Provider.Transient",500])"},
      {"delete", {500}, R"(["Provider.Transient",500])"},
      {"patch", {500}, R"(["Provider.Ambiguous",500])"},
      {"get", {200, "", "", "application/json", true}, R"(["Provider.Transient"])"},
      {"post", {200, "", "", "application/json", true}, R"(["Provider.Ambiguous"])"},
      {"get", {200, R"({"cut": )"}, R"(["Provider.Transient",200])"},
      {"post", {200, R"({"cut": )"}, R"(["Provider.Ambiguous",200])"},
  };
  for (const StatusCase& c : cases) {
    {
      const MutexLock lock(mutex);
      told = c.told;
    }
    const std::string said =
        run("acme.run", Value(Object{{"connection", "acme:u1"}, {"method", c.request}}));
    EXPECT_EQ(said.substr(0, std::string(c.outcome).size()), c.outcome)
        << c.request << " " << c.told.status << " -> " << said;
  }
  const std::string accepted =
      run("acme.run", Value(Object{{"connection", "acme:u1"},
                                   {"method", "get"},
                                   {"accept", Value(Value::Array{Value(200), Value(404)})}}));
  EXPECT_EQ(accepted, "[200]");
}

TEST_F(HostTest, TellsTimeoutsFromUnknownOutcomes) {
  std::promise<void> release;
  const auto released = release.get_future().share();
  serve([released](const Asked&) {
    released.wait();
    return Told{};
  });
  provider("acme", run_is(R"(
    local _, a = pcall(sw.http.get, "/x", { timeout = 0.4 })
    local _, b = pcall(sw.http.post, "/x", { timeout = 0.4 })
    local _, c = pcall(sw.http.post, "/x", { timeout = 0.4, idempotent = true })
    return { a.class, a.reason, b.class, c.class })"));
  connect("acme:u1", "access-secret-1");
  EXPECT_EQ(run(), R"(["Provider.Timeout","read","Provider.Ambiguous","Provider.Timeout"])");
  release.set_value();
}

TEST_F(HostTest, SaysWhenNothingWasSent) {
  provider("acme", run_is(R"(
    local _, e = pcall(sw.http.post, "/x")
    return e.class)"));
  connect("acme:u1", "access-secret-1");
  {
    Responder gone([](const Asked&) { return Told{}; });
    options.overrides["acme"] = {gone.url(), ""};
  }
  EXPECT_EQ(run(), R"("Provider.Transient")");
}

// libcurl repeats a request by itself when a kept connection turns out dead; a write must not be.
TEST_F(HostTest, NeverSendsAWriteTwiceByItself) {
  std::atomic<int> writes{0};
  serve([&](const Asked& asked) {
    Told told;
    told.cuts = asked.method == "POST" && ++writes > 0;
    return told;
  });
  provider("acme", run_is(R"(
    for i = 1, 3 do sw.http.get("/warm") end
    local _, e = pcall(sw.http.post, "/write")
    return e.class)"));
  connect("acme:u1", "access-secret-1");
  EXPECT_EQ(run(), R"("Provider.Ambiguous")");
  EXPECT_EQ(writes, 1);
}

TEST_F(HostTest, WaitsALittleForARateLimitAndTellsTheRest) {
  std::atomic<int> asked{0};
  serve([&](const Asked& request) {
    if (request.target == "/v1/soon" && asked++ == 0) return Told{429, "{}", "Retry-After: 0\r\n"};
    if (request.target == "/v1/late") return Told{429, "{}", "Retry-After: 30\r\n"};
    return Told{};
  });
  provider("acme", run_is("return sw.http.get(args.path).status"),
           "rate_limits:\n"
           "  - { id: reads, scope: user, limit: 9, per: 15m, window: aligned, match: { methods: "
           "[GET] } }\n");
  connect("acme:u1", "access-secret-1");
  connect("acme:u2", "access-secret-2");
  const auto get = [this](const char* user, const char* path) {
    return run("acme.run", Value(Object{{"connection", user}, {"path", path}}));
  };
  EXPECT_EQ(get("acme:u1", "/soon"), "200");
  const std::string late = get("acme:u1", "/late");
  EXPECT_EQ(late, "Provider.RateLimited: acme limits its rate (retry after 30000 ms)");
  // The bucket of that user is closed now: nothing more is sent.
  EXPECT_EQ(get("acme:u1", "/soon").substr(0, 21), "Provider.RateLimited:");
  EXPECT_EQ(responder->count("/v1/soon"), 2);
  EXPECT_EQ(get("acme:u2", "/soon"), "200");
}

// Each lane has a host of its own; what one was told holds for all.
TEST_F(HostTest, SharesWhatARateLimitSaidWithTheOtherLanes) {
  serve([](const Asked&) { return Told{429, "{}", "Retry-After: 30\r\n"}; });
  provider("acme", run_is("return sw.http.get('/x').status"));
  connect("acme:u1", "access-secret-1");
  options.gates = make_gates();
  EXPECT_EQ(run().substr(0, 21), "Provider.RateLimited:");
  std::promise<std::string> told;
  auto other = on_loop([this] { return ProviderHost::open(*loop_, options); });
  ASSERT_TRUE(other.ok());
  on_loop([&] {
    runtime::TaskCall call;
    call.resource = "acme.run";
    call.input = Value(Object{{"connection", "acme:u1"}});
    (*other)->start(call, [&](const TaskResult& result) { told.set_value(show(result)); });
    return 0;
  });
  EXPECT_EQ(told.get_future().get().substr(0, 21), "Provider.RateLimited:");
  EXPECT_EQ(responder->count("/v1/x"), 1);
  on_loop([&] {
    other->reset();
    return 0;
  });
}

TEST_F(HostTest, RefreshesARefusedTokenOnceForAllWhoWait) {
  std::atomic<int> refreshes{0};
  serve([&](const Asked& asked) {
    if (asked.target == "/v1/oauth/token") {
      ++refreshes;
      return Told{200, R"({"access_token":"access-secret-2","refresh_token":"refresh-secret-2",
                           "expires_in":3600})"};
    }
    const bool is_good = asked.headers.at("authorization") == "Bearer access-secret-2";
    return is_good ? Told{200, R"({"ok":true})"} : Told{401};
  });
  options.apps["acme"] = {"client-1", "client-secret-1"};
  provider("acme", run_is("return sw.http.post('/x').json.ok"));
  connect("acme:u1", "access-secret-1");
  std::vector<std::future<TaskResult>> calls;
  for (int i = 0; i < 20; ++i) {
    calls.push_back(begin("acme.run", Value(Object{{"connection", "acme:u1"}})));
  }
  for (auto& call : calls) EXPECT_EQ(finish(call), "true");
  EXPECT_EQ(refreshes, 1);
  for (const Asked& asked : responder->asked()) {
    if (asked.target != "/v1/oauth/token") continue;
    EXPECT_EQ(asked.body,
              "grant_type=refresh_token&refresh_token=refresh-secret-1&client_id=client-1&"
              "client_secret=client-secret-1");
  }
  const auto row = connections->get("acme:u1");
  ASSERT_TRUE(row.ok());
  EXPECT_EQ(row->generation, 2u);
  EXPECT_EQ(row->sealed.find("secret"), std::string::npos);
}

TEST_F(HostTest, RefreshesAheadOfExpiry) {
  serve([&](const Asked& asked) {
    if (asked.target == "/v1/oauth/token") {
      return Told{200, R"({"access_token":"access-secret-2","expires_in":3600})"};
    }
    return Told{200, json_quote(asked.headers.at("authorization").substr(20))};
  });
  provider("acme", run_is("return sw.http.get('/x').json"));
  connect("acme:u1", "access-secret-1", from_unix_ms(clock_now().count() - 1000));
  EXPECT_EQ(run(), "\"-2\"");
  EXPECT_EQ(run(), "\"-2\"");
  EXPECT_EQ(responder->count("/v1/oauth/token"), 1);
}

// Refreshes that hang hold up neither the other connections nor the other providers.
TEST_F(HostTest, RefreshesBesideEverythingElse) {
  std::promise<void> release;
  const auto released = release.get_future().share();
  std::atomic<int> hanging{0};
  serve([&, released](const Asked& asked) {
    if (asked.target == "/v1/oauth/token") {
      ++hanging;
      released.wait();
    }
    return Told{200, R"({"access_token":"access-secret-2","expires_in":3600})"};
  });
  options.overrides["other"] = {responder->url() + "/other", ""};
  for (const char* id : {"acme", "other"}) provider(id, run_is("return sw.http.get('/x').status"));
  const Time past = from_unix_ms(clock_now().count() - 1000);
  std::vector<std::future<TaskResult>> calls;
  for (int i = 0; i < 9; ++i) {
    const std::string id = "acme:old" + std::to_string(i);
    connect(id, "access-secret-1", past);
    calls.push_back(begin("acme.run", Value(Object{{"connection", id}})));
  }
  while (hanging < 2) std::this_thread::yield();
  connect("acme:u1", "access-secret-1");
  connect("other:u1", "access-secret-1", past);
  const auto fate = [this](const char* provider) {
    return run(std::string(provider) + ".run",
               Value(Object{{"connection", std::string(provider) + ":u1"}}), Millis(3000));
  };
  EXPECT_EQ(fate("acme"), "200");
  EXPECT_EQ(fate("other"), "200");
  release.set_value();
  for (auto& call : calls) EXPECT_EQ(finish(call), "200");
}

TEST_F(HostTest, SendsNoTokenOfTwoLines) {
  serve([](const Asked& asked) {
    if (asked.target != "/v1/oauth/token") return Told{};
    return Told{200, R"({"access_token":"a\r\nX-Evil: 1"})"};
  });
  provider("acme", run_is("return sw.http.get('/x').status"));
  const char* const said =
      "Provider.Unauthorized: the access token of acme:u1 has a control character";
  connect("acme:u1", "access-secret-1\r\nX-Evil: 1");
  EXPECT_EQ(run(), said);
  connect("acme:u1", "access-secret-1", from_unix_ms(clock_now().count() - 1000));
  EXPECT_EQ(run(), said);
  EXPECT_EQ(responder->count("/v1/x"), 0);
}

TEST_F(HostTest, AsksForConsentWhenTheGrantIsGone) {
  serve([&](const Asked& asked) {
    if (asked.target == "/v1/oauth/token") return Told{400, R"({"error":"invalid_grant"})"};
    return Told{401};
  });
  provider("acme", run_is("return sw.http.get('/x').json"));
  connect("acme:u1", "access-secret-1");
  const char* const said =
      "Provider.Unauthorized: the connection acme:u1 needs the user's consent again";
  EXPECT_EQ(run(), said);
  EXPECT_EQ(responder->count("/v1/oauth/token"), 2);  // Believed at the second refusal.
  EXPECT_EQ(connections->get("acme:u1")->status, "needs_reauth");
  EXPECT_EQ(run(), said);
  EXPECT_EQ(responder->count("/v1/oauth/token"), 2);
  connect("acme:u1", "access-secret-3");  // The user consents again.
  EXPECT_EQ(run(), said);                 // This token is refused, too.
  EXPECT_EQ(responder->count("/v1/oauth/token"), 4);
}

TEST_F(HostTest, KeepsItsHandsOffOtherHosts) {
  serve([&](const Asked& asked) {
    if (asked.target == "/v1/away")
      return Told{302, "", "Location: http://169.254.169.254/meta\r\n"};
    if (asked.target == "/v1/here") return Told{302, "", "Location: /v1/there\r\n"};
    return Told{200, json_quote(asked.target)};
  });
  provider("acme", run_is(R"(
    local out = {}
    for i, path in ipairs { "https://evil.test/x", "http://127.0.0.1:1/x",
                            "https://api.acme.test/v1/x", "/away",
                            "https://u:p@api.acme.test/", "file:///etc/passwd", "/here" } do
      local ok, r = pcall(sw.http.get, path)
      out[i] = ok and r.json or r.class
    end
    local _, e = pcall(sw.http.get, "/x", { headers = { Authorization = "Bearer mine" } })
    out[#out + 1] = e.message
    _, e = pcall(sw.http.get, "/x", { headers = { X = "a\r\nHost: b" } })
    out[#out + 1] = e.message
    return out)"));
  connect("acme:u1", "access-secret-1");
  EXPECT_EQ(run(),
            R"(["Provider.Forbidden","Provider.Forbidden","Provider.Forbidden",)"
            R"("Provider.Forbidden","Provider.Forbidden","Provider.BadRequest","/v1/there",)"
            R"("the header \"authorization\" cannot be set","the header \"x\" cannot be set"])");
}

// The names resolve (or are written) to addresses of this machine: the connection is refused.
TEST_F(HostTest, StaysBelowThePathOfItsBaseUrl) {
  serve([](const Asked&) { return Told{}; });
  provider("acme", run_is(R"(
    local ok, e = pcall(sw.http.get, args.path)
    return ok or e.class)"));
  connect("acme:u1", "access-secret-1");
  const auto asked = [this](const char* path) {
    return run("acme.run", Value(Object{{"connection", "acme:u1"}, {"path", path}}));
  };
  for (const char* path : {"/../x", "/a/../../x", "/%2e%2E/x", "/.%2e", "/..\\x", "/.."}) {
    EXPECT_EQ(asked(path), R"("Provider.BadRequest")") << path;
  }
  EXPECT_EQ(asked("/a..b/...?c=/../"), "true");
}

TEST_F(HostTest, SendsNoEmptyToken) {
  serve([](const Asked&) { return Told{}; });
  provider("acme", run_is("return sw.http.get('/x').status"));
  connect("acme:u1", "");
  EXPECT_EQ(run(), "Provider.Unauthorized: the connection acme:u1 has no token");
  EXPECT_EQ(responder->count("/v1/x"), 0);
}

TEST_F(HostTest, ChecksTheAddressThatIsConnected) {
  write("inner/provider.yaml",
        "apiVersion: stepwell.dev/provider/v1\nid: inner\nversion: 0.1.0\nname: inner\n"
        "base_url: https://localhost\nhosts: [localhost, 127.0.0.1]\nauth:\n  type: none\n"
        "functions: [run]\ndata_types:\n  workout: {}\n");
  write("inner/provider.lua", run_is(R"(
    local out = {}
    for i, url in ipairs { "/x", "https://127.0.0.1/x" } do
      local _, e = pcall(sw.http.get, url)
      out[i] = e.class .. " " .. e.message
    end
    return out)"));
  EXPECT_EQ(
      run("inner.run", Value(Object())),
      R"(["Provider.Forbidden GET /x: the host resolves to an address that is not public",)"
      R"("Provider.Forbidden GET https://127.0.0.1/x: the host resolves to an address that is )"
      R"(not public"])");
}

TEST_F(HostTest, LetsNoTokenReachLuaOrTheLog) {
  serve([&](const Asked& asked) {
    const std::string sent = asked.headers.at("authorization");
    return Told{200, R"({"echo":)" + json_quote(sent) + "}", "X-Echo: " + sent + "\r\n"};
  });
  provider("acme", run_is(R"(
    local r = sw.http.get("/echo")
    sw.log.info("got Bearer abcdefgh", { raw = r.body, args = args })
    local function search(t, seen)
      for k, v in pairs(t) do
        if type(v) == "string" and v:find("access%-secret%-1") then return true end
        if type(v) == "table" and not seen[v] then
          seen[v] = true
          if search(v, seen) then return true end
        end
      end
      return false
    end
    if args.fail then error("failed with access-secret-1") end
    return { r.json.echo, r.headers["x-echo"], search({ _G, ctx, args, r }, {}) })"));
  connect("acme:u1", "access-secret-1");
  EXPECT_EQ(run(), R"(["Bearer [secret]","Bearer [secret]",false])");
  // A provider that learnt a token some other way does not get it into a log or an error either.
  EXPECT_EQ(run("acme.run",
                Value(Object{{"connection", "acme:u1"}, {"fail", true}, {"t", "access-secret-1"}})),
            "Provider.ScriptError: acme/provider.lua:16: failed with [secret]");
  EXPECT_EQ(log().find("secret-1"), std::string::npos) << log();
  EXPECT_EQ(log().find("abcdefgh"), std::string::npos) << log();
  EXPECT_NE(log().find("got Bearer [secret]"), std::string::npos) << log();
}

// ---- processes ----

TEST_F(HostTest, SendsAtMostFourRequestsOfACallAtOnce) {
  std::atomic<int> now{0}, most{0}, total{0};
  serve([&](const Asked& asked) {
    const int running = ++now;
    for (int seen = most; running > seen && !most.compare_exchange_weak(seen, running);) {
    }
    // Holds the first four until all four are there.
    if (++total <= 4) {
      while (total < 4) std::this_thread::yield();
    }
    --now;
    return asked.target == "/v1/5" ? Told{404} : Told{200, json_quote(asked.target)};
  });
  provider("acme", run_is(R"(
    local list = {}
    for i = 1, 9 do list[i] = { path = "/" .. i } end
    local out = {}
    for i, one in ipairs(sw.http.all(list)) do
      out[i] = one.ok and one.res.json or one.error.class
    end
    return out)"));
  connect("acme:u1", "access-secret-1");
  EXPECT_EQ(run(),
            R"(["/v1/1","/v1/2","/v1/3","/v1/4","Provider.NotFound","/v1/6","/v1/7","/v1/8",)"
            R"("/v1/9"])");
  EXPECT_EQ(most, 4);
}

TEST_F(HostTest, CountsRequests) {
  serve([](const Asked&) { return Told{}; });
  provider("acme", run_is("while true do pcall(sw.http.get, '/x') end"),
           "limits: { requests: 3 }\n");
  connect("acme:u1", "access-secret-1");
  EXPECT_EQ(run(), "Provider.LimitExceeded: acme.run made more than 3 requests");
  EXPECT_EQ(responder->asked().size(), 3u);
}

TEST_F(HostTest, RunsInAThreadWhenTrusted) {
  options.is_trusted = true;
  serve([](const Asked&) { return Told{200, "5"}; });
  provider("acme", run_is("return sw.http.get('/x').json"));
  connect("acme:u1", "access-secret-1");
  EXPECT_EQ(run(), "5");
}

// ---- the contract ----

TEST_F(HostTest, CompletesAndChecksPages) {
  provider("acme", R"(
    local M = {}
    function M.fetch(ctx, q) return M.pages[q.page](q) end
    local record = { type = "workout", source = { id = "1" }, time = { start = "x" },
                     data = { sport = "running" } }
    M.pages = {
      good = function()
        return { items = { record, { bad = { message = "no id" } } }, next = { page = 3 } }
      end,
      empty = function() return { items = {} } end,
      stuck = function(q) return { items = {}, next = q.cursor } end,
      many = function() return { items = { record, record, record } } end,
      nameless = function() return { items = { { type = "workout", source = {} } } } end,
      nothing = function() end,
      misspelt = function() return { items = {}, nxt = { page = 3 } } end,
      renamed = function(q) return { items = sw.map(q.data, M.to_canonical) } end,
      odd = function()
        return { items = { { type = "workout", source = { id = "1" }, tmie = {}, data = {} } } }
      end,
    }
    return M)");
  connect("acme:u1", "access-secret-1");
  const auto fetch = [this](const char* page, std::int64_t limit = 10) {
    return run("acme.fetch", Value(Object{{"connection", "acme:u1"},
                                          {"type", "workout"},
                                          {"limit", limit},
                                          {"page", page},
                                          {"cursor", Value(Object{{"page", 2}})}}));
  };
  EXPECT_EQ(fetch("good"),
            R"({"items":[{"data":{"sport":"running"},"source":{"id":"1","provider":"acme",)"
            R"("account":"account-1"},"time":{"start":"x"},"schema":"workout/1.0"},)"
            R"({"bad":{"message":"no id"}}],"next":{"page":3}})");
  EXPECT_EQ(fetch("empty"), R"({"items":[]})");
  EXPECT_EQ(fetch("many", 1), "Provider.ContractViolation: acme.fetch: 3 items for a limit of 1");
  EXPECT_EQ(fetch("nameless"),
            "Provider.ContractViolation: acme.fetch: a record's source.id is not text");
  EXPECT_EQ(fetch("nothing"), "Provider.ContractViolation: acme.fetch: the result is not a table");
  EXPECT_EQ(fetch("misspelt"),
            "Provider.ContractViolation: acme.fetch: the result has no nxt; did you mean next?");
  EXPECT_EQ(fetch("odd"),
            "Provider.ContractViolation: acme.fetch: a record has no tmie; did you mean time?");
  EXPECT_EQ(fetch("renamed"),
            "Provider.BadData: acme/provider.lua:16: sw.map needs a list, not nil");
  EXPECT_EQ(fetch("stuck"),
            "Provider.ContractViolation: acme.fetch: next is the cursor that was given");
}

TEST_F(HostTest, WantsOneResultForEachKey) {
  provider("acme", R"(
    local M = {}
    function M.push(ctx, q)
      local how = q.how
      local results = sw.each(q.records, function()
        return { status = how, remote_id = q.remote, remoteid = q.misspelt }
      end)
      if q.drop then results[#results] = nil end
      if q.twice then results[2] = results[1] end
      return { results = results }
    end
    return M)");
  connect("acme:u1", "access-secret-1");
  const auto push = [this](Object more) {
    more.set("connection", "acme:u1");
    more.set("records",
             Value(Value::Array{Value(Object{{"key", "a"}}), Value(Object{{"key", "b"}})}));
    return run("acme.push", Value(std::move(more)));
  };
  EXPECT_EQ(push({{"how", "created"}, {"remote", "r"}}),
            R"({"results":[{"key":"a","remote_id":"r","status":"created"},)"
            R"({"key":"b","remote_id":"r","status":"created"}]})");
  EXPECT_EQ(push({{"how", "created"}}),
            "Provider.ContractViolation: acme.push: \"a\" is created without a remote_id");
  EXPECT_EQ(push({{"how", "deleted"}, {"misspelt", "r"}}),
            "Provider.ContractViolation: acme.push: the result for \"a\" has no remoteid; did you "
            "mean remote_id?");
  EXPECT_EQ(push({{"how", "done"}}),
            "Provider.ContractViolation: acme.push: the status of \"a\" is \"done\"");
  EXPECT_EQ(push({{"how", "deleted"}, {"drop", true}}),
            "Provider.ContractViolation: acme.push: no result for the key \"b\"");
  EXPECT_EQ(
      push({{"how", "deleted"}, {"twice", true}}),
      "Provider.ContractViolation: acme.push: a result for the key \"a\", which was not asked "
      "for or came twice");
  EXPECT_EQ(
      push({{"how", "pending"}}),
      "Provider.ContractViolation: acme.push: \"a\" is pending without a handle of at most 1 KB");
}

TEST_F(HostTest, MakesPerItemResults) {
  provider("acme", R"(
    local M = {}
    function M.run()
      return sw.each({ "a", "b", "c", "d", "e" }, function(id)
        if id == "a" then return { status = "ok" } end
        if id == "b" then sw.err.BadRequest { message = "bad", status = 422 } end
        if id == "c" then sw.err.Duplicate { remote_id = "r" } end
        sw.err.RateLimited { retry_after = 9 }
      end)
    end
    function M.other() sw.err.RateLimited { message = "slow down", retry_after = 2.5 } end
    return M)");
  connect("acme:u1", "access-secret-1");
  EXPECT_EQ(run(),
            R"([{"key":"a","status":"ok"},)"
            R"({"error":{"class":"Provider.BadRequest","message":"bad","status":422},"key":"b",)"
            R"("status":"failed"},)"
            R"({"key":"c","remote_id":"r","status":"exists"},)"
            R"({"error":{"class":"Provider.RateLimited","message":"RateLimited","retry_after":9},)"
            R"("key":"d","status":"not_attempted"},)"
            R"({"error":{"class":"Provider.RateLimited","message":"RateLimited","retry_after":9},)"
            R"("key":"e","status":"not_attempted"}])");
  EXPECT_EQ(run("acme.other", Value(Object{{"connection", "acme:u1"}})),
            "Provider.RateLimited: slow down (retry after 2500 ms)");
}

TEST_F(HostTest, LetsAProviderClassify) {
  serve([](const Asked&) { return Told{200, R"({"status":401})"}; });
  provider("acme", R"(
    local M = {}
    function M.classify(res, req)
      if res.json.status ~= 401 then return end
      return { class = "Provider.Forbidden", message = req.method }
    end
    function M.run() return sw.http.get("/x").json end
    return M)");
  connect("acme:u1", "access-secret-1");
  EXPECT_EQ(run(), "Provider.Forbidden: GET");
}

// ---- libraries ----

TEST_F(HostTest, LibrariesCallProvidersAndTheLedger) {
  serve([](const Asked& asked) { return Told{200, json_quote(asked.target)}; });
  provider("acme", R"(
    return { run = function(ctx, args)
      if args.fail then sw.err.TooLarge { message = "split it" } end
      return { ctx.account, sw.http.get("/" .. args.x).json, ctx.key ~= nil }
    end })");
  library("sync", run_is(R"(
    local one = sw.call("acme", "run", { connection = "acme:u1", x = "one" })
    local ok, e = pcall(sw.call, "acme", "run", { connection = "acme:u1", fail = true })
    local all = sw.call_all { { "acme", "run", { connection = "acme:u1", x = "a" } },
                              { "acme", "fly", {} } }
    sw.ledger.write { { connection = "d", key = "k1", status = "intent", version = "v" },
                      { connection = "d", key = "k2", status = "pending", version = "v",
                        handle = { upload = 5 } } }
    sw.ledger.chunk { chunk = "workout/1", status = "failed", detail = { n = 1 } }
    local rows = sw.ledger.read("d", { "k1", "k2", "k3" })
    sw.notify { event = "done" }
    return { one, e.class, e.message, all[1].result[2], all[2].error.class, rows,
             sw.ledger.chunks(), sw.provider("acme").name, sw.connection("acme:u1").account,
             sw.http == nil, sw.clock() >= ctx.now })"));
  connect("acme:u1", "access-secret-1");
  const std::string job = "07000000-0000-0000-0000-000000000000";
  EXPECT_EQ(run("sync.run", Value(Object())),
            R"([["account-1","/v1/one",true],"Provider.TooLarge","split it","/v1/a",)"
            R"("Provider.Unsupported",{"k1":{"status":"intent","version":"v"},)"
            R"("k2":{"handle":{"upload":5},"status":"pending","version":"v"}},)"
            R"([{"chunk":"workout/1","detail":{"n":1},"job":")" +
                job +
                R"(","status":"failed"}],)"
                R"("acme","account-1",true,true])");
  EXPECT_EQ(notices(), "{\"event\":\"done\"}\n");
  EXPECT_EQ(ledger->read("d", {"k2"})->at(0).handle, R"({"upload":5})");
}

TEST_F(HostTest, LibrariesRaiseErrorsOfTheirOwn) {
  library("sync",
          run_is("sw.err.raise { class = 'Sync.Refused', message = 'no', retry_after = 60 }"));
  provider("acme", run_is("sw.err.raise { class = 'Sync.Refused', message = 'no' }"));
  connect("acme:u1", "access-secret-1");
  EXPECT_EQ(run("sync.run", Value(Object())), "Sync.Refused: no (retry after 60000 ms)");
  EXPECT_EQ(run(),
            "Provider.ScriptError: raised an error of the unknown class \"Sync.Refused\": no");
}

TEST_F(HostTest, ProvidersCannotUseWhatLibrariesCan) {
  provider("acme", run_is("return sw.call == nil and sw.ledger == nil and sw.notify == nil"));
  connect("acme:u1", "access-secret-1");
  EXPECT_EQ(run(), "true");
}

}  // namespace
}  // namespace stepwell::host
