#include "engine/program/program.h"

#include "base/match.h"

namespace stepwell {

const char* kind_name(const StateKind& kind) {
  return std::visit(match{
                        [](const Task&) { return "Task"; },
                        [](const Pass&) { return "Pass"; },
                        [](const Choice&) { return "Choice"; },
                        [](const Wait&) { return "Wait"; },
                        [](const Succeed&) { return "Succeed"; },
                        [](const Fail&) { return "Fail"; },
                        [](const Parallel&) { return "Parallel"; },
                        [](const Map&) { return "Map"; },
                    },
                    kind);
}

const SourceSpan& where(const Program& program, const StatePlace& spot) {
  const State& state = program.state(spot.machine, spot.state);
  for (const ExpressionSpan& expression : state.expressions) {
    if (!spot.location.empty() && expression.location == spot.location) return expression.where;
  }
  return state.where;
}

std::string place_text(const Program& program, const StatePlace& spot) {
  const SourceSpan& span = where(program, spot);
  if (span.line == 0) return {};
  return program.file + ":" + std::to_string(span.line) + ":" + std::to_string(span.column);
}

}  // namespace stepwell
