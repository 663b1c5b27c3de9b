// History — an execution as Step Functions tells it: a view that step() yields to an observer.
//
// Ids are counted whether anybody observes or not; details are built only for an observer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"
#include "base/value.h"
#include "language/program/program.h"

namespace stepwell {

struct HistoryEvent {
  std::uint64_t id = 0;
  std::uint64_t previous_id = 0;
  Time at;
  std::string type;  // "TaskStateEntered", ...
  // Of the type's ...EventDetails; null when it has none.  `input` and `output` are JSON *text* in
  // it; the constant inputDetails and outputDetails ({"truncated":false}) are left to to_aws_json.
  Value details;
  // The state that it is about; of an execution's failure, the state that failed.  For messages:
  // the history itself has names only.
  std::optional<StatePlace> about;
};

// As GetExecutionHistory answers it:
// {"id","previousEventId","timestamp","type","<type>EventDetails"}.
Value to_aws_json(const HistoryEvent& event);

}  // namespace stepwell
