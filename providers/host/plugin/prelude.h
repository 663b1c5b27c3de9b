// The part of the sandbox that is written in Lua itself: it builds `sw` from the natives.
#pragma once

namespace stepwell::host {
extern const char* const kPrelude;
}
