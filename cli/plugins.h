// Plugins — the providers on disk, attached to an engine.
#pragma once

#include "base/result.h"
#include "cli/console.h"
#include "cli/server_process.h"
#include "engine/runtime/async_engine.h"

namespace stepwell::cli {

// Before the engine runs.  Says which providers there are; without a folder it does nothing.
Status attach_plugins(Console& console, runtime::AsyncEngine& engine, const ServerOptions& options);

}  // namespace stepwell::cli
