#include "tests/sim/run.h"

#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <sstream>

namespace stepwell::sim {
namespace {

constexpr std::size_t kTellAtMost = 10;

std::string first_difference(const std::string& one, const std::string& other) {
  const auto at = std::mismatch(one.begin(), one.end(), other.begin(), other.end());
  const auto line = [](const std::string& text, std::string::const_iterator where) {
    const auto offset = static_cast<std::size_t>(where - text.begin());
    const std::size_t begin = offset == 0 ? 0 : text.rfind('\n', offset - 1) + 1;
    return text.substr(begin, text.find('\n', offset) - begin);
  };
  return fmt::format("two runs differ: \"{}\" and \"{}\"", line(one, at.first),
                     line(other, at.second));
}

std::string why_failed(const Plan& plan, std::uint64_t seed, Tally& tally) {
  const Outcome one = run_seed(seed, plan.mutant, tally);
  if (!one.broken.empty() || !plan.is_twice) return one.broken;
  Tally second;
  const Outcome other = run_seed(seed, plan.mutant, second);
  return one.log == other.log ? "" : first_difference(one.log, other.log);
}

Report run_part(const Plan& plan, unsigned part) {
  Report report;
  for (std::uint64_t i = part; i < plan.count; i += plan.processes) {
    const std::uint64_t seed = plan.first + i;
    std::string why = why_failed(plan, seed, report.tally);
    if (why.empty()) continue;
    ++report.failed;
    if (report.failures.size() < kTellAtMost) report.failures.push_back({seed, std::move(why)});
  }
  return report;
}

// ---- a report as lines, from a process to its parent

std::string written(const Report& report) {
  std::string text = fmt::format("failed {}\n", report.failed);
  for (const Failure& failure : report.failures) {
    text += fmt::format("seed {} {}\n", failure.seed, failure.why);
  }
  for (const auto& [what, times] : report.tally.counts()) {
    text += fmt::format("count {} {}\n", times, what);
  }
  return text + "end\n";
}

// False: the process did not come to its end.
bool read_into(Report& report, const std::string& text) {
  std::istringstream lines(text);
  std::string word, rest;
  while (lines >> word && word != "end") {
    std::uint64_t number = 0;
    lines >> number;
    std::getline(lines, rest);
    if (!rest.empty()) rest.erase(0, 1);
    if (word == "failed") report.failed += number;
    if (word == "seed") report.failures.push_back({number, rest});
    if (word == "count") report.tally.count(rest, number);
  }
  return word == "end";
}

struct Worker {
  pid_t pid = -1;
  int pipe = -1;
};

Worker start_worker(const Plan& plan, unsigned part) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("no pipe can be made");
  const pid_t pid = fork();
  if (pid < 0) throw std::runtime_error("no process can be made");
  if (pid > 0) {
    close(ends[1]);
    return {pid, ends[0]};
  }
  close(ends[0]);
  const std::string text = written(run_part(plan, part));
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t wrote = write(ends[1], text.data() + done, text.size() - done);
    if (wrote <= 0) _exit(2);
    done += static_cast<std::size_t>(wrote);
  }
  _exit(0);
}

std::string all_of(const Worker& worker) {
  std::string text;
  char buffer[4'096];
  while (true) {
    const ssize_t got = read(worker.pipe, buffer, sizeof buffer);
    if (got <= 0) break;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  close(worker.pipe);
  int status = 0;
  waitpid(worker.pid, &status, 0);
  return text;
}

}  // namespace

Report run(const Plan& plan) {
  using Steady = std::chrono::steady_clock;
  const auto began = Steady::now();
  Report report;
  if (plan.processes <= 1) {
    report = run_part(plan, 0);
  } else {
    std::vector<Worker> workers;
    for (unsigned i = 0; i < plan.processes; ++i) workers.push_back(start_worker(plan, i));
    for (const Worker& worker : workers) {
      if (read_into(report, all_of(worker))) continue;
      ++report.failed;
      report.failures.push_back({0, "a process of the simulation died"});
    }
  }
  std::sort(report.failures.begin(), report.failures.end(),
            [](const Failure& a, const Failure& b) { return a.seed < b.seed; });
  report.seconds = std::chrono::duration<double>(Steady::now() - began).count();
  return report;
}

}  // namespace stepwell::sim
