// latency, start: executions of one task, one at a time or as many as come.
#include <fmt/core.h>

#include <atomic>
#include <future>
#include <memory>
#include <thread>

#include "base/sync/mutex.h"
#include "bench/bench.h"
#include "bench/http_load.h"
#include "bench/http_side.h"

namespace stepwell::bench {
namespace {

constexpr std::uint64_t kRepeats = 100;
constexpr std::uint64_t kWarmUp = 20;
constexpr std::uint64_t kReadItems = 20'000;

// The starts of one run: each has a name, so that a repeat of one can be told.
class Starts {
 public:
  Starts(BlockingEngine& engine, std::string prefix)
      : engine_(engine), prefix_(std::move(prefix)) {}

  runtime::StartRequest request(std::uint64_t i) const {
    return {"bench-start", chain_input(i), {.name = fmt::format("{}-{}", prefix_, i)}};
  }

  // `callers` threads, each of which waits for its start.
  void by_callers(std::uint64_t n, unsigned callers) {
    std::atomic<std::uint64_t> next{0};
    std::vector<std::thread> threads;
    for (unsigned c = 0; c < callers; ++c) {
      threads.emplace_back([&] {
        for (std::uint64_t i = next++; i < n; i = next++) {
          const auto one = request(i);
          if (!engine_.start(one.workflow, chain_input(i), one.options)) ++failed;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  // One thread that keeps `window` of them under way.
  void in_flight(std::uint64_t n, std::uint64_t window) {
    for (std::uint64_t i = 0; i < n; ++i) {
      {
        const MutexLock lock(mutex_);
        while (under_way_ >= window) changed_.wait(mutex_);
        ++under_way_;
      }
      engine_.async().start(Namespace(), request(i),
                            [this](const Answer<StartedExecution>& answer) {
                              if (!answer) ++failed;
                              const MutexLock lock(mutex_);
                              --under_way_;
                              changed_.notify_one();
                            });
    }
    const MutexLock lock(mutex_);
    while (under_way_ != 0) changed_.wait(mutex_);
  }

  Status over_http(std::uint64_t n, int port, unsigned connections) {
    HttpLoad load;
    load.port = port;
    load.connections = connections;
    load.requests = n;
    load.request = [this](std::uint64_t i) {
      const auto one = request(i);
      return http_post("/v1/workflows/" + one.workflow + "/executions",
                       R"({"input":)" + chain_input(i) + "}",
                       "Idempotency-Key: " + one.options.name + "\r\n");
    };
    load.is_right = [](std::uint64_t, int status, std::string_view) { return status == 202; };
    const HttpLoadResult result = TRY(run(load));
    failed += result.wrong + result.lost;
    return ok_status();
  }

  // How many of the first `count` were started anew by their repeat.
  std::uint64_t repeated(std::uint64_t count) {
    std::uint64_t created = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto one = request(i);
      const auto again = engine_.start(one.workflow, chain_input(i), one.options);
      if (!again || !again.value.existed) ++created;
    }
    return created;
  }

  std::atomic<std::uint64_t> failed{0};

 private:
  BlockingEngine& engine_;
  const std::string prefix_;
  Mutex mutex_;
  CondVar changed_;
  std::uint64_t under_way_ GUARDED_BY(mutex_) = 0;
};

// One workflow, and how long its executions took from the call to the answer with their end.
class Latency {
 public:
  Latency(std::string workflow, std::string prefix)
      : workflow_(std::move(workflow)), prefix_(std::move(prefix)) {}

  Status run_one(BlockingEngine& engine, std::uint64_t i) {
    const auto began = Clock::now();
    std::promise<Answer<ExecutionView>> ended;
    engine.async().start_and_wait(
        Namespace(), {workflow_, chain_input(i)}, std::chrono::seconds(30),
        [&ended](const Answer<ExecutionView>& view) { ended.set_value(view); });
    const Answer<ExecutionView> view = ended.get_future().get();
    if (!view) return Error{ErrorCode::kUnavailable, view.error};
    if (i >= kWarmUp) ms_.push_back(seconds_since(began) * 1000);
    return ok_status();
  }
  void report(Object& line) const {
    line.set(prefix_ + "p50_ms", rounded(percentile(ms_, 0.50)));
    line.set(prefix_ + "p95_ms", rounded(percentile(ms_, 0.95)));
    line.set(prefix_ + "p99_ms", rounded(percentile(ms_, 0.99)));
  }
  const std::string& workflow() const { return workflow_; }

 private:
  const std::string workflow_, prefix_;
  std::vector<double> ms_;
};

}  // namespace

// With `pure`, one of either kind after the other, so that both meet the same machine.
Result<Object> run_latency(const Arguments& arguments) {
  const std::uint64_t n = arguments.n == 0 ? 1'000 : arguments.n;
  auto engine = TRY(open_engine(arguments));
  std::vector<Latency> kinds{{"bench-latency", ""}};
  TRY(deploy(*engine, "bench-latency", kOneTask));
  if (arguments.pure) {
    kinds.emplace_back("bench-latency-pure", "pure_");
    TRY(deploy(*engine, "bench-latency-pure", kOnePureTask));
  }
  for (std::uint64_t i = 0; i < n + kWarmUp; ++i) {
    for (Latency& kind : kinds) TRY(kind.run_one(*engine, i));
  }
  Object line{{"workload", "latency"}, {"executions", n}};
  Checked checked;
  for (const Latency& kind : kinds) {
    kind.report(line);
    checked.add(TRY(check_executions(engine->async().store(), kind.workflow())));
  }
  checked.report(line);
  return line;
}

Result<Object> run_start(const Arguments& arguments) {
  const std::uint64_t n = arguments.n == 0 ? 20'000 : arguments.n;
  auto engine = TRY(open_engine(arguments));
  TRY(deploy(*engine, "bench-start", kOneTask));
  const bool is_http = arguments.through == "http";
  std::unique_ptr<HttpSide> http;
  std::unique_ptr<PageReaders> readers;
  if (is_http || arguments.readers > 0) http = TRY(HttpSide::serve(engine->async()));
  if (arguments.readers > 0) {
    const std::string map = TRY(run_wide_map(*engine, kReadItems));
    readers = std::make_unique<PageReaders>(http->url() + "/v1/executions/" + map + "/history",
                                            arguments.readers);
  }
  Starts starts(*engine, ask_psql(arguments.url, "SELECT extract(epoch FROM clock_timestamp())"));
  const std::uint64_t commits = engine->async().counters().commits;
  Spending spending(arguments.url);
  const auto began = Clock::now();
  if (is_http) {
    TRY(starts.over_http(n, http->port(), arguments.connections));
  } else if (arguments.in_flight > 0) {
    starts.in_flight(n, arguments.in_flight);
  } else {
    starts.by_callers(n, arguments.callers);
  }
  const double seconds = seconds_since(began);
  const std::uint64_t batches = engine->async().counters().commits - commits;
  Object line{{"workload", "start"},
              {"starts_per_s", rounded(static_cast<double>(n) / seconds)},
              {"starts", n},
              {"through", is_http ? "http" : "the library"}};
  if (is_http) {
    line.set("connections", arguments.connections);
  } else if (arguments.in_flight > 0) {
    line.set("in_flight", arguments.in_flight);
  } else {
    line.set("callers", arguments.callers);
  }
  line.set("starts_per_batch", rounded(static_cast<double>(n) / static_cast<double>(batches)));
  spending.report(line, static_cast<double>(n));
  if (readers) {
    line.set("readers", arguments.readers);
    line.set("pages_read", readers->stop());
  }
  line.set("repeats", kRepeats);
  line.set("repeats_that_created", starts.repeated(std::min(kRepeats, n)));
  line.set("failed", starts.failed.load());
  for (const ExecutionView& view : engine->list("bench-start", "RUNNING", 1000).value) {
    (void)engine->wait(view.id, std::chrono::seconds(30));
  }
  TRY(check_executions(engine->async().store(), "bench-start")).report(line);
  return line;
}

}  // namespace stepwell::bench
