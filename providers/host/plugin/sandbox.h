// The globals that a provider sees: an allow-list, with the functions replaced that would let a
// call escape its limits (pcall, xpcall, coroutine.*, setmetatable) or see addresses (tostring,
// string.format).
#pragma once

#include <lua5.4/lua.hpp>

namespace stepwell::host {

// Leaves a state with the sandbox's globals, but for `sw`.  May raise.
void open_sandbox(lua_State* lua);

// Pushes the table of functions that the prelude builds `sw` from.  May raise.
void push_natives(lua_State* lua);

}  // namespace stepwell::host
