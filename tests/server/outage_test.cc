// The API while the database is away, silent or full.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/runtime/blocking_engine.h"
#include "engine/store/memory_store.h"
#include "server/native/api.h"
#include "tests/runtime/tampered_store.h"
#include "tests/server/http_client.h"

namespace stepwell::server {
namespace {

constexpr const char* kNobody = "/v1/executions/019aa5a8-0000-7000-8000-000000000001";
constexpr const char* kDone = "StartAt: A\nStates: {A: {Type: Succeed}}\n";
constexpr int kPoolThreads = 4;  // Of the engine's questions.
constexpr int kHistoryThreads = 2;

std::string unavailable(const std::string& message) {
  return R"({"code":"unavailable","message":")" + message +
         R"(","hint":"Try again in a moment, with the same Idempotency-Key; )"
         R"(GET /readyz tells when."})";
}

// A door that questions to the store go through, and wait before while it is shut.
class Door {
 public:
  void shut() {
    const MutexLock lock(mutex_);
    is_open_ = false;
  }
  void open() {
    const MutexLock lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }
  void pass() {
    const MutexLock lock(mutex_);
    ++passed_;
    changed_.notify_all();
    while (!is_open_) changed_.wait(mutex_);
  }
  void wait_until_here(int count) {
    const MutexLock lock(mutex_);
    while (passed_ < count) changed_.wait(mutex_);
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool is_open_ GUARDED_BY(mutex_) = true;
  int passed_ GUARDED_BY(mutex_) = 0;
};

class OutageTest : public ::testing::Test {
 protected:
  void serve() {
    settings_.look_period = Millis(5);
    std::shared_ptr<store::Store> real = store::make_memory_store();
    engine_ = std::make_unique<runtime::BlockingEngine>(std::make_shared<runtime::AsyncEngine>(
        std::make_shared<runtime::TamperedStore>(std::move(real), tampering_), Options{},
        settings_));
    ASSERT_TRUE(engine_->run());
    auto api = Api::serve(loop_, engine_->async(), {}, limits_);
    api_ = std::move(api.value());
    thread_ = std::thread([this] { loop_.run(); });
  }
  void TearDown() override {
    door_.open();  // A test that failed has left it shut.
    loop_.post([this] {
      api_.reset();
      loop_.stop();
    });
    thread_.join();
    engine_->stop();
  }
  static std::string start(const std::string& key) {
    return "POST /v1/workflows/done/executions HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: " +
           key + "\r\nContent-Length: 0\r\n\r\n";
  }
  std::unique_ptr<HttpClient> read_later(const std::string& target) {
    auto client = std::make_unique<HttpClient>(api_->port());
    client->send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return client;
  }
  std::string start_and_end(const std::string& key) {
    const auto started = engine_->start("done", "{}", {.name = key});
    EXPECT_TRUE(engine_->wait(started.value.id, std::chrono::seconds(20)));
    return started.value.id;
  }
  std::future<void> drain(Millis deadline) {
    const auto done = std::make_shared<std::promise<void>>();
    loop_.post([this, deadline, done] { api_->drain(deadline, [done] { done->set_value(); }); });
    return done->get_future();
  }
  Answer get(const std::string& target) { return HttpClient(api_->port()).get(target); }
  // The first answer with that status.
  Answer readyz_until(int status) {
    Answer answer;
    do {
      answer = get("/readyz");
    } while (answer.status != status && answer.status != 0);
    return answer;
  }

  Door door_;  // Outlives the engine's threads, which may stand before it.
  runtime::Settings settings_;
  ApiLimits limits_;
  runtime::Tampering tampering_;
  std::unique_ptr<runtime::BlockingEngine> engine_;
  loop::UvLoop loop_;
  std::unique_ptr<Api> api_;
  std::thread thread_;
};

TEST_F(OutageTest, TellsThatItIsAliveAndReadyHoweverManyWait) {
  tampering_.on_describe = [this] { door_.pass(); };
  serve();
  door_.shut();
  std::vector<std::unique_ptr<HttpClient>> waiting;
  for (int i = 0; i <= kPoolThreads; ++i) {
    waiting.push_back(read_later(kNobody));
  }
  door_.wait_until_here(kPoolThreads);
  EXPECT_EQ(get("/healthz").body, R"({"status":"alive"})");
  EXPECT_EQ(get("/readyz").body, R"({"status":"ready"})");
  EXPECT_EQ(get("/nowhere").status, 404);
  door_.open();
  for (const auto& client : waiting) EXPECT_EQ(client->receive().status, 404);
}

TEST_F(OutageTest, ReadersOfHistoriesHoldUpNobodyElse) {
  tampering_.on_journal = [this] { door_.pass(); };
  serve();
  ASSERT_TRUE(engine_->deploy_text("done", kDone));
  const std::string id = start_and_end("first");
  door_.shut();
  std::vector<std::unique_ptr<HttpClient>> readers;
  for (int i = 0; i < 3 * kHistoryThreads; ++i) {
    readers.push_back(read_later("/v1/executions/" + id + "/history"));
  }
  door_.wait_until_here(kHistoryThreads);
  for (int i = 0; i < 10; ++i) {
    HttpClient starter(api_->port());
    starter.send(start(std::to_string(i)));
    EXPECT_EQ(starter.receive().status, 202);
  }
  EXPECT_EQ(get("/v1/executions").status, 200);
  EXPECT_EQ(get("/v1/executions/" + id).status, 200);
  door_.open();
  for (const auto& reader : readers) EXPECT_EQ(reader->receive().status, 200);
}

TEST_F(OutageTest, QuestionsHoldUpNoStarts) {
  tampering_.on_describe = [this] { door_.pass(); };
  serve();
  ASSERT_TRUE(engine_->deploy_text("done", kDone));
  door_.shut();
  std::vector<std::unique_ptr<HttpClient>> waiting;
  for (int i = 0; i <= kPoolThreads; ++i) waiting.push_back(read_later(kNobody));
  door_.wait_until_here(kPoolThreads);
  for (int i = 0; i < 10; ++i) {
    HttpClient starter(api_->port());
    starter.send(start(std::to_string(i)));
    EXPECT_EQ(starter.receive().status, 202);
  }
  EXPECT_EQ(get("/healthz").body, R"({"status":"alive"})");
  door_.open();
  for (const auto& client : waiting) EXPECT_EQ(client->receive().status, 404);
}

TEST_F(OutageTest, NobodyWaitsForEver) {
  limits_.patience = Millis(50);
  tampering_.on_describe = [this] { door_.pass(); };
  serve();
  door_.shut();
  for (int i = 0; i <= kPoolThreads; ++i) {
    const Answer late = get(kNobody);
    EXPECT_EQ(late.status, 503);
    EXPECT_EQ(late.headers.at("retry-after"), "1");
    EXPECT_EQ(late.body, unavailable("the database has not answered within 50 ms"));
  }
  door_.open();
  Answer answer;
  do {
    answer = get(kNobody);
  } while (answer.status == 503);
  EXPECT_EQ(answer.status, 404);
}

TEST_F(OutageTest, AStartThatWaitedTooLongIsInDoubt) {
  limits_.patience = Millis(50);
  tampering_.before_commit = [this](const store::Batch&) {
    door_.pass();
    return ok_status();
  };
  serve();
  ASSERT_TRUE(engine_->deploy_text("done", kDone));
  door_.shut();
  HttpClient client(api_->port());
  client.send(start("1"));
  EXPECT_EQ(client.receive().body,
            unavailable("the database has not answered within 50 ms; whether what was asked for "
                        "happens is in doubt"));
  door_.open();
}

// ---- stopping while requests are under way

TEST_F(OutageTest, AStoppingServerAnswersTheStartsUnderWay) {
  tampering_.before_commit = [this](const store::Batch&) {
    door_.pass();
    return ok_status();
  };
  serve();
  ASSERT_TRUE(engine_->deploy_text("done", kDone));
  door_.shut();
  HttpClient idle(api_->port()), client(api_->port());
  EXPECT_EQ(idle.get("/healthz").status, 200);
  client.send(start("1"));
  door_.wait_until_here(1);
  auto drained = drain(Millis(60'000));
  EXPECT_TRUE(idle.is_closed()) << "which tells that the server is stopping";
  door_.open();
  const Answer started = client.receive();
  EXPECT_EQ(started.status, 202) << started.body;
  EXPECT_EQ(started.headers.at("connection"), "close");
  client.finish_sending();
  drained.wait();
}

TEST_F(OutageTest, AStoppingServerAnswers503ToWhatTakesTooLong) {
  tampering_.before_commit = [this](const store::Batch&) {
    door_.pass();
    return ok_status();
  };
  tampering_.on_describe = [this] { door_.pass(); };
  serve();
  ASSERT_TRUE(engine_->deploy_text("done", kDone));
  door_.shut();
  HttpClient starter(api_->port());
  starter.send(start("1"));
  door_.wait_until_here(1);
  const auto reader = read_later(kNobody);
  door_.wait_until_here(2);
  auto drained = drain(Millis(1));
  EXPECT_EQ(starter.receive().body,
            unavailable("the server stops, and the database has not answered yet; whether what "
                        "was asked for happens is in doubt"));
  EXPECT_EQ(reader->receive().body,
            unavailable("the server stops, and the database has not answered yet"));
  starter.finish_sending();
  reader->finish_sending();
  drained.wait();
  door_.open();
}

TEST_F(OutageTest, IsNotReadyAndStartsNothingWhileTheDatabaseIsFull) {
  settings_.health.tolerated = Millis(0);
  std::atomic<bool> is_full{true};
  tampering_.before_commit = [&](const store::Batch&) -> Status {
    if (is_full) return Error{ErrorCode::kUnavailable, "could not extend file"};
    return ok_status();
  };
  serve();
  ASSERT_TRUE(engine_->deploy_text("done", kDone));
  HttpClient first(api_->port()), second(api_->port());
  first.send(start("1"));
  const std::string full =
      unavailable("trouble with the database: writing a batch: could not extend file");
  EXPECT_EQ(readyz_until(503).body, full);
  second.send(start("2"));
  EXPECT_EQ(second.receive().body, full);
  is_full = false;
  EXPECT_EQ(first.receive().status, 202);
  EXPECT_EQ(readyz_until(200).body, R"({"status":"ready"})");
  EXPECT_EQ(engine_->list("", "", 10).value.size(), 1u);
}

TEST_F(OutageTest, IsNotReadyWhileTheDatabaseIsAway) {
  settings_.health.tolerated = Millis(0);
  std::atomic<bool> is_away{false};
  tampering_.before_look = [&]() -> Status {
    if (is_away) return Error{ErrorCode::kUnavailable, "Connection refused"};
    return ok_status();
  };
  serve();
  EXPECT_EQ(readyz_until(200).body, R"({"status":"ready"})");
  is_away = true;
  const Answer away = readyz_until(503);
  EXPECT_EQ(away.body, unavailable("trouble with the database: Connection refused"));
  EXPECT_EQ(away.headers.at("retry-after"), "1");
  EXPECT_EQ(get("/healthz").body, R"({"status":"alive"})");
  is_away = false;
  EXPECT_EQ(readyz_until(200).body, R"({"status":"ready"})");
}

}  // namespace
}  // namespace stepwell::server
