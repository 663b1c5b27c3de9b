#include "tests/e2e/chaos/faults.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include <cstdlib>

namespace stepwell::chaos {
namespace {

std::int64_t monotonic_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

void end(pid_t pid) {
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

}  // namespace

Faults::Faults(Servers& servers, Tally& tally, std::uint64_t seed, Millis lease,
               std::function<pid_t(int)> spawn)
    : servers_(servers), tally_(tally), random_(seed), lease_(lease), spawn_(std::move(spawn)) {}

Faults::~Faults() {
  for (const pid_t pid : workers_) end(pid);
}

void Faults::start_workers(int count) {
  for (int i = 0; i < count; ++i) workers_.push_back(spawn_(i));
}

// The first four are one of each kind, so that even a short run has them all.
Status Faults::inject() {
  resume(false);
  const std::uint64_t kind = round_ < 4 ? round_ : random_.below(10);
  ++round_;
  if (kind == 0) return kill_worker();
  if (kind == 1) return stop_worker();
  if (kind == 2) return terminate_backends();
  if (kind == 3) return crash_postgres();
  if (kind <= 6) return kill_worker();
  if (kind <= 8) return terminate_backends();
  return stop_worker();
}

Status Faults::heal() {
  resume(true);
  return servers_.is_running() ? ok_status() : servers_.start();
}

Status Faults::kill_worker() {
  const std::size_t victim = random_.below(workers_.size());
  std::erase_if(stopped_, [&](const Stopped& stopped) { return stopped.worker == victim; });
  end(workers_[victim]);
  tally_.worker_killed++;
  workers_[victim] = spawn_(static_cast<int>(victim));
  return ok_status();
}

// For longer than its lease, so that the others take over what it holds and it wakes up a zombie.
Status Faults::stop_worker() {
  const std::size_t victim = random_.below(workers_.size());
  kill(workers_[victim], SIGSTOP);
  tally_.worker_stopped++;
  stopped_.push_back({victim, monotonic_ms() + 2 * lease_.count()});
  return ok_status();
}

void Faults::resume(bool all) {
  std::erase_if(stopped_, [&](const Stopped& stopped) {
    if (!all && stopped.until_ms > monotonic_ms()) return false;
    kill(workers_[stopped.worker], SIGCONT);
    return true;
  });
}

// Half of the server's clients, as `kill` would hit them: backends of the database, not of us.
Status Faults::terminate_backends() {
  const std::string sql =
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
      "AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND random() < 0.5";
  const std::string command =
      "psql -qAt -d '" + servers_.url() + "' -c \"" + sql + "\" >/dev/null 2>&1";
  if (std::system(command.c_str()) != 0) {
    return Error{ErrorCode::kUnavailable, "psql could not terminate backends: " + command};
  }
  tally_.backend_terminated++;
  return ok_status();
}

Status Faults::crash_postgres() {
  TRY(servers_.crash());
  tally_.postgres_crashed++;
  return ok_status();
}

Status Faults::fail_over() {
  TRY(servers_.fail_over());
  tally_.failed_over++;
  return ok_status();
}

}  // namespace stepwell::chaos
