#include <memory>

#include "cli/commands.h"
#include "providers/host/plugin_main.h"

namespace stepwell::cli {

Command plugin_command() {
  auto channel = std::make_shared<int>(3);
  Command command{"__plugin",
                  "The sandboxed child that runs providers' Lua; started by the engine",
                  {{"--channel", channel.get(), "descriptor of the channel to the broker"}},
                  [channel](Console&) { return static_cast<Exit>(host::plugin_main(*channel)); }};
  command.is_hidden = true;
  return command;
}

}  // namespace stepwell::cli
