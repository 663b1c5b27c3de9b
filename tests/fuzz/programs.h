// A dozen small workflows, each with what makes step() think.
#pragma once

#include <vector>

#include "language/program/program.h"

namespace stepwell::fuzz {

// Compiled once; CHECKs that they compile.
const std::vector<ProgramRef>& programs();

}  // namespace stepwell::fuzz
