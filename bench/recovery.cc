// recovery: a worker is killed with -9 in the middle of a thousand chains, and started again.
#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "bench/worker.h"
#include "engine/postgres/postgres.h"

namespace stepwell::bench {
namespace {

constexpr std::uint64_t kInFlight = 300;
constexpr std::uint64_t kSteps = 10;
constexpr std::uint64_t kRaisedPayload = 1u << 30;

struct Recovery {
  double resume_p50 = 0, resume_max = 0, complete = 0;
  std::uint64_t cut = 0, repeated = 0;
};

// In the first seconds of a server nobody counts as gone (stepwell_gone_v1 in sql/engine): a kill
// then would measure that grace.
Status wait_for_grace(const std::string& url) {
  const auto began = Clock::now();
  while (seconds_since(began) < 30) {
    const std::string is_over =
        ask_psql(url,
                 "SELECT stepwell.stepwell_cut_off_v1() < clock_timestamp() - "
                 "stepwell.stepwell_grace_v1()");
    if (is_over == "t") return ok_status();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return Error{ErrorCode::kUnavailable, "the server's first seconds do not end"};
}

Status wait_for_ends(Engine& engine, const std::vector<ExecutionId>& ids) {
  for (const ExecutionId id : ids) {
    const auto view = engine.wait(id.text(), std::chrono::seconds(60));
    if (!view) return Error{ErrorCode::kUnavailable, "lost: " + view.error};
  }
  return ok_status();
}

Result<Recovery> recover_once(BlockingEngine& caller, const Arguments& arguments, std::uint64_t n) {
  store::Store& store = caller.async().store();
  Arguments worker = arguments;
  worker.shared = "/tmp/stepwell-bench-" + std::to_string(getpid());
  worker.kill_at = n * kSteps * 4 / 10;
  SharedCounts& counts = map_counts(worker.shared);
  counts.task_runs = 0;
  std::vector<ExecutionId> ids;
  for (std::uint64_t i = 0; i < n; ++i) {
    const auto started = caller.start("bench-recovery", chain_input(i));
    if (!started) return Error{ErrorCode::kUnavailable, started.error};
    ids.push_back({*Uuid::parse(started.value.id)});
  }
  WorkerProcess first(worker);
  first.wait();  // It kills itself in the task that is the last.
  const Time killed = TRY(store.now());
  const auto killed_here = Clock::now();
  worker.kill_at = 0;
  WorkerProcess second(worker);  // At once, on the same node.
  TRY(wait_for_ends(caller, ids));
  Recovery recovery;
  recovery.complete = seconds_since(killed_here);
  std::vector<double> resumes;
  for (const ExecutionId id : ids) {
    const auto rows = TRY(store.journal(Namespace(), id, 0, 100));
    // Cut off: begun before the kill, and not ended then.
    if (rows.size() < 2 || rows[1].at > killed || rows.back().at <= killed) continue;
    for (const store::JournalRow& row : rows) {
      if (row.at <= killed) continue;
      resumes.push_back(static_cast<double>((row.at - killed).count()) / 1000);
      break;
    }
  }
  recovery.cut = resumes.size();
  recovery.resume_p50 = percentile(resumes, 0.5);
  recovery.resume_max = percentile(resumes, 1.0);
  recovery.repeated = counts.task_runs - n * kSteps;
  unlink(worker.shared.c_str());
  return recovery;
}

}  // namespace

SharedCounts& map_counts(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  CHECK(file >= 0 && ftruncate(file, sizeof(SharedCounts)) == 0, "cannot make " + path);
  void* page = mmap(nullptr, sizeof(SharedCounts), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  CHECK(page != MAP_FAILED, "cannot map " + path);
  close(file);
  return *static_cast<SharedCounts*>(page);
}

WorkerProcess::WorkerProcess(const Arguments& arguments) {
  std::string words[] = {"stepwell-bench", "worker",
                         "--database",     arguments.url,
                         "--shared",       arguments.shared,
                         "--kill-at",      std::to_string(arguments.kill_at),
                         "--lanes",        std::to_string(arguments.lanes)};
  char* argv[std::size(words) + 1] = {};
  for (std::size_t i = 0; i < std::size(words); ++i) argv[i] = words[i].data();
  CHECK(posix_spawn(&pid_, "/proc/self/exe", nullptr, nullptr, argv, environ) == 0,
        "cannot start a worker");
}

WorkerProcess::~WorkerProcess() { kill(); }

void WorkerProcess::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  wait();
}

void WorkerProcess::wait() {
  if (pid_ > 0) waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

namespace {

// A worker of `recovery` keeps 300 executions in flight, no more.
Answer<std::unique_ptr<BlockingEngine>> open_worker(const Arguments& arguments) {
  Options options;
  options.max_payload_bytes = kRaisedPayload;
  runtime::Settings settings;
  settings.label = "bench-worker";
  settings.lanes = arguments.lanes != 0 ? arguments.lanes : std::thread::hardware_concurrency();
  if (arguments.kill_at != 0) settings.max_held = kInFlight / settings.lanes;
  auto store = postgres::open_store({.url = arguments.url, .label = settings.label});
  if (!store.ok()) return {{}, Code::kUnavailable, store.error().message};
  auto engine = std::make_shared<runtime::AsyncEngine>(std::move(*store), options, settings);
  return {std::make_unique<BlockingEngine>(std::move(engine)), Code::kOk, {}};
}

}  // namespace

void run_worker(const Arguments& arguments) {
  auto engine = open_worker(arguments);
  if (!engine) {
    fmt::print(stderr, "worker: {}\n", engine.error);
    _exit(1);
  }
  SharedCounts* counts = arguments.shared.empty() ? nullptr : &map_counts(arguments.shared);
  engine.value->task("bench.noop",
                     [counts, kill_at = arguments.kill_at](const TaskInput& input) {
                       const std::uint64_t run = counts == nullptr ? 0 : ++counts->task_runs;
                       if (kill_at != 0 && run == kill_at) ::kill(getpid(), SIGKILL);
                       return TaskAnswer::ok(input.input);
                     },
                     {.quick = true});
  if (const auto running = engine.value->run(); !running) {
    fmt::print(stderr, "worker: {}\n", running.error);
    _exit(1);
  }
  while (getppid() != 1) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  _exit(0);  // Our caller is gone.
}

Result<Object> run_recovery(const Arguments& arguments) {
  const std::uint64_t n = arguments.n == 0 ? 1'000 : arguments.n;
  Options options;
  options.database_url = arguments.url;
  options.migrate = true;
  auto caller = BlockingEngine::open(options);  // Runs no lanes: workers do.
  if (!caller) return Error{ErrorCode::kUnavailable, caller.error};
  BlockingEngine& engine = *caller.value;
  TRY(deploy(engine, "bench-recovery", kChain));
  TRY(wait_for_grace(arguments.url));
  Value::Array runs;
  double worst = 0;
  for (unsigned i = 0; i < arguments.repeats; ++i) {
    const Recovery run = TRY(recover_once(engine, arguments, n));
    worst = std::max(worst, run.resume_max);
    runs.push_back(Object{{"cut_off", run.cut},
                          {"resume_p50_s", rounded(run.resume_p50)},
                          {"resume_max_s", rounded(run.resume_max)},
                          {"complete_s", rounded(run.complete)},
                          {"repeated_steps", run.repeated}});
  }
  Object line{{"workload", "recovery"},  {"executions", n},
              {"in_flight", kInFlight},  {"lease_s", options.lease.count() / 1000},
              {"runs", std::move(runs)}, {"resume_worst_s", rounded(worst)}};
  const Checked checked = TRY(check_executions(engine.async().store(), "bench-recovery"));
  checked.report(line);
  line.set("lost", checked.running + checked.wrong);
  return line;
}

}  // namespace stepwell::bench
