#include "tests/sim/sim_tasks.h"

#include <fmt/core.h>

namespace stepwell::sim {

void SimTasks::start(runtime::TaskCall call, runtime::TaskDone done) {
  Scheduler& scheduler = world_.scheduler;
  world_.log(fmt::format("task {} {} try {}{}", brief(call.execution), call.command.value,
                         call.attempt, call.after_crash ? " again" : ""));
  if (call.resource == kPure) {
    witness_.on_pure_task(call);
    return done(outcome(call));
  }
  witness_.on_task(call);
  if (call.input.find(kPoison) != nullptr) {
    world_.tally.count("fault: poison");
    return kill_();
  }
  TaskResult result = outcome(call);
  if (scheduler.chance(0.3)) return done(std::move(result));
  const std::uint64_t number = ++last_;
  running_[number] = {call.execution, call.command, std::move(done), std::move(result)};
  if (call.timeout && !world_.is_healed() && scheduler.chance(0.1)) {
    return world_.tally.count("fault: task hangs");
  }
  // The long ones are under way yet when a lease ends.
  const Micros takes = scheduler.chance(0.15) ? scheduler.between(1, 4) * 1'000'000
                                              : scheduler.between(100, 800'000);
  scheduler.at(life_, scheduler.now() + takes,
               [self = shared_from_this(), number] { self->answer(number); });
}

TaskResult SimTasks::outcome(const runtime::TaskCall& call) {
  Scheduler& scheduler = world_.scheduler;
  if (!world_.is_healed() && scheduler.chance(0.004)) {
    world_.tally.count("fault: answer that cannot be stored");
    return TaskSucceeded{Value(std::string("\xff\xfe"))};
  }
  switch (scheduler.below(12)) {
    case 0:
    case 1: {
      const auto after = static_cast<std::int64_t>(scheduler.below(5'000));
      return TaskFailed{"Flaky", "it is so", Millis(after)};
    }
    case 2:
      if (call.attempt > 2) break;
      return TaskFailed{"Other", "", {}};
    default: break;
  }
  return TaskSucceeded{Object{{"k", scheduler.below(7)}, {"state", "x"}}};
}

void SimTasks::answer(std::uint64_t number) {
  auto running = running_.extract(number);
  if (running.empty()) return;
  running.mapped().done(std::move(running.mapped().result));
}

void SimTasks::answer_one() {
  if (running_.empty()) return;
  auto chosen = running_.begin();
  std::advance(chosen, static_cast<std::ptrdiff_t>(world_.scheduler.below(running_.size())));
  answer(chosen->first);
}

// Half of them do not hear of it, and answer all the same.
void SimTasks::cancel(ExecutionId execution, CommandId command) {
  world_.log(fmt::format("cancel {} {}", brief(execution), command.value));
  if (world_.scheduler.chance(0.5)) return;
  std::erase_if(running_, [&](const auto& one) {
    return one.second.execution == execution && one.second.command == command;
  });
}

}  // namespace stepwell::sim
