// Loop — one thread's event loop: timers, file descriptors, and work posted from other threads.
// What runs on one knows this interface only; whoever makes one takes UvLoop, or the simulation its
// own.  The only module that knows libuv.
//
// Thread-safety: post() and stop() may be called from any thread; everything else only on the
// loop's own thread (or before run()).  Ownership: the loop owns timers and watches until they are
// cancelled; callbacks run on the loop's thread, and must not block.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace stepwell::loop {

using TimerId = std::uint64_t;
using WatchId = std::uint64_t;

class Loop {
 public:
  virtual ~Loop() = default;

  virtual void post(std::function<void()> work) = 0;  // Any thread; runs soon, in order, here.
  virtual bool on_loop_thread() const = 0;
  // Called each time before the loop goes to wait, after everything else that was ready.
  virtual void before_wait(std::function<void()> work) = 0;

  // Once, not before `delay` from now.  0: in the next round.
  virtual TimerId after(Millis delay, std::function<void()> fire) = 0;
  // Again and again.
  virtual TimerId every(Millis period, std::function<void()> fire) = 0;
  virtual void cancel(TimerId timer) = 0;  // Of one that has fired or is unknown: nothing.

  // Calls `ready(readable, writable)` when the descriptor is.
  virtual WatchId watch(int descriptor, bool readable, bool writable,
                        std::function<void(bool readable, bool writable)> ready) = 0;
  virtual void change(WatchId watch, bool readable, bool writable) = 0;
  virtual void unwatch(WatchId watch) = 0;

  // Milliseconds of the monotonic clock, as of this round of the loop.
  virtual std::int64_t monotonic_ms() const = 0;
  // The uv_loop_t, for libraries that attach to it (libwebsockets).
  virtual void* native() const = 0;
};

// The real one.
class UvLoop final : public Loop {
 public:
  UvLoop();
  ~UvLoop() override;
  UvLoop(const UvLoop&) = delete;
  UvLoop& operator=(const UvLoop&) = delete;

  void run();   // Until stop(); then closes all handles.
  void stop();  // Any thread; idempotent.

  void post(std::function<void()> work) override;
  bool on_loop_thread() const override;
  void before_wait(std::function<void()> work) override;
  TimerId after(Millis delay, std::function<void()> fire) override;
  TimerId every(Millis period, std::function<void()> fire) override;
  void cancel(TimerId timer) override;
  WatchId watch(int descriptor, bool readable, bool writable,
                std::function<void(bool readable, bool writable)> ready) override;
  void change(WatchId watch, bool readable, bool writable) override;
  void unwatch(WatchId watch) override;
  std::int64_t monotonic_ms() const override;
  void* native() const override;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// A child process with a socketpair as its channel.
struct ChildOptions {
  std::vector<std::string> argv;         // argv[0] is the path.
  std::vector<std::string> environment;  // "KEY=value"; nothing is inherited.
  int channel_fd = 3;                    // The child's end of the socketpair.
};
struct Child {
  int pid = -1;
  int channel = -1;  // Our end, non-blocking; the caller closes it.
};
// `exited(status)` on the loop's thread, status as of waitpid.
Result<Child> spawn(Loop& loop, const ChildOptions& options,
                    std::function<void(int status)> exited);

}  // namespace stepwell::loop
