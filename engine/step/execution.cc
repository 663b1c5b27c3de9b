// What an execution shows of itself.
#include "engine/step/execution.h"

#include <algorithm>

#include "base/match.h"
#include "language/program/program.h"

namespace stepwell {

std::vector<FrameId> frames_in_order(const Execution& execution) {
  std::vector<FrameId> ids;
  ids.reserve(execution.frames.size());
  for (const auto& [id, frame] : execution.frames) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

const char* to_string(ExecutionStatus status) {
  switch (status) {
    case ExecutionStatus::kRunning: return "RUNNING";
    case ExecutionStatus::kSucceeded: return "SUCCEEDED";
    case ExecutionStatus::kFailed: return "FAILED";
    case ExecutionStatus::kTimedOut: return "TIMED_OUT";
    case ExecutionStatus::kAborted: return "ABORTED";
  }
  return "?";
}

std::optional<ExecutionStatus> parse_status(const std::string& text) {
  for (const auto status :
       {ExecutionStatus::kRunning, ExecutionStatus::kSucceeded, ExecutionStatus::kFailed,
        ExecutionStatus::kTimedOut, ExecutionStatus::kAborted}) {
    if (text == to_string(status)) return status;
  }
  return std::nullopt;
}

std::string Execution::warning() const {
  const std::uint64_t most = pins.limits.max_transitions;
  if (transitions < most - most / 5) return {};
  return "entered " + std::to_string(transitions) + " states of the " + std::to_string(most) +
         " that it may enter; then it fails";
}

std::vector<WaitingFor> Execution::waiting_for(const Program& program, std::size_t limit) const {
  std::vector<WaitingFor> answer;
  if (!is_running()) return answer;
  for (const FrameId id : frames_in_order(*this)) {
    if (answer.size() >= limit) break;
    const Frame& frame = frames.at(id);
    WaitingFor waits;
    std::visit(match{
                   [&](const RunningTask&) { waits.reason = "task"; },
                   [&](const Sleeping& sleeping) {
                     waits.reason = "timer";
                     waits.until = sleeping.due;
                   },
                   [&](const BackingOff& backing) {
                     waits.reason = "retry";
                     waits.until = backing.due;
                   },
                   [&](const Runnable&) { waits.reason = "continue"; },
                   [](const auto&) {},
               },
               frame.doing);
    if (waits.reason.empty()) continue;
    waits.state = program.state(frame.machine, frame.state).name;
    waits.where = place_text(program, {frame.machine, frame.state, {}});
    waits.attempt = frame.attempt;
    waits.last_error = frame.last_error;
    answer.push_back(std::move(waits));
  }
  return answer;
}

std::vector<MapProgress> Execution::map_progress(const Program& program) const {
  std::vector<MapProgress> answer;
  for (const FinishedMap& finished : finished_maps) {
    answer.push_back(
        {program.state(MachineId{0}, finished.state).name, finished.total, finished.succeeded, 0});
  }
  for (const FrameId id : frames_in_order(*this)) {
    const Frame& frame = frames.at(id);
    const auto* children = std::get_if<Children>(&frame.doing);
    if (children == nullptr || !children->is_map()) continue;
    MapProgress now{program.state(frame.machine, frame.state).name, children->results.size(),
                    children->finished, is_running() ? children->live : 0};
    const auto same = std::find_if(answer.begin(), answer.end(), [&](const MapProgress& other) {
      return frame.is_root() && other.state == now.state;
    });
    if (same != answer.end()) {
      *same = std::move(now);
    } else {
      answer.push_back(std::move(now));
    }
  }
  return answer;
}

}  // namespace stepwell
