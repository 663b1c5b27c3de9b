// Teller — who tells an execution's history, event by event, as Step Functions would.
//
// Internal to engine/step; lives for one fact.  Events are counted whether anybody hears them or
// not, because their ids are part of the execution; their details are built only for a listener.
//
// Each event names a previous one.  Events of a frame form a chain (Frame::last_event), which the
// functions that take a Frame& move on; of a frame inside a distributed Map nothing is told.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/step/execution.h"
#include "engine/step/fact.h"
#include "engine/step/observer.h"
#include "engine/step/problem.h"
#include "language/program/program.h"

namespace stepwell {

class Teller {
 public:
  Teller(Execution& execution, const Observer* observer, Time now)
      : x_(execution),
        observer_(observer != nullptr && observer->wants_history() ? observer : nullptr),
        now_(now) {}

  // ---- the execution
  void execution_started(std::string_view input_text);
  void execution_succeeded(const Frame& root, const Value& output);
  // `failed_at`: the state to which it is put down.
  void execution_failed(std::uint64_t previous, const Problem& problem,
                        const StatePlace& failed_at);
  void execution_aborted(const Problem& problem);
  void execution_timed_out();
  std::uint64_t execution_redriven();

  // ---- states
  void entered(Frame& frame, const State& state);
  void exited(Frame& frame, const State& state, const Value& output,
              const std::optional<Value>& assigned);
  // The event follows from what was before its state was entered, or before its state failed: it
  // undoes what led to it.
  void evaluation_failed(Frame& frame, const State& state, const Problem& problem);
  // Of a state that others end.
  void state_aborted(const State& state, std::uint64_t previous);

  // ---- tasks
  void task_scheduled(Frame& frame, const Task& task, const RunningTask& running,
                      const Value& credentials);
  void task_started(Frame& frame, const Task& task);
  void task_succeeded(Frame& frame, const Task& task, const Value& output);
  // `how`: "Failed" or "TimedOut".
  void task_failed(Frame& frame, const Task& task, std::string_view how, const Problem& problem);

  // ---- Map and Parallel
  void children_started(Frame& frame, const State& state, const Children& children);
  void children_failed(Frame& frame, const State& state);
  void children_succeeded(const Frame& frame, const State& state);
  // `what`: "MapRunStarted", "MapRunRedriven", "MapRunSucceeded" or "MapRunFailed".
  void map_run(Frame& frame, const Map& map, std::string_view what, const Problem* problem);
  // `what`: "Started", "Succeeded", "Failed" or "Aborted".  The id of the event.
  std::uint64_t iteration(const State& state, std::string_view what, std::uint64_t index,
                          std::uint64_t previous);

 private:
  // Counts an event, and tells it when somebody listens.  `fill` sets members of the details.
  template <class Fill>
  std::uint64_t tell(std::uint64_t previous, std::string_view a, std::string_view b, Fill&& fill) {
    const std::uint64_t id = x_.next_event++;
    if (observer_ != nullptr) {
      Object details;
      fill(details);
      publish(id, previous, a, b, std::move(details));
    }
    return id;
  }
  std::uint64_t tell(std::uint64_t previous, std::string_view a, std::string_view b = {}) {
    return tell(previous, a, b, [](Object&) {});
  }
  // The same for an event of a frame; it becomes the frame's newest.
  template <class Fill>
  void tell_of(Frame& frame, std::string_view a, std::string_view b, Fill&& fill) {
    if (frame.quiet) return;
    talk_about(frame);
    frame.last_event = tell(frame.last_event, a, b, std::forward<Fill>(fill));
    about_.reset();
  }
  // The next event is about the state of that frame.
  void talk_about(const Frame& frame, const expr::Blame& blame = {}) {
    if (observer_ != nullptr) about_ = StatePlace{frame.machine, frame.state, blame};
  }
  void publish(std::uint64_t id, std::uint64_t previous, std::string_view a, std::string_view b,
               Object details);

  Execution& x_;
  const Observer* const observer_;  // Null: nobody listens.
  const Time now_;
  std::string_view input_text_;  // Of the execution's input, while it starts.
  std::optional<StatePlace> about_;
  // The newest event that a failing evaluation takes back, and the one before it.
  struct {
    std::uint64_t event = 0, previous = 0;
  } undecided_;
};

}  // namespace stepwell
