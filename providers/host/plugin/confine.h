// What a plugin process gives up before it runs a provider's code, and its last words.
#pragma once

#include <chrono>
#include <cstdint>

namespace stepwell::host {

// Closes every descriptor but `channel`, sets resource limits, and installs a seccomp filter that
// kills the process on any call but reading and writing `channel`, memory, time and exit.  There is
// no way back.  False when the kernel refuses.
bool confine_process(int channel);

// Installs handlers that write an overrun frame for the running call and end the process.
void install_last_words(int channel);
// Between these two, more than `limit` of CPU time, or a crash, ends the process.
void begin_slice(std::int64_t call, std::chrono::nanoseconds limit);
void end_slice();

}  // namespace stepwell::host
