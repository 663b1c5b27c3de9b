// The idempotency key of a task: what the outside world may recognise a repeated run by.
#pragma once

#include <string>

#include "base/ids.h"
#include "engine/step/execution.h"
#include "language/program/program.h"

// Thread-safety: a function of values.

namespace stepwell {

// 32 hex digits.  `command`: of a task that `execution` waits for; `id`: the execution's own.
//
// Since semantics 3 the key says which work this is: SipHash-2-4-128, under the execution's id, of
// the state with the number of its entry and of the same for every Map and Parallel around it,
// with the index in it.  Nothing that is evaluated is in it, so a retry has the key of the first
// attempt whatever its arguments come to.  A retry, a new owner and a redrive keep it; a state that
// is entered again has another one, and so has all that is inside of a Map, Parallel or group that
// is tried again: that is new work.
//
// Up to semantics 2 it was a hash of execution, command and input, so that each attempt had its
// own.
std::string idempotency_key(const Program& program, const Execution& execution, ExecutionId id,
                            CommandId command);

}  // namespace stepwell
