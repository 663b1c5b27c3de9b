// pure: step() alone.  A chain of Pass, Choice and intrinsic functions in memory: no store, no
// task, no thread.  Each lap goes through a thousand different states, so that no cache flatters.
#include <algorithm>
#include <chrono>
#include <ctime>

#include "bench/bench.h"
#include "dsl/dsl.h"
#include "engine/step/step.h"

namespace stepwell::bench {
namespace {

constexpr std::size_t kLap = 1000;  // States in the definition, four kinds in turn.
constexpr const char* kMix =
    "of 4 states: Pass with States.MathAdd and States.Format, Choice with an And and a number, "
    "Pass with Result to a ResultPath, Pass with InputPath and Parameters";

Object chain_of_states() {
  Object states;
  const auto name = [](std::size_t i) { return "S" + std::to_string(i); };
  for (std::size_t i = 0; i + 4 <= kLap; i += 4) {
    const std::string after = i + 4 == kLap ? "Again" : name(i + 4);
    states.set(name(i),
               Object{{"Type", "Pass"},
                      {"Parameters", Object{{"n.$", "States.MathAdd($.n, 1)"},
                                            {"id.$", "$.id"},
                                            {"kind.$", "$.kind"},
                                            {"text.$", "States.Format('{}-{}', $.id, $.n)"}}},
                      {"Next", name(i + 1)}});
    Value::Array both{Object{{"Variable", "$.kind"}, {"StringEquals", "charge"}},
                      Object{{"Variable", "$.n"}, {"NumericLessThan", 0}}};
    states.set(name(i + 1),
               Object{{"Type", "Choice"},
                      {"Choices", Value::Array{Object{{"And", std::move(both)}, {"Next", "Done"}},
                                               Object{{"Variable", "$.n"},
                                                      {"NumericGreaterThanEquals", 0},
                                                      {"Next", name(i + 2)}}}},
                      {"Default", "Done"}});
    states.set(name(i + 2), Object{{"Type", "Pass"},
                                   {"Result", Object{{"seen", true}, {"by", name(i + 2)}}},
                                   {"ResultPath", "$.mark"},
                                   {"Next", name(i + 3)}});
    states.set(
        name(i + 3),
        Object{{"Type", "Pass"},
               {"InputPath", "$"},
               {"Parameters",
                Object{{"n.$", "$.n"}, {"id.$", "$.id"}, {"kind", "charge"}, {"mark.$", "$.mark"}}},
               {"Next", after}});
  }
  states.set(
      "Again",
      Object{{"Type", "Choice"},
             {"Choices", Value::Array{Object{{"Variable", "$.n"},
                                             {"NumericLessThanPath", "$$.Execution.Input.until"},
                                             {"Next", "S0"}}}},
             {"Default", "Done"}});
  states.set("Done", Object{{"Type", "Succeed"}});
  return states;
}

struct Lapped {
  std::uint64_t states = 0, events = 0;
  double seconds = 0, cpu_seconds = 0;
};

Result<Lapped> run_once(const Program& program, std::uint64_t states, bool tell) {
  Started started;
  const auto until = static_cast<std::int64_t>(states / 4);
  started.input = Object{{"n", 0}, {"id", "order-4711"}, {"kind", "charge"}, {"until", until}};
  started.pins.program_hash = program.hash;
  started.pins.execution_name = "pure";
  started.pins.execution_arn = "arn:aws:states:local:000000000000:execution:pure:pure";
  Lapped lapped;
  const Listener count = [&](const HistoryEvent&) { ++lapped.events; };
  Execution execution;
  std::vector<Command> commands;
  const Time at = from_unix_ms(1'700'000'000'000);
  const auto begin = std::chrono::steady_clock::now();
  const std::clock_t cpu_begin = std::clock();
  step(program, execution, Fact{CommandId{}, at, 0, std::move(started)}, commands,
       tell ? &count : nullptr);
  while (execution.is_running()) {
    const CommandId go_on = *execution.continuation;
    commands.clear();
    step(program, execution, Fact{go_on, at, 0, Continued{}}, commands, tell ? &count : nullptr);
  }
  lapped.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  lapped.cpu_seconds = static_cast<double>(std::clock() - cpu_begin) / CLOCKS_PER_SEC;
  lapped.states = execution.transitions;
  if (execution.status == ExecutionStatus::kSucceeded) return lapped;
  return Error{ErrorCode::kInternal, "the chain came out " +
                                         std::string(to_string(execution.status)) + ": " +
                                         execution.cause.value_or("")};
}

}  // namespace

Result<Object> run_pure(const Arguments& arguments) {
  const std::uint64_t states = arguments.n != 0 ? arguments.n : 100'000;
  const Value definition = Object{{"StartAt", "S0"}, {"States", chain_of_states()}};
  const dsl::Compiled compiled = dsl::compile(definition.to_json());
  if (!compiled.ok()) {
    return Error{ErrorCode::kInternal,
                 "the chain does not compile: " + compiled.diagnostics.front().message};
  }
  // The best of several: the machine may be busy with something else, never with less.
  const unsigned repeats = std::max(arguments.repeats, 5u);
  Lapped best, told;
  for (unsigned i = 0; i < repeats; ++i) {
    const Lapped quiet = TRY(run_once(*compiled.program, states, false));
    if (best.seconds == 0 || quiet.seconds < best.seconds) best = quiet;
    const Lapped heard = TRY(run_once(*compiled.program, states, true));
    if (told.seconds == 0 || heard.seconds < told.seconds) told = heard;
  }
  const auto rate = [](const Lapped& lapped, double seconds) {
    return static_cast<std::int64_t>(static_cast<double>(lapped.states) / seconds);
  };
  return Object{{"workload", "pure"},
                {"states", best.states},
                {"states_per_s", rate(best, best.seconds)},
                {"states_per_cpu_s", rate(best, best.cpu_seconds)},
                {"states_per_s_with_history", rate(told, told.seconds)},
                {"events", told.events},
                {"mix", kMix}};
}

}  // namespace stepwell::bench
