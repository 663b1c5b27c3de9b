// chain, latency, start: many small executions.
#include <fmt/core.h>

#include <atomic>
#include <thread>

#include "base/sync/mutex.h"
#include "bench/bench.h"

namespace stepwell::bench {
namespace {

constexpr double kStepsPerChain = 10;
constexpr unsigned kCallers = 20;
constexpr std::uint64_t kRepeats = 100;

// Keeps at most `window` executions running.
class Feeder {
 public:
  Feeder(Engine& engine, std::uint64_t window) : engine_(engine), window_(window) {}

  void start(const std::string& workflow, const std::string& input) {
    {
      const MutexLock lock(mutex_);
      while (running_ >= window_) changed_.wait(mutex_);
      ++running_;
    }
    runtime::start_then(engine_, workflow, input, {},
                        [this](const Answer<StartedExecution>& answer) {
                          if (!answer) {
                            ++failed;
                            return over();
                          }
                          if (!runtime::when_released(engine_, answer.value.id, [this] { over(); }))
                            over();
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

  Engine& engine_;
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
  const runtime::Counters& counters = runtime::counters_of(*engine);
  const std::uint64_t commits = counters.commits;
  Feeder feeder(*engine, arguments.window);
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
  TRY(check_executions(runtime::store_of(*engine), "bench-chain")).report(line);
  return line;
}

Result<Object> run_latency(const Arguments& arguments) {
  const std::uint64_t n = arguments.n == 0 ? 1'000 : arguments.n;
  auto engine = TRY(open_engine(arguments));
  TRY(deploy(*engine, "bench-latency", kOneTask));
  std::vector<double> ms;
  for (std::uint64_t i = 0; i < n + 20; ++i) {
    const auto began = Clock::now();
    const auto started = engine->start("bench-latency", chain_input(i));
    if (!started) return Error{ErrorCode::kUnavailable, started.error};
    const auto ended = engine->wait(started.value.id, std::chrono::seconds(30));
    if (!ended) return Error{ErrorCode::kUnavailable, ended.error};
    if (i >= 20) ms.push_back(seconds_since(began) * 1000);  // The first warm up.
  }
  Object line{{"workload", "latency"},
              {"executions", n},
              {"p50_ms", rounded(percentile(ms, 0.50))},
              {"p95_ms", rounded(percentile(ms, 0.95))},
              {"p99_ms", rounded(percentile(ms, 0.99))}};
  TRY(check_executions(runtime::store_of(*engine), "bench-latency")).report(line);
  return line;
}

Result<Object> run_start(const Arguments& arguments) {
  const std::uint64_t n = arguments.n == 0 ? 20'000 : arguments.n;
  auto engine = TRY(open_engine(arguments));
  TRY(deploy(*engine, "bench-start", kOneTask));
  const std::string run = ask_psql(arguments.url, "SELECT extract(epoch FROM clock_timestamp())");
  std::atomic<std::uint64_t> next{0}, failed{0}, repeats_that_created{0};
  const auto call = [&](std::uint64_t i, bool is_repeat) {
    StartOptions options;
    options.name = fmt::format("{}-{}", run, i);
    const auto started = engine->start("bench-start", chain_input(i), options);
    if (!started) ++failed;
    if (is_repeat && started && !started.value.existed) ++repeats_that_created;
  };
  const auto began = Clock::now();
  std::vector<std::thread> callers;
  for (unsigned c = 0; c < kCallers; ++c) {
    callers.emplace_back([&] {
      for (std::uint64_t i = next++; i < n; i = next++) call(i, false);
    });
  }
  for (std::thread& caller : callers) caller.join();
  const double seconds = seconds_since(began);
  for (std::uint64_t i = 0; i < std::min(kRepeats, n); ++i) call(i, true);
  for (const ExecutionView& view : engine->list("bench-start", "RUNNING", 1000).value) {
    (void)engine->wait(view.id, std::chrono::seconds(30));
  }
  Object line{{"workload", "start"},
              {"starts_per_s", rounded(static_cast<double>(n) / seconds)},
              {"starts", n},
              {"callers", kCallers},
              {"through", "the library"},
              {"failed", failed.load()},
              {"repeats", kRepeats},
              {"repeats_that_created", repeats_that_created.load()}};
  TRY(check_executions(runtime::store_of(*engine), "bench-start")).report(line);
  return line;
}

}  // namespace stepwell::bench
