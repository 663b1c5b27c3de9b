#include "bench/bench.h"

#include <dirent.h>
#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "dsl/dsl.h"
#include "engine/step/step.h"

namespace stepwell::bench {
namespace {

constexpr std::uint64_t kCheckAll = 100'000;
constexpr std::uint32_t kPage = 1'000;

double own_cpu() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Of the server and all its children, those that have ended included.
double postgres_cpu(const std::string& server_pid) {
  double ticks = 0;
  DIR* proc = opendir("/proc");
  if (proc == nullptr) return 0;
  while (const dirent* entry = readdir(proc)) {
    std::ifstream file(std::string("/proc/") + entry->d_name + "/stat");
    std::string line;
    if (!std::getline(file, line) || line.find("(postgres)") == std::string::npos) continue;
    std::istringstream fields(line.substr(line.rfind(')') + 1));
    std::string skipped;
    std::string parent;
    fields >> skipped >> parent;
    if (parent != server_pid && server_pid != entry->d_name) continue;
    for (int i = 2; i < 11; ++i) fields >> skipped;
    double user = 0, system = 0, child_user = 0, child_system = 0;
    fields >> user >> system >> child_user >> child_system;
    ticks += user + system + child_user + child_system;
  }
  closedir(proc);
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double number(const std::string& text) { return std::strtod(text.c_str(), nullptr); }

double wal_position(const std::string& url) {
  return number(ask_psql(url, "SELECT pg_current_wal_insert_lsn() - '0/0'"));
}

double table_bytes(const std::string& url) {
  return number(ask_psql(url,
                         "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN "
                         "pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'stepwell' "
                         "AND c.relkind = 'r'"));
}

}  // namespace

const char* const kOneTask =
    R"({"StartAt":"Do","States":{"Do":{"Type":"Task","Resource":"bench.noop","End":true}}})";

const char* const kOnePureTask =
    R"({"StartAt":"Do","States":{"Do":{"Type":"Task","Resource":"bench.pure","End":true}}})";

const char* const kChain = [] {
  static std::string text = R"({"StartAt":"S1","States":{)";
  for (int i = 1; i <= 10; ++i) {
    const std::string onward = i < 10 ? fmt::format(R"("Next":"S{}")", i + 1) : R"("End":true)";
    text += fmt::format(R"({}"S{}":{{"Type":"Task","Resource":"bench.noop",{}}})", i > 1 ? "," : "",
                        i, onward);
  }
  text += "}}";
  return text.c_str();
}();

std::string chain_input(std::uint64_t number) {
  return fmt::format(R"({{"id":{},"kind":"workout","unit":"kcal",)"
                     R"("text":"about a hundred bytes of JSON","v":[1,2.5]}})",
                     1'000'000 + number);
}

Spending::Spending(std::string url)
    : url_(std::move(url)),
      server_pid_(ask_psql(url_, R"(SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1))")),
      engine_cpu_(own_cpu()),
      postgres_cpu_(postgres_cpu(server_pid_)),
      wal_(wal_position(url_)),
      tables_(table_bytes(url_)) {}

void Spending::report(Object& line, double steps) const {
  const double engine = own_cpu() - engine_cpu_,
               postgres = postgres_cpu(server_pid_) - postgres_cpu_;
  line.set("cpu_s_per_1000_steps", rounded((engine + postgres) / steps * 1000));
  line.set("engine_cpu_us_per_step", rounded(engine / steps * 1e6));
  line.set("postgres_cpu_us_per_step", rounded(postgres / steps * 1e6));
  line.set("wal_bytes_per_step", rounded((wal_position(url_) - wal_) / steps));
  line.set("table_bytes_per_step", rounded((table_bytes(url_) - tables_) / steps));
}

Result<std::unique_ptr<BlockingEngine>> open_engine(const Arguments& arguments,
                                                    std::uint64_t max_payload_bytes) {
  Options options;
  options.database_url = arguments.url;
  options.label = "bench";
  options.migrate = true;
  options.lanes = arguments.lanes;
  options.max_payload_bytes = max_payload_bytes;
  auto engine = BlockingEngine::open(options);
  if (!engine) return Error{ErrorCode::kUnavailable, engine.error};
  const auto noop = [](const TaskInput& input) { return TaskAnswer::ok(input.input); };
  engine.value->task("bench.noop", noop, {.quick = true});
  engine.value->task("bench.pure", noop, {.quick = true, .pure = true});
  if (const auto running = engine.value->run(); !running) {
    return Error{ErrorCode::kUnavailable, running.error};
  }
  return std::move(engine.value);
}

Status deploy(Engine& engine, const std::string& name, const std::string& definition) {
  const auto deployed = engine.deploy_text(name, definition);
  if (!deployed) return Error{ErrorCode::kInvalid, deployed.error};
  return ok_status();
}

void Checked::add(const Checked& others) {
  executions += others.executions;
  folded += others.folded;
  wrong += others.wrong;
  running += others.running;
  if (!others.example.empty()) example = others.example;
}

void Checked::report(Object& line) const {
  line.set("checked", folded);
  line.set("wrong", wrong);
  line.set("unfinished", running);
  if (!example.empty()) line.set("example", example);
}

namespace {

// What is wrong with the execution; empty when its fold says what its row says.
Result<std::string> fold_and_compare(store::Store& store, const Program& program,
                                     const store::ExecutionRow& row) {
  Execution execution;
  std::vector<Command> commands;
  std::uint64_t after = 0;
  while (true) {
    const auto rows = TRY(store.journal(Namespace(), row.id, after, kPage));
    for (const store::JournalRow& fact : rows) {
      if (fact.seq != ++after) return "fact " + std::to_string(after) + " is missing";
      FactBody body = TRY(decode_payload(fact.kind, fact.payload, store::names_of(row)));
      if (!step(program, execution, {fact.command, fact.at, fact.input_hash, std::move(body)},
                commands)) {
        return "fact " + std::to_string(after) + " answers nothing";
      }
      commands.clear();
    }
    if (rows.size() < kPage) break;
  }
  if (execution.status != row.status) return std::string("another status");
  if (execution.output.to_json() != row.output) return std::string("another output");
  return std::string();
}

}  // namespace

Result<Checked> check_executions(store::Store& store, const std::string& workflow) {
  Checked checked;
  std::vector<store::ExecutionRow> rows;
  std::map<std::string, ProgramRef> programs;
  store::ListFilter filter;
  filter.workflow = workflow;
  filter.limit = kPage;
  do {
    rows = TRY(store.list(Namespace(), filter));
    for (const store::ExecutionRow& row : rows) {
      filter.before = row.id;
      if (++checked.executions > kCheckAll && checked.executions % 10 != 0) continue;
      if (row.status == ExecutionStatus::kRunning) {
        ++checked.running;
        checked.example = row.id.text() + " still runs; waiting: " + row.waiting;
        continue;
      }
      ProgramRef& program = programs[row.program_hash];
      if (program == nullptr) {
        program = dsl::compile(TRY(store.program_by_hash(Namespace(), row.program_hash)).definition)
                      .program;
      }
      const std::string why = TRY(fold_and_compare(store, *program, row));
      ++checked.folded;
      const bool good = why.empty() && row.status == ExecutionStatus::kSucceeded;
      if (good) continue;
      ++checked.wrong;
      checked.example = row.id.text() + ": " + to_string(row.status) + ", " + why;
    }
  } while (rows.size() == kPage);
  return checked;
}

double percentile(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto last = static_cast<double>(values.size() - 1);
  return values[static_cast<std::size_t>(std::llround(part * last))];
}

double rounded(double value) {
  if (value == 0 || !std::isfinite(value)) return 0;
  const double scale = std::pow(10, 3 - std::ceil(std::log10(std::fabs(value))));
  return std::round(value * scale) / scale;
}

std::string ask_psql(const std::string& url, const std::string& sql) {
  const std::string command = "psql -XqAt -d '" + url + "' -c \"" + sql + "\" 2>/dev/null";
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  char buffer[256] = {};
  const std::size_t length = fread(buffer, 1, sizeof buffer - 1, pipe);
  pclose(pipe);
  std::string text(buffer, length);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace stepwell::bench
