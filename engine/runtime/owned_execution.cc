#include "engine/runtime/owned_execution.h"

namespace stepwell::runtime {
namespace {

CommandId id_of(const Command& command) {
  if (const auto* task = std::get_if<RunTask>(&command)) return task->id;
  if (const auto* timer = std::get_if<SetTimer>(&command)) return timer->id;
  if (const auto* go_on = std::get_if<Continue>(&command)) return go_on->id;
  return {};
}

}  // namespace

std::vector<Command> unattended(const OwnedExecution& held) {
  // Counted first: listing all that a large Map waits for is not for nothing.
  const std::size_t expected =
      held.x.waiting.size() + (held.x.timeout_timer ? 1 : 0) + (held.x.continuation ? 1 : 0);
  if (held.outstanding.size() == expected && !held.x.continuation) return {};
  std::vector<Command> commands = outstanding(*held.program, held.x);
  std::erase_if(commands,
                [&](const Command& command) { return held.outstanding.contains(id_of(command)); });
  return commands;
}

}  // namespace stepwell::runtime
