// play — one case from start to end, in virtual time.
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
  bool refused = false;                 // The input does not fit; there was no execution.
  std::optional<StatePlace> failed_at;  // Of an execution that failed.
  std::string problem;                  // Why it could not be played to its end; empty: it was.
};

// Adds to `reached` what it goes through.
Played play(const Program& program, const Case& one, bool check_fold, Reached& reached);

}  // namespace stepwell::transcript
