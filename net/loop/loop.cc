#include "net/loop/loop.h"

#include <uv.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <unordered_map>

#include "base/sync/mutex.h"

namespace stepwell::loop {
namespace {

struct Timer {
  uv_timer_t handle;
  std::function<void()> fire;
  TimerId id = 0;
  bool repeats = false;
};

struct Watch {
  uv_poll_t handle;
  std::function<void(bool, bool)> ready;
};

int events(bool readable, bool writable) {
  return (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
}

}  // namespace

struct UvLoop::Parts {
  uv_loop_t loop;
  uv_async_t wake;
  uv_prepare_t prepare;
  std::function<void()> before_wait;
  std::atomic<bool> stopping{false};
  std::thread::id thread{};
  Mutex mutex;
  std::vector<std::function<void()>> posted GUARDED_BY(mutex);
  std::unordered_map<TimerId, Timer*> timers;
  std::unordered_map<WatchId, Watch*> watches;
  std::uint64_t next_id = 1;

  void run_posted() {
    std::vector<std::function<void()>> work;
    {
      const MutexLock lock(mutex);
      work.swap(posted);
    }
    for (auto& one : work) one();
    if (stopping) uv_stop(&loop);
  }

  TimerId arm(Millis delay, Millis repeat, std::function<void()> fire) {
    auto* timer = new Timer;
    timer->fire = std::move(fire);
    timer->id = next_id++;
    timer->repeats = repeat.count() > 0;
    timer->handle.data = this;
    uv_timer_init(&loop, &timer->handle);
    uv_update_time(&loop);
    timers[timer->id] = timer;
    const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(0, delay.count()));
    uv_timer_start(
        &timer->handle, [](uv_timer_t* handle) noexcept { fired(handle); }, ms,
        static_cast<std::uint64_t>(repeat.count()));
    return timer->id;
  }

  // The callback may cancel this timer, or any other: look the id up again before touching it.
  static void fired(uv_timer_t* handle) {
    auto* parts = static_cast<Parts*>(handle->data);
    auto* timer = reinterpret_cast<Timer*>(handle);
    if (timer->repeats) {
      const auto fire = timer->fire;
      fire();
      return;
    }
    auto fire = std::move(timer->fire);
    parts->close_timer(timer->id);
    fire();
  }

  void close_timer(TimerId id) {
    const auto found = timers.find(id);
    if (found == timers.end()) return;
    uv_close(reinterpret_cast<uv_handle_t*>(&found->second->handle),
             [](uv_handle_t* handle) { delete reinterpret_cast<Timer*>(handle); });
    timers.erase(found);
  }

  void start_watch(Watch* watch, bool readable, bool writable) {
    if (!readable && !writable) {
      uv_poll_stop(&watch->handle);
      return;
    }
    uv_poll_start(&watch->handle, events(readable, writable),
                  [](uv_poll_t* handle, int status, int ready) noexcept {
                    // An error counts as both: the reader or writer will see it.
                    const auto call = reinterpret_cast<Watch*>(handle)->ready;
                    call(status < 0 || (ready & UV_READABLE), status < 0 || (ready & UV_WRITABLE));
                  });
  }

  void close_watch(WatchId id) {
    const auto found = watches.find(id);
    if (found == watches.end()) return;
    uv_poll_stop(&found->second->handle);
    uv_close(reinterpret_cast<uv_handle_t*>(&found->second->handle),
             [](uv_handle_t* handle) { delete reinterpret_cast<Watch*>(handle); });
    watches.erase(found);
  }

  void close_all() {
    while (!timers.empty()) close_timer(timers.begin()->first);
    while (!watches.empty()) close_watch(watches.begin()->first);
  }
};

UvLoop::UvLoop() : parts_(std::make_unique<Parts>()) {
  CHECK(uv_loop_init(&parts_->loop) == 0, "libuv could not make a loop");
  parts_->wake.data = parts_.get();
  uv_async_init(&parts_->loop, &parts_->wake, [](uv_async_t* handle) noexcept {
    static_cast<Parts*>(handle->data)->run_posted();
  });
  parts_->prepare.data = parts_.get();
  uv_prepare_init(&parts_->loop, &parts_->prepare);
}

UvLoop::~UvLoop() {
  parts_->close_all();
  uv_close(reinterpret_cast<uv_handle_t*>(&parts_->wake), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&parts_->prepare), nullptr);
  // Whatever else is attached (children, foreign libraries) has to be closed by its owner; one that
  // is not must not hang the process.
  // A child that was just killed takes a moment to be reaped; were its handle left behind, libuv's
  // process-wide list of signal watchers would point into freed memory.
  for (int round = 0; round < 2000 && uv_loop_close(&parts_->loop) == UV_EBUSY; ++round) {
    if (uv_run(&parts_->loop, UV_RUN_NOWAIT) != 0 && round > 10) {
      std::this_thread::sleep_for(Millis(1));
    }
  }
}

void UvLoop::run() {
  parts_->thread = std::this_thread::get_id();
  if (!parts_->stopping) uv_run(&parts_->loop, UV_RUN_DEFAULT);
  parts_->run_posted();
  parts_->close_all();
}

void UvLoop::stop() {
  parts_->stopping = true;
  uv_async_send(&parts_->wake);
}

void UvLoop::post(std::function<void()> work) {
  bool was_empty = false;
  {
    const MutexLock lock(parts_->mutex);
    was_empty = parts_->posted.empty();
    parts_->posted.push_back(std::move(work));
  }
  if (was_empty) uv_async_send(&parts_->wake);
}

void UvLoop::before_wait(std::function<void()> work) {
  parts_->before_wait = std::move(work);
  uv_prepare_start(&parts_->prepare, [](uv_prepare_t* handle) noexcept {
    static_cast<Parts*>(handle->data)->before_wait();
  });
}

bool UvLoop::on_loop_thread() const { return parts_->thread == std::this_thread::get_id(); }

TimerId UvLoop::after(Millis delay, std::function<void()> fire) {
  return parts_->arm(delay, Millis(0), std::move(fire));
}

TimerId UvLoop::every(Millis period, std::function<void()> fire) {
  return parts_->arm(period, period, std::move(fire));
}

void UvLoop::cancel(TimerId timer) { parts_->close_timer(timer); }

WatchId UvLoop::watch(int descriptor, bool readable, bool writable,
                      std::function<void(bool, bool)> ready) {
  auto* watch = new Watch;
  watch->ready = std::move(ready);
  CHECK(uv_poll_init(&parts_->loop, &watch->handle, descriptor) == 0,
        "cannot watch the descriptor");
  const WatchId id = parts_->next_id++;
  parts_->watches[id] = watch;
  parts_->start_watch(watch, readable, writable);
  return id;
}

void UvLoop::change(WatchId watch, bool readable, bool writable) {
  const auto found = parts_->watches.find(watch);
  if (found != parts_->watches.end()) parts_->start_watch(found->second, readable, writable);
}

void UvLoop::unwatch(WatchId watch) { parts_->close_watch(watch); }

std::int64_t UvLoop::monotonic_ms() const {
  return static_cast<std::int64_t>(uv_now(&parts_->loop));
}

void* UvLoop::native() const { return &parts_->loop; }

}  // namespace stepwell::loop
