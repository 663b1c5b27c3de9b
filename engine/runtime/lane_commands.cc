// Commands of a lane's executions: tasks, timers, and what comes back from them.
#include <algorithm>

#include "base/match.h"
#include "engine/runtime/lane.h"
#include "engine/runtime/protection.h"
#include "engine/step/key.h"

namespace stepwell::runtime {
namespace {

constexpr int kEffectsUpToPercent = 80;  // Of the lease.
constexpr std::size_t kParkAtOnce = 8;   // Outstanding commands that are quickly looked through.

// When a task times out as things are now, monotonic; 0: never.
std::int64_t next_end_ms(const Outstanding& task) {
  if (task.ends_ms == 0 || task.silent_ms == 0) return std::max(task.ends_ms, task.silent_ms);
  return std::min(task.ends_ms, task.silent_ms);
}

}  // namespace

// Lets out what waited for facts that are durable now.
void Lane::dispatch(OwnedExecution& held) {
  if (is_stopping_) return;
  const ExecutionId id = held.id;
  const auto may_leave = [&](const Staged& staged) {
    return staged.seq <= held.durable || !protects(Protection::kDispatchAfterDurable);
  };
  while (held.staged_head < held.staged.size() && may_leave(held.staged[held.staged_head])) {
    perform(held, std::move(held.staged[held.staged_head++].command));
    if (find(id) == nullptr) return;
  }
  if (held.staged_head == held.staged.size()) {
    held.staged.clear();
    held.staged_head = 0;
    if (held.outstanding.size() <= kParkAtOnce) park_if_idle(held);
  }
}

void Lane::perform(OwnedExecution& held, Command command) {
  std::visit(match{
                 [&](RunTask& task) { run_task(held, std::move(task)); },
                 [&](SetTimer& timer) { set_timer(held, timer); },
                 [&](Continue& go_on) {
                   apply(held, Fact{go_on.id, world_.clock.now(), 0, Continued{}});
                 },
                 [&](Cancel& cancelled) { cancel(held, cancelled.id); },
                 [](Finish&) {},
             },
             command);
}

void Lane::run_task(OwnedExecution& held, RunTask command) {
  if (!held.x.waiting.contains(command.id)) return;  // Cancelled before it could begin.
  Outstanding& outstanding = held.outstanding[command.id];
  outstanding.input_hash = command.input_hash;
  TaskHandler* handler = dispatcher_.find(command.resource);
  if (handler == nullptr) {
    outstanding.kind = Outstanding::Kind::kUnserved;
    return;
  }
  if (committer_.lease_used_percent(epoch_) >= kEffectsUpToPercent) {
    outstanding.kind = Outstanding::Kind::kHeldBack;
    ++world_.counters.held_back;
    held_back_.emplace_back(held.id, std::move(command));
    return;
  }
  outstanding.kind = Outstanding::Kind::kTask;
  outstanding.handler = handler;
  outstanding.run = ++runs_;
  const std::int64_t now = world_.mono.monotonic_ms();
  if (command.timeout) outstanding.ends_ms = now + command.timeout->count();
  if (command.heartbeat) {
    outstanding.heartbeat = *command.heartbeat;
    outstanding.silent_ms = now + command.heartbeat->count();
  }
  watch(held, command.id, outstanding);
  hand_over(held, command, *handler);
}

// Takes the command's texts and its input.
TaskCall Lane::call_of(const OwnedExecution& held, RunTask& command) {
  TaskCall call;
  call.execution = held.id;
  call.command = command.id;
  call.workflow = held.workflow;
  call.resource = std::move(command.resource);
  call.input = std::move(command.input);
  call.idempotency_key = idempotency_key(*held.program, held.x, held.id, command.id);
  call.attempt = command.attempt;
  call.after_crash = command.id.value <= held.recovered_to;
  call.timeout = command.timeout;
  call.heartbeat = command.heartbeat;
  return call;
}

void Lane::hand_over(OwnedExecution& held, RunTask& command, TaskHandler& handler) {
  TaskCall call = call_of(held, command);
  if (command.heartbeat) {
    call.beat = [answers = answers_, execution = held.id, id = command.id, run = runs_] {
      answers->deliver({execution, id, run, std::nullopt});
    };
  }
  handler.start(std::move(call), [answers = answers_, execution = held.id, id = command.id,
                                  run = runs_](TaskResult result) {
    answers->deliver({execution, id, run, std::move(result)});
  });
}

// Sets the timer of a task: a beat only moves `silent_ms`, so it may fire before it need be.
void Lane::watch(OwnedExecution& held, CommandId command, Outstanding& outstanding) {
  const std::int64_t next = next_end_ms(outstanding);
  if (next == 0) return;
  outstanding.timer = deadlines_.add_look(next, held.id, command);
}

void Lane::set_timer(OwnedExecution& held, const SetTimer& command) {
  const bool is_waited_for =
      held.x.waiting.contains(command.id) || held.x.timeout_timer == command.id;
  if (!is_waited_for) return;
  Outstanding& outstanding = held.outstanding[command.id];
  outstanding.kind = Outstanding::Kind::kTimer;
  outstanding.due = command.due;
  outstanding.timer = deadlines_.add_timer(command.due, held.id, command.id);
}

void Lane::cancel(OwnedExecution& held, CommandId command) {
  const auto found = held.outstanding.find(command);
  if (found == held.outstanding.end()) return;
  const Outstanding outstanding = found->second;
  held.outstanding.erase(found);
  cross_out(held, command, outstanding);
}

void Lane::cross_out(OwnedExecution& held, CommandId command, const Outstanding& outstanding) {
  const bool is_task = outstanding.kind == Outstanding::Kind::kTask;
  if (is_task) {
    deadlines_.cancel_look(outstanding.timer);
  } else {
    deadlines_.cancel_timer(outstanding.timer);
  }
  if (is_task && outstanding.handler != nullptr) outstanding.handler->cancel(held.id, command);
}

void Lane::answer(TaskAnswered answered) {
  OwnedExecution* held = find(answered.execution);
  if (held == nullptr) return;
  const auto found = held->outstanding.find(answered.command);
  if (found == held->outstanding.end() || found->second.run != answered.run) return;
  if (!answered.result) {  // It lives.
    if (found->second.heartbeat.count() == 0) return;
    found->second.silent_ms = world_.mono.monotonic_ms() + found->second.heartbeat.count();
    return;
  }
  const std::uint64_t input_hash = found->second.input_hash;
  deadlines_.cancel_look(found->second.timer);
  held->outstanding.erase(found);
  apply(*held, Fact{answered.command, world_.clock.now(), input_hash,
                    body_of(std::move(*answered.result))});
}

void Lane::on_due(const Timers::Entry& entry, Time now) {
  OwnedExecution* held = find(entry.execution);
  // While it parks, which a slow database may make long, the timer is the store's: whoever claims
  // the execution next finds it due.
  if (is_stopping_ || held == nullptr || held->is_parking) return;
  if (held->outstanding.erase(entry.command) == 0) return;
  apply(*held, Fact{entry.command, now, 0, TimerFired{}});
}

// A task has run, or been silent, for as long as it may, unless a beat came meanwhile.
void Lane::look_at_task(const Timers::Entry& entry) {
  OwnedExecution* held = find(entry.execution);
  if (is_stopping_ || held == nullptr) return;
  const auto found = held->outstanding.find(entry.command);
  if (found == held->outstanding.end()) return;
  const std::int64_t now = world_.mono.monotonic_ms();
  if (next_end_ms(found->second) > now) {
    watch(*held, entry.command, found->second);
    return;
  }
  const Outstanding outstanding = found->second;
  held->outstanding.erase(found);
  if (outstanding.handler != nullptr) outstanding.handler->cancel(held->id, entry.command);
  const bool is_silent = outstanding.ends_ms == 0 || outstanding.ends_ms > now;
  apply(*held,
        Fact{entry.command, world_.clock.now(), outstanding.input_hash, TaskTimedOut{is_silent}});
}

}  // namespace stepwell::runtime
