// LuaCall — one call of one provider function, in a Lua state of its own.
//
// The state is made for the call and thrown away with it: nothing is shared between calls or users.
// resume() runs the call for a slice of CPU; it stops when the call has ended, waits for answers of
// the broker, or has used up its slice.  Limits: a capped allocator and a count hook; a call that
// meets one is dead, and no pcall of its own can bring it back.  What runs in C and cannot be
// interrupted is the business of the process (plugin_loop.h).
// Not thread-safe: one thread for all calls of a process.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <lua5.4/lua.hpp>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/random.h"
#include "base/value.h"

namespace stepwell::host {

// A provider version as the plugin process holds it.  Immutable once compiled.
struct Code {
  std::string provider;
  bool is_library = false;
  std::map<std::string, std::string> chunks;  // "lib/sport.lua" -> bytecode, compiled here.
  std::map<std::string, std::string> maps;    // "sport" -> JSON text
  std::size_t memory_limit = 32u << 20;
  std::chrono::milliseconds cpu_limit{500};
};

// Compiles text (never bytecode) in a throw-away state.  The error is the compiler's message.
Result<std::string> compile_lua(const std::string& text, const std::string& chunk_name);

struct CallStart {
  std::int64_t id = 0;
  std::string function;
  Value ctx, args;
  std::uint64_t seed = 0;
};

class LuaCall {
 public:
  enum class Progress : std::uint8_t { kRunnable, kWaiting, kEnded };
  using Send = std::function<void(const Value& frame)>;

  LuaCall(std::shared_ptr<const Code> code, CallStart start, Send send);
  ~LuaCall();
  LuaCall(const LuaCall&) = delete;
  LuaCall& operator=(const LuaCall&) = delete;

  // Runs until the end, the next request, or the end of the slice.  At the end the result or error
  // frame has been sent.
  Progress resume(std::chrono::nanoseconds slice);
  // An answer frame; true when the call can go on now.
  bool answer(const Value& frame);

  std::int64_t id() const { return start_.id; }
  std::string memory_limit() const;  // As words.
  // What is left of its CPU limit.
  std::chrono::nanoseconds cpu_left() const { return code_->cpu_limit - cpu_used_; }

  // ---- for the functions that Lua calls (sandbox.cc, natives.cc) ----
  static LuaCall& of(lua_State* lua);
  const Code& code() const { return *code_; }
  const CallStart& start() const { return start_; }
  Random& random() { return random_; }
  bool is_dead() const { return !death_.empty(); }
  // Raises the error that nothing catches.
  [[noreturn]] void die(lua_State* lua, const std::string& why);
  [[noreturn]] void raise_death(lua_State* lua);
  // Is the call allowed to be suspended here?
  bool can_pause(lua_State* lua) const;
  // Suspends the call; the coroutine functions of the sandbox pass this through.
  bool is_pausing() const { return is_pausing_; }
  void set_pausing() { is_pausing_ = true; }
  // Counts resumers that cannot be suspended themselves.
  void enter_resume(bool can_pause_below) { blockers_ += can_pause_below ? 0 : 1; }
  void leave_resume(bool can_pause_below) { blockers_ -= can_pause_below ? 0 : 1; }
  // Sends a request and makes the call wait for its answer; returns its number.
  std::int64_t request(std::string_view kind, Value body);
  Value take_answer(std::int64_t number);
  void log(const std::string& level, const std::string& text, Value fields);
  void set_result(Value value) { result_ = std::move(value); }

 private:
  static void* allocate(void* self, void* block, std::size_t old_size, std::size_t new_size);
  static void count_hook(lua_State* lua, lua_Debug* record);
  bool open();
  void end_with_result();
  void end_with_error(lua_State* from, int status);
  void send_error(Object error);

  std::shared_ptr<const Code> code_;
  CallStart start_;
  Send send_;
  Random random_;
  lua_State* state_ = nullptr;
  lua_State* thread_ = nullptr;

  std::size_t memory_used_ = 0;
  bool was_refused_ = false;
  std::chrono::nanoseconds cpu_used_{0}, slice_start_{0}, slice_{0};
  std::string death_;  // Why the call is dead; empty while it lives.
  bool is_pausing_ = false;
  int blockers_ = 0;

  std::int64_t requests_ = 0;
  std::set<std::int64_t> awaited_;
  std::map<std::int64_t, Value> answers_;
  std::size_t log_bytes_ = 0;
  Value result_;
};

// Does the error on top say that there is no more memory?  Lua raises it in two ways.
bool is_out_of_memory(lua_State* lua, int status);

}  // namespace stepwell::host
