// Counters — what a process of ours has done, counted: for tests, operators and the crash test.
//
// Any thread may count and read.
#pragma once

#include <atomic>
#include <cstdint>

namespace stepwell::runtime {

struct Counters {
  using Count = std::atomic<std::uint64_t>;
  Count facts{0};    // Journal rows that became durable.
  Count commits{0};  // Batches.
  Count started{0}, ended{0};
  Count claimed{0};  // Executions taken over.
  Count folded{0};   // Of those, with facts to fold beyond the first.
  Count parked{0};
  Count fenced{0};      // A lane found that it was marked dead.
  Count lost{0};        // Executions that turned out to be somebody else's.  Should be 0.
  Count refused{0};     // Executions with data that the store would not take.
  Count reissued{0};    // Commands that the audit found without a runner.  Should be 0.
  Count reconciled{0};  // Executions owned but not held, given back.
  Count quarantined{0};
  Count snapshots{0};
  Count held_back{0};    // Side effects that waited because the lease was running out.
  Count unavailable{0};  // Calls that found the database away.
  Count marked_by_evidence{0}, marked_by_lease{0}, freed{0};  // By our sweeps.
};

}  // namespace stepwell::runtime
