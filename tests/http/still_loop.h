// StillLoop — a Loop whose clock stands until a test moves it, and on which nothing happens until
// a test says so.  No threads, no descriptors.
#pragma once

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/check.h"
#include "net/loop/loop.h"

namespace stepwell::http {

class StillLoop final : public loop::Loop {
 public:
  // Runs what was posted, and what that posts.
  void run_posted() {
    while (!posted_.empty()) {
      for (const auto& work : std::exchange(posted_, {})) work();
    }
  }
  // Lets time pass; timers fire in their order, each at its own time.
  void pass(Millis time) {
    const std::int64_t until = now_ms_ + time.count();
    run_posted();
    while (!timers_.empty() && timers_.begin()->first.first <= until) {
      const auto timer = timers_.begin();
      now_ms_ = timer->first.first;
      const auto fire = timer->second;
      timers_.erase(timer);
      fire();
      run_posted();
    }
    now_ms_ = until;
  }
  std::size_t timers() const { return timers_.size(); }

  void post(std::function<void()> work) override { posted_.push_back(std::move(work)); }
  bool on_loop_thread() const override { return true; }
  void before_wait(std::function<void()>) override { unused(); }
  loop::TimerId after(Millis delay, std::function<void()> fire) override {
    const auto id = ++last_id_;
    timers_[{now_ms_ + std::max<std::int64_t>(0, delay.count()), id}] = std::move(fire);
    return id;
  }
  loop::TimerId every(Millis, std::function<void()>) override { return unused(), 0; }
  void cancel(loop::TimerId id) override {
    std::erase_if(timers_, [&](const auto& timer) { return timer.first.second == id; });
  }
  loop::WatchId watch(int, bool, bool, std::function<void(bool, bool)>) override {
    return unused(), 0;
  }
  void change(loop::WatchId, bool, bool) override { unused(); }
  void unwatch(loop::WatchId) override { unused(); }
  std::int64_t monotonic_ms() const override { return now_ms_; }
  void* native() const override { return unused(), nullptr; }

 private:
  static void unused() { CHECK(false, "what stands on a StillLoop has no use for this"); }

  std::int64_t now_ms_ = 1'000'000;
  std::uint64_t last_id_ = 0;
  std::vector<std::function<void()>> posted_;
  std::map<std::pair<std::int64_t, loop::TimerId>, std::function<void()>> timers_;
};

}  // namespace stepwell::http
