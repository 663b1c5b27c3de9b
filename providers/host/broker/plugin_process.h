// PluginProcess — one plugin process (or, trusted, a thread that speaks the same frames).
//
// On the loop's thread.  After `gone` was called, nothing is called any more.  Destroying it kills.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "providers/host/frames.h"
#include "providers/host/host.h"

namespace stepwell::host {

class PluginProcess {
 public:
  struct Listener {
    std::function<void(const Value& frame)> frame;
    std::function<void(const std::string& why)> gone;
  };
  static Result<std::unique_ptr<PluginProcess>> start(loop::Loop& loop, const HostOptions& options,
                                                      Listener listener);
  ~PluginProcess();
  PluginProcess(const PluginProcess&) = delete;
  PluginProcess& operator=(const PluginProcess&) = delete;

  // Ends a process that leaves too much unread, instead.
  void send(const Value& frame);
  // Ends the process; `gone` follows.
  void kill(const std::string& why = "it was killed");
  int pid() const { return pid_; }  // 0 when it is a thread.

 private:
  PluginProcess(loop::Loop& loop, Listener listener)
      : loop_(loop), listener_(std::move(listener)) {}
  void watch();
  void read_frames();
  void flush();
  void hang_up(const std::string& why);

  loop::Loop& loop_;
  Listener listener_;
  int channel_ = -1, pid_ = 0;
  loop::WatchId watch_ = 0;
  bool is_gone_ = false, wants_write_ = false;
  FrameReader reader_;
  std::string out_;
  std::size_t sent_ = 0;
  std::thread thread_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  // The pid must not be signalled after it was reaped: it may be somebody else's by then.
  std::shared_ptr<bool> reaped_ = std::make_shared<bool>(false);
};

}  // namespace stepwell::host
