#include "tests/sim/mutants.h"

#include "engine/runtime/protection.h"

namespace stepwell::sim {

std::vector<Mutant> all_mutants() {
  return {Mutant::kFence, Mutant::kPark, Mutant::kEpoch, Mutant::kDispatch, Mutant::kNumber};
}

std::string name_of(Mutant mutant) {
  switch (mutant) {
    case Mutant::kNone: return "none";
    case Mutant::kFence: return "fence";
    case Mutant::kPark: return "park-counter";
    case Mutant::kEpoch: return "epoch";
    case Mutant::kDispatch: return "dispatch-after-durable";
    case Mutant::kNumber: return "batch-number";
  }
  return "none";
}

std::optional<Mutant> mutant_named(const std::string& name) {
  for (const Mutant mutant : all_mutants()) {
    if (name_of(mutant) == name) return mutant;
  }
  return std::nullopt;
}

void take_out(Mutant mutant) {
  using runtime::Protection;
  runtime::taken_out.reset();
  if (mutant == Mutant::kEpoch) runtime::taken_out = Protection::kEpoch;
  if (mutant == Mutant::kDispatch) runtime::taken_out = Protection::kDispatchAfterDurable;
}

}  // namespace stepwell::sim
