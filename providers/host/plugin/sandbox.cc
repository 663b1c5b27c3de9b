#include "providers/host/plugin/sandbox.h"

#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include "providers/host/plugin/lua_call.h"

namespace stepwell::host {
namespace {

constexpr std::array kGlobals = {"assert", "error",    "ipairs",       "next",     "pairs",
                                 "select", "tonumber", "type",         "rawequal", "rawlen",
                                 "rawget", "rawset",   "getmetatable", "math",     "string",
                                 "table",  "utf8",     "_G",           "_VERSION"};
constexpr std::array kStrings = {"byte",  "char", "find",     "gmatch",  "gsub", "len",    "lower",
                                 "match", "pack", "packsize", "reverse", "sub",  "unpack", "upper"};

template <std::size_t n>
bool holds(const std::array<const char*, n>& names, std::string_view name) {
  for (const char* known : names) {
    if (name == known) return true;
  }
  return false;
}

// Removes from the table at the top all that is not in the list.
template <std::size_t n>
void keep_only(lua_State* lua, const std::array<const char*, n>& names) {
  for (lua_pushnil(lua); lua_next(lua, -2) != 0;) {
    lua_pop(lua, 1);
    const bool is_kept = lua_type(lua, -1) == LUA_TSTRING && holds(names, lua_tostring(lua, -1));
    if (is_kept) continue;
    lua_pushvalue(lua, -1);
    lua_pushnil(lua);
    lua_rawset(lua, -4);  // Clearing a field while traversing is allowed.
  }
}

// ---- protected calls: as in Lua, but a dead call stays dead ----

// Whoever catches that there is no more memory would go on at the limit; a buffer of a string
// raises it as an ordinary error, and without a second try.
void die_of_memory(lua_State* lua, int status) {
  if (status == LUA_OK || status == LUA_YIELD) return;
  LuaCall& call = LuaCall::of(lua);
  if (call.is_dead()) call.raise_death(lua);
  if (is_out_of_memory(lua, status)) call.die(lua, call.memory_limit());
}

int finish_pcall(lua_State* lua, int status, lua_KContext extra) {
  LuaCall& call = LuaCall::of(lua);
  if (call.is_dead()) call.raise_death(lua);
  die_of_memory(lua, status);
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(lua) - static_cast<int>(extra);
  lua_pushboolean(lua, false);
  lua_insert(lua, -2);
  return 2;
}

int sandbox_pcall(lua_State* lua) {
  luaL_checkany(lua, 1);
  lua_pushboolean(lua, true);
  lua_insert(lua, 1);
  const int status = lua_pcallk(lua, lua_gettop(lua) - 2, LUA_MULTRET, 0, 0, finish_pcall);
  return finish_pcall(lua, status, 0);
}

// The handler runs after the stack was unwound, as an ordinary protected call: Lua's own would run
// it where no hook can stop it.
int finish_handler(lua_State* lua, int status, lua_KContext) {
  LuaCall& call = LuaCall::of(lua);
  if (call.is_dead()) call.raise_death(lua);
  die_of_memory(lua, status);
  lua_pushboolean(lua, false);
  lua_replace(lua, 1);
  return lua_gettop(lua);
}

int finish_xpcall(lua_State* lua, int status, lua_KContext) {
  LuaCall& call = LuaCall::of(lua);
  if (call.is_dead()) call.raise_death(lua);
  die_of_memory(lua, status);
  // The stack: 1 = handler, 2 = true, and the results; or the error on top.
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(lua) - 1;
  lua_copy(lua, 1, 2);  // 1 = handler, 2 = handler, 3 = error
  return finish_handler(lua, lua_pcallk(lua, 1, LUA_MULTRET, 0, 0, finish_handler), 0);
}

int sandbox_xpcall(lua_State* lua) {
  luaL_checktype(lua, 2, LUA_TFUNCTION);
  const int arguments = lua_gettop(lua) - 2;
  lua_pushvalue(lua, 2);  // handler
  lua_pushboolean(lua, true);
  lua_pushvalue(lua, 1);  // f
  lua_rotate(lua, 1, 3);  // handler true f | f handler args...
  for (int i = 0; i < 2; ++i) lua_remove(lua, 4);
  luaL_checkstack(lua, 4, nullptr);
  const int status = lua_pcallk(lua, arguments, LUA_MULTRET, 0, 0, finish_xpcall);
  return finish_xpcall(lua, status, 0);
}

// ---- coroutines: the provider's own must not swallow the host's pauses ----

lua_State* coroutine_at(lua_State* lua, int index) {
  lua_State* thread = lua_tothread(lua, index);
  luaL_argexpected(lua, thread != nullptr, index, "coroutine");
  return thread;
}

// Runs `thread` with the `arguments` on its stack.  Returns the number of results on its stack, or
// -1 with the error there.  Does not return at all (but pauses `lua`) while the call is pausing.
int run_thread(lua_State* lua, lua_State* thread, int arguments, lua_KFunction again) {
  LuaCall& call = LuaCall::of(lua);
  const bool can_pause = lua_isyieldable(lua) != 0;
  call.enter_resume(can_pause);
  int results = 0;
  const int status = lua_resume(thread, lua, arguments, &results);
  call.leave_resume(can_pause);
  if (call.is_dead()) call.raise_death(lua);
  if (status == LUA_YIELD && call.is_pausing()) lua_yieldk(lua, 0, 0, again);
  if (status == LUA_OK || status == LUA_YIELD) {
    if (lua_checkstack(lua, results + 1) == 0) {
      lua_pop(thread, results);
      lua_pushliteral(lua, "too many results to resume");
      return -1;
    }
    lua_xmove(thread, lua, results);
    return results;
  }
  lua_xmove(thread, lua, 1);
  die_of_memory(lua, status);
  return -1;
}

bool move_arguments(lua_State* lua, lua_State* thread, int arguments) {
  if (lua_checkstack(thread, arguments) == 0) luaL_error(lua, "too many arguments to resume");
  if (lua_status(thread) == LUA_OK && lua_gettop(thread) == 0) {
    lua_pushliteral(lua, "cannot resume dead coroutine");
    return false;
  }
  lua_Debug record;
  const bool is_running = lua_status(thread) == LUA_OK && lua_getstack(thread, 0, &record) > 0;
  if (is_running || (lua_status(thread) != LUA_OK && lua_status(thread) != LUA_YIELD)) {
    lua_pushstring(
        lua, is_running ? "cannot resume non-suspended coroutine" : "cannot resume dead coroutine");
    return false;
  }
  lua_xmove(lua, thread, arguments);
  return true;
}

int report_resume(lua_State* lua, int results) {
  lua_pushboolean(lua, results >= 0);
  const int count = results < 0 ? 1 : results;
  lua_insert(lua, -(count + 1));
  return count + 1;
}

int resume_again(lua_State* lua, int, lua_KContext) {
  return report_resume(lua, run_thread(lua, coroutine_at(lua, 1), 0, resume_again));
}

int sandbox_resume(lua_State* lua) {
  lua_State* thread = coroutine_at(lua, 1);
  const int arguments = lua_gettop(lua) - 1;
  if (!move_arguments(lua, thread, arguments)) return report_resume(lua, -1);
  return report_resume(lua, run_thread(lua, thread, arguments, resume_again));
}

int report_wrap(lua_State* lua, int results) {
  if (results >= 0) return results;
  return lua_error(lua);
}

int wrap_again(lua_State* lua, int, lua_KContext) {
  lua_State* thread = lua_tothread(lua, lua_upvalueindex(1));
  return report_wrap(lua, run_thread(lua, thread, 0, wrap_again));
}

int wrapped(lua_State* lua) {
  lua_State* thread = lua_tothread(lua, lua_upvalueindex(1));
  const int arguments = lua_gettop(lua);
  if (!move_arguments(lua, thread, arguments)) return report_wrap(lua, -1);
  return report_wrap(lua, run_thread(lua, thread, arguments, wrap_again));
}

int sandbox_wrap(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TFUNCTION);
  lua_State* thread = lua_newthread(lua);
  lua_pushvalue(lua, 1);
  lua_xmove(lua, thread, 1);
  lua_pushcclosure(lua, wrapped, 1);
  return 1;
}

// The stock coroutine.close, which may run __close handlers.
int sandbox_close(lua_State* lua) {
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_insert(lua, 1);
  LuaCall& call = LuaCall::of(lua);
  call.enter_resume(false);
  const int status = lua_pcall(lua, lua_gettop(lua) - 1, LUA_MULTRET, 0);
  call.leave_resume(false);
  if (call.is_dead()) call.raise_death(lua);
  if (status != LUA_OK) return lua_error(lua);
  return lua_gettop(lua);
}

// ---- the rest ----

int sandbox_setmetatable(lua_State* lua) {
  const int type = lua_type(lua, 2);
  luaL_checktype(lua, 1, LUA_TTABLE);
  luaL_argexpected(lua, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
  if (luaL_getmetafield(lua, 1, "__metatable") != LUA_TNIL) {
    return luaL_error(lua, "cannot change a protected metatable");
  }
  if (type == LUA_TTABLE) {
    lua_pushliteral(lua, "__gc");
    if (lua_rawget(lua, 2) != LUA_TNIL) {
      return luaL_error(lua, "finalizers (__gc) are not available to providers");
    }
    lua_pop(lua, 1);
  }
  lua_settop(lua, 2);
  lua_setmetatable(lua, 1);
  return 1;
}

// Pushes the text of the value without the address that Lua's own would show.
void push_text(lua_State* lua, int index) {
  if (luaL_callmeta(lua, index, "__tostring") != 0) {
    if (lua_isstring(lua, -1) == 0) luaL_error(lua, "'__tostring' must return a string");
    return;
  }
  switch (lua_type(lua, index)) {
    case LUA_TNIL:
    case LUA_TBOOLEAN:
    case LUA_TNUMBER:
    case LUA_TSTRING: luaL_tolstring(lua, index, nullptr); break;
    case LUA_TLIGHTUSERDATA: lua_pushliteral(lua, "null"); break;
    default: lua_pushstring(lua, luaL_typename(lua, index));
  }
}

int sandbox_tostring(lua_State* lua) {
  luaL_checkany(lua, 1);
  push_text(lua, 1);
  return 1;
}

int sandbox_format(lua_State* lua) {
  std::size_t size = 0;
  const char* text = luaL_checklstring(lua, 1, &size);
  const std::string_view format(text, size);  // It may hold NUL, behind which Lua reads on.
  for (std::size_t at = format.find('%'); at != std::string_view::npos;
       at = format.find('%', at + 2)) {
    const std::size_t kind = format.find_first_not_of("0123456789-+ #.", at + 1);
    if (kind != std::string_view::npos && format[kind] == 'p') {
      return luaL_error(lua, "'%%p' is not available to providers");
    }
  }
  const int count = lua_gettop(lua);
  for (int i = 2; i <= count; ++i) {
    const int type = lua_type(lua, i);
    if (type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TTHREAD ||
        type == LUA_TUSERDATA || type == LUA_TLIGHTUSERDATA) {
      push_text(lua, i);
      lua_replace(lua, i);
    }
  }
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_insert(lua, 1);
  lua_call(lua, count, 1);
  return 1;
}

// Lua's own would spin in C for repetitions of nothing.
int sandbox_rep(lua_State* lua) {
  std::size_t size = 0, between = 0;
  luaL_checklstring(lua, 1, &size);
  const lua_Integer times = luaL_checkinteger(lua, 2);
  luaL_optlstring(lua, 3, "", &between);
  if (times <= 0 || (size == 0 && between == 0)) {
    lua_pushliteral(lua, "");
    return 1;
  }
  const std::size_t limit = LuaCall::of(lua).code().memory_limit;
  if (static_cast<lua_Unsigned>(times) > limit / (size + between)) {
    LuaCall::of(lua).die(lua, LuaCall::of(lua).memory_limit());
  }
  lua_settop(lua, 3);
  if (lua_isnil(lua, 3)) lua_pop(lua, 1);
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_insert(lua, 1);
  lua_call(lua, lua_gettop(lua) - 1, 1);
  return 1;
}

// require "lib.sport": a chunk of this provider, run once per call, where nothing may pause.
int sandbox_require(lua_State* lua) {
  const std::string name = luaL_checkstring(lua, 1);
  lua_settop(lua, 1);
  lua_pushvalue(lua, lua_upvalueindex(1));  // 2 = what was loaded
  if (lua_getfield(lua, 2, name.c_str()) != LUA_TNIL) return 1;
  std::string path = name;
  for (char& c : path) {
    if (c == '.') c = '/';
  }
  path += ".lua";
  const auto& chunks = LuaCall::of(lua).code().chunks;
  const auto chunk = chunks.find(path);
  if (chunk == chunks.end()) {
    return luaL_error(lua, "there is no %s in this provider's folder", path.c_str());
  }
  if (luaL_loadbufferx(lua, chunk->second.data(), chunk->second.size(), path.c_str(), "b") !=
      LUA_OK) {
    return lua_error(lua);
  }
  lua_call(lua, 0, 1);
  if (lua_isnil(lua, -1)) {
    lua_pop(lua, 1);
    lua_pushboolean(lua, true);
  }
  lua_pushvalue(lua, -1);
  lua_setfield(lua, 2, name.c_str());
  return 1;
}

void set_function(lua_State* lua, const char* name, lua_CFunction function) {
  lua_pushcfunction(lua, function);
  lua_setfield(lua, -2, name);
}

// Replaces the stock function of that name by one that has it as its upvalue.
void wrap_function(lua_State* lua, const char* name, lua_CFunction function) {
  lua_getfield(lua, -1, name);
  lua_pushcclosure(lua, function, 1);
  lua_setfield(lua, -2, name);
}

void open_strings(lua_State* lua) {
  luaL_requiref(lua, LUA_STRLIBNAME, luaopen_string, 1);
  lua_getfield(lua, -1, "format");
  lua_getfield(lua, -2, "rep");
  lua_pushvalue(lua, -3);
  keep_only(lua, kStrings);
  lua_insert(lua, -3);  // string, string, format, rep
  lua_pushcclosure(lua, sandbox_rep, 1);
  lua_setfield(lua, -3, "rep");
  lua_pushcclosure(lua, sandbox_format, 1);
  lua_setfield(lua, -2, "format");
  lua_pushliteral(lua, "");
  lua_getmetatable(lua, -1);
  lua_pushboolean(lua, false);
  lua_setfield(lua, -2, "__metatable");
  lua_settop(lua, 0);
}

}  // namespace

void open_sandbox(lua_State* lua) {
  lua_settop(lua, 0);
  luaL_requiref(lua, LUA_GNAME, luaopen_base, 1);
  luaL_requiref(lua, LUA_TABLIBNAME, luaopen_table, 1);
  luaL_requiref(lua, LUA_MATHLIBNAME, luaopen_math, 1);
  luaL_requiref(lua, LUA_UTF8LIBNAME, luaopen_utf8, 1);
  open_strings(lua);

  lua_pushglobaltable(lua);
  keep_only(lua, kGlobals);
  set_function(lua, "pcall", sandbox_pcall);
  set_function(lua, "xpcall", sandbox_xpcall);
  set_function(lua, "tostring", sandbox_tostring);
  set_function(lua, "setmetatable", sandbox_setmetatable);
  lua_newtable(lua);
  lua_pushcclosure(lua, sandbox_require, 1);
  lua_setfield(lua, -2, "require");

  luaL_requiref(lua, LUA_COLIBNAME, luaopen_coroutine, 1);
  set_function(lua, "resume", sandbox_resume);
  set_function(lua, "wrap", sandbox_wrap);
  wrap_function(lua, "close", sandbox_close);
  lua_pop(lua, 1);

  lua_getfield(lua, -1, LUA_MATHLIBNAME);
  lua_getfield(lua, -1, "randomseed");
  lua_pushinteger(lua, static_cast<lua_Integer>(LuaCall::of(lua).start().seed));
  lua_call(lua, 1, 0);

  // The registry's table of loaded libraries would hand out what was removed above.
  lua_pushnil(lua);
  lua_setfield(lua, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_settop(lua, 0);
}

}  // namespace stepwell::host
