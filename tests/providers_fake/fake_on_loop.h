// FakeOnLoop — a FakeServer on a loop on a thread of its own, and the admin routes as functions.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "providers/fake/fake.h"
#include "tests/server/http_client.h"

namespace stepwell::fake {

inline Value json(const std::string& text) {
  auto value = parse_json(text);
  EXPECT_TRUE(value.ok()) << text;
  return value.ok() ? std::move(*value) : Value();
}

class FakeOnLoop {
 public:
  explicit FakeOnLoop(FakeOptions options = {}) {
    if (!options.until) options.until = parse_rfc3339("2026-11-21T00:00:00Z");
    auto started = FakeServer::start(loop_, options);
    CHECK(started.ok(), started.error().message);
    server_ = std::move(*started);
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~FakeOnLoop() {
    loop_.post([this] {
      server_.reset();
      loop_.stop();
    });
    thread_.join();
  }

  int port() const { return server_->port(); }
  std::string url() const { return server_->url(); }

  server::Answer call(const std::string& method, const std::string& target,
                      const std::string& body = "", const std::string& headers = "") const {
    return server::HttpClient(port()).call(method, target, body, headers);
  }
  Value get(const std::string& target) const { return json(call("GET", target).body); }
  void control(const std::string& knobs) const {
    const auto answer = call("PUT", "/__ctl", knobs);
    EXPECT_EQ(answer.status, 200) << answer.body;
  }
  Value tokens(const std::string& provider, int user = 1) const {
    return get("/__tokens?provider=" + provider + "&user=" + std::to_string(user));
  }
  std::string bearer(const std::string& provider, int user = 1) const {
    return "Authorization: Bearer " + tokens(provider, user).find("access_token")->as_string() +
           "\r\n";
  }
  // "expected 3, missing 0, duplicates 0, unexpected 0, corrupt 0"
  std::string verdict(const std::string& query) const {
    const Value audit = get("/__audit?" + query);
    std::string out;
    for (const char* name : {"expected", "missing", "duplicates", "unexpected", "corrupt"}) {
      out += (out.empty() ? "" : ", ") + std::string(name) + " " + audit.find(name)->to_json();
    }
    return out;
  }

 private:
  loop::UvLoop loop_;
  std::unique_ptr<FakeServer> server_;
  std::thread thread_;
};

}  // namespace stepwell::fake
