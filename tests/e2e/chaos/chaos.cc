// stepwell-chaos — the crash test: thousands of executions, four workers, and everything that can
// happen to a process or a database happening to them.
//
//   stepwell-chaos [--seed S] [--minutes M] [--workers N] [--directory D] [--failovers N]
//
// While executions are started (by name, again and again when the answer is lost), workers are
// killed, stopped beyond their lease, cut off from the database, and the database itself crashes.
// Then the faults end, all executions must reach the end that plain arithmetic foretells, and every
// journal must fold to what its row says.  Exits 0 only if nothing was lost, stuck, wrong or
// doubled and every fault and way of recovery was hit.
//
// With --failovers the database is a synchronous pair instead, and its primary dies N times under
// load; nothing else does, so whoever is taken for dead is taken for it wrongly.
#include <fmt/core.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "base/sync/mutex.h"
#include "engine/postgres/postgres.h"
#include "stepwell/engine.h"
#include "tests/e2e/chaos/faults.h"
#include "tests/e2e/chaos/plan.h"
#include "tests/e2e/chaos/servers.h"
#include "tests/e2e/chaos/tally.h"
#include "tests/e2e/chaos/verdict.h"
#include "tests/e2e/chaos/worker.h"

namespace stepwell::chaos {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kWorkflows = 40;
constexpr std::size_t kStartsPerRound = 40;
constexpr unsigned kCallers = 8;
constexpr int kRoundMs = 200;  // Between two rounds of starts.
constexpr int kRoundsBetweenFailovers = 10;
constexpr std::size_t kRoundsInAFailover = 5;
constexpr int kLookMs = 250;                  // Between two looks at what still runs.
constexpr std::chrono::seconds kSettle{120};  // For the rest to end after the last fault.

struct Settings {
  std::uint64_t seed = 1;
  double minutes = 1;
  int workers = 4;
  int failovers = 0;
  std::string directory;
};

// The pace of the load, not a wait for something to happen.
void pause_ms(int ms) { poll(nullptr, 0, ms); }

// Starts executions until the time is over; what could not be acknowledged is asked for again.
class Starter {
 public:
  Starter(Engine& engine, std::vector<Workflow> workflows, std::uint64_t seed, Tally& tally)
      : engine_(engine), workflows_(std::move(workflows)), random_(seed), tally_(tally) {}

  void start_some(std::size_t count) {
    const std::size_t first = expected.size();
    for (std::size_t i = 0; i < count; ++i) {
      const Workflow& workflow = workflows_[random_.below(workflows_.size())];
      const auto v = static_cast<std::int64_t>(random_.below(20)) - 10;
      expected.push_back(
          {workflow.name, fmt::format("e{}", expected.size()), {}, workflow.expected(v)});
      inputs_.push_back(fmt::format(R"({{"v":{}}})", v));
    }
    std::atomic<std::size_t> next{first};
    std::vector<std::thread> callers;
    for (unsigned caller = 0; caller < kCallers; ++caller) {
      callers.emplace_back([&] {
        for (std::size_t i = next++; i < first + count; i = next++) start(i);
      });
    }
    for (std::thread& caller : callers) caller.join();
    // A repeat of something old must answer the same execution.
    start(random_.below(expected.size()));
    tally_.starts_repeated++;
  }

  // Everything that has no acknowledged id yet, once more.
  void start_again() {
    for (std::size_t i = 0; i < expected.size(); ++i) {
      if (!expected[i].id.empty()) continue;
      tally_.starts_repeated++;
      start(i);
    }
  }

  std::vector<Expected> expected;
  // Starts that answered another id than before.
  std::vector<std::string> broken() {
    const MutexLock lock(mutex_);
    return broken_;
  }

 private:
  void start(std::size_t i) {
    Expected& one = expected[i];
    auto answer = engine_.start(one.workflow, inputs_[i], {.name = one.name});
    if (!answer) return;  // The database is away, or the answer was lost: again later.
    if (!one.id.empty() && one.id != answer.value.id) {
      const MutexLock lock(mutex_);
      broken_.push_back(one.name + ": " + one.id + " and " + answer.value.id);
    }
    one.id = answer.value.id;
  }

  Engine& engine_;
  std::vector<Workflow> workflows_;
  std::vector<std::string> inputs_;
  Random random_;
  Tally& tally_;
  Mutex mutex_;
  std::vector<std::string> broken_ GUARDED_BY(mutex_);
};

// This program again, as a worker: a fork alone would inherit locks of our threads.
pid_t spawn_worker(const std::string& url, int number, const std::string& tally_path) {
  std::string words[] = {"stepwell-chaos", "--worker", std::to_string(number), "--database", url,
                         "--tally",        tally_path};
  char* arguments[std::size(words) + 1] = {};
  for (std::size_t i = 0; i < std::size(words); ++i) arguments[i] = words[i].data();
  pid_t pid = -1;
  posix_spawn(&pid, "/proc/self/exe", nullptr, nullptr, arguments, environ);
  return pid;
}

std::uint64_t count_running(Engine& engine) {
  auto running = engine.list("", "RUNNING", 1000);
  return running ? running.value.size() : UINT64_MAX;
}

void report(const char* what, std::initializer_list<std::pair<const char*, std::uint64_t>> counts) {
  std::string line = what;
  for (const auto& [name, count] : counts) line += fmt::format("  {} {}", name, count);
  std::printf("%s\n", line.c_str());
}

// Prints the counters; false when one that must be hit was not.
bool report_tally(const Tally& tally) {
  report("faults:  ", {{"worker killed", tally.worker_killed},
                       {"worker stopped", tally.worker_stopped},
                       {"backends terminated", tally.backend_terminated},
                       {"postgres crashed", tally.postgres_crashed}});
  report("recovery:", {{"marked dead by evidence", tally.marked_by_evidence},
                       {"by lease", tally.marked_by_lease},
                       {"executions freed", tally.executions_freed},
                       {"zombies fenced", tally.fenced},
                       {"reconnected", tally.reconnected},
                       {"batch had landed", tally.batch_landed},
                       {"batch sent again", tally.batch_sent_again},
                       {"journals folded", tally.journals_folded},
                       {"starts repeated", tally.starts_repeated}});
  const std::uint64_t all[] = {tally.worker_killed,      tally.worker_stopped,
                               tally.backend_terminated, tally.postgres_crashed,
                               tally.marked_by_evidence, tally.marked_by_lease,
                               tally.executions_freed,   tally.fenced,
                               tally.reconnected,        tally.batch_sent_again,
                               tally.journals_folded,    tally.starts_repeated};
  for (const std::uint64_t count : all) {
    if (count == 0) return false;
  }
  return true;
}

// The faults are over: everything gets to its end.
Status settle(Faults& faults, Starter& starter, Engine& engine) {
  TRY(faults.heal());
  starter.start_again();
  const auto deadline = Clock::now() + kSettle;
  while (Clock::now() < deadline && count_running(engine) != 0) pause_ms(kLookMs);
  starter.start_again();
  return ok_status();
}

Status play_failovers(const Settings& settings, Faults& faults, Starter& starter, Engine& engine) {
  faults.start_workers(settings.workers);
  for (int i = 0; i < settings.failovers; ++i) {
    for (int round = 0; round < kRoundsBetweenFailovers; ++round) {
      starter.start_some(kStartsPerRound);
      pause_ms(kRoundMs);
    }
    Status status = ok_status();
    std::thread failing([&] { status = faults.fail_over(); });
    starter.start_some(kStartsPerRound * kRoundsInAFailover);  // While it goes on.
    failing.join();
    TRY(status);
  }
  return settle(faults, starter, engine);
}

Status play(const Settings& settings, Faults& faults, Starter& starter, Engine& engine) {
  faults.start_workers(settings.workers);
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                      std::chrono::duration<double>(settings.minutes * 60));
  auto next_fault = Clock::now() + std::chrono::milliseconds(1500);
  while (Clock::now() < end) {
    starter.start_some(kStartsPerRound);
    pause_ms(kRoundMs);
    if (Clock::now() < next_fault) continue;
    TRY(faults.inject());
    next_fault = Clock::now() + std::chrono::milliseconds(1000);
  }
  return settle(faults, starter, engine);
}

// What there is to see of a run of failovers; false when somebody was taken for dead.
bool report_failovers(const Tally& tally) {
  report("failovers:", {{"in all", tally.failed_over},
                        {"marked dead by evidence", tally.marked_by_evidence},
                        {"by lease", tally.marked_by_lease},
                        {"reconnected", tally.reconnected},
                        {"batch had landed", tally.batch_landed},
                        {"batch sent again", tally.batch_sent_again},
                        {"starts repeated", tally.starts_repeated}});
  return tally.marked_by_evidence + tally.marked_by_lease == 0 && tally.reconnected > 0;
}

Result<bool> run(const Settings& settings) {
  const std::string tally_path = settings.directory + "/tally";
  Tally& tally = map_tally(tally_path);
  const auto servers = TRY(Servers::open(settings.directory, settings.failovers > 0));
  Faults faults(*servers, tally, settings.seed, kLease,
                [&](int number) { return spawn_worker(servers->url(), number, tally_path); });
  Options options;
  options.database_url = servers->url();
  options.label = "chaos-starter";
  options.migrate = true;
  auto opened = Engine::open(options);
  if (!opened) return Error{ErrorCode::kUnavailable, opened.error};
  Engine& engine = *opened.value;
  const auto workflows = make_workflows(settings.seed, kWorkflows);
  for (const Workflow& workflow : workflows) {
    auto deployed = engine.deploy_text(workflow.name, workflow.definition);
    if (!deployed) return Error{ErrorCode::kInvalid, deployed.error};
  }
  Starter starter(engine, workflows, settings.seed ^ 0x5eed, tally);
  const auto playing = settings.failovers > 0 ? play_failovers : play;
  TRY(playing(settings, faults, starter, engine));

  auto store = TRY(postgres::open_store({.url = servers->url(), .label = "chaos"}));
  const Verdict verdict = TRY(judge(*store, starter.expected));
  for (const std::string& example : verdict.examples) std::printf("  %s\n", example.c_str());
  for (const std::string& twice : starter.broken())
    std::printf("  started twice: %s\n", twice.c_str());
  const bool all_hit = settings.failovers > 0 ? report_failovers(tally) : report_tally(tally);
  report("verdict: ", {{"executions", verdict.checked},
                       {"lost", verdict.lost},
                       {"stuck", verdict.stuck},
                       {"wrong", verdict.wrong},
                       {"fold differs", verdict.mismatched},
                       {"duplicate", verdict.duplicate + starter.broken().size()}});
  if (!all_hit) {
    std::printf("%s\n", settings.failovers > 0
                            ? "a healthy process was taken for dead, or nobody was cut off"
                            : "a fault or a way of recovery was not hit: run longer, or look why");
  }
  return verdict.is_good() && starter.broken().empty() && all_hit;
}

}  // namespace
}  // namespace stepwell::chaos

int main(int count, char** words) {
  using namespace stepwell::chaos;
  Settings settings;
  WorkerOptions worker;
  std::string tally_path;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string flag = words[i];
    if (flag == "--seed") settings.seed = std::strtoull(words[i + 1], nullptr, 10);
    if (flag == "--minutes") settings.minutes = std::strtod(words[i + 1], nullptr);
    if (flag == "--failovers") settings.failovers = std::atoi(words[i + 1]);
    if (flag == "--workers") settings.workers = std::atoi(words[i + 1]);
    if (flag == "--directory") settings.directory = words[i + 1];
    if (flag == "--worker") worker.number = std::atoi(words[i + 1]);
    if (flag == "--database") worker.database_url = words[i + 1];
    if (flag == "--tally") tally_path = words[i + 1];
  }
  if (!worker.database_url.empty()) work(worker, map_tally(tally_path));
  std::string scratch;
  if (settings.directory.empty()) {
    scratch = "/tmp/stepwell-chaos-XXXXXX";
    if (mkdtemp(scratch.data()) == nullptr) return 2;
    chmod(scratch.c_str(), 0755);  // The servers may run as another user.
    settings.directory = scratch;
  }
  std::printf(
      "seed %llu, %g minutes, %d workers; again with: ./dev chaos --seed %llu --minutes %g\n",
      static_cast<unsigned long long>(settings.seed), settings.minutes, settings.workers,
      static_cast<unsigned long long>(settings.seed), settings.minutes);
  std::fflush(stdout);
  const auto good = run(settings);
  if (!scratch.empty()) std::filesystem::remove_all(scratch);
  if (!good.ok()) {
    std::fprintf(stderr, "stepwell-chaos: %s\n", good.error().message.c_str());
    return 2;
  }
  std::printf("%s\n", *good ? "good" : "NOT GOOD");
  return *good ? 0 : 1;
}
