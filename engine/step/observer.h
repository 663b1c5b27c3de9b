// Observer — somebody who watches step(): the history, the coverage of tests, TestState.
//
// step() comes to the same with an observer and without one, and without one it builds nothing for
// it.  An observer hears of one fact at a time, on the thread of that call of step().
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "base/time.h"
#include "base/value.h"
#include "engine/step/frame.h"
#include "engine/step/history.h"
#include "engine/step/problem.h"

namespace stepwell {

class Observer {
 public:
  virtual ~Observer() = default;

  // The history.  The details of an event are built only for those who want them.
  virtual bool wants_history() const { return false; }
  // By value: whoever hears it may keep it.  NOLINTNEXTLINE(performance-unnecessary-value-param)
  virtual void hear(HistoryEvent) const {}

  // A part of the program that the fact leads through, by its address: a State, its `next`, a
  // ChoiceRule, the `default_next` of a Choice, a Retrier, a Catcher.
  virtual void reach(const void*) const {}

  // What happens within a state.  `stage`: a name of InspectionData, "afterInputPath", ...
  virtual void note_stage(std::string_view, const Value&) const {}
  virtual void note_failure(const Problem&) const {}
  virtual void note_retry(std::size_t /*retrier*/, Millis /*backoff*/) const {}
  virtual void note_catch(std::size_t /*catcher*/) const {}
  // `next`: the name of the state that follows; nullptr: none.
  virtual void note_departure(const Frame&, const Value& /*output*/,
                              const std::optional<Value>& /*assigned*/,
                              const std::string* /*next*/) const {}
};

// Hears the history.
class Listener final : public Observer {
 public:
  template <class Hear>
  Listener(Hear hear) : hear_(std::move(hear)) {}

  bool wants_history() const override { return true; }
  void hear(HistoryEvent event) const override { hear_(std::move(event)); }

 private:
  std::function<void(HistoryEvent)> hear_;
};

}  // namespace stepwell
