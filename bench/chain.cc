// chain: many small executions at once.
#include <fmt/core.h>

#include <atomic>
#include <thread>

#include "base/sync/mutex.h"
#include "bench/bench.h"

namespace stepwell::bench {
namespace {

constexpr double kStepsPerChain = 10;

// Keeps at most `window` executions running.
class Feeder {
 public:
  Feeder(runtime::AsyncEngine& engine, std::uint64_t window) : engine_(engine), window_(window) {}

  void start(const std::string& workflow, const std::string& input) {
    {
      const MutexLock lock(mutex_);
      while (running_ >= window_) changed_.wait(mutex_);
      ++running_;
    }
    engine_.start(Namespace(), {workflow, input}, [this](const Answer<StartedExecution>& answer) {
      if (!answer) {
        ++failed;
        return over();
      }
      if (!engine_.when_released(Namespace(), answer.value.id, [this] { over(); })) over();
    });
  }
  void wait_for_all() {
    const MutexLock lock(mutex_);
    while (running_ != 0) changed_.wait(mutex_);
  }
  std::atomic<std::uint64_t> failed{0};

 private:
  void over() {
    const MutexLock lock(mutex_);
    --running_;
    if (running_ + 1 == window_ || running_ == 0) changed_.notify_one();
  }

  runtime::AsyncEngine& engine_;
  const std::uint64_t window_;
  Mutex mutex_;
  CondVar changed_;
  std::uint64_t running_ GUARDED_BY(mutex_) = 0;
};

}  // namespace

Result<Object> run_chain(const Arguments& arguments) {
  const std::uint64_t n = arguments.n == 0 ? 20'000 : arguments.n;
  auto engine = TRY(open_engine(arguments));
  TRY(deploy(*engine, "bench-chain", kChain));
  Spending spending(arguments.url);
  const runtime::Counters& counters = engine->async().counters();
  const std::uint64_t commits = counters.commits;
  Feeder feeder(engine->async(), arguments.window);
  const auto began = Clock::now();
  for (std::uint64_t i = 0; i < n; ++i) feeder.start("bench-chain", chain_input(i));
  feeder.wait_for_all();
  const double seconds = seconds_since(began);
  const double steps = static_cast<double>(n) * kStepsPerChain;
  Object line{{"workload", "chain"},
              {"steps_per_s", rounded(steps / seconds)},
              {"executions", n},
              {"seconds", rounded(seconds)},
              {"running_at_once", arguments.window}};
  spending.report(line, steps);
  line.set("commits_per_step", rounded(static_cast<double>(counters.commits - commits) / steps));
  line.set("failed_starts", feeder.failed.load());
  TRY(check_executions(engine->async().store(), "bench-chain")).report(line);
  return line;
}

}  // namespace stepwell::bench
