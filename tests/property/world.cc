#include "tests/property/world.h"

#include <algorithm>

#include "base/match.h"
#include "engine/step/key.h"

namespace stepwell::testing {

namespace {

constexpr ExecutionId kId{};

}  // namespace

World::World(const Program& program, Value input, const WorldOptions& options)
    : program_(program),
      input_(std::move(input)),
      options_(options),
      random_(options.order_seed),
      now_(from_unix_ms(1'700'000'000'000)) {}

void World::must(bool holds, const std::string& what) {
  if (!holds && broken_.empty()) {
    broken_ = what + " (after fact " + std::to_string(journal_.size()) + ")";
  }
}

bool World::deliver(const Fact& fact) {
  std::vector<Command> commands;
  const std::uint64_t before = execution_.next_event;
  std::uint64_t told = 0, expected_id = before;
  const Listener listener = [&](const HistoryEvent& event) {
    ++told;
    must(event.id == expected_id++, "event ids go up by one");
    must(event.previous_id < event.id, "a previous event comes before");
  };
  const bool changed = step(program_, execution_, fact, commands, &listener);
  if (!changed) {
    must(commands.empty() && told == 0, "a stale fact commands and tells nothing");
    return false;
  }
  must(execution_.next_event == before + told, "events are counted as they are told");
  events_ += told;
  journal_.push_back(fact);
  open_.erase(fact.command);
  take(std::move(commands));
  must(!running() || !open_.empty(), "a running execution has something outstanding");
  must(running() || finished_, "an execution that ended said Finish");
  check_outstanding();
  if (options_.duplicate) check_stale(fact);
  if (options_.reload && random_.below(4) == 0) {
    auto reloaded = Execution::decode(execution_.encode());
    must(reloaded.ok(), "a snapshot can be read");
    if (!reloaded.ok()) return true;
    must(reloaded->same_as(execution_), "decode(encode(x)) equals x");
    execution_ = std::move(reloaded).value();
    check_outstanding();
  }
  return true;
}

void World::take(std::vector<Command> commands) {
  for (Command& command : commands) {
    must(!finished_, "nothing is commanded after Finish");
    std::visit(match{
                   [&](const Cancel& cancel) {
                     must(open_.erase(cancel.id) == 1, "only what is outstanding is cancelled");
                   },
                   [&](const Finish& finish) {
                     finished_ = true;
                     must(open_.empty(), "nothing is outstanding at Finish");
                     must(finish.status == execution_.status, "Finish tells the status");
                   },
                   [&](const auto& other) {
                     if constexpr (std::is_same_v<std::decay_t<decltype(other)>, RunTask>) {
                       ++tasks_;
                     }
                     must(open_.emplace(other.id, other).second, "a command's id is its own");
                   },
               },
               command);
  }
}

// Every frame but the root is a child that its parent knows of; the counts agree.
void World::check_tree() {
  std::size_t known = 0;
  for (const auto& [id, frame] : execution_.frames) {
    if (frame.is_root()) ++known;
    const auto* children = std::get_if<Children>(&frame.doing);
    if (children == nullptr) continue;
    std::size_t live = 0;
    for (std::size_t index = 0; index < children->running.size(); ++index) {
      if (children->running[index].value == 0) continue;
      ++live;
      const auto child = execution_.frames.find(children->running[index]);
      must(child != execution_.frames.end() && child->second.parent == id &&
               child->second.index == index,
           "a child that runs has a frame");
    }
    must(live == children->live, "the children that run are counted");
    must(children->limit == 0 || live <= children->limit, "no more run than may");
    known += live;
  }
  must(known == execution_.frames.size(), "no frame is left without a parent");
}

void World::check_outstanding() {
  check_tree();
  const std::vector<Command> commands = outstanding(program_, execution_);
  must(commands.size() == open_.size(), "outstanding() are the commands that were not answered");
  auto at = open_.begin();
  for (const Command& command : commands) {
    if (at == open_.end()) return;
    must(at->second.index() == command.index(), "outstanding() has the same kinds of command");
    std::visit(match{
                   [&](const RunTask& task) {
                     const auto* mine = std::get_if<RunTask>(&at->second);
                     must(mine != nullptr && mine->id == task.id && mine->input == task.input &&
                              mine->input_hash == task.input_hash &&
                              mine->attempt == task.attempt && mine->timeout == task.timeout &&
                              mine->resource == task.resource,
                          "a task is issued again as it was");
                     check_key(task);
                   },
                   [&](const SetTimer& timer) {
                     const auto* mine = std::get_if<SetTimer>(&at->second);
                     must(mine != nullptr && mine->id == timer.id && mine->due == timer.due,
                          "a timer is issued again as it was");
                   },
                   [&](const Continue& go_on) {
                     must(go_on.id == at->first, "a continuation is issued again as it was");
                   },
                   [&](const auto&) { must(false, "only work is outstanding"); },
               },
               command);
    ++at;
  }
}

std::set<std::string> World::open_keys() const {
  std::set<std::string> keys;
  for (const auto& [id, command] : open_) {
    if (std::holds_alternative<RunTask>(command)) {
      keys.insert(idempotency_key(program_, execution_, kId, id));
    }
  }
  return keys;
}

void World::check_key(const RunTask& task) {
  const std::string key = idempotency_key(program_, execution_, kId, task.id);
  const auto [issued, is_new] = keys_.emplace(task.id, key);
  must(issued->second == key, "a task that is issued again has its key");
  if (!is_new) return;
  const bool was_seen = !seen_keys_.insert(key).second;
  must(was_seen || task.attempt == 1, "a further attempt has the key of the first");
  must(!was_seen || task.attempt > 1 || execution_.redrive_count > 0,
       "only attempts and redrives have a key again");
  must(open_keys().size() ==
           static_cast<std::size_t>(std::count_if(
               open_.begin(), open_.end(),
               [](const auto& open) { return std::holds_alternative<RunTask>(open.second); })),
       "no two tasks that run have one key");
}

// The fact once more, and an answer to what nobody asked.
void World::check_stale(const Fact& fact) {
  // A redrive that failed at once may be followed by another one.
  if (fact.kind() == FactKind::kRedriven && !running()) return;
  const Execution before = execution_;
  std::vector<Command> commands;
  Fact again = fact;
  again.at += Millis(5);
  const bool changed = step(program_, execution_, again, commands, nullptr);
  must(!changed && commands.empty(), "a duplicate is a no-op");
  must(execution_.same_as(before), "a duplicate leaves the execution as it was");
  again.command = CommandId{execution_.next_command + random_.below(3)};
  again.body = TimerFired{};
  must(!step(program_, execution_, again, commands, nullptr), "an unknown command is a no-op");
  again.body = TaskSucceeded{Value(1)};
  must(!step(program_, execution_, again, commands, nullptr), "an unknown command is a no-op");
}

void World::start() {
  Started started;
  started.input = input_;
  started.pins.program_hash = program_.hash;
  started.pins.seed = 99;
  started.pins.semantics = options_.semantics;
  started.pins.execution_name = "x";
  started.pins.limits.slice_transitions = options_.slice;
  deliver(Fact{CommandId{}, now_, 0, std::move(started)});
}

FactBody World::task_answer(const RunTask& task) {
  const State& state = program_.state(task.machine, task.state);
  const Value output = Object{{"k", task.input_hash % 7}, {"state", state.name}};
  if (kind_) return TaskSucceeded{output};
  if (options_.mood == Mood::kMild) {
    // Fails as often as its retrier bears, the same whatever the order.
    const std::uint64_t failures = (task.input_hash ^ task.state.value) % 4;
    if (task.attempt <= failures) return TaskFailed{"Flaky", "by and by", std::nullopt};
    return TaskSucceeded{output};
  }
  switch (random_.below(10)) {
    case 0: return TaskFailed{"Flaky", "cause", Millis(random_.below(5000))};
    case 1: return TaskFailed{"Other", std::nullopt, std::nullopt};
    case 2: return TaskFailed{};
    case 3: return TaskTimedOut{random_.below(2) == 0};
    default: return TaskSucceeded{output};
  }
}

void World::answer_one() {
  if (open_.empty()) return;
  auto chosen = open_.begin();
  std::advance(chosen, static_cast<std::ptrdiff_t>(random_.below(open_.size())));
  // The workflow's own timeout comes last, or nothing would ever get done.
  if (chosen->first == execution_.timeout_timer.value_or(CommandId{}) && open_.size() > 1 &&
      random_.below(50) != 0) {
    return;
  }
  const Command command = chosen->second;
  now_ += Millis(random_.below(50));
  Fact fact;
  fact.command = chosen->first;
  std::visit(match{
                 [&](const RunTask& task) {
                   fact.body = task_answer(task);
                   fact.input_hash = task.input_hash;
                 },
                 [&](const SetTimer& timer) {
                   now_ = std::max(now_, timer.due);
                   fact.body = TimerFired{};
                 },
                 [&](const Continue&) { fact.body = Continued{}; },
                 [](const auto&) {},
             },
             command);
  fact.at = now_;
  must(deliver(fact), "the answer to an outstanding command counts");
}

void World::run(std::size_t facts) {
  for (std::size_t i = 0; i < facts && running() && broken_.empty(); ++i) answer_one();
}

void World::stop() {
  must(deliver(Fact{CommandId{}, now_, 0, Stopped{"Stop", std::nullopt}}) && !running(),
       "stopping ends a running execution");
  must(open_.empty(), "nothing is outstanding after a stop");
}

bool World::redrive() {
  finished_ = false;
  const bool changed = deliver(Fact{CommandId{}, now_, 0, Redriven{}});
  if (!changed) finished_ = true;
  return changed;
}

Execution World::fold() const {
  Execution folded;
  for (const Fact& fact : journal_) {
    Fact read = fact;
    auto body = decode_payload(fact.kind(), encode_payload(fact.body));
    CHECK(body.ok(), "a payload can be read");
    read.body = std::move(body).value();
    std::vector<Command> commands;
    step(program_, folded, read, commands, nullptr);
  }
  return folded;
}

}  // namespace stepwell::testing
