// The entry of a plugin process: `stepwell __plugin` is this and nothing else.
#pragma once

namespace stepwell::host {

// Serves the broker at the other end of `channel_fd` until it hangs up.  Never returns to code that
// needs files, sockets or memory maps with code in them: after the first frame they are gone.
int plugin_main(int channel_fd);

}  // namespace stepwell::host
