// Finds out from the events of a history what became of each state.
//
// Events are chained by previousEventId within their branch or iteration, so the state that an
// event belongs to is the first one entered, and not yet left, that its chain leads back to.
#include <algorithm>
#include <optional>

#include "authoring/graph/graph.h"

namespace stepwell::graph {

namespace {

constexpr std::string_view kEntered = "StateEntered";
constexpr std::string_view kExited = "StateExited";

struct Event {
  std::int64_t id = 0, previous = 0;
  std::string type, name;  // The name of the state that was entered or left, or failed.
  bool is_entered() const { return type.ends_with(kEntered); }
  bool is_exited() const { return type.ends_with(kExited); }
  bool is_failure() const { return type.ends_with("Failed") || type.ends_with("TimedOut"); }
};

std::optional<Event> read_event(const Value& json) {
  const Value* id = json.find("id");
  const Value* type = json.find("type");
  if (id == nullptr || !id->is_int() || type == nullptr || !type->is_string()) return std::nullopt;
  Event event;
  event.id = id->as_int();
  event.type = type->as_string();
  const Value* previous = json.find("previousEventId");
  if (previous != nullptr && previous->is_int()) event.previous = previous->as_int();
  for (const char* details : {"stateEnteredEventDetails", "stateExitedEventDetails"}) {
    const Value* found = json.find(details);
    const Value* name = found != nullptr ? found->find("name") : nullptr;
    if (name != nullptr && name->is_string()) event.name = name->as_string();
  }
  const Value* failed = json.find("evaluationFailedEventDetails");
  const Value* state = failed != nullptr ? failed->find("state") : nullptr;
  if (state != nullptr && state->is_string()) event.name = state->as_string();
  return event;
}

class Reader {
 public:
  explicit Reader(std::vector<Event> events) : events_(std::move(events)) {
    std::sort(events_.begin(), events_.end(),
              [](const Event& a, const Event& b) { return a.id < b.id; });
    visits_.resize(events_.size());
  }

  Progress read() {
    for (std::size_t i = 0; i < events_.size(); ++i) take(i);
    Progress progress;
    for (std::size_t i = 0; i < events_.size(); ++i) {
      if (events_[i].is_entered()) count(progress.states[events_[i].name], visits_[i]);
    }
    progress.ways = std::move(ways_);
    return progress;
  }

 private:
  // One visit of a state, from the event that entered it.
  struct Visit {
    Outcome outcome = Outcome::kRunning;
    std::uint32_t retries = 0;
  };

  static void count(Visits& visits, const Visit& visit) {
    visits.retries += visit.retries;
    switch (visit.outcome) {
      case Outcome::kNeverReached: break;
      case Outcome::kSucceeded: ++visits.succeeded; break;
      case Outcome::kCaught: ++visits.caught; break;
      case Outcome::kStopped: ++visits.stopped; break;
      case Outcome::kFailed: ++visits.failed; break;
      case Outcome::kRunning: ++visits.running; break;
    }
  }

  // The index of the event with that id; nothing when the history does not have it.
  std::optional<std::size_t> at(std::int64_t id) const {
    const auto found =
        std::lower_bound(events_.begin(), events_.end(), id,
                         [](const Event& event, std::int64_t wanted) { return event.id < wanted; });
    if (found == events_.end() || found->id != id) return std::nullopt;
    return static_cast<std::size_t>(found - events_.begin());
  }
  std::optional<std::size_t> before(std::size_t i) const {
    const auto redirected = redirected_.find(i);
    if (redirected != redirected_.end()) return redirected->second;
    if (events_[i].previous >= events_[i].id) return std::nullopt;
    return at(events_[i].previous);
  }
  bool is_open(std::size_t i) const {
    return events_[i].is_entered() && visits_[i].outcome == Outcome::kRunning;
  }
  template <class Wanted>
  std::optional<std::size_t> back(std::size_t from, Wanted wanted) const {
    for (auto i = before(from); i; i = before(*i)) {
      if (wanted(*i)) return i;
    }
    return std::nullopt;
  }

  void take(std::size_t i) {
    const Event& event = events_[i];
    if (event.is_entered()) return enter(i);
    if (event.is_exited()) return leave(i);
    if (event.type.ends_with("Scheduled")) return schedule(i);
    if (event.type == "EvaluationFailed") return redirect(i);
    if (event.type == "MapIterationFailed" || event.type == "MapStateFailed" ||
        event.type == "ParallelStateFailed") {
      return fail_back(i,
                       event.type == "MapIterationFailed" ? "MapStateEntered"
                       : event.type == "MapStateFailed"   ? "MapStateEntered"
                                                          : "ParallelStateEntered",
                       event.type != "MapIterationFailed");
    }
    if (event.type == "ExecutionFailed" || event.type == "ExecutionTimedOut" ||
        event.type == "ExecutionAborted") {
      end(i);
    }
  }

  void enter(std::size_t i) {
    const Event& event = events_[i];
    const auto previous = before(i);
    const bool is_onward = previous && events_[*previous].is_exited();
    bool by_catch = false;
    if (is_onward) by_catch = was_caught(*previous);
    ++ways_[{is_onward ? events_[*previous].name : std::string(), event.name, by_catch}];
    if (event.type == "FailStateEntered") visits_[i].outcome = Outcome::kFailed;
  }

  // Was the state that the event left failed, and caught?  What fails in a Map that tolerates it
  // does not fail the Map: that would have told its own failure last.
  bool was_caught(std::size_t exited) const {
    const auto cause = before(exited);
    if (!cause || !events_[*cause].is_failure()) return false;
    const std::string& left = events_[exited].type;
    if (left == "MapStateExited") return events_[*cause].type == "MapStateFailed";
    return left != "ParallelStateExited" || events_[*cause].type == "ParallelStateFailed";
  }

  void leave(std::size_t i) {
    const Event& event = events_[i];
    const bool is_caught = was_caught(i);
    const auto entered = back(i, [&](std::size_t at) {
      return events_[at].is_entered() && events_[at].name == event.name &&
             (visits_[at].outcome == Outcome::kRunning || is_caught);
    });
    if (!entered) return;
    visits_[*entered].outcome = is_caught ? Outcome::kCaught : Outcome::kSucceeded;
  }

  // EvaluationFailed names its state, but its previous event is one from before the state was
  // entered.
  void redirect(std::size_t i) {
    for (std::size_t at = i; at-- > 0;) {
      if (!is_open(at) || events_[at].name != events_[i].name) continue;
      redirected_[i] = at;
      return;
    }
  }

  void schedule(std::size_t i) {
    const auto previous = before(i);
    if (!previous || !events_[*previous].is_failure()) return;
    const auto entered = back(i, [&](std::size_t at) { return is_open(at); });
    if (entered) ++visits_[*entered].retries;
  }

  // Marks the visits as failed that are open between the failure and the Map or Parallel around it.
  void fail_back(std::size_t i, std::string_view owner, bool fails_owner) {
    for (auto at = before(i); at; at = before(*at)) {
      const bool is_owner = is_open(*at) && events_[*at].type == owner;
      if (is_open(*at) && (!is_owner || fails_owner)) visits_[*at].outcome = Outcome::kFailed;
      if (is_owner && fails_owner) stop_within(*at, i);
      if (is_owner) return;
    }
  }

  // Marks the visits as stopped that are still open in a Map or Parallel that failed.
  void stop_within(std::size_t owner, std::size_t end) {
    for (std::size_t at = owner + 1; at < end; ++at) {
      const bool is_inside = is_open(at) && back(at, [&](std::size_t i) { return i == owner; });
      if (is_inside) visits_[at].outcome = Outcome::kStopped;
    }
  }

  void end(std::size_t i) {
    const bool was_aborted = events_[i].type == "ExecutionAborted";
    if (!was_aborted) {
      for (auto at = before(i); at; at = before(*at)) {
        if (is_open(*at)) visits_[*at].outcome = Outcome::kFailed;
      }
    }
    // A time-out of the whole execution leads back to no state: all open visits were stopped.
    for (std::size_t at = 0; at < i; ++at) {
      if (is_open(at)) visits_[at].outcome = Outcome::kStopped;
    }
  }

  std::vector<Event> events_;
  std::vector<Visit> visits_;                      // In the order of the events that entered.
  std::map<std::size_t, std::size_t> redirected_;  // Events whose chain goes on elsewhere.
  std::map<Progress::Way, std::uint32_t> ways_;
};

}  // namespace

const char* to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::kNeverReached: return "never reached";
    case Outcome::kSucceeded: return "succeeded";
    case Outcome::kCaught: return "caught";
    case Outcome::kStopped: return "stopped";
    case Outcome::kFailed: return "failed";
    case Outcome::kRunning: return "running";
  }
  return "";
}

Outcome Visits::outcome() const {
  if (running > 0) return Outcome::kRunning;
  if (failed > 0) return Outcome::kFailed;
  if (stopped > 0) return Outcome::kStopped;
  if (caught > 0) return Outcome::kCaught;
  return succeeded > 0 ? Outcome::kSucceeded : Outcome::kNeverReached;
}

Visits Progress::of(const std::string& state) const {
  const auto found = states.find(state);
  return found == states.end() ? Visits{} : found->second;
}

bool Progress::took(const Chart& chart, const Edge& edge) const {
  const Node& from = chart.nodes[edge.from];
  const Node& to = chart.nodes[edge.to];
  if (to.kind == NodeKind::kEnd) {
    const Visits visits = of(from.name);
    return visits.succeeded > 0;
  }
  return ways.contains({from.name, to.name, edge.kind == EdgeKind::kCatch});
}

Result<Progress> read_progress(const Value::Array& events) {
  std::vector<Event> read;
  for (std::size_t i = 0; i < events.size(); ++i) {
    auto event = read_event(events[i]);
    if (!event) {
      return Error{ErrorCode::kInvalid, "event " + std::to_string(i + 1) +
                                            " of the history has no \"id\" or no \"type\""};
    }
    read.push_back(std::move(*event));
  }
  return Reader(std::move(read)).read();
}

Result<Value::Array> read_events(std::string_view text) {
  const auto whole = parse_json(text);
  if (whole.ok()) {
    const Value* inside = whole->find("events");
    const Value& list = inside != nullptr ? *inside : *whole;
    if (list.is_array()) return list.as_array();
    return Value::Array{*whole};  // One event: one line.
  }
  Value::Array events;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (one.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    auto event = parse_json(one);
    if (!event.ok()) return event.error().while_doing("line " + std::to_string(line));
    events.push_back(std::move(*event));
  }
  return events;
}

}  // namespace stepwell::graph
