// JSON values in and out of Lua.  All of these may raise a Lua error: call them protected.
#pragma once

#include <lua5.4/lua.hpp>
#include <string>
#include <string_view>

#include "base/value.h"

namespace stepwell::host {

struct ToValue {
  bool whole_floats_are_integers = false;  // For hashes: 7140.0 and 7140 are the same.
};

void push_value(lua_State* lua, const Value& value);
// Keys of objects in order.  Raises on functions, cycles, mixed keys, text that is not UTF-8, and
// what exceeds the bounds.
Value to_value(lua_State* lua, int index, const ToValue& how = {});

// Parses straight into Lua: null members are left out, integers beyond 64 bits become strings.
// False, with the message pushed, when the text is not JSON.
bool push_json(lua_State* lua, std::string_view text);

// Marks the table at `index` as a list, so that it is written as one even when it is empty.
void mark_list(lua_State* lua, int index);
// sw.json.null
void push_null(lua_State* lua);

}  // namespace stepwell::host
