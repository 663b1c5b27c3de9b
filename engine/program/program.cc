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

}  // namespace stepwell
