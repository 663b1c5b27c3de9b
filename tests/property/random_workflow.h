// Random workflows: a definition and an input as a function of a seed.
#pragma once

#include <cstdint>
#include <string>

#include "base/random.h"
#include "base/value.h"

namespace stepwell::testing {

enum class Mood {
  kMild,  // Nothing fails for good: retries suffice, so the output is a function of the input.
  kWild,  // Fail states, catchers that may miss, workflow timeouts.
};

struct RandomWorkflow {
  Value definition;
  Value input;
};

RandomWorkflow random_workflow(std::uint64_t seed, Mood mood);

}  // namespace stepwell::testing
