// watch() — follows one execution until it ends, and shows how far it is.
#pragma once

#include <stepwell/engine.h>

#include <string>

#include "cli/command.h"
#include "cli/executions.h"

namespace stepwell::cli {

// On a terminal a live line, otherwise a line now and then; at the end its status, and its output
// on standard output.  Ctrl-C stops the watching, not the execution.  kOk only when it succeeded.
Exit watch(Console& console, Executions& executions, const std::string& id, bool as_json);

// "SUCCEEDED after 3.2 s" and the like.
std::string summary_of(const ExecutionView& view);
// "charge.yaml:12:7, over "ten"" of what made it fail; empty when it did not, or when that is not
// known.
std::string failed_at(Executions& executions, const ExecutionView& view);
std::string text_of(const HistoryPlace& place);
// kOk when it succeeded, kFailed when it ended otherwise, kStillRunning while it runs.
Exit exit_of(const ExecutionView& view);

}  // namespace stepwell::cli
