// Plan — random workflows whose right end is known without the engine: plain arithmetic.
//
// A workflow is a chain of steps on one integer.  Each step exists twice: as states of the
// language, and as a line of C++ that says what it must do to the integer.  The worker's tasks are
// the third part: small pure functions, some of which fail on purpose for their first attempts.
// Everything is a function of the seed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"

namespace stepwell::chaos {

struct Workflow {
  std::string name;
  std::string definition;  // JSON.
  // What the execution must end with when it was started with {"v": start}.
  std::int64_t expected(std::int64_t start) const;

  struct Step {
    enum class Kind : std::uint8_t { kAdd, kFlaky, kWait, kMap, kParallel, kChoice, kCaught };
    Kind kind;
    std::int64_t by;  // The step's number: added, items mapped, milliseconds waited, ...
  };
  std::vector<Step> steps;
};

// `count` workflows of two to eight steps each.
std::vector<Workflow> make_workflows(std::uint64_t seed, std::size_t count);

// The tasks that the definitions name, as functions of {"v":..., "by":...} and the attempt.
// Pure arithmetic, so that a task returns the same on every node and in every attempt.
struct TaskAnswerPlan {
  bool fails = false;
  std::string error;
  std::string output;  // JSON
};
inline const char* const kTasks[] = {"chaos.add", "chaos.flaky", "chaos.broken", "chaos.sum"};
TaskAnswerPlan run_task(const std::string& task, const std::string& input, std::uint32_t attempt);

}  // namespace stepwell::chaos
