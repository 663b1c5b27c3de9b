#include "authoring/transcript/play.h"

#include <map>

#include "authoring/transcript/duration.h"
#include "authoring/transcript/mocks.h"
#include "authoring/transcript/teller.h"
#include "base/match.h"
#include "language/program/accept.h"

namespace stepwell::transcript {

namespace {

// An execution with more facts than this is taken to have no end.
constexpr std::size_t kMostFacts = 200'000;

class Play {
 public:
  Play(const Program& program, const Case& one, bool check_fold, Reached& reached)
      : program_(program),
        case_(one),
        check_fold_(check_fold),
        reached_(reached),
        now_(one.start),
        mocks_(one.tasks),
        teller_(program, one.start) {}

  Played run() {
    if (const Status accepted = accept_input(program_, case_.input); !accepted.ok()) {
      return {{}, "0s  refused  " + accepted.error().message + "\n", true, {}, {}};
    }
    apply(Fact{CommandId{}, now_, 0, started()});
    while (problem_.empty() && advance()) {
    }
    if (problem_.empty() && execution_.is_running()) {
      problem_ = "the execution still runs, and nothing is going to happen";
    }
    return {std::move(execution_), teller_.lines(), false, failed_at_, std::move(problem_)};
  }

 private:
  Started started() const {
    Started started;
    started.input = case_.input;
    Pins& pins = started.pins;
    pins.program_hash = program_.hash;
    pins.seed = case_.seed;
    pins.execution_name = "transcript";
    pins.machine_name = "workflow";
    pins.machine_arn = "arn:stepwell:states:local:0:stateMachine:workflow";
    pins.execution_arn = "arn:stepwell:states:local:0:execution:workflow:transcript";
    return started;
  }

  // Lets the next thing happen; an operator's action comes before what is due at the same time.
  bool advance() {
    if (++facts_ > kMostFacts) {
      problem_ = "more than " + std::to_string(kMostFacts) + " things happened; is there an end?";
      return false;
    }
    const bool has_action = next_action_ < case_.actions.size();
    const bool has_fact = execution_.is_running() && !due_.empty();
    if (!has_action && !has_fact) return false;
    const Time action_at = has_action ? case_.start + case_.actions[next_action_].at : Time();
    if (has_action && (!has_fact || action_at <= due_.begin()->first.first)) {
      act(case_.actions[next_action_++], std::max(action_at, now_));
      return true;
    }
    const Fact fact = std::move(due_.begin()->second);
    due_.erase(due_.begin());
    apply(fact);
    return true;
  }

  void act(const Action& action, Time at) {
    FactBody body = Stopped{action.error, action.cause};
    if (action.is_redrive) body = Redriven{};
    if (apply(Fact{CommandId{}, at, 0, std::move(body)})) return;
    problem_ = std::string(action.is_redrive ? "redrive" : "stop") + " at " + to_text(action.at) +
               " changed nothing: the execution is " + to_string(execution_.status);
  }

  bool apply(const Fact& fact) {
    now_ = std::max(now_, fact.at);
    std::vector<Command> commands;
    const Listener listener = [this](const HistoryEvent& event) {
      if (event.type == "ExecutionFailed") failed_at_ = event.about;
      teller_.hear(event);
    };
    const bool is_news = step_marking(program_, execution_, fact, commands, &listener, reached_);
    if (is_news && check_fold_) check(fact);
    teller_.look(execution_, commands);
    for (const Command& command : commands) obey(command);
    return is_news;
  }

  void check(const Fact& fact) {
    const auto decoded = Execution::decode(execution_.encode());
    if (!decoded.ok() || !decoded->same_as(execution_)) {
      problem_ = "the execution does not survive encode and decode";
    }
    std::vector<Command> ignored;
    step(program_, fold_, fact, ignored, nullptr);
    if (!fold_.same_as(execution_)) problem_ = "a fold of the facts is another execution";
    if (fact.command.value != 0 && step(program_, fold_, fact, ignored, nullptr)) {
      problem_ = "a fact that came twice was not ignored";
    }
    if (execution_.is_running() && outstanding(program_, execution_).empty()) {
      problem_ = "the execution runs and waits for nothing";
    }
  }

  void obey(const Command& command) {
    std::visit(match{
                   [&](const RunTask& task) { run_task(task); },
                   [&](const SetTimer& timer) { later(timer.due, timer.id, TimerFired{}, 0); },
                   [&](const Continue& go_on) { later(now_, go_on.id, Continued{}, 0); },
                   [&](const Cancel& cancel) { forget(cancel.id); },
                   [](const Finish&) {},
               },
               command);
  }

  void run_task(const RunTask& task) {
    const std::string& state = program_.state(task.machine, task.state).name;
    const Answer* answer = mocks_.next(state, task);
    if (answer == nullptr) {
      problem_ = "no answer for the task " + task.resource + " of the state " + state +
                 " with the input " + task.input.to_json();
      return;
    }
    const bool is_late = task.timeout && answer->delay >= *task.timeout;
    const bool is_timeout = answer->kind == Answer::Kind::kTimeout;
    const bool is_lost = answer->kind == Answer::Kind::kHeartbeatLost;
    if (is_late || is_timeout || is_lost) {
      Millis after = answer->delay;
      if (is_late || is_timeout) after = task.timeout.value_or(after);
      if (is_lost) after = task.heartbeat.value_or(after);
      return later(now_ + after, task.id, TaskTimedOut{is_lost}, task.input_hash);
    }
    FactBody body = TaskSucceeded{answer->kind == Answer::Kind::kEcho ? task.input : answer->value};
    if (answer->kind == Answer::Kind::kFail) {
      TaskFailed failed;
      failed.error = answer->error;
      if (answer->has_cause) failed.cause = answer->cause;
      failed.retry_after = answer->retry_after;
      body = std::move(failed);
    }
    later(now_ + answer->delay, task.id, std::move(body), task.input_hash);
  }

  void later(Time at, CommandId command, FactBody body, std::uint64_t hash) {
    due_.emplace(std::pair{at, ++sequence_}, Fact{command, at, hash, std::move(body)});
  }
  void forget(CommandId command) {
    for (auto one = due_.begin(); one != due_.end(); ++one) {
      if (one->second.command == command) {
        due_.erase(one);
        return;
      }
    }
  }

  const Program& program_;
  const Case& case_;
  const bool check_fold_;
  Reached& reached_;
  Time now_;
  MockedTasks mocks_;
  Teller teller_;
  Execution execution_, fold_;
  std::map<std::pair<Time, std::uint64_t>, Fact> due_;
  std::uint64_t sequence_ = 0;
  std::size_t facts_ = 0, next_action_ = 0;
  std::optional<StatePlace> failed_at_;
  std::string problem_;
};

}  // namespace

Played play(const Program& program, const Case& one, bool check_fold, Reached& reached) {
  try {
    return Play(program, one, check_fold, reached).run();
  } catch (const std::exception& defect) {
    return {{}, "", false, {}, std::string("a defect of the engine: ") + defect.what()};
  }
}

}  // namespace stepwell::transcript
