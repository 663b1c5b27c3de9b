// Driver — an execution in a unit test: facts in by hand, commands and history kept.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dsl/dsl.h"
#include "engine/step/step.h"

namespace stepwell::testing {

inline Value json(std::string_view text) {
  auto parsed = parse_json(text);
  EXPECT_TRUE(parsed.ok()) << text;
  return parsed.ok() ? std::move(parsed).value() : Value();
}

class Driver {
 public:
  explicit Driver(std::string_view definition, std::string_view input = "{}", Limits limits = {},
                  std::uint32_t semantics = kSemantics) {
    dsl::Compiled compiled = dsl::compile(definition);
    for (const auto& diagnostic : compiled.diagnostics) {
      EXPECT_NE(diagnostic.severity, dsl::Severity::kError) << diagnostic.message;
    }
    program = compiled.program;
    if (!program) return;
    Started started;
    started.input = json(input);
    started.pins.program_hash = program->hash;
    started.pins.limits = limits;
    started.pins.semantics = semantics;
    started.pins.seed = 1;
    started.pins.execution_name = "run";
    started.pins.execution_arn = "arn:aws:states:eu-west-1:1:execution:m:run";
    started.pins.machine_arn = "arn:aws:states:eu-west-1:1:stateMachine:m";
    started.pins.machine_name = "m";
    deliver(CommandId{}, std::move(started));
  }

  bool deliver(CommandId command, FactBody body, std::uint64_t hash = 0) {
    commands.clear();
    const Listener listener = [this](HistoryEvent event) { history.push_back(std::move(event)); };
    return step(*program, execution, Fact{command, now, hash, std::move(body)}, commands,
                &listener);
  }
  // The only outstanding command of that kind, or of that position among them.
  template <class Kind>
  Kind open(std::size_t at = 0) const {
    std::vector<Kind> found;
    for (const Command& command : outstanding(*program, execution)) {
      if (const auto* one = std::get_if<Kind>(&command)) found.push_back(*one);
    }
    EXPECT_LT(at, found.size()) << "outstanding commands of the kind";
    return at < found.size() ? found[at] : Kind{};
  }
  std::size_t open_count() const { return outstanding(*program, execution).size(); }
  bool succeed(std::string_view output, std::size_t at = 0) {
    const RunTask task = open<RunTask>(at);
    return deliver(task.id, TaskSucceeded{json(output)}, task.input_hash);
  }
  bool fail(const std::string& error, std::size_t at = 0) {
    const RunTask task = open<RunTask>(at);
    return deliver(task.id, TaskFailed{error, "because", std::nullopt}, task.input_hash);
  }
  bool fire(std::size_t at = 0) {
    const SetTimer timer = open<SetTimer>(at);
    now = std::max(now, timer.due);
    return deliver(timer.id, TimerFired{});
  }
  // "RUNNING", "SUCCEEDED {..output..}", "FAILED error: cause".
  std::string end() const {
    std::string text = to_string(execution.status);
    if (execution.status == ExecutionStatus::kSucceeded) text += " " + execution.output.to_json();
    if (execution.error) text += " " + *execution.error;
    if (execution.cause) text += ": " + *execution.cause;
    return text;
  }
  // "ExecutionStarted(0) PassStateEntered(0) ...": types with their previous ids.
  std::string told(std::size_t from = 0) const {
    std::string text;
    for (std::size_t i = from; i < history.size(); ++i) {
      text += (text.empty() ? "" : " ") + history[i].type + "(" +
              std::to_string(history[i].previous_id) + ")";
    }
    return text;
  }

  ProgramRef program;
  Execution execution;
  std::vector<Command> commands;  // Of the newest fact.
  std::vector<HistoryEvent> history;
  Time now = from_unix_ms(1'700'000'000'000);
};

}  // namespace stepwell::testing
