// SimTasks — the tasks of one lane: they answer at once, later, again, wrongly or never.
#pragma once

#include <map>
#include <memory>

#include "engine/task/task.h"
#include "tests/sim/witness.h"
#include "tests/sim/world.h"

namespace stepwell::sim {

// A task with this in its input kills the process that runs it.
inline constexpr const char* kPoison = "poison";
inline constexpr const char* kWork = "test.work";
inline constexpr const char* kPure = "test.pure";  // Declared pure: it answers at once.

class SimTasks final : public runtime::TaskHandler, public std::enable_shared_from_this<SimTasks> {
 public:
  SimTasks(World& world, Witness& witness, LifeRef life, std::function<void()> kill)
      : world_(world), witness_(witness), life_(std::move(life)), kill_(std::move(kill)) {}

  bool serves(const std::string& resource) const override {
    return resource == kWork || resource == kPure;
  }
  std::vector<std::string> resources() const override { return {kWork, kPure}; }
  bool is_pure(const std::string& resource) const override { return resource == kPure; }
  void start(runtime::TaskCall call, runtime::TaskDone done) override;
  void cancel(ExecutionId execution, CommandId command) override;

  // One of those that run answers now.
  void answer_one();

 private:
  struct Running {
    ExecutionId execution;
    CommandId command;
    runtime::TaskDone done;
    TaskResult result;
  };
  TaskResult outcome(const runtime::TaskCall& call);
  void answer(std::uint64_t number);

  World& world_;
  Witness& witness_;
  const LifeRef life_;
  const std::function<void()> kill_;
  std::map<std::uint64_t, Running> running_;
  std::uint64_t last_ = 0;
};

}  // namespace stepwell::sim
