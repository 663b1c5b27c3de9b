// The C++ functions below `sw`.  The prelude gives them names and defaults; providers see only
// that.
#pragma once

#include <lua5.4/lua.hpp>

namespace stepwell::host {

extern const luaL_Reg kTimeNatives[];    // natives_time.cc
extern const luaL_Reg kCryptoNatives[];  // natives_crypto.cc

}  // namespace stepwell::host
