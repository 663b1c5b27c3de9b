// Plugins — the providers on disk, attached to an engine.
#pragma once

#include <stepwell/engine.h>

#include "base/result.h"
#include "cli/console.h"
#include "cli/server_process.h"

namespace stepwell::cli {

// Before Engine::run().  Says which providers there are; nothing to do when no folder is given.
Status attach_plugins(Console& console, Engine& engine, const ServerOptions& options);

}  // namespace stepwell::cli
