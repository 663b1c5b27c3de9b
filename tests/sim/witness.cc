#include "tests/sim/witness.h"

#include <fmt/core.h>

#include "engine/step/step.h"
#include "engine/store/suspects.h"

namespace stepwell::sim {
namespace {

// How far a process's idea of the store's time may be off (StoreClock).
constexpr Millis kClockError{20};

[[noreturn]] void broken(const char* what, const ExecutionId& id) {
  throw Broken(fmt::format("{}: {}", what, id.text()));
}

bool has_redrive(const store::MemoryExecution& one) {
  for (const auto& [id, row] : one.inbox) {
    if (row.row.kind == FactKind::kRedriven) return true;
  }
  return false;
}

}  // namespace

void Witness::after_statement() {
  running_ = 0;
  for (const auto& [id, one] : world_.database->state().executions) {
    look_at(one, shadows_[id]);
    if (one.is_running() && one.row.quarantined.empty()) ++running_;
  }
}

void Witness::look_at(const store::MemoryExecution& one, Shadow& shadow) {
  const ExecutionId id = one.row.id;
  if (one.journal.size() != one.last_seq()) broken("I2: a hole in the journal", id);
  if (one.last_seq() < shadow.seq) broken("I2: the journal became shorter", id);
  fold(one, shadow);
  // A row may run although its facts have ended: it was started by no lane, and its first fact
  // ends it; or it was redriven, and nobody has taken that up.
  const bool may_differ = one.is_running() && (one.last_seq() == 1 || has_redrive(one));
  if (shadow.x.status != one.row.status && !may_differ) broken("I2: row and facts differ", id);
  const std::string& quarantined = one.row.quarantined;
  if (!quarantined.empty() && quarantined != store::kDeadlyReason) broken(quarantined.c_str(), id);
  check_owner(one);
  check_end(one, shadow);
}

void Witness::check_owner(const store::MemoryExecution& one) const {
  const store::MemoryState& tables = world_.database->state();
  const ExecutionId id = one.row.id;
  if (one.row.owner) {
    const auto writer = tables.writers.find(*one.row.owner);
    if (!one.is_running()) broken("I3: it has ended and has an owner", id);
    if (writer == tables.writers.end()) broken("I9: its owner is unknown", id);
    if (writer->second.freed) broken("I9: its owner has ended", id);
    return;
  }
  if (!one.is_running() || !one.row.quarantined.empty()) return;
  if (!one.row.wake_at) broken("I3: nobody will look at it", id);
  if (!one.inbox.empty() && *one.row.wake_at > tables.now()) {
    broken("I5: something was delivered and nobody will look now", id);
  }
}

void Witness::check_end(const store::MemoryExecution& one, Shadow& shadow) const {
  if (one.is_running()) return;
  const ExecutionId id = one.row.id;
  if (!one.inbox.empty()) broken("I3: it has ended and something waits for it", id);
  if (shadow.ended_at && shadow.redrives == one.row.redrive_count &&
      *shadow.ended_at != one.last_seq()) {
    broken("I10: facts after its end", id);
  }
  shadow.ended_at = one.last_seq();
  shadow.redrives = one.row.redrive_count;
}

void Witness::fold(const store::MemoryExecution& one, Shadow& shadow) {
  if (shadow.program == nullptr) shadow.program = program_of_(one.row.workflow);
  for (auto row = one.journal.upper_bound(shadow.seq); row != one.journal.end(); ++row) {
    fold_row(row->second, one, shadow);
    ++facts_;
  }
}

void Witness::fold_row(const store::JournalRow& row, const store::MemoryExecution& one,
                       Shadow& shadow) {
  const std::string name = one.shown_name();
  const auto body =
      decode_payload(row.kind, row.payload, {one.row.workflow, name, one.row.ns.account()});
  if (!body.ok()) broken("a payload cannot be read", row.execution);
  if (row.kind == FactKind::kTimerFired) {
    const auto due = shadow.timers.find(row.command);
    if (due == shadow.timers.end()) broken("I8: an unknown timer fired", row.execution);
    if (world_.database->state().now() + kClockError < due->second) {
      broken("I8: a timer fired before its time", row.execution);
    }
  }
  std::vector<Command> commands;
  try {
    const Fact fact{row.command, row.at, row.input_hash, *body};
    if (!step(*shadow.program, shadow.x, fact, commands)) {
      broken("I2: a fact in the journal answers nothing", row.execution);
    }
  } catch (const FoldMismatch& mismatch) {
    broken(mismatch.what(), row.execution);
  }
  shadow.seq = row.seq;
  for (const Command& command : commands) {
    if (const auto* task = std::get_if<RunTask>(&command)) shadow.tasks[task->id];
    if (const auto* timer = std::get_if<SetTimer>(&command)) shadow.timers[timer->id] = timer->due;
  }
}

void Witness::on_task(const runtime::TaskCall& call) {
  Shadow& shadow = shadows_[call.execution];
  const auto found = shadow.tasks.find(call.command);
  if (found == shadow.tasks.end())
    broken("a task runs that no durable fact commanded", call.execution);
  Task& task = found->second;
  if (task.key.empty()) task.key = call.idempotency_key;
  if (task.key != call.idempotency_key) broken("a task has two keys", call.execution);
  if (++task.runs > 1 && !call.after_crash)
    broken("I11: a task runs again, unsaid", call.execution);
  if (call.after_crash && task.runs > 1) world_.tally.count("recovery: task run again");
}

void Witness::on_pure_task(const runtime::TaskCall& call) {
  const auto shadow = shadows_.find(call.execution);
  if (shadow == shadows_.end()) {
    // If this run is forgotten the next may answer otherwise, and lead to other commands.
    early_.insert({call.execution, call.command});
    return world_.tally.count("early: pure task before its start is durable");
  }
  const auto found = shadow->second.tasks.find(call.command);
  if (found == shadow->second.tasks.end())
    broken("a task runs early after its start", call.execution);
  Task& task = found->second;
  if (task.key.empty()) task.key = call.idempotency_key;
  if (task.key != call.idempotency_key) broken("a task has two keys", call.execution);
  const bool had_run = early_.contains({call.execution, call.command}) || ++task.runs > 1;
  if (had_run) world_.tally.count("recovery: pure task run again");
}

void Witness::on_ack(const store::Ack& ack) {
  if (!ack.lost.empty()) broken("a lane wrote for what is not its own", ack.lost.front());
}

void Witness::at_the_end() {
  after_statement();
  for (const auto& [id, one] : world_.database->state().executions) {
    const Shadow& shadow = shadows_.at(id);
    world_.log(
        fmt::format("end {} {} {} facts", brief(id), to_string(one.row.status), one.last_seq()));
    if (one.is_running()) {
      if (one.row.quarantined.empty()) broken("it has not ended", id);
      world_.tally.count("recovery: quarantined");
      continue;
    }
    const bool has_output = one.row.status == ExecutionStatus::kSucceeded;
    if (one.row.output != (has_output ? shadow.x.output.to_json() : "")) {
      broken("its output is not that of its facts", id);
    }
    if (one.row.error != shadow.x.error || one.row.cause != shadow.x.cause) {
      broken("its error is not that of its facts", id);
    }
    if (shadow.x.redrive_count != one.row.redrive_count) broken("a redrive was lost", id);
  }
}

}  // namespace stepwell::sim
