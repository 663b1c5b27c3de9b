// Waits, with a store that answers when the test says so.
#include "engine/runtime/waits.h"

#include <gtest/gtest.h>

#include <deque>
#include <future>
#include <memory>
#include <thread>

namespace stepwell::runtime {
namespace {

ExecutionId id_of(std::uint64_t n) { return {Uuid::v7(1'700'000'000'000, n, n)}; }

class WaitsTest : public ::testing::Test {
 protected:
  // Reads that wait for their answer.
  std::size_t reading() {
    const MutexLock lock(mutex_);
    return reads_.size();
  }
  void answer_one(ExecutionStatus status) {
    Waits::OnRow told;
    store::ExecutionRow row;
    {
      const MutexLock lock(mutex_);
      while (reads_.empty()) changed_.wait(mutex_);
      row.id = reads_.front().first;
      told = std::move(reads_.front().second);
      reads_.pop_front();
    }
    row.status = status;
    told(row);
  }
  std::future<Answer<ExecutionView>> wait(std::uint64_t n, Millis at_most = Millis(3'600'000)) {
    const auto told = std::make_shared<std::promise<Answer<ExecutionView>>>();
    waits_.wait(Namespace(), id_of(n), at_most,
                [told](const Answer<ExecutionView>& view) { told->set_value(view); });
    return told->get_future();
  }

  Mutex mutex_;
  CondVar changed_;
  std::deque<std::pair<ExecutionId, Waits::OnRow>> reads_ GUARDED_BY(mutex_);
  bool is_full_ GUARDED_BY(mutex_) = false;  // Others ask too much.
  Waits waits_{[this](const Namespace&, ExecutionId id, Waits::OnRow told) {
    const MutexLock lock(mutex_);
    if (!is_full_) reads_.emplace_back(id, std::move(told));
    changed_.notify_all();
    return !is_full_;
  }};
};

TEST_F(WaitsTest, AFewAreReadAtATimeHoweverManyWait) {
  std::vector<std::future<Answer<ExecutionView>>> ends;
  for (std::uint64_t n = 0; n < 1'000; ++n) ends.push_back(wait(n));
  for (std::size_t n = 0; n < ends.size(); ++n) {
    EXPECT_EQ(reading(), std::min<std::size_t>(Waits::kMostReading, ends.size() - n));
    answer_one(ExecutionStatus::kSucceeded);
  }
  for (auto& end : ends) EXPECT_EQ(end.get().value.status, "SUCCEEDED");
  EXPECT_EQ(reading(), 0u);
  auto next = wait(7);
  EXPECT_EQ(reading(), 1u) << "what was read makes room";
  answer_one(ExecutionStatus::kFailed);
  EXPECT_EQ(next.get().value.status, "FAILED");
}

TEST_F(WaitsTest, AreReadAgainWhenOthersAskTooMuch) {
  {
    const MutexLock lock(mutex_);
    is_full_ = true;
  }
  std::vector<std::future<Answer<ExecutionView>>> ends;
  for (std::uint64_t n = 0; n < 10; ++n) ends.push_back(wait(n));
  auto over = wait(10, Millis(0));
  EXPECT_EQ(over.get().error, "too many questions wait for the database");
  {
    const MutexLock lock(mutex_);
    is_full_ = false;
  }
  for (std::size_t n = 0; n < ends.size(); ++n) answer_one(ExecutionStatus::kSucceeded);
  for (auto& end : ends) EXPECT_EQ(end.get().value.status, "SUCCEEDED");
}

TEST_F(WaitsTest, ThatAreNotReadYetAreToldOfAStop) {
  std::vector<std::future<Answer<ExecutionView>>> ends;
  for (std::uint64_t n = 0; n < Waits::kMostReading; ++n) ends.push_back(wait(n));
  for (std::uint64_t n = 10; n < 20; ++n) ends.push_back(wait(n));
  for (std::uint64_t n = 20; n < 30; ++n) ends.push_back(wait(n, Millis(0)));  // Their last read.
  waits_.stop();
  for (auto& end : ends) EXPECT_EQ(end.get().error, "the engine has stopped");
  EXPECT_EQ(wait(30).get().error, "the engine has stopped");
}

// For ThreadSanitizer: waits that begin, and learn that their execution was started, while the
// engine stops.  Each caller waits once: what it did next would order the two.
TEST(WaitsThreads, AreStoppedWhileTheyBegin) {
  constexpr std::uint64_t kCallers = 4;
  for (int round = 0; round < 200; ++round) {
    EndWaiters here;
    Waits waits([](const Namespace&, ExecutionId, const Waits::OnRow&) { return true; });
    waits.use(here);
    std::atomic<unsigned> told{0}, begun{0};
    const auto count = [&](const Answer<ExecutionView>&) { ++told; };
    std::vector<std::thread> callers;
    for (std::uint64_t n = 0; n < kCallers; ++n) {
      callers.emplace_back([&, n] {
        if (n % 2 == 0) {
          ++begun;
          return waits.wait(Namespace(), id_of(n), Millis(3'600'000), count);
        }
        const auto expected = waits.expect(Namespace(), id_of(n), Millis(3'600'000), count);
        ++begun;
        waits.is_started(expected, id_of(n));
      });
    }
    while (begun < kCallers) std::this_thread::yield();
    waits.stop();
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(told, kCallers) << "each is told once";
  }
}

TEST(WaitsPauses, GrowToAFewSeconds) {
  Millis pause{5}, waited{0};
  for (int i = 0; i < 100; ++i) {
    waited += pause;
    const Millis next = Waits::next_pause(pause);
    EXPECT_GE(next, pause);
    EXPECT_LE(next, waited / 4 + Millis(6));
    pause = next;
  }
  EXPECT_EQ(pause, Millis(3'000));
}

}  // namespace
}  // namespace stepwell::runtime
