// fold() — from what a claim brought to an execution that runs, off the lane's thread.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "engine/runtime/owned_execution.h"
#include "engine/runtime/programs.h"
#include "engine/store/store.h"

namespace stepwell::runtime {

struct Folded {
  ExecutionId id;
  std::unique_ptr<OwnedExecution> held;  // Null: `broken` or `away`.
  std::vector<store::InboxRow> inbox;
  std::string broken;          // The fold does not fit: quarantine it, with this reason.
  std::string away;            // Something could not be read now: give it back.
  std::uint64_t last_seq = 0;  // Of its journal, whether that fits or not.
};

// Snapshot, journal, and the commands that are outstanding (staged, as of the newest fact).
// A snapshot that cannot be read is done without: the journal is all there.
Folded fold(store::Claimed&& claimed, Programs& programs, store::Store& store, const Clock& clock);

// The same of an execution that this lane owns already, from what is durable.
Folded refold(const Namespace& ns, ExecutionId id, Programs& programs, store::Store& store,
              const Clock& clock);

}  // namespace stepwell::runtime
