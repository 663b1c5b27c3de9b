// Definitions — the workflows that seeds start, compiled once in a run: a program is immutable.
#pragma once

#include <cstddef>
#include <string>

#include "base/value.h"
#include "language/program/program.h"

namespace stepwell::sim {

struct Definition {
  std::string workflow;  // Its name.
  std::string text;      // JSON.
  ProgramRef program;
  Value input;
};

// How many there are; a seed draws from them.
inline constexpr std::size_t kDefinitions = 2'000;

// A function of the number alone.
const Definition& definition(std::size_t number);
// The one whose task kills its process.
const Definition& poison();
ProgramRef program_of(const std::string& workflow);

}  // namespace stepwell::sim
