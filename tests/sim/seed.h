// run_seed() — one simulated cluster, its clients and its faults, as a function of a number.
#pragma once

#include <cstdint>
#include <string>

#include "tests/sim/tally.h"
#include "tests/sim/world.h"

namespace stepwell::sim {

struct Outcome {
  std::string broken;  // What must not have happened; empty: the seed is clean.
  std::string log;
};

Outcome run_seed(std::uint64_t seed, Mutant mutant, Tally& tally);

}  // namespace stepwell::sim
