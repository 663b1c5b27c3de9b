// Tally — what happened during a run, counted in memory that outlives a killed worker.
//
// One page of a file that all processes of a run map, so a counter that a worker raised is not lost
// when it is killed the moment after.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace stepwell::chaos {

// One counter per fault and per way of recovery.  A run must hit all of them.
struct Tally {
  using Count = std::atomic<std::uint64_t>;
  // Faults.
  Count worker_killed{0}, worker_stopped{0}, backend_terminated{0}, postgres_crashed{0};
  Count failed_over{0};  // Only where that is asked for, and then nothing else.
  // Ways of recovery.
  Count marked_by_evidence{0};  // A dead process was noticed before its lease ended.
  Count marked_by_lease{0};     // A silent one, when its lease was over.
  Count executions_freed{0};    // Taken from the dead.
  Count fenced{0};              // A zombie woke up and was refused.
  Count reconnected{0};         // A lane lost its connection and got it back.
  Count batch_landed{0};        // ... and its batch in flight had been committed
  Count batch_sent_again{0};    // ... or had not, and was sent again.
  Count journals_folded{0};     // Executions taken over with a journal to fold.
  Count starts_repeated{0};     // Starts sent again with the same name: no second execution.
};

// Maps the file at `path`, made and zeroed when it is not there.  Mapped until the process ends.
Tally& map_tally(const std::string& path);

}  // namespace stepwell::chaos
