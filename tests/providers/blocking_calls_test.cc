// BlockingCalls: there and back, when too much waits, and when nobody waits any more.
#include "providers/host/broker/blocking_calls.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace stepwell::host {
namespace {

class BlockingCallsTest : public ::testing::Test {
 protected:
  ~BlockingCallsTest() override {
    loop_.post([this] {
      calls_.reset();
      loop_.stop();
    });
    thread_.join();
  }
  // On the loop's thread, waited for.
  template <class Work>
  void on_loop(const Work& work) {
    std::promise<void> done;
    loop_.post([&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }

  loop::UvLoop loop_;
  runtime::BoundedPool threads_{1, 1};
  std::unique_ptr<BlockingCalls> calls_ = std::make_unique<BlockingCalls>(loop_, threads_);
  std::thread thread_{[this] { loop_.run(); }};
};

TEST_F(BlockingCallsTest, ComeBackOnTheLoop) {
  std::promise<bool> came_back;
  on_loop([&] {
    auto worked = std::make_shared<bool>(false);
    calls_->run(
        [worked, this] { *worked = !loop_.on_loop_thread(); },
        [worked, this, &came_back] { came_back.set_value(*worked && loop_.on_loop_thread()); });
  });
  EXPECT_TRUE(came_back.get_future().get());
}

TEST_F(BlockingCallsTest, BeyondTheBoundComeBackWithoutTheWork) {
  std::promise<void> let_go, refused;
  std::promise<void> begun;
  bool has_worked = false;
  on_loop([&] {
    calls_->run(
        [&] {
          begun.set_value();
          let_go.get_future().wait();
        },
        [] {});
  });
  begun.get_future().wait();
  on_loop([&] {
    calls_->run([] {}, [] {});  // Waits.
    calls_->run([&] { has_worked = true; }, [&] { refused.set_value(); });
  });
  refused.get_future().wait();
  EXPECT_FALSE(has_worked);
  let_go.set_value();
}

TEST_F(BlockingCallsTest, DropWhatComesBackAfterTheirEnd) {
  std::promise<void> let_go, worked;
  bool came_back = false;
  on_loop([&] {
    calls_->run(
        [&] {
          let_go.get_future().wait();
          worked.set_value();
        },
        [&] { came_back = true; });
  });
  on_loop([&] { calls_.reset(); });
  let_go.set_value();
  worked.get_future().wait();
  threads_.stop();
  on_loop([] {});  // What would have been posted has run.
  EXPECT_FALSE(came_back);
}

}  // namespace
}  // namespace stepwell::host
