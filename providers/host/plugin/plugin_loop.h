// PluginLoop — the loop of a plugin process: frames in, calls in slices, frames out.
//
// One thread, many calls in flight.  A call that stays in C beyond its CPU limit, or crashes, takes
// the process with it; its last frame names the culprit, so that the broker retries the others.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "base/value.h"
#include "providers/host/frames.h"
#include "providers/host/plugin/lua_call.h"

namespace stepwell::host {

class PluginLoop {
 public:
  // `channel` is a blocking stream socket.  A confined one locks its process before any Lua
  // runs; the other one is for the trusted in-process mode.
  PluginLoop(int channel, bool is_confined) : channel_(channel), is_confined_(is_confined) {}
  // Until the channel is closed.  Returns the exit status.
  int run();

 private:
  bool read_frames(bool may_block);
  bool handle(const Value& frame);
  void load(const Value& frame);
  void begin(const Value& frame);
  void run_slice();
  void send(const Value& frame);
  bool flush();

  int channel_;
  bool is_confined_;
  FrameReader reader_;
  std::string out_;
  std::map<std::string, std::shared_ptr<const Code>> code_;  // By version.
  std::map<std::string, std::string> broken_;                // Version -> why it does not compile.
  std::map<std::int64_t, std::unique_ptr<LuaCall>> calls_;
  std::deque<std::int64_t> runnable_;
};

}  // namespace stepwell::host
