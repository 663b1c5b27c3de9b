// fanout, map, timers: one execution with many items, and many that wait.
#include <fmt/core.h>
#include <signal.h>
#include <sys/wait.h>

#include <atomic>
#include <thread>

#include "base/sync/mutex.h"
#include "bench/bench.h"
#include "bench/worker.h"

namespace stepwell::bench {
namespace {

constexpr std::uint64_t kRaisedPayload = 1u << 30;
constexpr std::chrono::minutes kPatience{10};

std::string map_definition(unsigned at_once) {
  return fmt::format(
      R"({{"StartAt":"Each","States":{{"Each":{{"Type":"Map","MaxConcurrency":{},"ItemProcessor":)"
      R"({{"StartAt":"Do","States":{{"Do":{{"Type":"Task","Resource":"bench.noop",)"
      R"("End":true}}}}}},"End":true}}}}}})",
      at_once);
}

std::string items(std::uint64_t count) {
  std::string text = "[";
  for (std::uint64_t i = 0; i < count; ++i) {
    if (i > 0) text += ',';
    text += std::to_string(1'000'000 + i);
  }
  return text + "]";
}

struct MapRun {
  std::string id;
  double seconds = 0;
};

Result<MapRun> map_once(Engine& engine, const std::string& workflow, std::uint64_t count) {
  const std::string input = items(count);
  const auto began = Clock::now();
  const auto started = engine.start(workflow, input);
  if (!started) return Error{ErrorCode::kUnavailable, started.error};
  const auto ended = engine.wait(started.value.id, kPatience);
  const double seconds = seconds_since(began);
  if (!ended) return Error{ErrorCode::kUnavailable, ended.error};
  if (ended.value.output != input) {
    return Error{ErrorCode::kInternal,
                 "the map ended " + ended.value.status + " with another output: " +
                     ended.value.error.value_or("") + " " + ended.value.cause.value_or("")};
  }
  return MapRun{started.value.id, seconds};
}

// Until the journal of the execution is that long; its length then.
Result<std::uint64_t> wait_for_facts(store::Store& store, ExecutionId id, std::uint64_t seq) {
  const auto began = Clock::now();
  while (seconds_since(began) < 60) {
    const auto rows = TRY(store.journal(Namespace(), id, seq - 1, 1));
    if (!rows.empty()) return rows.front().seq;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return Error{ErrorCode::kUnavailable, "the map does not go on"};
}

// Seconds from the kill of its process in the middle until the map goes on.
Result<double> resume_of_killed_map(BlockingEngine& caller, const Arguments& arguments,
                                    std::uint64_t count) {
  store::Store& store = caller.async().store();
  WorkerProcess first(arguments);
  const auto started = caller.start("bench-map", items(count));
  if (!started) return Error{ErrorCode::kUnavailable, started.error};
  const ExecutionId id{*Uuid::parse(started.value.id)};
  TRY(wait_for_facts(store, id, count / 2));
  first.kill();
  const auto killed = Clock::now();
  std::uint64_t seq = count / 2;
  while (true) {  // What is durable of it, exactly.
    const auto rows = TRY(store.journal(Namespace(), id, seq, 1'000));
    if (rows.empty()) break;
    seq = rows.back().seq;
  }
  WorkerProcess second(arguments);
  TRY(wait_for_facts(store, id, seq + 1));
  const double resumed = seconds_since(killed);
  const auto ended = caller.wait(started.value.id, kPatience);
  if (!ended || ended.value.status != "SUCCEEDED") {
    return Error{ErrorCode::kInternal, "the killed map ended " + ended.value.status + ended.error};
  }
  return resumed;
}

}  // namespace

Result<std::string> run_wide_map(BlockingEngine& engine, std::uint64_t count) {
  TRY(deploy(engine, "bench-wide", map_definition(40)));
  return TRY(map_once(engine, "bench-wide", count)).id;
}

Result<Object> run_fanout(const Arguments& arguments) {
  const std::vector<std::uint64_t> sizes = arguments.n == 0
                                               ? std::vector<std::uint64_t>{5'000, 50'000}
                                               : std::vector<std::uint64_t>{arguments.n};
  auto engine = TRY(open_engine(arguments, kRaisedPayload));
  TRY(deploy(*engine, "bench-fanout", map_definition(40)));
  TRY(map_once(*engine, "bench-fanout", 1'000));  // Warm up.
  Value::Array runs;
  double first_us = 0, last_us = 0;
  for (const std::uint64_t size : sizes) {
    const MapRun run = TRY(map_once(*engine, "bench-fanout", size));
    last_us = run.seconds / static_cast<double>(size) * 1e6;
    if (first_us == 0) first_us = last_us;
    runs.push_back(Object{{"items", size},
                          {"items_per_s", rounded(static_cast<double>(size) / run.seconds)},
                          {"us_per_item", rounded(last_us)}});
  }
  Object line{{"workload", "fanout"},
              {"in_flight", 40},
              {"runs", std::move(runs)},
              {"cost_ratio", rounded(last_us / first_us)},
              {"max_payload_bytes", kRaisedPayload},
              {"note", "the payload limit is raised: the input is a list of ids"}};
  TRY(check_executions(engine->async().store(), "bench-fanout")).report(line);
  return line;
}

Result<Object> run_map(const Arguments& arguments) {
  const std::uint64_t n = arguments.n == 0 ? 100'000 : arguments.n;
  Object line{{"workload", "map"}, {"items", n}, {"in_flight", 40}};
  {
    auto engine = TRY(open_engine(arguments, kRaisedPayload));
    TRY(deploy(*engine, "bench-map", map_definition(40)));
    TRY(map_once(*engine, "bench-map", 1'000));  // Warm up.
    double small = 1e9;
    for (int i = 0; i < 5; ++i) {
      small = std::min(small, TRY(map_once(*engine, "bench-map", 1'000)).seconds);
    }
    const MapRun large = TRY(map_once(*engine, "bench-map", n));
    const double small_us = small / 1'000 * 1e6;
    const double large_us = large.seconds / static_cast<double>(n) * 1e6;
    line.set("us_per_item_of_1000", rounded(small_us));
    line.set("us_per_item", rounded(large_us));
    line.set("cost_ratio", rounded(large_us / small_us));
    line.set("snapshots", engine->async().counters().snapshots.load());
    const auto began = Clock::now();
    const auto page = engine->history(large.id, {.next = {}, .newest_first = true});
    if (!page) return Error{ErrorCode::kInternal, page.error};
    line.set("last_history_page_s", rounded(seconds_since(began)));
    const auto event = page.value.events.empty() ? Value() : *parse_json(page.value.events.front());
    if (const Value* type = event.find("type")) line.set("last_event", *type);
    if (const Value* id = event.find("id")) line.set("events", *id);
  }
  Options options;
  options.database_url = arguments.url;
  options.max_payload_bytes = kRaisedPayload;
  auto caller = BlockingEngine::open(options);  // Runs no lanes: workers do.
  if (!caller) return Error{ErrorCode::kUnavailable, caller.error};
  line.set("killed_goes_on_s", rounded(TRY(resume_of_killed_map(*caller.value, arguments, n))));
  TRY(check_executions(caller.value->async().store(), "bench-map")).report(line);
  return line;
}

Result<Object> run_timers(const Arguments& arguments) {
  const std::uint64_t n = arguments.n == 0 ? 5'000 : arguments.n;
  auto engine = TRY(open_engine(arguments));
  TRY(deploy(*engine, "bench-timers",
             R"({"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":5,"End":true}}})"));
  Mutex mutex;
  std::vector<double> from_call;
  std::vector<std::string> ids;
  std::atomic<std::uint64_t> over{0}, failed{0};
  for (std::uint64_t i = 0; i < n; ++i) {
    const auto called = Clock::now();
    const auto ended = [&, called] {
      const double late = (seconds_since(called) - 5) * 1000;
      const MutexLock lock(mutex);
      from_call.push_back(late);
      ++over;
    };
    engine->async().start(
        Namespace(), {"bench-timers", chain_input(i)},
        [&, ended](const Answer<StartedExecution>& answer) {
          if (!answer || !engine->async().when_released(Namespace(), answer.value.id, ended)) {
            ++failed;
            ++over;
            return;
          }
          const MutexLock lock(mutex);
          ids.push_back(answer.value.id);
        });
  }
  while (over < n) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  std::vector<double> from_start;
  for (const std::string& id : ids) {
    const auto view = engine->describe(id);
    const auto from = parse_rfc3339(view.value.started_at), to = parse_rfc3339(view.value.ended_at);
    if (from && to) from_start.push_back(static_cast<double>((*to - *from).count()) - 5'000);
  }
  Object line{{"workload", "timers"},
              {"executions", n},
              {"wait_s", 5},
              {"late_from_start_p50_ms", rounded(percentile(from_start, 0.50))},
              {"late_from_start_p99_ms", rounded(percentile(from_start, 0.99))},
              {"late_from_call_p50_ms", rounded(percentile(from_call, 0.50))},
              {"late_from_call_p99_ms", rounded(percentile(from_call, 0.99))},
              {"failed", failed.load()}};
  TRY(check_executions(engine->async().store(), "bench-timers")).report(line);
  return line;
}

}  // namespace stepwell::bench
