// Coverage — which parts of a workflow its tests reached.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/step/reached.h"
#include "language/program/program.h"

namespace stepwell::transcript {

// A state, a transition, a retrier or a catcher.
struct Part {
  enum class Kind : std::uint8_t { kState, kTransition, kRetrier, kCatcher };
  Kind kind = Kind::kState;
  std::string what;                    // "Which -> Refund, rule 2"
  std::uint32_t line = 0, column = 0;  // In the workflow's file.
  std::string pointer;
  bool reached = false;
};
const char* to_string(Part::Kind kind);  // "state", "transition", "retrier", "catcher"

// All parts of the program, in the order of its text.
std::vector<Part> parts_of(const Program& program, const Reached& reached);
// Marks those of `into` as reached that are reached in `other`; both are of the same workflow.
void merge(std::vector<Part>& into, const std::vector<Part>& other);

}  // namespace stepwell::transcript
