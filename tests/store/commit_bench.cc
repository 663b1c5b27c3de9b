// How fast one lane commits: facts of about 120 bytes for executions that were started before, in
// batches of 1, 10, 100 and 1,000; and executions, in batches of 1, 20 and 100, that are started
// ("start"), started and in the next batch ended ("start_end"), or started and ended at once
// ("fused").  Prints one JSON line: how many per second, and microseconds of CPU for each, in this
// process and in its backend (where that runs on this machine).
//
//   build/release/commit_bench [database url] [seconds per size]
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "engine/postgres/cluster.h"
#include "engine/postgres/link.h"
#include "engine/postgres/postgres.h"

namespace stepwell {
namespace {

using Clock = std::chrono::steady_clock;

struct Lane {
  std::unique_ptr<store::Store> store;
  std::unique_ptr<store::Node> node;
  std::unique_ptr<store::Session> session;
  std::vector<ExecutionId> ids;
  std::vector<std::uint64_t> seqs;
  std::uint64_t number = 0, started = 0;
  std::size_t next = 0;
  std::int64_t now_ms = 0;
  long backend = 0;
};

double own_cpu_us() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

double cpu_us_of(long pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return 0;
  line.erase(0, line.rfind(')') + 2);
  double user = 0, system = 0;
  std::sscanf(line.c_str(), "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lf %lf", &user, &system);
  return (user + system) * 1e6 / static_cast<double>(sysconf(_SC_CLK_TCK));
}

store::JournalRow fact(ExecutionId id, std::uint64_t seq) {
  static const std::string kPayload =
      R"({"output":{"receipt":"r-0001","amount":7,"items":["a","b"],"note":"of usual size"}})";
  return {id, seq,     FactKind::kTaskSucceeded, CommandId{seq}, from_unix_ms(1'700'000'000'000),
          42, kPayload};
}

Result<Lane> open_lane(const std::string& url, int executions) {
  postgres::PgOptions options;
  options.url = url;
  options.schema = "bench" + std::to_string(getpid());
  options.label = "bench";
  TRY(postgres::migrate(options));
  Lane lane;
  lane.store = TRY(postgres::open_store(options));
  lane.node = TRY(lane.store->join({.label = "bench"}));
  lane.session = TRY(lane.node->open_session());
  store::Batch batch;
  batch.number = ++lane.number;
  const auto now = lane.now_ms = unix_ms(TRY(lane.store->now()));
  for (int i = 0; i < executions; ++i) {
    store::Start start;
    start.id = ExecutionId{Uuid::v7(now, static_cast<std::uint64_t>(i), 1)};
    start.workflow = "bench";
    start.input = "{}";
    start.first = fact(start.id, 1);
    start.first.kind = FactKind::kStarted;
    start.owned = true;
    batch.starts.push_back(start);
    lane.ids.push_back(start.id);
  }
  TRY(lane.session->commit(batch));
  lane.seqs.assign(lane.ids.size(), 1);
  const auto link = TRY(postgres::Link::open(options, {.name = "bench"}));
  const auto pid = link->run("SELECT backend_pid FROM writers");
  if (pid.ok()) lane.backend = pid.rows().number(0, 0);
  return lane;
}

struct Rate {
  double per_second = 0, client_us = 0, server_us = 0;
};

// Calls `batch(size)`, which commits that many, until the time is over.
template <class Commit>
Result<Rate> measure(Lane& lane, std::size_t size, double seconds, const Commit& commit) {
  std::size_t done = 0;
  const auto begin = Clock::now();
  const double client = own_cpu_us(), server = cpu_us_of(lane.backend);
  std::chrono::duration<double> elapsed{};
  while (elapsed.count() < seconds) {
    TRY(commit(size));
    done += size;
    elapsed = Clock::now() - begin;
  }
  const auto count = static_cast<double>(done);
  return Rate{count / elapsed.count(), (own_cpu_us() - client) / count,
              (cpu_us_of(lane.backend) - server) / count};
}

Status commit(Lane& lane, store::Batch&& batch) {
  batch.number = ++lane.number;
  const store::Ack ack = TRY(lane.session->commit(batch));
  if (ack.lost.empty() && ack.refused.empty()) return ok_status();
  return Error{ErrorCode::kInternal,
               ack.refused.empty() ? "an execution is lost" : ack.refused.front().reason};
}

Status commit_facts(Lane& lane, std::size_t size) {
  store::Batch batch;
  batch.facts.reserve(size);
  for (std::size_t i = 0; i < size; ++i) {
    lane.next = (lane.next + 1) % lane.ids.size();
    batch.facts.push_back(fact(lane.ids[lane.next], ++lane.seqs[lane.next]));
  }
  return commit(lane, std::move(batch));
}

store::FinishRow finish(ExecutionId id) {
  store::FinishRow row;
  row.execution = id;
  row.output = R"({"receipt":"r-0001"})";
  row.at = from_unix_ms(1'700'000'000'001);
  return row;
}

enum class Way { kStart, kStartEnd, kFused };

Status commit_starts(Lane& lane, std::size_t size, Way way) {
  store::Batch starting, ending;
  for (std::size_t i = 0; i < size; ++i) {
    store::Start start;
    start.id = ExecutionId{Uuid::v7(lane.now_ms, 4'000, ++lane.started)};
    start.workflow = "bench";
    start.name = start.id.text();
    start.program_hash = std::string(32, 'h');
    start.input = R"({"order":"o-0001","amount":7,"items":["a","b"]})";
    start.first = fact(start.id, 1);
    start.first.kind = FactKind::kStarted;
    start.first.payload = R"({"p":"0123456789abcdef0123456789abcdef","s":2,"k":12345678901})";
    start.is_first_slim = true;
    start.owned = way != Way::kFused;
    if (way == Way::kFused) start.end = finish(start.id);
    if (way == Way::kStartEnd) {
      ending.facts.push_back(fact(start.id, 2));
      ending.finishes.push_back(finish(start.id));
    }
    starting.starts.push_back(std::move(start));
  }
  TRY(commit(lane, std::move(starting)));
  return way == Way::kStartEnd ? commit(lane, std::move(ending)) : ok_status();
}

std::string told(const std::string& what, std::size_t size, const Rate& rate) {
  char text[160];
  std::snprintf(text, sizeof text,
                ",\"%s %zu\":{\"per_s\":%.0f,\"client_us\":%.2f,\"server_us\":%.2f}", what.c_str(),
                size, rate.per_second, rate.client_us, rate.server_us);
  return text;
}

Status run(const std::string& url, double seconds) {
  Lane lane = TRY(open_lane(url, 1'000));
  std::string line = "{\"bench\":\"commit\"";
  for (const std::size_t size : {1u, 10u, 100u, 1'000u}) {
    const auto facts = [&](std::size_t many) { return commit_facts(lane, many); };
    line += told("facts", size, TRY(measure(lane, size, seconds, facts)));
  }
  const std::pair<const char*, Way> ways[] = {
      {"start", Way::kStart}, {"start_end", Way::kStartEnd}, {"fused", Way::kFused}};
  for (const auto& [what, way] : ways) {
    for (const std::size_t size : {1u, 20u, 100u}) {
      const auto starts = [&, one = way](std::size_t many) {
        return commit_starts(lane, many, one);
      };
      line += told(what, size, TRY(measure(lane, size, seconds, starts)));
    }
  }
  std::printf("%s}\n", line.c_str());
  return ok_status();
}

Status run_on_private_cluster(double seconds) {
  std::string folder = (std::filesystem::temp_directory_path() / "stepwell-bench-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return Error{ErrorCode::kDenied, folder};
  std::filesystem::permissions(folder, std::filesystem::perms(0755));
  auto cluster = TRY(postgres::Cluster::open({.directory = folder, .dies_with_parent = true}));
  const Status status = run(cluster->url(), seconds);
  cluster.reset();
  std::filesystem::remove_all(folder);
  return status;
}

}  // namespace
}  // namespace stepwell

int main(int argc, char** argv) {
  const double seconds = argc > 2 ? std::stod(argv[2]) : 3;
  const std::string url = argc > 1 ? argv[1] : "";
  const stepwell::Status status =
      url.empty() ? stepwell::run_on_private_cluster(seconds) : stepwell::run(url, seconds);
  if (status.ok()) return 0;
  std::fprintf(stderr, "commit_bench: %s\n", status.error().message.c_str());
  return 1;
}
