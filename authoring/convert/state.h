// Converts one state from JSONPath to JSONata.  Private to authoring/convert.
#pragma once

#include <string>
#include <vector>

#include "base/value.h"

namespace stepwell::dsl {

struct StateObstacle {
  std::string pointer;  // Below the state: "/Parameters/total.$".
  std::string reason;
};

struct StateConversion {
  Value state;  // Without QueryLanguage; machines inside of it are unchanged.
  std::vector<StateObstacle> obstacles;  // Empty: `state` is good.
};

// `state` is of a workflow that compiles.
StateConversion convert_state(const Value& state, bool assume_plain);

// The same for a group of states, whose catchers see the group's input.
StateConversion convert_group(const Value& group, bool assume_plain);

}  // namespace stepwell::dsl
