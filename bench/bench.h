// What the workloads share: an engine, the clock, what the machine spent, and the checker.
#pragma once

#include <stepwell/engine.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/value.h"
#include "engine/runtime/blocking_engine.h"

namespace stepwell::bench {

struct Arguments {
  std::string workload;
  std::string url;
  std::uint64_t n = 0;           // 0: the workload's own.
  unsigned lanes = 0;            // 0: the engine's own.
  unsigned repeats = 1;          // Of `recovery`.
  unsigned connections = 100;    // Of clients over HTTP.
  std::uint64_t window = 2'000;  // Executions that the caller of `chain` keeps running at once.
  unsigned callers = 20;         // Of `start`: threads that wait for each of their starts,
  std::uint64_t in_flight = 0;   // or one thread that keeps so many under way,
  std::string through;           // or "http", over `connections`.
  unsigned readers = 0;          // Read a long history over HTTP beside it.
  bool pure = false;             // `latency`: also of a task that is declared pure.
  std::string shared;            // Worker processes: the file of their counters.
  std::uint64_t kill_at = 0;     // Worker processes: the count of task runs that is their last.
};

using Clock = std::chrono::steady_clock;
inline double seconds_since(Clock::time_point from) {
  return std::chrono::duration<double>(Clock::now() - from).count();
}

// CPU time and WAL since it was made.
class Spending {
 public:
  explicit Spending(std::string url);
  // Adds "cpu_s", "engine_cpu_s", "wal_bytes" and "table_bytes", whole and per step.
  void report(Object& line, double steps) const;

 private:
  std::string url_, server_pid_;
  double engine_cpu_, postgres_cpu_, wal_, tables_;
};

// Opened and running, with the task "bench.noop" that returns the object it was given, and
// "bench.pure", which does the same and is declared pure.
using runtime::BlockingEngine;
Result<std::unique_ptr<BlockingEngine>> open_engine(const Arguments& arguments,
                                                    std::uint64_t max_payload_bytes = 262'144);
Status deploy(Engine& engine, const std::string& name, const std::string& definition);

// Ten sequential tasks, each of which is given and returns ~100 bytes.
extern const char* const kChain;
extern const char* const kOneTask;
extern const char* const kOnePureTask;
std::string chain_input(std::uint64_t number);
// Runs a Map of so many items to its end; answers its execution's id.
Result<std::string> run_wide_map(BlockingEngine& engine, std::uint64_t items);

// Folds the journals of a workflow's executions (of a sample, above 100,000) and holds them against
// their rows.
struct Checked {
  std::uint64_t executions = 0, folded = 0, wrong = 0, running = 0;
  std::string example;
  void add(const Checked& others);
  void report(Object& line) const;
  bool is_good() const { return wrong == 0 && running == 0; }
};
Result<Checked> check_executions(store::Store& store, const std::string& workflow);

// The value below which that part of them lies.
double percentile(std::vector<double> values, double part);
// Two or three digits that say something.
double rounded(double value);

// One column of one row, from psql; empty when it could not be asked.
std::string ask_psql(const std::string& url, const std::string& sql);

// ---- the workloads; each answers the line to print
Result<Object> run_chain(const Arguments& arguments);
Result<Object> run_fanout(const Arguments& arguments);
Result<Object> run_map(const Arguments& arguments);
Result<Object> run_latency(const Arguments& arguments);
Result<Object> run_start(const Arguments& arguments);
Result<Object> run_timers(const Arguments& arguments);
Result<Object> run_pure(const Arguments& arguments);  // Needs no database.
Result<Object> run_http(const Arguments& arguments);  // The same.
Result<Object> run_recovery(const Arguments& arguments);
[[noreturn]] void run_worker(const Arguments& arguments);

// One line per case: {"id", "ns"}, the best of several rounds.  0, or 2 when a file cannot be read.
int run_jsonata(const std::string& cases, const std::string& datasets);

}  // namespace stepwell::bench
