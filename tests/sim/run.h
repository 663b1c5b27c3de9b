// Runs many seeds, in several processes, and tells what came of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/sim/seed.h"

namespace stepwell::sim {

struct Plan {
  std::uint64_t first = 1, count = 2'000;
  Mutant mutant = Mutant::kNone;
  bool is_twice = false;  // Each seed again, and the logs compared.
  unsigned processes = 1;
};

struct Failure {
  std::uint64_t seed = 0;
  std::string why;
};

struct Report {
  std::vector<Failure> failures;  // Of at most a few seeds, by number;
  std::uint64_t failed = 0;       // of so many.
  Tally tally;
  double seconds = 0;
};

Report run(const Plan& plan);

}  // namespace stepwell::sim
