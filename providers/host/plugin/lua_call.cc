#include "providers/host/plugin/lua_call.h"

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/sync/cpu_time.h"
#include "providers/host/frames.h"
#include "providers/host/plugin/prelude.h"
#include "providers/host/plugin/sandbox.h"
#include "providers/host/plugin/values.h"

namespace stepwell::host {
namespace {

using std::chrono::nanoseconds;

constexpr int kHookEvery = 1000;  // Instructions.
constexpr std::size_t kMaxLogBytes = 1u << 16;

int write_chunk(lua_State*, const void* bytes, std::size_t size, void* out) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(bytes), size);
  return 0;
}

const std::string& prelude_bytecode() {
  static const std::string kBytecode = [] {
    auto compiled = compile_lua(kPrelude, "sw");
    CHECK(compiled.ok(), "the prelude does not compile: " + compiled.error().message);
    return std::move(compiled).value();
  }();
  return kBytecode;
}

void load_chunk(lua_State* lua, const std::string& bytecode, const char* name) {
  if (luaL_loadbufferx(lua, bytecode.data(), bytecode.size(), name, "b") != LUA_OK) lua_error(lua);
}

// In the main thread, before the call begins: globals, natives, `sw`.
int set_up(lua_State* lua) {
  open_sandbox(lua);
  load_chunk(lua, prelude_bytecode(), "sw");
  push_natives(lua);
  push_value(lua, LuaCall::of(lua).start().ctx);
  lua_pushboolean(lua, LuaCall::of(lua).code().is_library);
  lua_call(lua, 3, 1);
  lua_setglobal(lua, "sw");
  return 0;
}

int finish_run(lua_State* lua, int, lua_KContext) {
  LuaCall::of(lua).set_result(to_value(lua, -1));
  return 0;
}

// The body of the call's coroutine.
int run(lua_State* lua) {
  LuaCall& call = LuaCall::of(lua);
  const auto main = call.code().chunks.find("provider.lua");
  if (main == call.code().chunks.end()) return luaL_error(lua, "there is no provider.lua");
  load_chunk(lua, main->second, "provider.lua");
  lua_call(lua, 0, 1);
  if (lua_istable(lua, -1) == 0) return luaL_error(lua, "provider.lua must return a table");
  lua_pushvalue(lua, -1);
  lua_setfield(lua, LUA_REGISTRYINDEX, "provider");
  const std::string& name = call.start().function;
  lua_getfield(lua, -1, name.c_str());
  if (lua_isfunction(lua, -1) == 0) {
    lua_newtable(lua);
    lua_pushliteral(lua, "Provider.Unsupported");
    lua_setfield(lua, -2, "class");
    lua_pushfstring(lua, "%s has no function %s", call.code().provider.c_str(), name.c_str());
    lua_setfield(lua, -2, "message");
    return lua_error(lua);
  }
  push_value(lua, call.start().ctx);
  push_value(lua, call.start().args);
  lua_callk(lua, 2, 1, 0, finish_run);
  return finish_run(lua, LUA_OK, 0);
}

// What an error table may carry to the broker.  May raise.
int read_error(lua_State* lua) {
  Object error;
  for (const char* field : {"class", "message", "reason", "bucket", "remote_id"}) {
    if (lua_getfield(lua, 1, field) == LUA_TSTRING) {
      std::size_t size = 0;
      const char* text = lua_tolstring(lua, -1, &size);
      error.set(field, as_text({text, size}, kMaxErrorBytes));
    }
    lua_pop(lua, 1);
  }
  for (const char* field : {"retry_after", "status"}) {
    // No number that JSON does not have: the error counts, whatever its delay is.
    const bool is_number = lua_getfield(lua, 1, field) == LUA_TNUMBER;
    if (is_number && std::isfinite(lua_tonumber(lua, -1))) error.set(field, to_value(lua, -1));
    lua_pop(lua, 1);
  }
  LuaCall::of(lua).set_result(Value(std::move(error)));
  return 0;
}

}  // namespace

bool is_out_of_memory(lua_State* lua, int status) {
  if (status == LUA_ERRMEM) return true;
  return lua_type(lua, -1) == LUA_TSTRING &&
         std::strcmp(lua_tostring(lua, -1), "not enough memory") == 0;
}

Result<std::string> compile_lua(const std::string& text, const std::string& chunk_name) {
  lua_State* lua = luaL_newstate();
  if (lua == nullptr) return Error{ErrorCode::kUnavailable, "no memory for a Lua state"};
  std::string bytecode;
  std::string problem;
  // "t": bytecode that somebody else made can crash the machine that runs it.
  if (luaL_loadbufferx(lua, text.data(), text.size(), ("=" + chunk_name).c_str(), "t") == LUA_OK) {
    lua_dump(lua, write_chunk, &bytecode, 0);
  } else {
    problem = lua_tostring(lua, -1) == nullptr ? "unreadable" : lua_tostring(lua, -1);
  }
  lua_close(lua);
  if (!problem.empty()) return Error{ErrorCode::kInvalid, problem};
  return bytecode;
}

LuaCall::LuaCall(std::shared_ptr<const Code> code, CallStart start, Send send)
    : code_(std::move(code)),
      start_(std::move(start)),
      send_(std::move(send)),
      random_(start_.seed) {}

LuaCall::~LuaCall() {
  if (state_ != nullptr) lua_close(state_);
}

LuaCall& LuaCall::of(lua_State* lua) { return **static_cast<LuaCall**>(lua_getextraspace(lua)); }

void* LuaCall::allocate(void* self, void* block, std::size_t old_size, std::size_t new_size) {
  LuaCall& call = *static_cast<LuaCall*>(self);
  if (block == nullptr) old_size = 0;  // Lua passes the kind of object there.
  if (new_size == 0) {
    std::free(block);
    call.memory_used_ -= old_size;
    return nullptr;
  }
  const std::size_t after = call.memory_used_ - old_size + new_size;
  if (new_size > old_size && after > call.code_->memory_limit) {
    // Lua collects garbage and asks once more; the second refusal is the end of the call.
    if (call.was_refused_ && call.death_.empty()) call.death_ = call.memory_limit();
    call.was_refused_ = true;
    return nullptr;
  }
  void* moved = std::realloc(block, new_size);
  if (moved == nullptr) return nullptr;
  if (new_size > old_size) call.was_refused_ = false;
  call.memory_used_ = after;
  return moved;
}

void LuaCall::count_hook(lua_State* lua, lua_Debug*) {
  LuaCall& call = of(lua);
  if (call.is_dead()) call.raise_death(lua);
  const nanoseconds spent = thread_cpu_time() - call.slice_start_;
  if (call.cpu_used_ + spent > call.code_->cpu_limit) {
    // From now on at every instruction.
    lua_sethook(lua, count_hook, LUA_MASKCOUNT, 1);
    call.die(lua, "CPU limit of " + std::to_string(call.code_->cpu_limit.count()) + " ms");
  }
  if (spent > call.slice_ && call.can_pause(lua)) {
    call.set_pausing();
    lua_yield(lua, 0);
  }
}

std::string LuaCall::memory_limit() const {
  return "memory limit of " + std::to_string(code_->memory_limit >> 20) + " MiB";
}

void LuaCall::die(lua_State* lua, const std::string& why) {
  if (death_.empty()) death_ = why;
  raise_death(lua);
}

void LuaCall::raise_death(lua_State* lua) {
  lua_pushliteral(lua, "the call is over its limits");
  lua_error(lua);
  std::abort();  // lua_error does not return; its declaration does not say so.
}

bool LuaCall::can_pause(lua_State* lua) const {
  return blockers_ == 0 && lua_isyieldable(lua) != 0;
}

bool LuaCall::open() {
  state_ = lua_newstate(allocate, this);
  if (state_ == nullptr) return false;
  *static_cast<LuaCall**>(lua_getextraspace(state_)) = this;
  lua_sethook(state_, count_hook, LUA_MASKCOUNT, kHookEvery);
  lua_pushcfunction(state_, set_up);
  if (lua_pcall(state_, 0, 0, 0) != LUA_OK) return false;
  thread_ = lua_newthread(state_);
  lua_pushcfunction(thread_, run);
  return true;
}

LuaCall::Progress LuaCall::resume(nanoseconds slice) {
  slice_start_ = thread_cpu_time();
  slice_ = slice;
  if (thread_ == nullptr && !open()) {
    end_with_error(state_, LUA_ERRRUN);
    return Progress::kEnded;
  }
  is_pausing_ = false;
  int results = 0;
  const int status = lua_resume(thread_, nullptr, 0, &results);
  cpu_used_ += thread_cpu_time() - slice_start_;
  if (is_dead() || (status != LUA_OK && status != LUA_YIELD)) {
    end_with_error(thread_, status);
    return Progress::kEnded;
  }
  if (status == LUA_OK) {
    end_with_result();
    return Progress::kEnded;
  }
  if (!is_pausing_) {
    lua_pushliteral(thread_, "coroutine.yield outside of a coroutine");
    end_with_error(thread_, LUA_ERRRUN);
    return Progress::kEnded;
  }
  return awaited_.empty() ? Progress::kRunnable : Progress::kWaiting;
}

bool LuaCall::answer(const Value& frame) {
  const std::int64_t number = int_of(frame, "n");
  if (awaited_.erase(number) == 0) return false;
  answers_[number] = frame;
  return awaited_.empty();
}

std::int64_t LuaCall::request(std::string_view kind, Value body) {
  const std::int64_t number = ++requests_;
  awaited_.insert(number);
  send_(Value(Object{{"f", "request"},
                     {"call", start_.id},
                     {"n", number},
                     {"kind", kind},
                     {"body", std::move(body)}}));
  return number;
}

Value LuaCall::take_answer(std::int64_t number) {
  const auto found = answers_.find(number);
  if (found == answers_.end()) return Value();
  Value frame = std::move(found->second);
  answers_.erase(found);
  return frame;
}

void LuaCall::log(const std::string& level, const std::string& text, Value fields) {
  if (log_bytes_ > kMaxLogBytes) return;
  log_bytes_ += text.size() + fields.json_size() + 40;
  if (log_bytes_ > kMaxLogBytes) {
    return send_(Value(Object{{"f", "log"},
                              {"call", start_.id},
                              {"level", "warn"},
                              {"text", "this call logs more than 64 KiB: the rest is left out"},
                              {"fields", Value(Object())}}));
  }
  send_(Value(Object{{"f", "log"},
                     {"call", start_.id},
                     {"level", level},
                     {"text", text},
                     {"fields", std::move(fields)}}));
}

void LuaCall::end_with_result() {
  send_(Value(Object{{"f", "result"}, {"call", start_.id}, {"value", std::move(result_)}}));
}

void LuaCall::send_error(Object error) {
  send_(Value(Object{{"f", "error"}, {"call", start_.id}, {"error", Value(std::move(error))}}));
}

void LuaCall::end_with_error(lua_State* from, int status) {
  if (from != nullptr && is_out_of_memory(from, status) && death_.empty()) death_ = memory_limit();
  if (is_dead() || from == nullptr) {
    const std::string why = from == nullptr ? "memory limit" : death_;
    return send_error(
        {{"class", "Provider.LimitExceeded"},
         {"message", code_->provider + "." + start_.function + " was stopped: " + why}});
  }
  result_ = Value();
  if (lua_istable(from, -1)) {
    lua_pushcfunction(from, read_error);
    lua_insert(from, -2);
    // The thread has failed: its stack is used, its status forbids calls.  So the main one calls.
    if (from != state_) lua_xmove(from, state_, 2);
    if (lua_pcall(state_, 1, 0, 0) == LUA_OK && !text_of(result_, "class").empty()) {
      return send_error(result_.as_object());
    }
  }
  std::string text = "an error that is neither text nor a table with a class";
  if (lua_type(from, -1) == LUA_TSTRING) text = lua_tostring(from, -1);
  send_error({{"class", "Provider.ScriptError"}, {"message", as_text(text, kMaxErrorBytes)}});
}

}  // namespace stepwell::host
