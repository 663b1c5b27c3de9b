// Verdict — after the faults: is every execution there, ended, once, and right?
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/store/store.h"

namespace stepwell::chaos {

// What was asked for: the name of an execution and what it must end with.
struct Expected {
  std::string workflow;
  std::string name;
  std::string id;  // As the (first) start answered it; empty when no start was ever acknowledged.
  std::int64_t result = 0;
};

struct Verdict {
  std::uint64_t checked = 0;
  std::uint64_t lost = 0;        // Acknowledged and not there, or there under another id.
  std::uint64_t stuck = 0;       // Not at its end.
  std::uint64_t wrong = 0;       // Ended otherwise than plain arithmetic says.
  std::uint64_t mismatched = 0;  // The fold of the journal is not what the row says.
  std::uint64_t duplicate = 0;  // A fact in the journal that answers nothing: something came twice.
  std::vector<std::string> examples;  // The first few, for people.
  bool is_good() const { return lost + stuck + wrong + mismatched + duplicate == 0; }
};

// Reads every execution back and folds its journal from the first fact on.
Result<Verdict> judge(store::Store& store, const std::vector<Expected>& expected);

}  // namespace stepwell::chaos
