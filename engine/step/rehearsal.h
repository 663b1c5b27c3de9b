// Rehearsal — one state, watched closely: every value between its input and its output.
//
// What TestState and `stepwell try` are made of.  rehearse() is step() with somebody looking on;
// without one nothing in here costs anything.  For an execution of which one state is of interest:
// what is noted ends when that state is left.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/step/command.h"
#include "engine/step/execution.h"
#include "engine/step/fact.h"
#include "language/program/program.h"

namespace stepwell {

struct Rehearsal {
  // ---- given
  Value variables{Object()};  // In sight when the execution starts.
  Value context;              // Laid over the context object, member by member.
  // What a Map or Parallel comes to, in place of its children.
  TaskResult children;
  // Of a Map: what its ItemReader reads, and how many of its iterations fail.
  std::optional<Value> items;
  std::uint64_t failed_iterations = 0;

  // ---- noted
  struct Departure {
    Value output;
    Value variables;                  // As the next state sees them.
    std::optional<std::string> next;  // Absent: the end.
  };
  // By the names of InspectionData: "afterInputPath", "result", "maxConcurrency", ...; the newest
  // of each, in the order in which they came.
  Object stages;
  // Of the newest failure: the index of what handles it, and the delay before the next attempt.
  std::optional<std::size_t> retrier, catcher;
  Millis backoff{0};
  // Of the newest failure, handled or not.
  std::optional<std::string> error, cause;
  std::optional<std::uint64_t> iterations;  // Of a Map.
  std::optional<Departure> departure;
};

// step(), noting in `rehearsal`.
bool rehearse(const Program& program, Execution& execution, const Fact& fact,
              std::vector<Command>& commands, Rehearsal& rehearsal);

}  // namespace stepwell
