// asl — recorded executions, run in memory with virtual time.
#include <chrono>
#include <iostream>
#include <map>

#include "base/match.h"
#include "dsl/dsl.h"
#include "engine/step/step.h"
#include "tools/conformance/functions.h"
#include "tools/conformance/modes.h"

namespace stepwell::conformance {

namespace {

// A wait beyond this is not sat out: the case ends RUNNING.
constexpr Millis kHorizon = std::chrono::hours(24 * 366);
// States entered in one case: an endless loop ends there.
constexpr std::uint64_t kMaxTransitions = 100'000;
// Facts for one case; the recorded ones need a few hundred.
constexpr std::uint64_t kMaxFacts = 2'000'000;

std::string text_of(const Value& json, std::string_view key) {
  const Value* value = json.find(key);
  return value != nullptr && value->is_string() ? value->as_string() : std::string();
}

// One case, run to its end.
class CaseRun {
 public:
  CaseRun(const Program& program, const Value& about, Time now)
      : program_(program),
        about_(about),
        now_(now),
        horizon_(now + kHorizon),
        functions_(about.find("lambdas") != nullptr ? *about.find("lambdas") : Value()) {}

  // False when the case asks for what is not here; why() says what.
  bool run() {
    apply(Fact{CommandId{}, now_, 0, started()});
    if (const auto stop = stop_action()) apply(Fact{CommandId{}, now_, 0, *stop});
    for (std::uint64_t facts = 0; why_.empty() && execution_.is_running(); ++facts) {
      if (due_.empty() || due_.begin()->first.first > horizon_) break;
      if (facts == kMaxFacts) {
        why_ = "took more than " + std::to_string(kMaxFacts) + " facts";
        break;
      }
      Fact fact = std::move(due_.begin()->second);
      due_.erase(due_.begin());
      now_ = fact.at;
      apply(fact);
    }
    return why_.empty();
  }
  const std::string& why() const { return why_; }

  Value result() const {
    Object line{{"id", *about_.find("id")}, {"status", to_string(execution_.status)}};
    if (execution_.status == ExecutionStatus::kSucceeded) line.set("output", execution_.output);
    if (execution_.error) line.set("error", *execution_.error);
    if (execution_.cause) line.set("cause", *execution_.cause);
    line.set("history", Value(history_));
    return line;
  }

 private:
  Started started() const {
    Started started;
    const Value* input = about_.find("input");
    Value given = input != nullptr ? *input : Value(Object());
    if (const Value* dynamic = about_.find("dynamic_time")) given = with_time(given, *dynamic);
    started.input = given;
    // The recordings were started by a Python program.
    if (input != nullptr) started.input_text = python_json(given);
    Pins& pins = started.pins;
    pins.program_hash = program_.hash;
    pins.seed = 42;
    pins.limits.max_transitions = kMaxTransitions;
    const std::string account = "arn:<partition>:states:<region>:111111111111:";
    const bool express = text_of(about_, "sm_type") == "EXPRESS";
    pins.execution_name = "execution-of-the-case";
    pins.machine_name = "machine-of-the-case";
    pins.machine_arn = account + "stateMachine:" + pins.machine_name;
    pins.execution_arn = account + (express ? "express:" : "execution:") + pins.machine_name + ":" +
                         pins.execution_name + (express ? ":0c2d1ad5-run" : "");
    pins.role_arn = "role-of-the-case";
    return started;
  }

  // {"input": "$.start_at", "value": "now + 24855 days"}
  Value with_time(const Value& input, const Value& dynamic) const {
    const std::string path = text_of(dynamic, "input");
    const std::string value = text_of(dynamic, "value");
    long days = 0;
    if (path.rfind("$.", 0) != 0 || std::sscanf(value.c_str(), "now + %ld days", &days) != 1 ||
        !input.is_object()) {
      return input;
    }
    Object changed = input.as_object();
    changed.set(path.substr(2), to_rfc3339(now_ + std::chrono::hours(24 * days)));
    return changed;
  }

  std::optional<Stopped> stop_action() const {
    const Value* actions = about_.find("api_actions");
    if (actions == nullptr || !actions->is_array()) return std::nullopt;
    for (const Value& action : actions->as_array()) {
      if (text_of(action, "op") != "stop_execution") continue;
      Stopped stopped;
      const Value* arguments = action.find("kwargs");
      if (arguments == nullptr) return stopped;
      if (arguments->find("error") != nullptr) stopped.error = text_of(*arguments, "error");
      if (arguments->find("cause") != nullptr) stopped.cause = text_of(*arguments, "cause");
      return stopped;
    }
    return std::nullopt;
  }

  void apply(const Fact& fact) {
    std::vector<Command> commands;
    const Listener listener = [this](const HistoryEvent& event) { note(event); };
    step(program_, execution_, fact, commands, &listener);
    for (const Command& command : commands) obey(command);
  }

  void obey(const Command& command) {
    std::visit(match{
                   [&](const RunTask& task) {
                     auto answer = functions_.call(task, why_);
                     if (!answer) return;
                     later(now_ + answer->after, task.id, std::move(answer->body));
                   },
                   [&](const SetTimer& timer) { later(timer.due, timer.id, TimerFired{}); },
                   [&](const Continue& go_on) { later(now_, go_on.id, Continued{}); },
                   [](const auto&) {},
               },
               command);
  }

  void later(Time at, CommandId command, FactBody body) {
    due_.emplace(std::pair{at, ++sequence_}, Fact{command, at, 0, std::move(body)});
  }

  void note(const HistoryEvent& event) {
    history_.push_back(Object{{"id", event.id},
                              {"prev", event.previous_id},
                              {"type", event.type},
                              {"details", event.details}});
  }

  const Program& program_;
  const Value& about_;
  Time now_;
  const Time horizon_;
  Functions functions_;
  Execution execution_;
  std::map<std::pair<Time, std::uint64_t>, Fact> due_;
  std::uint64_t sequence_ = 0;
  Value::Array history_;
  std::string why_;
};

// Why a case was left out, and how often.
using Reasons = std::map<std::string, std::uint64_t>;

// What the program asks for that this version or this tool has not; empty: nothing.
std::string missing(const Program& program) {
  for (const Machine& machine : program.machines) {
    for (const State& state : machine.states) {
      if (const auto* map = std::get_if<Map>(&state.kind); map != nullptr) {
        if (!map->unsupported.empty()) return "a Map with " + map->unsupported;
      }
      if (const auto* task = std::get_if<Task>(&state.kind); task != nullptr) {
        if (!Functions::serves(task->resource)) return "no function serves " + task->resource;
      }
    }
  }
  return {};
}

bool is_execution(const Value& about) {
  const std::string kind = text_of(about, "kind");
  return kind == "execution" || kind == "sync_execution";
}

std::string run_case(const Value& about, Time now, std::ostream& results) {
  if (about.find("id") == nullptr) return "a case without an id";
  if (!is_execution(about)) return "kind " + text_of(about, "kind") + " is not an execution";
  const Value* definition = about.find("definition");
  if (definition == nullptr) return "a case without a definition";
  const dsl::Compiled compiled = dsl::compile(definition->to_json());
  if (!compiled.ok()) {
    for (const dsl::Diagnostic& diagnostic : compiled.diagnostics) {
      if (diagnostic.severity != dsl::Severity::kError) continue;
      return "does not compile [" + diagnostic.code + "]: " + diagnostic.message;
    }
    return "does not compile";
  }
  if (std::string what = missing(*compiled.program); !what.empty()) return what;
  CaseRun run(*compiled.program, about, now);
  if (!run.run()) return run.why();
  write_line(results, run.result());
  return {};
}

}  // namespace

int run_asl(std::istream& cases, std::ostream& results) {
  const Time now = std::chrono::floor<Millis>(std::chrono::system_clock::now());
  Reasons left_out;
  std::uint64_t ran = 0, lines = 0;
  Line line;
  while (next_line(cases, line)) {
    if (line.text.empty() && !line.too_long) continue;
    ++lines;
    const Result<Value> about = parse_case(line);
    if (!about.ok()) {
      write_line(results, Object{{"id", Value()},
                                 {"status", "INVALID"},
                                 {"error", to_string(about.error().code)},
                                 {"cause", about.error().message}});
      ++left_out["the line cannot be read: " + about.error().message];
      continue;
    }
    std::string why;
    try {
      why = run_case(*about, now, results);
    } catch (const std::exception& failure) {
      why = std::string("a defect of the engine: ") + failure.what();
    }
    if (why.empty()) {
      ++ran;
    } else {
      ++left_out[why];
    }
  }
  results.flush();
  std::cerr << "ran " << ran << " of " << lines << " cases\n";
  for (const auto& [why, count] : left_out)
    std::cerr << "  left out " << count << ": " << why << '\n';
  return 0;
}

}  // namespace stepwell::conformance
