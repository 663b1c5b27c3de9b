// stepwell-bench — the work of the performance page, one JSON line per run.
//
//   stepwell-bench chain|fanout|map|latency|start|recovery|timers|pure|http
//                  [--database URL] [--n N] [--lanes L] [--window W] [--repeats R]
//   stepwell-bench start [--callers N | --in-flight N | --through http --connections N]
//                  [--readers N]
//   stepwell-bench latency [--pure]                      (beside it, of a task declared pure)
//   stepwell-bench jsonata CASES.jsonl DATASETS.json     (tools/jsonata_speed.sh compares it)
//
// Without a URL (and without STEPWELL_DATABASE_URL) it runs on a private PostgreSQL with Postgres's
// default durability, and removes it afterwards.  Exits 1 when an execution came out wrong.
#include <fmt/core.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include "bench/bench.h"
#include "engine/postgres/cluster.h"

namespace stepwell::bench {
namespace {

using Workload = Result<Object> (*)(const Arguments&);
const std::map<std::string, Workload> kWorkloads = {
    {"chain", run_chain},      {"fanout", run_fanout}, {"map", run_map},
    {"latency", run_latency},  {"start", run_start},   {"timers", run_timers},
    {"recovery", run_recovery}};

bool parse(int count, char** words, Arguments& arguments) {
  if (count < 2) return false;
  arguments.workload = words[1];
  for (int at = 2; at < count; at += 2) {
    const std::string flag = words[at];
    if (flag == "--pure") {
      arguments.pure = true;
      --at;
      continue;
    }
    if (at + 1 == count) return false;
    const std::uint64_t number = std::strtoull(words[at + 1], nullptr, 10);
    if (flag == "--database") {
      arguments.url = words[at + 1];
    } else if (flag == "--shared") {
      arguments.shared = words[at + 1];
    } else if (flag == "--n") {
      arguments.n = number;
    } else if (flag == "--lanes") {
      arguments.lanes = static_cast<unsigned>(number);
    } else if (flag == "--window") {
      arguments.window = number;
    } else if (flag == "--connections") {
      arguments.connections = static_cast<unsigned>(number);
    } else if (flag == "--repeats") {
      arguments.repeats = static_cast<unsigned>(number);
    } else if (flag == "--callers") {
      arguments.callers = static_cast<unsigned>(number);
    } else if (flag == "--in-flight") {
      arguments.in_flight = number;
    } else if (flag == "--through") {
      arguments.through = words[at + 1];
    } else if (flag == "--readers") {
      arguments.readers = static_cast<unsigned>(number);
    } else if (flag == "--kill-at") {
      arguments.kill_at = number;
    } else {
      fmt::print(stderr, "stepwell-bench: there is no option {}\n", flag);
      return false;
    }
  }
  return true;
}

// A server of our own, gone with its folder.
struct Scratch {
  std::string folder;
  std::unique_ptr<postgres::Cluster> cluster;

  Status open() {
    folder = (std::filesystem::temp_directory_path() / "stepwell-bench-XXXXXX").string();
    if (mkdtemp(folder.data()) == nullptr) {
      return Error{ErrorCode::kDenied, "cannot make " + folder};
    }
    chmod(folder.c_str(), 0755);  // The server may run as another user.
    cluster =
        TRY(postgres::Cluster::open({.directory = folder + "/cluster", .dies_with_parent = true}));
    return ok_status();
  }
  ~Scratch() {
    cluster.reset();
    std::error_code ignored;
    if (!folder.empty()) std::filesystem::remove_all(folder, ignored);
  }
};

int run_without_database(const Arguments& arguments, Workload workload) {
  auto line = workload(arguments);
  if (!line.ok()) {
    fmt::print(stderr, "stepwell-bench: {}: {}\n", arguments.workload, line.error().message);
    return 2;
  }
  fmt::print("{}\n", Value(std::move(*line)).to_json());
  return 0;
}

int run(Arguments arguments, Workload workload) {
  Scratch scratch;
  if (arguments.url.empty()) {
    if (const char* url = std::getenv("STEPWELL_DATABASE_URL")) arguments.url = url;
  }
  const bool is_private = arguments.url.empty();
  if (is_private) {
    if (const Status status = scratch.open(); !status.ok()) {
      fmt::print(stderr, "stepwell-bench: {}\n", status.error().message);
      return 2;
    }
    arguments.url = scratch.cluster->url();
  }
  auto line = workload(arguments);
  if (!line.ok()) {
    fmt::print(stderr, "stepwell-bench: {}: {}\n", arguments.workload, line.error().message);
    return 2;
  }
  line->set("fence", true);
  line->set("task", "native, on the lane; returns what it was given");
  line->set("postgres", is_private ? "private, default durability" : "as given");
  const std::uint64_t bad = static_cast<std::uint64_t>(line->find("wrong")->as_int()) +
                            static_cast<std::uint64_t>(line->find("unfinished")->as_int());
  fmt::print("{}\n", Value(std::move(*line)).to_json());
  return bad == 0 ? 0 : 1;
}

}  // namespace
}  // namespace stepwell::bench

int main(int count, char** words) {
  using namespace stepwell::bench;
  if (count == 4 && std::string(words[1]) == "jsonata") return run_jsonata(words[2], words[3]);
  Arguments arguments;
  const bool is_understood = parse(count, words, arguments);
  if (is_understood && arguments.workload == "worker") run_worker(arguments);
  if (is_understood && arguments.workload == "pure") {
    return run_without_database(arguments, &run_pure);
  }
  if (is_understood && arguments.workload == "http") {
    return run_without_database(arguments, &run_http);
  }
  const auto workload = kWorkloads.find(arguments.workload);
  if (!is_understood || workload == kWorkloads.end()) {
    fmt::print(stderr,
               "usage: stepwell-bench pure|http|chain|fanout|map|latency|start|recovery|timers "
               "[--database URL] [--n N] [--lanes L] [--window W] [--repeats R]\n"
               "       stepwell-bench start [--callers N | --in-flight N | --through http "
               "--connections N] [--readers N]\n"
               "       stepwell-bench latency [--pure] ...\n"
               "       stepwell-bench jsonata CASES.jsonl DATASETS.json\n");
    return 2;
  }
  return run(arguments, workload->second);
}
