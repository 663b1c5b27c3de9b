// Loop — one thread's event loop: timers, file descriptors, and work posted from other threads.
// The only module that knows libuv.
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
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run();                             // Until stop(); then closes all handles.
  void stop();                            // Any thread; idempotent.
  void post(std::function<void()> work);  // Any thread; runs soon, in order, on the loop.
  bool on_loop_thread() const;
  // Called each time before the loop goes to wait, after everything else that was ready.
  void before_wait(std::function<void()> work);
  // Runs `work` on a thread of the pool, then `done` on the loop.
  void offload(std::function<void()> work, std::function<void()> done);

  // Once, not before `delay` from now.  0: in the next round.
  TimerId after(Millis delay, std::function<void()> fire);
  // Again and again.
  TimerId every(Millis period, std::function<void()> fire);
  void cancel(TimerId timer);  // Of one that has fired or is unknown: nothing.

  // Calls `ready(readable, writable)` when the descriptor is.
  WatchId watch(int descriptor, bool readable, bool writable,
                std::function<void(bool readable, bool writable)> ready);
  void change(WatchId watch, bool readable, bool writable);
  void unwatch(WatchId watch);

  // Milliseconds of the monotonic clock, as of this round of the loop.
  std::int64_t monotonic_ms() const;
  // The uv_loop_t, for libraries that attach to it (libwebsockets).
  void* native() const;

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
