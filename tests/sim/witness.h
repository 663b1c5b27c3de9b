// Witness — looks at the database after each statement, and at each task that runs: nothing may be
// lost, doubled, or left without somebody who will look.
//
// It folds every durable fact a second time (the shadow), so that what a row says, what a task was
// commanded by and what a fact answers can be compared with the journal.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>

#include "engine/step/execution.h"
#include "engine/store/memory_state.h"
#include "engine/task/task.h"
#include "language/program/program.h"
#include "tests/sim/world.h"

namespace stepwell::sim {

class Witness {
 public:
  using ProgramOf = std::function<ProgramRef(const std::string& workflow)>;

  Witness(World& world, ProgramOf program_of) : world_(world), program_of_(std::move(program_of)) {
    world_.look = [this] { after_statement(); };
  }
  ~Witness() { world_.look = nullptr; }

  // Throws Broken.
  void after_statement();
  void on_task(const runtime::TaskCall& call);
  void on_pure_task(const runtime::TaskCall& call);  // May run early, and again.
  void on_ack(const store::Ack& ack);
  // When all is over: every execution has ended as its facts say, and nobody owns or waits.
  void at_the_end();

  // Executions that run and may: not kept out of claims.
  std::size_t running() const { return running_; }
  std::uint64_t facts() const { return facts_; }

 private:
  struct Task {
    std::string key;
    std::uint64_t runs = 0;
  };
  struct Shadow {
    ProgramRef program;
    Execution x;
    std::uint64_t seq = 0;
    std::map<CommandId, Task> tasks;        // Commanded by durable facts.
    std::map<CommandId, Time> timers;       // When they are due.
    std::optional<std::uint64_t> ended_at;  // The last seq when it had ended ...
    std::uint32_t redrives = 0;             // ... after so many redrives.
  };

  void look_at(const store::MemoryExecution& one, Shadow& shadow);
  void fold(const store::MemoryExecution& one, Shadow& shadow);
  void fold_row(const store::JournalRow& row, const store::MemoryExecution& one, Shadow& shadow);
  void check_owner(const store::MemoryExecution& one) const;
  void check_end(const store::MemoryExecution& one, Shadow& shadow) const;

  World& world_;
  const ProgramOf program_of_;
  std::map<ExecutionId, Shadow> shadows_;
  std::set<std::pair<ExecutionId, CommandId>> early_;  // Pure tasks that ran before their start.
  std::size_t running_ = 0;
  std::uint64_t facts_ = 0;
};

}  // namespace stepwell::sim
