// Starts of a lane: how an execution begins, what may run before its start is durable, and what
// becomes of it when the start is.
#include <algorithm>

#include "base/check.h"
#include "engine/runtime/lane.h"
#include "engine/store/batch_parts.h"
#include "engine/store/trouble.h"

namespace stepwell::runtime {
namespace {

// Pure tasks of one execution before its start is durable: a loop of them must not hold up the
// others of the lane.  What is left runs as every task does.
constexpr int kMostEarlyTasks = 64;
constexpr std::size_t kMostEarlyBytes = 1u << 20;  // Of what they come to.

}  // namespace

void Lane::begin(Beginning beginning, StartAnswer answer) {
  auto shared = std::make_shared<Beginning>(std::move(beginning));
  loop_.post(
      [this, shared, answer = std::move(answer)] { begin_here(std::move(*shared), answer); });
}

void Lane::begin_here(Beginning beginning, StartAnswer answer) {
  if (is_stopping_) {
    answer(Error{ErrorCode::kUnavailable, "the engine is stopping"});
    return;
  }
  // If this lane is full, the execution is stored unowned and any lane may claim it.
  beginning.row.owned = room_.has(held_.size());
  if (OwnedExecution* const held = stage_start(std::move(beginning), std::move(answer))) {
    run_pure_tasks(held->id);
  }
}

// Null: nothing of it is held here.
OwnedExecution* Lane::stage_start(Beginning beginning, StartAnswer answer) {
  auto held = std::make_unique<OwnedExecution>();
  held->id = beginning.row.id;
  held->ns = beginning.row.ns;
  held->workflow = beginning.row.workflow;
  held->program = std::move(beginning.program);
  held->has_input_text = beginning.fact.input_text.empty();
  const Fact fact{{}, world_.clock.now(), 0, std::move(beginning.fact)};
  commands_.clear();
  try {
    CHECK(step(*held->program, held->x, fact, commands_), "a start that starts nothing");
  } catch (const InvariantBroken& bug) {
    answer(Error{ErrorCode::kInternal, std::string("the execution cannot begin: ") + bug.what()});
    return nullptr;
  }
  beginning.row.first = row_of(*held, fact);
  beginning.row.first.payload = encode_pins(std::get<Started>(fact.body));
  beginning.row.is_first_slim = true;  // Its input is in the execution's row.
  const bool is_owned = beginning.row.owned;
  open_.batch.starts.push_back(std::move(beginning.row));
  open_.answers.push_back(std::move(answer));
  if (!is_owned) return nullptr;
  take_commands(*held);
  world_.ends.hold(held->ns, held->id);
  auto& place = held_[held->id];
  place = std::move(held);
  return place.get();
}

// The start of an execution that is being begun: the newest of what is staged.  An end that goes
// with it is written as part of it, in one row.
store::Start* Lane::start_of(ExecutionId id) {
  std::vector<store::Start>& starts = open_.batch.starts;
  return !starts.empty() && starts.back().id == id ? &starts.back() : nullptr;
}

// Runs the tasks that the start asks for, and those that follow from what they come to, up to the
// first that is not pure.  All that comes of it is staged with the start, and is void when the
// start is.  In the order in which they would run later, so that the facts are the same.
void Lane::run_pure_tasks(ExecutionId id) {
  int ran = 0;
  const std::size_t most_bytes = open_.bytes + kMostEarlyBytes;
  OwnedExecution* held = find(id);
  for (std::size_t at = 0; held != nullptr && at < held->staged.size(); ++at) {
    Command& command = held->staged[at].command;
    if (std::holds_alternative<Continue>(command)) return;
    auto* const task = std::get_if<RunTask>(&command);
    // What is cancelled, or has run, is not waited for: dispatch() passes it over.
    if (task == nullptr || !held->x.waiting.contains(task->id)) continue;
    TaskHandler* const handler = dispatcher_.find_pure(task->resource);
    if (handler == nullptr || ran++ == kMostEarlyTasks || open_.bytes > most_bytes) return;
    run_early(*held, *task, *handler);
    held = find(id);  // A bug may have quarantined it.
  }
}

void Lane::run_early(OwnedExecution& held, RunTask& task, TaskHandler& handler) {
  const CommandId command = task.id;
  const std::uint64_t input_hash = task.input_hash;
  std::optional<TaskResult> result;
  handler.start(call_of(held, task),
                [&result](TaskResult answered) { result = std::move(answered); });
  CHECK(result.has_value(), "a pure task has not answered at once");
  apply(held, Fact{command, world_.clock.now(), input_hash, body_of(std::move(*result))});
}

void Lane::on_starts(Landed& landed) {
  using Kind = store::StartOutcome::Kind;
  for (std::size_t i = 0; i < landed.batch.starts.size(); ++i) {
    const store::Start& start = landed.batch.starts[i];
    const store::StartOutcome& outcome = landed.ack.starts.at(i);
    const auto refused =
        std::find_if(landed.ack.refused.begin(), landed.ack.refused.end(),
                     [&](const store::Refused& one) { return one.execution == start.id; });
    if (refused != landed.ack.refused.end()) {
      on_refused_start(landed, i, refused->reason);
      continue;
    }
    landed.answers[i](outcome);
    if (outcome.kind != Kind::kCreated) {
      drop(start.id);
      continue;
    }
    ++world_.counters.started;
    OwnedExecution* held = find(start.id);
    if (held == nullptr) continue;
    if (start.end) {
      on_ended(*held, *start.end);
      continue;
    }
    held->durable = std::max<std::uint64_t>(held->durable, 1);
    dispatch(*held);
  }
}

// The start may be good, and what a pure task answered bad: then it begins anew, and its tasks run
// when it is durable, so that the failure is that task's and not the start's.
void Lane::on_refused_start(Landed& landed, std::size_t i, const std::string& reason) {
  const store::Start& start = landed.batch.starts[i];
  const std::size_t early =  // None of them is durable.
      std::erase_if(landed.batch.facts,
                    [&](const store::JournalRow& row) { return row.execution == start.id; });
  const OwnedExecution* const held = find(start.id);
  auto first =
      decode_payload(FactKind::kStarted, store::full_payload(start), store::names_of(start));
  if (early == 0 || held == nullptr || !first.ok()) {
    drop(start.id);
    const bool is_ours = reason == store::kNoPartition;
    landed.answers[i](Error{is_ours ? ErrorCode::kUnavailable : ErrorCode::kRefusedData, reason});
    return;
  }
  Beginning again{start, held->program, std::get<Started>(std::move(*first))};
  again.row.end.reset();
  due_snapshots_.forget(start.id);
  if (stage_start(std::move(again), std::move(landed.answers[i])) == nullptr) drop(start.id);
}

}  // namespace stepwell::runtime
