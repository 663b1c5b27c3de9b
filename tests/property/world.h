// World — what stands around step() in these tests: it keeps the books of commands and facts, and
// checks after every fact what must hold for every program, execution and fact.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "engine/step/step.h"
#include "tests/property/random_workflow.h"

namespace stepwell::testing {

struct WorldOptions {
  Mood mood = Mood::kWild;
  std::uint64_t order_seed = 0;  // Of the order in which outstanding commands are answered.
  std::uint64_t slice = 10'000;
  std::uint32_t semantics = kSemantics;
  bool reload = true;     // Sometimes encode and decode between two facts.
  bool duplicate = true;  // Deliver every fact twice.
};

class World {
 public:
  World(const Program& program, Value input, const WorldOptions& options);

  // Applies the fact, checks, and keeps the journal.  False: it changed nothing.
  bool deliver(const Fact& fact);
  void start();
  // Answers one outstanding command, chosen at random.
  void answer_one();
  // Until it has ended or `facts` were delivered.
  void run(std::size_t facts = 100'000);
  void stop();
  bool redrive();

  const Execution& execution() const { return execution_; }
  // The idempotency keys of the tasks that are outstanding.
  std::set<std::string> open_keys() const;
  bool running() const { return execution_.is_running(); }
  const std::vector<Fact>& journal() const { return journal_; }
  std::uint64_t events() const { return events_; }
  std::uint64_t tasks() const { return tasks_; }
  // From now on every task succeeds.
  void be_kind() { kind_ = true; }
  // The first thing that did not hold; empty: all did.
  const std::string& broken() const { return broken_; }

  // A fold of the journal, each fact through its codec; nothing listens.
  Execution fold() const;

 private:
  void must(bool holds, const std::string& what);
  void take(std::vector<Command> commands);
  void check_tree();
  void check_outstanding();
  void check_key(const RunTask& task);
  void check_stale(const Fact& fact);
  FactBody task_answer(const RunTask& task);

  const Program& program_;
  Value input_;
  WorldOptions options_;
  Random random_;
  Time now_;
  Execution execution_;
  std::vector<Fact> journal_;
  std::map<CommandId, Command> open_;
  std::map<CommandId, std::string> keys_;  // Of every task, as it was issued.
  std::set<std::string> seen_keys_;
  bool finished_ = false, kind_ = false;
  std::uint64_t events_ = 0, tasks_ = 0;
  std::string broken_;
};

}  // namespace stepwell::testing
