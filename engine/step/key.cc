#include "engine/step/key.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/siphash.h"

namespace stepwell {
namespace {

void put(std::string& bytes, std::uint64_t number) {
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(number >> (8 * i));
}

std::string_view text_of(const std::array<std::uint8_t, 16>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

const Frame& frame_at(const Execution& execution, FrameId id) {
  const auto found = execution.frames.find(id);
  CHECK(found != execution.frames.end(), "there is no frame " + std::to_string(id.value));
  return found->second;
}

// One record for each frame, from the task's own outwards: entry, index in the parent, name.  A
// group is no frame; its states are entered anew when it is tried again.
std::string work_of(const Program& program, const Execution& execution, const Frame& task) {
  std::string bytes;
  for (const Frame* frame = &task;; frame = &frame_at(execution, frame->parent)) {
    const std::string& name = program.state(frame->machine, frame->state).name;
    put(bytes, frame->entries);
    put(bytes, frame->index);
    put(bytes, name.size());
    bytes += name;
    if (frame->is_root()) return bytes;
  }
}

std::string key_of_command(ExecutionId id, const RunningTask& task) {
  std::string bytes(text_of(id.uuid.bytes));
  put(bytes, task.command.value);
  put(bytes, task.input_hash);
  std::string key;
  for (const std::uint64_t half : {1, 2}) {
    const std::uint64_t hash = hash64(bytes, half);
    for (int at = 60; at >= 0; at -= 4) key += "0123456789abcdef"[hash >> at & 15];
  }
  return key;
}

}  // namespace

std::string idempotency_key(const Program& program, const Execution& execution, ExecutionId id,
                            CommandId command) {
  const auto waiter = execution.waiting.find(command);
  CHECK(waiter != execution.waiting.end(), "a key for a command that is not outstanding");
  const Frame& frame = frame_at(execution, waiter->second);
  const auto* task = std::get_if<RunningTask>(&frame.doing);
  CHECK(task != nullptr, "a key for a command that is not a task");
  if (execution.pins.semantics < 3) return key_of_command(id, *task);
  return hex_encode(text_of(siphash128(id.uuid.bytes, work_of(program, execution, frame))));
}

}  // namespace stepwell
