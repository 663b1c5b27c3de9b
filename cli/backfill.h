// What the backfill commands know of a backfill's input and output: `failed_ranges` in the output
// are the ranges that were given up, `ranges` in the input restricts it to some.
#pragma once

#include <stepwell/engine.h>

#include <optional>
#include <string>
#include <vector>

#include "base/value.h"
#include "cli/command.h"
#include "cli/executions.h"

namespace stepwell::cli {

inline constexpr const char* kFailedRanges = "failed_ranges";
inline constexpr const char* kRanges = "ranges";

// The failed ranges of an execution that has ended; empty when none failed.  When it has none to
// tell (it runs, it is no backfill) that has been said, and `exit` is set.
std::optional<Value::Array> failed_ranges(Console& console, Executions& executions,
                                          const std::string& id, ExecutionView& view, Exit& exit);

}  // namespace stepwell::cli
