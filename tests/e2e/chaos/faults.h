// Faults — what the crash test does to the workers and to Postgres while they work.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "tests/e2e/chaos/servers.h"
#include "tests/e2e/chaos/tally.h"

namespace stepwell::chaos {

class Faults {
 public:
  // `spawn(number)` starts worker `number` and answers its pid.
  Faults(Servers& servers, Tally& tally, std::uint64_t seed, Millis lease,
         std::function<pid_t(int)> spawn);
  ~Faults();  // Ends the workers.

  void start_workers(int count);
  // Does one fault and whatever brings the world back from it.  Takes up to 2 leases.
  Status inject();
  // The standby takes over, and nothing else happens.
  Status fail_over();
  // Everybody runs again.
  Status heal();

 private:
  Status kill_worker();
  Status stop_worker();
  Status terminate_backends();
  Status crash_postgres();
  void resume(bool all);

  struct Stopped {
    std::size_t worker;
    std::int64_t until_ms;  // Monotonic.
  };
  Servers& servers_;
  Tally& tally_;
  Random random_;
  Millis lease_;
  std::function<pid_t(int)> spawn_;
  std::vector<pid_t> workers_;
  std::vector<Stopped> stopped_;
  std::uint64_t round_ = 0;
};

}  // namespace stepwell::chaos
