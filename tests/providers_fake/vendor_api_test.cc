// The faces over HTTP: paging, tokens, quotas, faults, and the writing side.
#include <set>

#include "tests/providers_fake/fake_on_loop.h"

namespace stepwell::fake {
namespace {

constexpr const char* kPoints = "/google_health/users/me/dataTypes/exercise/dataPoints";

std::string point(const std::string& start, const std::string& name = "k1") {
  return R"({"name":"users/me/dataTypes/exercise/dataPoints/)" + name +
         R"(","exercise":{"interval":{"startTime":")" + start +
         R"(","startUtcOffset":"3600s","endTime":"2026-12-31T00:00:00Z"},)"
         R"("exerciseType":"RUNNING"}})";
}

TEST(Strava, AnyPageSizeGivesTheSameSet) {
  const FakeOnLoop fake;
  const std::string auth = fake.bearer("strava");
  const auto all = [&](int size) {
    std::vector<std::int64_t> ids;
    for (int page = 1;; ++page) {
      const auto answer = fake.call("GET",
                                    "/strava/athlete/activities?after=1767225599&before=1793491200"
                                    "&per_page=" +
                                        std::to_string(size) + "&page=" + std::to_string(page),
                                    "", auth);
      const Value items = json(answer.body);
      for (const Value& item : items.as_array()) ids.push_back(item.find("id")->as_int());
      if (static_cast<int>(items.size()) < size) return ids;
    }
  };
  const auto expected = fake.get("/__expected?user=1&from=2026-01-01&to=2026-11-01");
  const auto ids = all(200);
  EXPECT_EQ(static_cast<std::int64_t>(ids.size()), expected.find("count")->as_int());
  EXPECT_GT(ids.size(), 100u);
  EXPECT_EQ(all(7), ids);
  EXPECT_EQ(all(30), ids);
  EXPECT_EQ(fake.call("GET", "/strava/athlete/activities?per_page=201", "", auth).status, 400);
  EXPECT_EQ(fake.call("GET", "/strava/athlete/activities?sort=up", "", auth).status, 400);
}

TEST(Strava, ShowsAnActivityToItsOwnerOnly) {
  const FakeOnLoop fake({.users = 2});
  const std::string auth = fake.bearer("strava");
  const Value listed =
      json(fake.call("GET", "/strava/athlete/activities?per_page=1", "", auth).body).as_array()[0];
  EXPECT_EQ(listed.find("calories"), nullptr);
  const std::string target = "/strava/activities/" + listed.find("id")->to_json();
  const auto whole = fake.call("GET", target, "", auth);
  EXPECT_EQ(whole.status, 200);
  EXPECT_GT(json(whole.body).find("calories")->as_double(), 0);
  EXPECT_EQ(fake.call("GET", target, "", fake.bearer("strava", 2)).status, 404);
  EXPECT_EQ(fake.call("GET", "/strava/activities/1", "", auth).status, 404);
}

TEST(OAuth, TokensEndAndRotate) {
  const FakeOnLoop fake;
  fake.control(R"({"strava": {"rotation": "single_use"}})");
  EXPECT_EQ(fake.call("GET", "/strava/athlete").status, 401);
  EXPECT_EQ(fake.call("GET", "/strava/athlete", "", "Authorization: Bearer x\r\n").status, 401);
  const auto refresh = [&](const std::string& token) {
    return fake.call("POST", "/strava/oauth/token",
                     "grant_type=refresh_token&client_id=a&client_secret=b&refresh_token=" + token);
  };
  const Value first = fake.tokens("strava");
  const auto second = refresh(first.find("refresh_token")->as_string());
  ASSERT_EQ(second.status, 200) << second.body;
  EXPECT_NE(json(second.body).find("refresh_token")->as_string(),
            first.find("refresh_token")->as_string());
  EXPECT_EQ(refresh(first.find("refresh_token")->as_string()).body, R"({"error":"invalid_grant"})");
  const std::string auth =
      "Authorization: Bearer " + json(second.body).find("access_token")->as_string() + "\r\n";
  EXPECT_EQ(fake.call("GET", "/strava/athlete", "", auth).status, 200);
  EXPECT_EQ(fake.call("POST", "/__revoke?provider=strava&user=1").status, 200);
  EXPECT_EQ(fake.call("GET", "/strava/athlete", "", auth).status, 401);
  EXPECT_EQ(refresh(json(second.body).find("refresh_token")->as_string()).status, 400);
  const Value seen = *fake.get("/__audit").find("clients")->find("strava");
  EXPECT_EQ(seen.find("refreshes")->as_int(), 1);
  EXPECT_EQ(seen.find("dead_refresh_tokens")->as_int(), 2);
}

TEST(OAuth, ExchangesACodeOnce) {
  const FakeOnLoop fake;
  const auto consent = fake.call(
      "GET",
      "/google_health/oauth/authorize?user=1&state=s&redirect_uri=http%3A%2F%2Flocalhost%2Fback");
  EXPECT_EQ(consent.status, 302);
  const std::string location = consent.headers.at("location");
  const std::size_t from = location.find("code=") + 5;
  const std::string exchange = "grant_type=authorization_code&client_id=a&client_secret=b&code=" +
                               location.substr(from, location.find('&') - from);
  EXPECT_EQ(fake.call("POST", "/google_health/oauth/token", exchange).status, 200);
  EXPECT_EQ(fake.call("POST", "/google_health/oauth/token", exchange).status, 400);
}

TEST(Quota, RefusesWithRetryAfterAndCountsWhoDoesNotListen) {
  const FakeOnLoop fake;
  fake.control(R"({"strava": {"quota": 2, "quota_s": 86400}})");
  const std::string auth = fake.bearer("strava");
  EXPECT_EQ(fake.call("GET", "/strava/athlete", "", auth).headers.at("x-readratelimit-usage"),
            "1,1");
  EXPECT_EQ(fake.call("GET", "/strava/athlete", "", auth).status, 200);
  const auto refused = fake.call("GET", "/strava/athlete", "", auth);
  EXPECT_EQ(refused.status, 429);
  EXPECT_GT(std::stoi(refused.headers.at("retry-after")), 0);
}

TEST(Faults, AreTheSameForTheSameSeed) {
  const auto statuses = [](std::uint64_t seed) {
    const FakeOnLoop fake({.seed = seed});
    fake.control(R"({"strava": {"errors": 0.3, "resets": 0.1, "truncated": 0.1}})");
    const std::string auth = fake.bearer("strava");
    std::string out;
    for (int i = 0; i < 60; ++i) {
      const auto answer = fake.call("GET", "/strava/athlete/activities", "", auth);
      out += std::to_string(answer.status) + (answer.is_whole ? " " : "/ ");
    }
    return out;
  };
  const std::string first = statuses(7);
  EXPECT_EQ(first, statuses(7));
  EXPECT_NE(first, statuses(8));
  for (const char* status : {"200 ", "500 ", "502 ", "503 ", "0/ ", "200/ "}) {
    EXPECT_NE(first.find(status), std::string::npos) << status << " in " << first;
  }
}

TEST(Faults, FollowTheDays) {
  const FakeOnLoop fake;
  const std::string auth = fake.bearer("strava");
  const auto status = [&](const std::string& after, const std::string& before) {
    return fake
        .call("GET", "/strava/athlete/activities?after=" + after + "&before=" + before, "", auth)
        .status;
  };
  fake.control(R"({"strava": {"bad_windows": [{"from": "2026-03-10", "to": "2026-03-11"}],
                              "slow_windows": [{"from": "2026-06-01", "to": "2026-07-01",
                                                "max_days": 7}]}})");
  EXPECT_EQ(status("1772323199", "1775001600"), 500);  // March
  EXPECT_EQ(status("1775001599", "1777593600"), 200);  // April
  EXPECT_EQ(status("1780271999", "1782864000"), 413);  // June
  EXPECT_EQ(status("1780271999", "1780876800"), 200);  // Its first week
  fake.control(R"({"preset": "calm"})");
  EXPECT_EQ(status("1772323199", "1775001600"), 200);
}

TEST(Google, ListsByCivilStartNewestFirstInPages) {
  const FakeOnLoop fake;
  const std::string auth = fake.bearer("google_health");
  for (int i = 10; i < 40; ++i) {
    const std::string start = "2026-03-01T06:" + std::to_string(i) + ":00Z";
    ASSERT_EQ(fake.call("POST", kPoints, point(start), auth).status, 200);
  }
  const std::string filter =
      "?filter=" +
      http::url_encode(R"(exercise.interval.civil_start_time >= "2026-03-01T07:12:00" AND )"
                       R"(exercise.interval.civil_start_time < "2026-03-02")");
  std::set<std::string> starts;
  std::string token, last = "9";
  int pages = 0;
  do {
    const Value page =
        json(fake.call("GET", kPoints + filter + "&pageToken=" + token, "", auth).body);
    for (const Value& one : page.find("dataPoints")->as_array()) {
      const std::string start =
          one.find("exercise")->find("interval")->find("startTime")->as_string();
      EXPECT_LT(start, last);
      last = start;
      starts.insert(start);
    }
    const Value* next = page.find("nextPageToken");
    token = next == nullptr ? "" : next->as_string();
    ++pages;
  } while (!token.empty());
  EXPECT_EQ(pages, 2);
  EXPECT_EQ(starts.size(), 28u);
  EXPECT_EQ(*starts.begin(), "2026-03-01T06:12:00Z");
  EXPECT_EQ(fake.call("GET", std::string(kPoints) + "?filter=start%20%3E%201", "", auth).status,
            400);
}

TEST(Google, HonoursOrIgnoresTheNameOfTheClient) {
  const FakeOnLoop fake;
  const std::string auth = fake.bearer("google_health");
  const auto create = [&] {
    return fake.call("POST", kPoints, point("2026-03-01T06:00:00Z"), auth);
  };
  EXPECT_EQ(create().status, 200);
  EXPECT_EQ(create().status, 200) << "ignored: a repeat makes a second one";
  fake.control(R"({"google_health": {"client_ids": "honoured"}})");
  EXPECT_EQ(create().status, 200);
  EXPECT_EQ(create().status, 409);
  EXPECT_EQ(fake.get("/__audit").find("unexpected")->as_int() +
                fake.get("/__audit").find("corrupt")->as_int(),
            3);
}

TEST(Google, PendingOperationsAreDoneLater) {
  const FakeOnLoop fake;
  fake.control(R"({"google_health": {"pending": 1, "pending_ms": 20}})");
  const std::string auth = fake.bearer("google_health");
  const Value made = json(fake.call("POST", kPoints, point("2026-03-01T06:00:00Z"), auth).body);
  EXPECT_FALSE(made.find("done")->as_bool());
  const std::string target = "/google_health/" + made.find("name")->as_string();
  Value operation = made;
  for (int i = 0; i < 20'000 && !operation.find("done")->as_bool(); ++i) {
    operation = json(fake.call("GET", target, "", auth).body);
  }
  EXPECT_EQ(operation.find("response")->find("name")->as_string(),
            "users/me/dataTypes/exercise/dataPoints/srv-1");
}

TEST(Admin, RefusesWhatItDoesNotUnderstand) {
  const FakeOnLoop fake;
  const auto said = [&](const std::string& knobs) {
    return fake.call("PUT", "/__ctl", knobs).body;
  };
  EXPECT_EQ(said(R"({"strava": {"eror": 1}})"), R"({"error":"there is no knob eror"})");
  EXPECT_EQ(said(R"({"strava": {"errors": 2}})"), R"({"error":"errors is a share from 0 to 1"})");
  EXPECT_EQ(said(R"({"garmin": {}})"),
            R"({"error":"garmin is not a provider with an object of knobs"})");
  EXPECT_EQ(said(R"({"preset": "mad"})"), R"({"error":"the presets are calm and rough"})");
  EXPECT_EQ(said(R"({"strava": {"bad_windows": [{"from": "x"}]}})"),
            R"({"error":"bad_windows: each window has from and to, RFC 3339 or YYYY-MM-DD"})");
  EXPECT_EQ(fake.call("GET", "/__expected?user=9").status, 404);
  EXPECT_EQ(fake.call("GET", "/__audit?from=soon").status, 400);
  EXPECT_EQ(fake.call("GET", "/nothing").status, 404);
  loop::UvLoop loop;
  const auto refused = FakeServer::start(loop, {.users = 0});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message, "users are 1 to 10000000, years 1 to 50");
}

}  // namespace
}  // namespace stepwell::fake
