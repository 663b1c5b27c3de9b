// Parts of the broker one by one: addresses, manifests, the vault, secrets, URLs, rate gates,
// frames.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>
#include <filesystem>
#include <future>
#include <set>

#include "base/hash.h"
#include "net/client/address.h"
#include "providers/host/broker/exchange.h"
#include "providers/host/broker/manifest.h"
#include "providers/host/broker/rate_gates.h"
#include "providers/host/broker/secrets.h"
#include "providers/host/broker/vault.h"
#include "providers/host/frames.h"

namespace stepwell::host {
namespace {

bool is_public(const char* text) {
  sockaddr_storage storage{};
  auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
  if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
  } else {
    EXPECT_EQ(inet_pton(AF_INET6, text, &v6->sin6_addr), 1) << text;
    v6->sin6_family = AF_INET6;
  }
  return is_public_address(reinterpret_cast<const sockaddr*>(&storage));
}

TEST(Address, OnlyPublicOnesAreConnected) {
  for (const char* text : {"0.0.0.0",
                           "10.1.2.3",
                           "100.64.0.1",
                           "127.0.0.1",
                           "127.255.255.255",
                           "169.254.169.254",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.0.0.8",
                           "192.0.2.1",
                           "192.168.1.1",
                           "198.18.0.1",
                           "198.51.100.1",
                           "203.0.113.9",
                           "224.0.0.1",
                           "255.255.255.255",
                           "::",
                           "::1",
                           "::ffff:10.0.0.1",
                           "::ffff:169.254.169.254",
                           "64:ff9b::7f00:1",
                           "2002:7f00:1::",
                           "2001:db8::1",
                           "2001::1",
                           "fc00::1",
                           "fd00:ec2::254",
                           "fe80::1",
                           "fec0::1",
                           "ff02::1",
                           "::127.0.0.1"}) {
    EXPECT_FALSE(is_public(text)) << text;
  }
  for (const char* text : {"8.8.8.8", "172.32.0.1", "100.128.0.1", "192.0.1.1", "2606:4700::1111",
                           "::ffff:8.8.8.8", "64:ff9b::808:808"}) {
    EXPECT_TRUE(is_public(text)) << text;
  }
}

const char* const kGood = R"(apiVersion: stepwell.dev/provider/v1
id: acme
version: 0.1.0
name: Acme
base_url: https://api.acme.test/v1/
hosts: [api.acme.test]
auth: { type: none }
data_types:
  steps:
    read: { modes: [full], cursor: token, updates: none, deletes: none, backfill: request,
            preflight: cheap }
    write: { ops: [create], idempotency: none }
limits: { memory: 16MiB, cpu_ms: 100, deadline: 10s, requests: 5, response_bytes: 64KiB }
rate_limits:
  - { id: a, scope: app, limit: 5, per: 15m, window: aligned, match: { methods: [GET] } }
x-mine: anything
)";

TEST(Manifest, IsReadIntoFacts) {
  const auto manifest = read_manifest(kGood, "f");
  ASSERT_TRUE(manifest.ok()) << manifest.error().message;
  EXPECT_EQ(manifest->base_url, "https://api.acme.test/v1");
  EXPECT_EQ(manifest->functions,
            (std::vector<std::string>{"fetch", "has_new_data", "push", "request_backfill"}));
  EXPECT_EQ(manifest->limits.memory_bytes, 16 << 20);
  EXPECT_EQ(manifest->limits.cpu_ms, 100);
  EXPECT_EQ(manifest->limits.deadline, Millis(10'000));
  EXPECT_EQ(manifest->limits.requests, 5);
  EXPECT_EQ(manifest->limits.response_bytes, 64 << 10);
  ASSERT_EQ(manifest->rate_limits.size(), 1u);
  EXPECT_TRUE(manifest->rate_limits[0].is_aligned && manifest->rate_limits[0].is_app_wide);
}

TEST(Manifest, NamesEveryProblem) {
  struct Case {
    const char *from, *to, *problem;
  };
  const std::vector<Case> cases = {
      {"name: Acme\n", "", "f: /: lacks name"},
      {"per: 15m", "per: soon",
       "f: /rate_limits/0/per: must be a span of time such as 90s, 5m, 6h or "
       "7d, not \"soon\""},
      {"cursor: token", "cursor: page",
       "f: /data_types/steps/read/cursor: is \"page\"; it must be "
       "event_time|modified_time|token|none"},
      {"id: acme", "id: Acme!", "f: /id: must be lower-case letters, digits and _"},
      {"hosts: [api.acme.test]", "hosts: []", "f: /hosts: must be a list of texts"},
      {"https://api", "ftp://api", "f: /base_url: must be an https URL"},
      {"{ type: none }", "{ type: oauth2_code }", "f: /auth: lacks token_url"},
      {"cpu_ms: 100", "cpu_ms: 100000", "f: /limits/cpu_ms: may only lower the engine's limit"},
      {"v1\nid", "v2\nid",
       "f: /apiVersion: is \"stepwell.dev/provider/v2\"; it must be stepwell.dev/provider/v1"},
  };
  for (const Case& c : cases) {
    std::string text = kGood;
    const std::size_t at = text.find(c.from);
    ASSERT_NE(at, std::string::npos) << c.from;
    text.replace(at, std::strlen(c.from), c.to);
    const auto manifest = read_manifest(text, "f");
    ASSERT_FALSE(manifest.ok()) << c.to;
    EXPECT_EQ(manifest.error().message, c.problem);
  }
  const auto typo = read_manifest(std::string(kGood) + "host: [x]\nwebhook: {}\n", "f");
  ASSERT_FALSE(typo.ok());
  EXPECT_NE(typo.error().message.find("f: /: does not know host"), std::string::npos);
  EXPECT_NE(typo.error().message.find("f: /: does not know webhook"), std::string::npos);
}

TEST(Vault, OpensOnlyWhatItSealedForThatConnection) {
  const auto vault = Vault::open(Vault::make_key());
  const auto other = Vault::open(Vault::make_key());
  ASSERT_TRUE(vault.ok() && other.ok());
  const std::string sealed = vault->seal({"access-1", "refresh-1"}, "acme:u1");
  EXPECT_EQ(sealed.find("access"), std::string::npos);
  EXPECT_NE(sealed, vault->seal({"access-1", "refresh-1"}, "acme:u1"));
  const auto tokens = vault->unseal(sealed, "acme:u1");
  ASSERT_TRUE(tokens.ok()) << tokens.error().message;
  EXPECT_EQ(tokens->access_token + "/" + tokens->refresh_token, "access-1/refresh-1");
  EXPECT_EQ(vault->unseal(sealed, "acme:u2").error().message,
            "the tokens of acme:u2 were tampered with");
  EXPECT_EQ(other->unseal(sealed, "acme:u1").error().message,
            "the tokens of acme:u1 were sealed with another key than the one configured");
  EXPECT_EQ(vault->unseal("garbage", "acme:u1").error().message,
            "the tokens of acme:u1 are not sealed text");
  EXPECT_EQ(Vault::open("abc").error().message, "the vault key must be 64 hex digits");
}

TEST(Vault, KeepsItsKeyInAFileThatIsWholeOrNotThere) {
  char pattern[] = "/tmp/stepwell-key-XXXXXX";
  const std::filesystem::path folder = mkdtemp(pattern);
  const std::string path = folder / "vault.key";
  std::vector<std::future<Result<std::string>>> at_once;
  for (int i = 0; i < 8; ++i) {
    at_once.push_back(std::async(std::launch::async, [&] { return Vault::key_of_file(path); }));
  }
  std::set<std::string> made;
  for (auto& one : at_once) {
    const auto key = one.get();
    made.insert(key.ok() ? *key : key.error().message);
  }
  ASSERT_EQ(made.size(), 1u) << "one key for all who ask";
  EXPECT_TRUE(Vault::open(*made.begin()).ok()) << *made.begin();
  EXPECT_EQ(*Vault::key_of_file(path), *made.begin());
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0600));
  const auto files = std::filesystem::directory_iterator(folder);
  EXPECT_EQ(std::distance(begin(files), end(files)), 1) << "nothing else is left";
  const auto said = [](const std::string& of) {
    const auto key = Vault::key_of_file(of);
    return key.ok() ? "the key " + *key
                    : std::string(to_string(key.error().code)) + ": " + key.error().message;
  };
  std::filesystem::resize_file(path, 0);
  EXPECT_EQ(said(path), "invalid: the key file " + path +
                            " is empty; remove it to have a new key made (the tokens that the lost "
                            "one sealed stay lost)");
  EXPECT_EQ(said(folder),
            "denied: cannot read the key file " + folder.string() + ": Is a directory");
  const std::string nowhere = folder / "none" / "vault.key";
  EXPECT_EQ(said(nowhere),
            "unavailable: cannot make the key file " + nowhere + ": No such file or directory");
  std::filesystem::remove_all(folder);
}

TEST(Secrets, AreTakenOutHoweverTheyAreSpelt) {
  Secrets secrets;
  secrets.add("s3cr3t+/token");
  secrets.add("short");  // Would blank out too much; a token is never that short.
  const std::string encoded = base64_encode("s3cr3t+/token");
  EXPECT_EQ(secrets.scrub("a s3cr3t+/token b s3cr3t%2B%2Ftoken c " + encoded + " d"),
            "a [secret] b [secret] c [secret] d");
  EXPECT_EQ(secrets.scrub("7333637233742b2f746f6b656e or 7333637233742B2F746F6B656E"),
            "[secret] or [secret]");
  EXPECT_EQ(secrets.scrub("Authorization: Bearer xyz, and a short one"),
            "Authorization: Bearer [secret], and a short one");
}

TEST(Urls, AreAllowedByHost) {
  HostOptions options;
  options.extra_hosts = {"extra.test"};
  Manifest manifest;
  manifest.id = "acme";
  manifest.hosts = {"api.acme.test", "*.wild.test"};
  const auto allowed = [&](const char* url) { return is_allowed_url(options, manifest, url); };
  for (const char* url : {"https://api.acme.test/x", "https://API.acme.test:443/x",
                          "https://a.wild.test/", "https://extra.test/"}) {
    EXPECT_TRUE(allowed(url)) << url;
  }
  for (const char* url :
       {"http://api.acme.test/x", "https://api.acme.test:8443/", "https://wild.test/",
        "https://api.acme.test.evil.test/", "https://evil.test/?https://api.acme.test/",
        "https://user@api.acme.test/", "https://api.acme.test@evil.test/", "ftp://api.acme.test/",
        "//api.acme.test/", "https://xwild.test/", "", "https://"}) {
    EXPECT_FALSE(allowed(url)) << url;
  }
  options.overrides["acme"] = {"http://127.0.0.1:9100/acme", ""};
  EXPECT_TRUE(allowed("http://127.0.0.1:9100/acme/next"));
  EXPECT_FALSE(allowed("http://127.0.0.1:9101/"));
  EXPECT_FALSE(allowed("https://api.acme.test/x"));  // Tests never reach the real one.
}

TEST(RateGates, CloseTheBucketThatWasRefused) {
  Manifest manifest;
  manifest.id = "acme";
  manifest.rate_limits = {{"all", true, Millis(900'000), true, {}},
                          {"reads", false, Millis(900'000), true, {"GET"}}};
  RateGates gates;
  HttpReply reply;
  reply.status = 429;
  reply.headers["retry-after"] = "3";
  const Millis now(1'000), clock(1'000'000);
  EXPECT_EQ(gates.refused(manifest, "GET", "u1", reply, now, clock).left, Millis(3'000));
  EXPECT_EQ(gates.wait_for(manifest, "GET", "u1", now).left, Millis(3'000));
  EXPECT_EQ(gates.wait_for(manifest, "GET", "u1", now + Millis(3'000)).left, Millis(0));
  EXPECT_EQ(gates.wait_for(manifest, "GET", "u2", now).left, Millis(0));
  EXPECT_EQ(gates.wait_for(manifest, "POST", "u1", now).left, Millis(0));
  // Without a header: until the window's border.
  reply.headers.clear();
  EXPECT_EQ(gates.refused(manifest, "POST", "u1", reply, now, clock).left, Millis(800'000));
  EXPECT_EQ(gates.wait_for(manifest, "GET", "u2", now).bucket, "all");
  // No window known: a minute, doubled as long as it goes on.
  Manifest plain;
  plain.id = "plain";
  EXPECT_EQ(gates.refused(plain, "GET", "u1", reply, now, clock).left, Millis(60'000));
  EXPECT_EQ(gates.refused(plain, "GET", "u1", reply, now, clock).left, Millis(120'000));
  gates.passed(plain, "GET", "u1");
  EXPECT_EQ(gates.refused(plain, "GET", "u1", reply, now, clock).left, Millis(60'000));
  reply.headers["retry-after"] = "Thu, 01 Jan 1970 00:17:00 GMT";
  EXPECT_EQ(retry_after_of(reply, clock), Millis(20'000));
  reply.headers["retry-after"] = "soon";
  EXPECT_EQ(retry_after_of(reply, clock), std::nullopt);
}

// As Strava has them.
TEST(RateGates, CloseWhatTheHeadersShowAsUsedUp) {
  const auto limit = [](const char* id, Millis per, bool is_read, std::size_t index) {
    RateLimit one{id, true, per, true, {}};
    if (is_read) one.methods = {"GET"};
    const std::string prefix = is_read ? "x-readratelimit-" : "x-ratelimit-";
    one.headers = {prefix + "limit", prefix + "usage", "", index};
    return one;
  };
  const Millis quarter(900'000), day(86'400'000), now(1'000), clock(1'000'000);
  Manifest strava;
  strava.id = "strava";
  strava.rate_limits = {limit("all_15m", quarter, false, 0), limit("all_day", day, false, 1),
                        limit("read_15m", quarter, true, 0), limit("read_day", day, true, 1)};
  HttpReply reply;
  reply.status = 429;
  const auto refused = [&](const char* read, const char* all, const char* method) {
    reply.headers = {{"x-readratelimit-limit", "100,1000"},
                     {"x-ratelimit-limit", "200, 2000"},
                     {"x-readratelimit-usage", read},
                     {"x-ratelimit-usage", all}};
    RateGates gates;
    const auto wait = gates.refused(strava, method, "u1", reply, now, clock);
    const auto other = gates.wait_for(strava, "POST", "u2", now);
    return wait.bucket + " " + std::to_string(wait.left.count()) +
           (other.left.count() > 0 ? ", writes wait too" : "");
  };
  EXPECT_EQ(refused("100,500", "150,600", "GET"), "read_15m 800000") << "not until midnight";
  EXPECT_EQ(refused("10,1000", "20,1500", "GET"), "read_day 85400000");
  EXPECT_EQ(refused("10,500", "200,1500", "GET"), "all_15m 800000, writes wait too");
  EXPECT_EQ(refused("100,500", "200,2000", "GET"), "all_day 85400000, writes wait too");
  EXPECT_EQ(refused("nothing", "x,y", "GET"), "read_15m 800000") << "the narrowest, unless shown";
  EXPECT_EQ(refused("10,500", "20,600", "POST"), "all_15m 800000, writes wait too");
}

// As Google has them: one user's refusal says nothing of the others.
TEST(RateGates, CloseTheNarrowestWhereNothingIsShown) {
  Manifest google;
  google.id = "google";
  google.rate_limits = {{"user_minute", false, Millis(60'000), false, {}},
                        {"app_minute", true, Millis(60'000), false, {}}};
  RateGates gates;
  HttpReply reply;
  reply.status = 429;
  EXPECT_EQ(gates.refused(google, "GET", "u1", reply, Millis(0), Millis(0)).bucket, "user_minute");
  EXPECT_EQ(gates.wait_for(google, "GET", "u2", Millis(0)).left, Millis(0));
}

TEST(RateGates, StayClosedForAnHourAtMostOrForTheirOwnTime) {
  Manifest manifest;
  manifest.id = "acme";
  RateGates gates;
  HttpReply reply;
  reply.status = 429;
  reply.headers["retry-after"] = "1000000";
  const Millis hour(3'600'000);
  EXPECT_EQ(gates.refused(manifest, "GET", "u1", reply, Millis(0), Millis(0)).left, hour);
  EXPECT_EQ(gates.wait_for(manifest, "GET", "u1", hour).left, Millis(0)) << "who asks finds out";
  manifest.rate_limits = {{"day", true, Millis(86'400'000), true, {}}};
  reply.headers["retry-after"] = "40000";
  EXPECT_EQ(gates.refused(manifest, "GET", "u1", reply, Millis(0), Millis(0)).left,
            Millis(40'000'000));
}

TEST(Frames, SurviveBeingCutAnywhere) {
  std::string bytes;
  append_frame(bytes, Value(Object{{"f", "a"}}));
  append_frame(bytes, Value(Object{{"f", "b"}, {"text", "ü"}}));
  FrameReader reader;
  std::string seen;
  for (const char byte : bytes) {
    reader.feed(std::string_view(&byte, 1));
    auto frame = reader.next();
    ASSERT_TRUE(frame.ok());
    if (frame->has_value()) seen += text_of(**frame, "f");
  }
  EXPECT_EQ(seen, "ab");
}

TEST(Frames, RefuseWhatIsBroken) {
  for (const std::string& bytes : {std::string("\xff\xff\xff\xff", 4), std::string("\2\0\0\0[]", 6),
                                   std::string("\1\0\0\0{", 5)}) {
    FrameReader reader;
    reader.feed(bytes);
    EXPECT_FALSE(reader.next().ok());
  }
}

// A process may send anything; what it says is stored.
TEST(Failures, AreReadOnlySoFar) {
  const Value frame(Object{{"class", std::string(9000, 'c')},
                           {"message", std::string(9000, 'm')},
                           {"reason", std::string(9000, 'r')},
                           {"bucket", std::string(9000, 'b')},
                           {"remote_id", std::string(9000, 'i')}});
  const Failure read = Failure::from_value(frame);
  EXPECT_EQ(read.error_class, std::string(4000, 'c'));
  EXPECT_EQ(read.message, std::string(4000, 'm'));
  EXPECT_EQ(read.reason, std::string(4000, 'r'));
  EXPECT_EQ(read.bucket, std::string(4000, 'b'));
  EXPECT_EQ(read.remote_id, std::string(4000, 'i'));
}

}  // namespace
}  // namespace stepwell::host
