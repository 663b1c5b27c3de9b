#include "language/program/program.h"

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

namespace {

// The expression and how far into it; nullptr: it is not known.
std::pair<const ExpressionSpan*, std::size_t> find_blamed(const State& state,
                                                          const expr::Blame& blame) {
  if (blame.location.empty()) return {};
  for (const ExpressionSpan& expression : state.expressions) {
    if (expression.location == blame.location) return {&expression, blame.at.value_or(0)};
  }
  if (state.speaks_jsonata()) return {};
  for (const ExpressionSpan& expression : state.expressions) {  // A call within another.
    const std::size_t at = expression.location.find(blame.location);
    if (at != std::string::npos) return {&expression, at};
  }
  return {};
}

}  // namespace

SourceSpan where(const Program& program, const StatePlace& spot) {
  const State& state = program.state(spot.machine, spot.state);
  const auto [expression, at] = find_blamed(state, spot.blame);
  if (expression == nullptr || state.where.line == 0) return state.where;
  SourceSpan span = expression->where;
  if (!spot.blame.at && at == 0) return span;
  for (const ExpressionSpan::Stretch& stretch : expression->stretches) {
    if (stretch.at > at) break;
    span.line = stretch.line;
    span.column = stretch.column + static_cast<std::uint32_t>(at - stretch.at);
  }
  return span;
}

std::string place_text(const Program& program, const StatePlace& spot) {
  const SourceSpan span = where(program, spot);
  if (span.line == 0) return {};
  return program.file + ":" + std::to_string(span.line) + ":" + std::to_string(span.column);
}

}  // namespace stepwell
