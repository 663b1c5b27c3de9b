// Which lines of the product this build of the simulation can take out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/sim/world.h"

namespace stepwell::sim {

std::vector<Mutant> all_mutants();
std::string name_of(Mutant mutant);
std::optional<Mutant> mutant_named(const std::string& name);

// Takes out those that live in lanes and committers, as far as they were built for it.
void take_out(Mutant mutant);

}  // namespace stepwell::sim
