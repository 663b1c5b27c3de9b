// stepwell-sim — a cluster, its clients and its faults in virtual time, from a seed.
#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "tests/sim/mutants.h"
#include "tests/sim/run.h"

namespace stepwell::sim {
namespace {

constexpr std::uint64_t kCountsFrom = 2'000;  // Fewer seeds may not meet everything.
constexpr double kCaught = 0.025;             // Of the seeds, by which each mutant is.

int usage() {
  fmt::print(stderr,
             "stepwell-sim [--seeds N] [--first S] [--twice]    run N seeds (2,000)\n"
             "stepwell-sim --seed S                             run one, and print its log\n"
             "stepwell-sim --mutants [--seeds N]                each protection taken out\n"
             "  --processes P     how many run at once (one per core)\n"
             "  --mutant NAME     without that protection\n");
  return 2;
}

std::string command(const Plan& plan, std::uint64_t seed) {
  const std::string mutant =
      plan.mutant == Mutant::kNone ? "" : " --mutant " + name_of(plan.mutant);
  return fmt::format("./dev sim --seed {}{}", seed, mutant);
}

int run_one(const Plan& plan, std::uint64_t seed) {
  Tally tally;
  take_out(plan.mutant);
  const Outcome outcome = run_seed(seed, plan.mutant, tally);
  fmt::print("{}", outcome.log);
  fmt::print("seed {}: {}\n", seed, outcome.broken.empty() ? "clean" : outcome.broken);
  return outcome.broken.empty() ? 0 : 1;
}

// Everything that seeds are to meet was met, if there were enough of them.
bool met_all(const Plan& plan, const Report& report) {
  bool all = true;
  for (const auto& [what, times] : report.tally.counts()) {
    fmt::print("  {:>9}  {}\n", times, what);
    all = all && (times > 0 || plan.count < kCountsFrom);
  }
  if (!all) fmt::print("something was never met: these seeds prove too little\n");
  return all;
}

int run_many(const Plan& plan) {
  take_out(plan.mutant);
  const Report report = run(plan);
  for (const Failure& failure : report.failures) {
    fmt::print("seed {}: {}\n    {}\n", failure.seed, failure.why, command(plan, failure.seed));
  }
  const bool all = met_all(plan, report);
  fmt::print("{} seeds{} in {:.1f} s, {:.0f} seeds/s, {} failed\n", plan.count,
             plan.is_twice ? ", each twice," : "", report.seconds,
             static_cast<double>(plan.count) / report.seconds, report.failed);
  return report.failed == 0 && all ? 0 : 1;
}

int run_mutants(Plan plan) {
  bool all = true;
  for (const Mutant mutant : all_mutants()) {
    plan.mutant = mutant;
    take_out(mutant);
    const Report report = run(plan);
    const auto wanted = static_cast<std::uint64_t>(static_cast<double>(plan.count) * kCaught);
    all = all && report.failed >= std::max<std::uint64_t>(wanted, 1);
    const std::string why = report.failures.empty() ? "-" : report.failures.front().why;
    fmt::print("without {:<24} {:>5} of {} seeds fail; the first: {}\n", name_of(mutant),
               report.failed, plan.count, why);
  }
  if (!all) fmt::print("a protection can be taken out, and too few seeds notice\n");
  return all ? 0 : 1;
}

struct Arguments {
  Plan plan;
  std::optional<std::uint64_t> one;
  bool is_mutants = false;
};

std::optional<Arguments> parse(int argc, char** argv) {
  Arguments arguments;
  Plan& plan = arguments.plan;
  plan.processes = std::max(1u, std::thread::hardware_concurrency());
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--twice") {
      plan.is_twice = true;
    } else if (option == "--mutants") {
      arguments.is_mutants = true;
    } else if (++i == argc) {
      return std::nullopt;
    } else if (option == "--mutant") {
      const auto mutant = mutant_named(argv[i]);
      if (!mutant) return std::nullopt;
      plan.mutant = *mutant;
    } else {
      char* end = nullptr;
      const std::uint64_t number = std::strtoull(argv[i], &end, 10);
      if (*end != '\0' || number == 0) return std::nullopt;
      if (option == "--seeds")
        plan.count = number;
      else if (option == "--first")
        plan.first = number;
      else if (option == "--seed")
        arguments.one = number;
      else if (option == "--processes")
        plan.processes = static_cast<unsigned>(number);
      else
        return std::nullopt;
    }
  }
  return arguments;
}

}  // namespace
}  // namespace stepwell::sim

int main(int argc, char** argv) {
  using namespace stepwell::sim;
  const auto arguments = parse(argc, argv);
  if (!arguments) return usage();
  if (arguments->is_mutants) return run_mutants(arguments->plan);
  if (arguments->one) return run_one(arguments->plan, *arguments->one);
  return run_many(arguments->plan);
}
