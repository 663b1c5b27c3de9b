// Teller — writes the lines of a transcript from the events of a history.
//
// It hears every event in order.  An event either becomes a line, is added to the line of the same
// state (an exit to its task's line), or only tells where later events belong: events are tied to
// their branch or iteration by previousEventId, so the place of each event is kept by its id.
// Not thread-safe: one per run.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/step/step.h"

namespace stepwell::transcript {

class Teller {
 public:
  Teller(const Program& program, Time start);

  void hear(const HistoryEvent& event);
  // After every fact: adds what events do not say, such as delays of retries and ends of waits.
  void look(const Execution& execution, const std::vector<Command>& commands);

  // All lines, aligned, each with a newline.
  std::string lines() const;

 private:
  struct Line {
    Time at;
    std::string who, verb, detail;
    bool ends_group = false;  // The end of a Map, a Parallel or the execution.
  };
  // What is kept of an event, for later events that name it as their previous one.
  struct Heard {
    // The branches and iterations around it, outermost first: "Both{7}", "Each[1]".
    std::string path;
    std::string type;
    Line* line = nullptr;  // The line that it became, if any.
  };

  std::string path_of(const HistoryEvent& event) const;
  Line* say(const HistoryEvent& event, std::string who, std::string verb, std::string detail = {});
  Line* hear_state(const HistoryEvent& event, const std::string& path);
  Line* hear_entered(const HistoryEvent& event, const std::string& path);
  Line* hear_exited(const HistoryEvent& event, const std::string& path);
  Line* hear_task(const HistoryEvent& event, const std::string& path);
  Line* hear_end(const HistoryEvent& event);
  void mark_caught(const HistoryEvent& event);
  void tell_aborted(const Cancel& cancel, Time at);
  void tell_timer(const Execution& execution, const Frame& frame, const SetTimer& timer);
  std::string group_detail(const HistoryEvent& event, const std::string& name) const;
  std::string state_at(const std::string& path) const;
  std::string who_of(const Execution& execution, const Frame& frame) const;
  Line* newest_of(const std::string& who);

  const Program& program_;
  const Time start_;
  std::list<Line> list_;
  std::size_t told_ = 0;  // How many lines are of earlier facts.
  // Never iterated over:
  std::unordered_map<std::uint64_t, Heard> heard_;
  std::unordered_map<std::string, std::string> state_of_;     // By path: the state it is in.
  std::unordered_map<std::string, bool> is_scheduled_;        // By who, since it was entered.
  std::unordered_map<std::uint64_t, std::string> who_waits_;  // By command.
  std::unordered_map<std::string, const State*> state_named_;
};

}  // namespace stepwell::transcript
