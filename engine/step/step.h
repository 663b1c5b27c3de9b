// step() — the whole of a workflow's behaviour, as one function of values.
//
//   (Program, Execution, Fact)  ->  (Execution', Commands)   and, if somebody observes, history
//
// It does no I/O, reads no clock and rolls no dice: time arrives in Fact::at, and everything that
// the world must do leaves as a Command.  The lane, the simulator, `stepwell test`, recovery and
// GetExecutionHistory are thin loops around this one call.
//
// What holds for every program, execution and fact (tests/property):
//   * deterministic; survives encode and decode between any two facts;
//   * total: a fact that answers nothing outstanding (a duplicate, the loser of a race) is a no-op;
//   * a running execution always has something outstanding;
//   * the order in which parallel work finishes does not change the output;
//   * at most Limits::slice_transitions states are entered for one fact, then it asks to Continue.
// A broken invariant throws InvariantBroken: the caller quarantines that one execution.
#pragma once

#include <vector>

#include "engine/step/command.h"
#include "engine/step/execution.h"
#include "engine/step/fact.h"
#include "engine/step/observer.h"
#include "language/program/program.h"

namespace stepwell {

// Applies one fact to `execution` and appends what the world must do to `commands`.
// Returns false when the fact changed nothing (stale): it must then not be journaled.
// Throws FoldMismatch (execution.h) when the fact carries another hash than the command it names.
bool step(const Program& program, Execution& execution, const Fact& fact,
          std::vector<Command>& commands, const Observer* observer = nullptr);

// Commands for everything that is outstanding: what a new owner has to issue after a fold.
std::vector<Command> outstanding(const Program& program, const Execution& execution);

}  // namespace stepwell
