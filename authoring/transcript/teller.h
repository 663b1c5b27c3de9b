// Teller — from the events of a history to the lines of a transcript.
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
  // What the events do not say: delays of retries, ends of waits.  After every fact.
  void look(const Execution& execution, const std::vector<Command>& commands);

  // Aligned, a newline after each.
  std::string lines() const;

 private:
  struct Line {
    Time at;
    std::string who, verb, detail;
    bool ends_group = false;  // What a Map, a Parallel or the whole execution comes to.
  };
  // What is known of an event when a later one names it as the previous one.
  struct Heard {
    // The branches and iterations around it, outermost first: "Both{7}", "Each[1]".
    std::string path;
    std::string type;
    Line* line = nullptr;  // That it became.
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
  std::size_t told_ = 0;  // Lines of earlier facts.
  // These are only looked up, never listed.
  std::unordered_map<std::uint64_t, Heard> heard_;
  std::unordered_map<std::string, std::string> state_of_;     // By path: the state it is in.
  std::unordered_map<std::string, bool> is_scheduled_;        // By who, since it was entered.
  std::unordered_map<std::uint64_t, std::string> who_waits_;  // By command.
  std::unordered_map<std::string, const State*> state_named_;
};

}  // namespace stepwell::transcript
