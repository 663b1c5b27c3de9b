// Worker processes of the bench: this program again, with an engine on the same database.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <string>

#include "bench/bench.h"

namespace stepwell::bench {

// Counted in a file that all processes map: a killed one's counts stay.
struct SharedCounts {
  std::atomic<std::uint64_t> task_runs{0};
};
SharedCounts& map_counts(const std::string& path);

class WorkerProcess {
 public:
  explicit WorkerProcess(const Arguments& arguments);
  ~WorkerProcess();  // Ends it with -9.
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  void kill();
  void wait();  // Until it has ended by itself.

 private:
  pid_t pid_ = -1;
};

}  // namespace stepwell::bench
