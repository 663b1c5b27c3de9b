// accept — what a workflow demands of its input, asked before an execution begins.
#pragma once

#include "base/result.h"
#include "language/program/program.h"

namespace stepwell {

// Error kInvalid, with a JSON pointer for each thing that is wrong, when the input does not fit the
// workflow's InputSchema.  step() never asks: a fact that was accepted stays so.
Status accept_input(const Program& program, const Value& input);

}  // namespace stepwell
