// AsyncEngine: what is answered without a read, without a thread, and when the engine stops.
#include <atomic>
#include <future>

#include "tests/runtime/tampered_store.h"
#include "tests/runtime/world.h"

namespace stepwell::runtime {
namespace {

constexpr const char* kFail = R"(
StartAt: Bad
States:
  Bad: {Type: Fail, Error: Bad.Day, Cause: it rains}
)";
constexpr const char* kSlow = R"(
StartAt: Slow
States:
  Slow: {Type: Task, Resource: test.slow, End: true}
)";
constexpr const char* kNobody = "019aa5a8-0000-7000-8000-000000000001";

std::string text_of(const ExecutionView& view) {
  return view.id + " " + view.workflow + " " + view.name + " " + view.status + " " + view.input +
         " " + view.output + " " + view.error.value_or("-") + " " + view.cause.value_or("-") + " " +
         view.started_at + " " + view.ended_at + " " + std::to_string(view.redrive_count) + " " +
         view.waiting + " " + view.quarantined;
}

class AsyncTest : public World {
 protected:
  std::unique_ptr<BlockingEngine> counted_engine(std::shared_ptr<TaskHandler> tasks = nullptr) {
    tampering_.on_describe = [this] { ++reads_; };
    return engine_on(std::make_shared<TamperedStore>(store_, tampering_), std::move(tasks));
  }
  static std::future<Answer<ExecutionView>> run(BlockingEngine& engine, StartRequest request,
                                                Millis at_most = Millis(20'000)) {
    auto promise = std::make_shared<std::promise<Answer<ExecutionView>>>();
    engine.async().start_and_wait(
        Namespace(), std::move(request), at_most,
        [promise](const Answer<ExecutionView>& ended) { promise->set_value(ended); });
    return promise->get_future();
  }
  static std::future<Answer<ExecutionView>> wait(BlockingEngine& engine, const std::string& id) {
    auto promise = std::make_shared<std::promise<Answer<ExecutionView>>>();
    engine.async().wait(
        Namespace(), id, std::chrono::hours(1),
        [promise](const Answer<ExecutionView>& ended) { promise->set_value(ended); });
    return promise->get_future();
  }

  Tampering tampering_;
  std::atomic<int> reads_{0};
};

TEST_F(AsyncTest, AnEndIsToldAsDescribeWouldReadIt) {
  auto one = counted_engine();
  deploy(*one, "echo", kEcho);
  deploy(*one, "fail", kFail);
  for (const StartRequest& request :
       {StartRequest{"echo", std::string(R"({"a":[1,2.5,"ä"]})"), {.name = "x"}},
        StartRequest{"echo", std::string("7")}, StartRequest{"fail"}}) {
    reads_ = 0;
    const auto ended = run(*one, request).get();
    ASSERT_TRUE(ended) << ended.error;
    EXPECT_EQ(reads_, 0) << "its lane knew the end";
    EXPECT_EQ(text_of(ended.value), text_of(one->describe(ended.value.id).value));
  }
}

TEST_F(AsyncTest, AnInputInItsOwnWordsIsRead) {
  auto one = counted_engine();
  deploy(*one, "echo", kEcho);
  const auto ended = run(*one, {"echo", std::string(R"({ "a" : 1.50 })")}).get();
  ASSERT_TRUE(ended) << ended.error;
  EXPECT_EQ(ended.value.input, R"({ "a" : 1.50 })");
  EXPECT_EQ(text_of(ended.value), text_of(one->describe(ended.value.id).value));
}

TEST_F(AsyncTest, AWaitForWhatALaneOwnsReadsNothing) {
  auto tasks = std::make_shared<ManualTasks>(std::vector<std::string>{"test.slow"});
  auto one = counted_engine(tasks);
  deploy(*one, "slow", kSlow);
  const std::string id = start(*one, "slow", "3");
  auto first = wait(*one, id), second = wait(*one, id);
  tasks->next().done(TaskSucceeded{Value(std::int64_t{9})});
  EXPECT_EQ(outcome(first.get().value), "SUCCEEDED 9");
  EXPECT_EQ(outcome(second.get().value), "SUCCEEDED 9");
  EXPECT_EQ(reads_, 0);
}

TEST_F(AsyncTest, AWaitForAnotherProcessesExecutionAsksAgain) {
  auto tasks = std::make_shared<ManualTasks>(std::vector<std::string>{"test.slow"});
  auto owner = engine(tasks);
  deploy(*owner, "slow", kSlow);
  const std::string id = start(*owner, "slow");
  const ManualTasks::Begun begun = tasks->next();
  const auto caller = idle_engine();
  EXPECT_EQ(caller->wait(id, Millis(1)).code, Code::kTimeout);
  auto ended = wait(*caller, id);
  begun.done(TaskSucceeded{Value(std::int64_t{9})});
  EXPECT_EQ(outcome(ended.get().value), "SUCCEEDED 9");
}

TEST_F(AsyncTest, StartAndWaitOfANameThatExistsWaitsForThatOne) {
  auto tasks = std::make_shared<ManualTasks>(std::vector<std::string>{"test.slow"});
  auto one = engine(tasks);
  deploy(*one, "slow", kSlow);
  const std::string id = start(*one, "slow", "{}", "same");
  auto again = run(*one, {"slow", std::string("{}"), {.name = "same"}});
  tasks->next().done(TaskSucceeded{Value(std::int64_t{9})});
  const auto ended = again.get();
  EXPECT_EQ(ended.value.id, id);
  EXPECT_EQ(outcome(ended.value), "SUCCEEDED 9");
  const auto other = run(*one, {"slow", std::string("7"), {.name = "same"}}).get();
  EXPECT_EQ(other.code, Code::kConflict) << other.error;
}

TEST_F(AsyncTest, StartAndWaitTellsWhyItDidNotStart) {
  auto one = engine();
  EXPECT_EQ(run(*one, {"nowhere"}).get().code, Code::kNotFound);
  deploy(*one, "echo", kEcho);
  EXPECT_EQ(run(*one, {"echo", std::string("{")}).get().code, Code::kInvalid);
}

TEST_F(AsyncTest, StartAndWaitWithoutALaneHereWaitsForOneElsewhere) {
  auto owner = engine();
  deploy(*owner, "echo", kEcho);
  const auto caller = idle_engine();
  EXPECT_EQ(outcome(run(*caller, {"echo", std::string("5")}).get().value), "SUCCEEDED 5");
}

TEST_F(AsyncTest, AWaitThatIsOverShowsTheExecutionAsItIs) {
  auto tasks = std::make_shared<ManualTasks>(std::vector<std::string>{"test.slow"});
  auto one = engine(tasks);
  deploy(*one, "slow", kSlow);
  const auto running = run(*one, {"slow"}, Millis(1)).get();
  EXPECT_EQ(running.code, Code::kTimeout);
  EXPECT_EQ(running.value.status, "RUNNING");
  EXPECT_EQ(running.error, "execution " + running.value.id + " is still running");
}

TEST_F(AsyncTest, WaitsEndWhenTheEngineStops) {
  auto tasks = std::make_shared<ManualTasks>(std::vector<std::string>{"test.slow"});
  auto one = engine(tasks);
  deploy(*one, "slow", kSlow);
  const std::string id = start(*one, "slow");
  auto owned = wait(*one, id);
  one->stop();
  EXPECT_EQ(owned.get().error, "the engine has stopped");
  EXPECT_EQ(one->wait(id, std::chrono::hours(1)).code, Code::kUnavailable);
  EXPECT_EQ(one->start("slow", "{}").error, "the engine has stopped");
  EXPECT_EQ(one->describe(id).value.status, "RUNNING") << "what only reads works on";
}

TEST_F(AsyncTest, TwoThatStopAtOnceBothWaitUntilAllIsWritten) {
  settings_.lanes = 4;
  std::atomic<int> opened{0}, closed{0};
  tampering_.opened = [&](Uuid) { ++opened; };
  tampering_.closed = [&](Uuid) { ++closed; };
  auto one = counted_engine();
  deploy(*one, "echo", kEcho);
  EXPECT_EQ(outcome(ended(*one, start(*one, "echo", "1"))), "SUCCEEDED 1");
  const auto stop = [&] {
    one->stop();
    return opened - closed;
  };
  auto first = std::async(std::launch::async, stop), second = std::async(std::launch::async, stop);
  EXPECT_EQ(first.get(), 0);
  EXPECT_EQ(second.get(), 0);
}

TEST_F(AsyncTest, RefusalsNeedNoThread) {
  auto one = engine();
  const std::string id = "no id";
  Code code = Code::kOk;
  const auto note = [&](const auto& answer) { code = answer.code; };
  one->async().describe(Namespace(), id, note);
  EXPECT_EQ(std::exchange(code, Code::kOk), Code::kInvalid);
  one->async().history(Namespace(), id, {}, note);
  EXPECT_EQ(std::exchange(code, Code::kOk), Code::kInvalid);
  one->async().wait(Namespace(), id, Millis(1), note);
  EXPECT_EQ(std::exchange(code, Code::kOk), Code::kInvalid);
  one->async().redrive(Namespace(), id, note);
  EXPECT_EQ(std::exchange(code, Code::kOk), Code::kInvalid);
  one->async().list(Namespace(), {"", "DONE"}, note);
  EXPECT_EQ(std::exchange(code, Code::kOk), Code::kInvalid);
  EXPECT_EQ(one->describe(kNobody).code, Code::kNotFound);
}

TEST_F(AsyncTest, TooManyReadersAreToldToComeAgain) {
  settings_.most_histories_waiting = 1;
  Gate first, second;  // Two threads read histories.
  std::atomic<int> reads{0};
  tampering_.on_journal = [&] {
    const int read = reads++;
    if (read < 2) (read == 0 ? first : second).pass();
  };
  auto one = counted_engine();
  deploy(*one, "echo", kEcho);
  const std::string id = start(*one, "echo");
  ended(*one, id);
  std::vector<std::promise<Code>> told(4);
  const auto read = [&](std::size_t i) {
    one->async().history(Namespace(), id, {},
                         [&, i](const auto& page) { told[i].set_value(page.code); });
  };
  read(0);
  first.wait();
  read(1);
  second.wait();
  read(2);  // Waits.
  read(3);
  EXPECT_EQ(told[3].get_future().get(), Code::kUnavailable) << "at once";
  EXPECT_EQ(outcome(ended(*one, start(*one, "echo", "1"))), "SUCCEEDED 1");
  first.open();
  second.open();
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(told[i].get_future().get(), Code::kOk);
}

// A stop waits for the lock of its execution's row, which somebody may hold for long.
class HeldDeliveries : public TamperedStore {
 public:
  using TamperedStore::TamperedStore;
  Status deliver(const Namespace& ns, const store::Delivery& delivery) override {
    let_through.wait();
    return TamperedStore::deliver(ns, delivery);
  }
  std::promise<void> lock;

 private:
  const std::shared_future<void> let_through = lock.get_future().share();
};

TEST_F(AsyncTest, StopsThatWaitHoldUpNoReads) {
  const auto held = std::make_shared<HeldDeliveries>(store_, tampering_);
  auto one = engine_on(held, std::make_shared<ManualTasks>(std::vector<std::string>{"test.slow"}));
  deploy(*one, "slow", kSlow);
  const std::string id = start(*one, "slow");
  std::vector<std::promise<Code>> stopped(20);
  for (auto& told : stopped) {
    one->async().stop_execution(Namespace(), id, "", "",
                                [&](const auto& done) { told.set_value(done.code); });
  }
  auto read = std::async(std::launch::async, [&] { return one->describe(id); });
  const bool is_read = read.wait_for(kPatience) == std::future_status::ready;
  held->lock.set_value();
  EXPECT_TRUE(is_read);
  EXPECT_TRUE(read.get());
  for (auto& told : stopped) told.get_future().wait();
  EXPECT_EQ(ended(*one, id).status, "ABORTED");
}

TEST_F(AsyncTest, AnotherNamespaceKnowsNothingOfIt) {
  auto tasks = std::make_shared<ManualTasks>(std::vector<std::string>{"test.slow"});
  auto one = engine(tasks);
  deploy(*one, "slow", kSlow);
  const std::string id = start(*one, "slow");
  std::promise<Code> waited, started;
  const Namespace other("other");
  one->async().wait(other, id, std::chrono::hours(1),
                    [&](const Answer<ExecutionView>& view) { waited.set_value(view.code); });
  EXPECT_EQ(waited.get_future().get(), Code::kNotFound) << "though a lane here owns it";
  one->async().start(other, {"slow"}, [&](const Answer<StartedExecution>& answer) {
    started.set_value(answer.code);
  });
  EXPECT_EQ(started.get_future().get(), Code::kNotFound) << "it is not deployed there";
  EXPECT_FALSE(one->async().when_released(other, id, [] {}));
}

TEST_F(AsyncTest, WhatIsNewUnderANameIsStartedSoon) {
  auto one = engine(), other = engine();
  deploy(*one, "echo", kEcho);
  EXPECT_EQ(outcome(ended(*one, start(*one, "echo", "1"))), "SUCCEEDED 1");
  deploy(*other, "echo", kFail);
  eventually("the other program is started",
             [&] { return ended(*one, start(*one, "echo", "1")).status == "FAILED"; });
}

}  // namespace
}  // namespace stepwell::runtime
