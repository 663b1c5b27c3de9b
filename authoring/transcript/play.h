// play — runs one case from start to end, in virtual time.
#pragma once

#include <optional>
#include <string>

#include "authoring/transcript/script.h"
#include "engine/step/reached.h"
#include "engine/step/step.h"

namespace stepwell::transcript {

struct Played {
  Execution execution;
  std::string transcript;
  bool refused = false;                 // The input was refused, so there was no execution.
  std::optional<StatePlace> failed_at;  // Where the execution failed, if it did.
  std::string problem;                  // Why it did not come to an end; empty when it did.
};

// Adds the parts that it reaches to `reached`.
Played play(const Program& program, const Case& one, bool check_fold, Reached& reached);

}  // namespace stepwell::transcript
