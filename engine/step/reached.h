// Reached — which parts of a program executions went through: the coverage of tests.
#pragma once

#include <unordered_set>
#include <vector>

#include "engine/step/command.h"
#include "engine/step/execution.h"
#include "engine/step/fact.h"
#include "engine/step/observer.h"
#include "language/program/program.h"

namespace stepwell {

// A part is named by its address inside of the Program: a State, its `next`, a ChoiceRule, the
// `default_next` of a Choice, a Retrier, a Catcher.  Only asked, never listed.
using Reached = std::unordered_set<const void*>;

// step(), adding what the fact leads through.  `history`: who hears it; nullptr: nobody.
bool step_marking(const Program& program, Execution& execution, const Fact& fact,
                  std::vector<Command>& commands, const Observer* history, Reached& reached);

}  // namespace stepwell
