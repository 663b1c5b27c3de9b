// Settings — the numbers of a runtime.  Tests make some of them small.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "base/time.h"
#include "engine/observe/health.h"
#include "engine/store/store.h"

namespace stepwell::runtime {

struct Settings {
  std::string label;
  unsigned lanes = 1;
  Millis lease{15'000};
  std::vector<std::string> pools = {store::kDefaultPool};

  Millis look_period{300};         // The keeper looks for the dead, and for what is due;
  Millis idle_look_period{1'500};  // ... so seldom when for so long
  Millis idle_after{60'000};       // ... there was nothing to do.
  Millis upkeep_period{1'000};     // Audit, summaries, parking of what only waits.
  Millis summary_after{1'000};     // An execution that waits so long tells for what.
  Millis park_beyond{10'000};      // Waits that end later than this need no memory here.
  Millis unserved_retry{15'000};   // A parked execution that waits for a handler looks again.
  Millis reconcile_period{10'000};
  std::size_t max_held = 50'000;  // By one lane; what is beyond waits in the store.
  std::uint64_t snapshot_facts = 64;
  HealthLimits health;
  std::function<void(const std::string& line)> tell;  // People; by default on standard error.
  Millis start_deadline{10'000};  // After this, a waiting start returns "in doubt".
  // Questions that wait for a thread of their pool; what is beyond is refused, to be tried again.
  std::size_t most_questions_waiting = 512;
  std::size_t most_histories_waiting = 64;
};

}  // namespace stepwell::runtime
