#include "providers/host/plugin/natives.h"

#include <vector>

#include "providers/host/frames.h"
#include "providers/host/plugin/lua_call.h"
#include "providers/host/plugin/sandbox.h"
#include "providers/host/plugin/values.h"

namespace stepwell::host {
namespace {

void require_pause(lua_State* lua, const char* kind) {
  if (LuaCall::of(lua).can_pause(lua)) return;
  luaL_error(lua,
             "%s cannot be used here: inside a callback of string.gsub or table.sort, in a "
             "__tostring or __close, or while a file is being loaded",
             kind);
}

// Pushes what the broker answered: value, or nil and the error table.
int push_answer(lua_State* lua, std::int64_t number) {
  const Value frame = LuaCall::of(lua).take_answer(number);
  if (const Value* error = frame.find("error")) {
    lua_pushnil(lua);
    push_value(lua, *error);
    return 2;
  }
  const Value* value = frame.find("value");
  push_value(lua, value == nullptr ? Value() : *value);
  return 1;
}

int request_done(lua_State* lua, int, lua_KContext number) {
  return push_answer(lua, static_cast<std::int64_t>(number));
}

// request(kind, body) -> value | nil, error
int request(lua_State* lua) {
  const char* kind = luaL_checkstring(lua, 1);
  require_pause(lua, kind);
  LuaCall& call = LuaCall::of(lua);
  const std::int64_t number = call.request(kind, to_value(lua, 2));
  call.set_pausing();
  return lua_yieldk(lua, 0, static_cast<lua_KContext>(number), request_done);
}

int request_all_done(lua_State* lua, int, lua_KContext first) {
  const auto count = static_cast<lua_Integer>(lua_rawlen(lua, 2));
  lua_createtable(lua, static_cast<int>(count), 0);
  mark_list(lua, -1);
  for (lua_Integer i = 0; i < count; ++i) {
    lua_createtable(lua, 0, 2);
    const bool is_ok = push_answer(lua, static_cast<std::int64_t>(first) + i) == 1;
    lua_setfield(lua, is_ok ? -2 : -3, is_ok ? "value" : "error");
    if (!is_ok) lua_pop(lua, 1);
    lua_rawseti(lua, -2, i + 1);
  }
  return 1;
}

// request_all(kind, bodies) -> list of {value=...} or {error=...}
int request_all(lua_State* lua) {
  const char* kind = luaL_checkstring(lua, 1);
  luaL_checktype(lua, 2, LUA_TTABLE);
  require_pause(lua, kind);
  lua_settop(lua, 2);
  std::vector<Value> bodies;
  const auto count = static_cast<lua_Integer>(lua_rawlen(lua, 2));
  for (lua_Integer i = 1; i <= count; ++i) {
    lua_rawgeti(lua, 2, i);
    bodies.push_back(to_value(lua, -1));
    lua_pop(lua, 1);
  }
  LuaCall& call = LuaCall::of(lua);
  std::int64_t first = 0;
  for (Value& body : bodies) {
    const std::int64_t number = call.request(kind, std::move(body));
    if (first == 0) first = number;
  }
  if (first == 0) return request_all_done(lua, LUA_OK, 0);
  call.set_pausing();
  return lua_yieldk(lua, 0, static_cast<lua_KContext>(first), request_all_done);
}

// where(n) -> "acme/provider.lua:7: ", the place from which the n-th function up was called.
int where(lua_State* lua) {
  luaL_where(lua, static_cast<int>(luaL_checkinteger(lua, 1)) + 1);
  return 1;
}

int json_encode(lua_State* lua) {
  luaL_checkany(lua, 1);
  const std::string text = to_value(lua, 1).to_json();
  lua_pushlstring(lua, text.data(), text.size());
  return 1;
}

// The text that hashes are made of.
int canonical(lua_State* lua) {
  luaL_checkany(lua, 1);
  ToValue how;
  how.whole_floats_are_integers = true;
  const std::string text = to_value(lua, 1, how).to_json();
  lua_pushlstring(lua, text.data(), text.size());
  return 1;
}

// json_decode(text) -> true, value | false, message
int json_decode(lua_State* lua) {
  std::size_t size = 0;
  const char* text = luaL_checklstring(lua, 1, &size);
  lua_settop(lua, 1);
  const bool is_ok = push_json(lua, std::string_view(text, size));
  lua_pushboolean(lua, is_ok);
  lua_insert(lua, 2);
  return 2;
}

int mark(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  if (lua_getmetatable(lua, 1) == 0) mark_list(lua, 1);
  lua_settop(lua, 1);
  return 1;
}

int is_text(lua_State* lua) {
  std::size_t size = 0;
  const char* bytes = luaL_checklstring(lua, 1, &size);
  const std::string_view text(bytes, size);
  lua_pushboolean(lua, is_utf8(text) && text.find('\0') == std::string_view::npos);
  return 1;
}

int log(lua_State* lua) {
  const std::string level = luaL_checkstring(lua, 1);
  std::size_t size = 0;
  const char* bytes = luaL_tolstring(lua, 2, &size);
  const std::string text = as_text(std::string_view(bytes, size), 16u << 10);
  LuaCall::of(lua).log(level, text, lua_istable(lua, 3) ? to_value(lua, 3) : Value(Object()));
  return 0;
}

int map_text(lua_State* lua) {
  const std::string name = luaL_checkstring(lua, 1);
  const auto& maps = LuaCall::of(lua).code().maps;
  const auto found = maps.find(name);
  if (found == maps.end()) {
    return luaL_error(lua, "there is no maps/%s.json in this provider's folder", name.c_str());
  }
  lua_pushlstring(lua, found->second.data(), found->second.size());
  return 1;
}

// The table that provider.lua returned; nil while it is being loaded.
int provider(lua_State* lua) {
  lua_getfield(lua, LUA_REGISTRYINDEX, "provider");
  return 1;
}

constexpr luaL_Reg kNatives[] = {{"request", request},
                                 {"request_all", request_all},
                                 {"json_encode", json_encode},
                                 {"json_decode", json_decode},
                                 {"canonical", canonical},
                                 {"mark", mark},
                                 {"is_text", is_text},
                                 {"log", log},
                                 {"where", where},
                                 {"map_text", map_text},
                                 {"provider", provider},
                                 {nullptr, nullptr}};

}  // namespace

void push_natives(lua_State* lua) {
  lua_newtable(lua);
  luaL_setfuncs(lua, kNatives, 0);
  luaL_setfuncs(lua, kTimeNatives, 0);
  luaL_setfuncs(lua, kCryptoNatives, 0);
  push_null(lua);
  lua_setfield(lua, -2, "null");
}

}  // namespace stepwell::host
