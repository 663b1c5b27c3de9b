#include "authoring/transcript/teller.h"

#include <algorithm>

#include "authoring/transcript/duration.h"

namespace stepwell::transcript {

namespace {

constexpr std::size_t kMostShown = 200;  // Of a JSON text in a line.

std::string text_of(const Value& details, std::string_view key) {
  const Value* value = details.find(key);
  return value != nullptr && value->is_string() ? value->as_string() : std::string();
}

std::string shown(const std::string& json) {
  if (json.size() <= kMostShown) return json;
  std::size_t end = kMostShown;
  while (end > 0 && (static_cast<unsigned char>(json[end]) & 0xc0) == 0x80) --end;
  return json.substr(0, end) + "... (" + std::to_string(json.size()) + " bytes)";
}

// "ERROR: cause"; either may be missing.  Line breaks are taken out: it is one line of a
// transcript.
std::string problem_of(const Value& details) {
  std::string text = text_of(details, "error");
  const std::string cause = text_of(details, "cause");
  if (!cause.empty()) text += (text.empty() ? "" : ": ") + cause;
  std::replace(text.begin(), text.end(), '\n', ' ');
  return shown(text);
}

constexpr char kBelow = '\x1f';  // Between parts of a path; no name of a state contains it.

std::string joined(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + kBelow + name;
}
std::string innermost(const std::string& path) {
  const std::size_t at = path.rfind(kBelow);
  return at == std::string::npos ? path : path.substr(at + 1);
}
// The path of the branch or iteration around this one.
std::string around(const std::string& path) {
  const std::size_t at = path.rfind(kBelow);
  return at == std::string::npos ? std::string() : path.substr(0, at);
}
// The path cut before the innermost part that is inside of `state`, a Map or Parallel.
std::string outside_of(const std::string& path, const std::string& state) {
  for (std::string rest = path; !rest.empty(); rest = around(rest)) {
    const std::string part = innermost(rest);
    if (part.substr(0, part.find_last_of("[{")) == state) return around(rest);
  }
  return path;
}
// "Each[1].Fetch".  A branch needs no number, because names of states are unique.
std::string shown_as(const std::string& path, const std::string& name) {
  std::string who = name;
  for (std::string rest = path; !rest.empty(); rest = around(rest)) {
    const std::string part = innermost(rest);
    if (!part.ends_with('}')) who = part + "." + who;
  }
  return who;
}

bool is_failure(const std::string& type) {
  return type.ends_with("Failed") || type.ends_with("TimedOut");
}
// Is it an event of a Map or Parallel before anything inside of it has happened?
bool is_threshold(const std::string& type) {
  if (!type.starts_with("Map") && !type.starts_with("Parallel")) return false;
  return type.ends_with("StateEntered") || type.ends_with("StateStarted") ||
         type.starts_with("MapRun");
}

}  // namespace

Teller::Teller(const Program& program, Time start) : program_(program), start_(start) {
  for (const Machine& machine : program.machines) {
    for (const State& state : machine.states) state_named_.emplace(state.name, &state);
  }
}

std::string Teller::state_at(const std::string& path) const {
  const auto found = state_of_.find(path);
  return found == state_of_.end() ? "?" : found->second;
}

std::string Teller::path_of(const HistoryEvent& event) const {
  if (event.type == "EvaluationFailed") {
    // Its previous event is one from before its state was entered; the newest event is the entry.
    const auto newest = heard_.find(event.id - 1);
    const bool is_there =
        newest != heard_.end() && state_at(newest->second.path) == text_of(event.details, "state");
    if (is_there) return newest->second.path;
  }
  const auto found = heard_.find(event.previous_id);
  if (found == heard_.end()) return {};
  const Heard& before = found->second;
  const std::string name = text_of(event.details, "name");
  if (event.type == "MapIterationStarted") {
    const Value* index = event.details.find("index");
    return joined(outside_of(before.path, name),
                  name + "[" + (index != nullptr ? index->to_json() : "?") + "]");
  }
  if (before.type == "ParallelStateStarted" && event.type.ends_with("StateEntered")) {
    return joined(before.path, state_at(before.path) + "{" + std::to_string(event.id) + "}");
  }
  if (event.type.ends_with("StateEntered") || event.type.ends_with("StateExited")) {
    return outside_of(before.path, name);
  }
  const bool is_group = event.type.starts_with("Map") || event.type.starts_with("Parallel");
  const bool comes_out =
      is_group && (event.type.ends_with("StateFailed") || event.type.ends_with("StateStarted"));
  return comes_out && !is_threshold(before.type) ? around(before.path) : before.path;
}

Teller::Line* Teller::say(const HistoryEvent& event, std::string who, std::string verb,
                          std::string detail) {
  list_.push_back({event.at, std::move(who), std::move(verb), std::move(detail), false});
  return &list_.back();
}

void Teller::hear(const HistoryEvent& event) {
  const std::string path = path_of(event);
  const std::string& type = event.type;
  Line* line = nullptr;
  if (type.starts_with("Execution")) {
    line = hear_end(event);
  } else if (type.find("State") != std::string::npos) {
    line = hear_state(event, path);
  } else if (!type.starts_with("Map")) {
    line = hear_task(event, path);
  }
  heard_[event.id] = {path, type, line};
}

Teller::Line* Teller::hear_end(const HistoryEvent& event) {
  const Value& details = event.details;
  if (event.type == "ExecutionStarted") return say(event, "started", "");
  if (event.type == "ExecutionRedriven") return say(event, "redriven", "");
  Line* line = nullptr;
  if (event.type == "ExecutionSucceeded") {
    line = say(event, "succeeded", "", shown(text_of(details, "output")));
  } else if (event.type == "ExecutionFailed") {
    line = say(event, "failed", "", problem_of(details));
  } else if (event.type == "ExecutionAborted") {
    line = say(event, "stopped", "", problem_of(details));
  } else if (event.type == "ExecutionTimedOut") {
    line = say(event, "timed out", "");
  }
  if (line != nullptr) line->ends_group = true;
  return line;
}

// "3 items", "2 branches"
std::string Teller::group_detail(const HistoryEvent& event, const std::string& name) const {
  if (const Value* length = event.details.find("length")) {
    return length->to_json() + (length->as_int() == 1 ? " item" : " items");
  }
  const auto state = state_named_.find(name);
  const auto* parallel =
      state == state_named_.end() ? nullptr : std::get_if<Parallel>(&state->second->kind);
  if (parallel == nullptr) return {};
  const std::size_t count = parallel->branches.size();
  return std::to_string(count) + (count == 1 ? " branch" : " branches");
}

Teller::Line* Teller::hear_state(const HistoryEvent& event, const std::string& path) {
  const std::string& type = event.type;
  if (type.ends_with("StateEntered")) return hear_entered(event, path);
  if (type.ends_with("StateExited")) return hear_exited(event, path);
  const std::string name = state_at(path);
  if (type.ends_with("StateStarted")) {
    return say(event, shown_as(path, name), "entered", group_detail(event, name));
  }
  if (!type.ends_with("StateFailed")) return nullptr;
  Line* line = say(event, shown_as(path, name), "failed");
  line->ends_group = true;
  return line;
}

Teller::Line* Teller::hear_entered(const HistoryEvent& event, const std::string& path) {
  const std::string name = text_of(event.details, "name");
  const std::string who = shown_as(path, name);
  state_of_[path] = name;
  is_scheduled_[who] = false;
  // Now that the next state is entered it is known where the Choice before it led.
  const auto before = heard_.find(event.previous_id);
  if (before != heard_.end() && before->second.type == "ChoiceStateExited") {
    before->second.line->detail = "to " + name;
  }
  const bool is_told = event.type == "WaitStateEntered" || event.type == "FailStateEntered";
  return is_told ? say(event, who, "entered") : nullptr;
}

void Teller::mark_caught(const HistoryEvent& event) {
  const auto before = heard_.find(event.previous_id);
  if (before == heard_.end() || !is_failure(before->second.type)) return;
  if (before->second.line == nullptr) return;
  std::string& detail = before->second.line->detail;
  detail += detail.empty() ? "caught" : ", caught";
}

Teller::Line* Teller::hear_exited(const HistoryEvent& event, const std::string& path) {
  mark_caught(event);
  const std::string name = text_of(event.details, "name");
  const bool is_choice = event.type == "ChoiceStateExited";
  return say(event, shown_as(path, name), "exited",
             is_choice ? "" : shown(text_of(event.details, "output")));
}

Teller::Line* Teller::hear_task(const HistoryEvent& event, const std::string& path) {
  const std::string who = shown_as(path, state_at(path));
  if (event.type.ends_with("Scheduled")) {
    // The task gets one line when it is first scheduled; retries have lines of their own.
    if (is_scheduled_[who]) return nullptr;
    is_scheduled_[who] = true;
    const auto state = state_named_.find(state_at(path));
    const auto* task =
        state == state_named_.end() ? nullptr : std::get_if<Task>(&state->second->kind);
    const bool has_parameters = event.details.find("parameters") != nullptr;
    const std::string input = text_of(event.details, has_parameters ? "parameters" : "input");
    return say(event, who, "entered", (task ? task->resource : "?") + " " + shown(input));
  }
  if (event.type.ends_with("TimedOut")) return say(event, who, "timed out");
  if (event.type.ends_with("Failed")) return say(event, who, "failed", problem_of(event.details));
  return nullptr;
}

std::string Teller::who_of(const Execution& execution, const Frame& frame) const {
  std::string who = program_.state(frame.machine, frame.state).name;
  const Frame* inner = &frame;
  while (!inner->is_root()) {
    const Frame& outer = execution.frames.at(inner->parent);
    const State& state = program_.state(outer.machine, outer.state);
    if (std::holds_alternative<Map>(state.kind)) {
      who = state.name + "[" + std::to_string(inner->index) + "]." + who;
    }
    inner = &outer;
  }
  return who;
}

// The newest line of `who` among the lines of this fact.
Teller::Line* Teller::newest_of(const std::string& who) {
  std::size_t left = list_.size() - told_;
  for (auto line = list_.rbegin(); left > 0; ++line, --left) {
    if (line->who == who) return &*line;
  }
  return nullptr;
}

// Adds "aborted" before the line that says what followed from it.
void Teller::tell_aborted(const Cancel& cancel, Time at) {
  const auto waits = who_waits_.find(cancel.id.value);
  if (waits == who_waits_.end()) return;
  auto place = std::next(list_.begin(), static_cast<std::ptrdiff_t>(told_));
  while (place != list_.end() && !place->ends_group) ++place;
  list_.insert(place, {at, waits->second, "aborted", "", false});
}

namespace {

// "retry 2 of the group Booking"
std::string retry_of_group(const Program& program, const Frame& frame) {
  std::uint32_t count = 0;
  for (const auto* attempts : {&frame.group->attempts.counted, &frame.group->attempts.honored}) {
    for (const std::uint32_t used : *attempts) count += used;
  }
  const Group& group = program.machine(frame.machine).groups[frame.group->group];
  return "retry " + std::to_string(count) + " of the group " + group.rules.name;
}

}  // namespace

void Teller::tell_timer(const Execution& execution, const Frame& frame, const SetTimer& timer) {
  const std::string who = who_of(execution, frame);
  Line* line = newest_of(who);
  if (std::holds_alternative<Sleeping>(frame.doing) && line != nullptr) {
    line->detail = "until " + to_text(timer.due - start_);
  }
  if (!std::holds_alternative<BackingOff>(frame.doing)) return;
  const std::string delay = " in " + to_text(timer.due - execution.last_at);
  if (frame.group && !frame.entered) {
    list_.push_back({execution.last_at, who, "again",
                     frame.last_error + ", " + retry_of_group(program_, frame) + delay, false});
    return;
  }
  const std::string retry = "retry " + std::to_string(frame.attempt - 1) + delay;
  const bool is_told = line != nullptr && (line->verb == "failed" || line->verb == "timed out");
  if (is_told) {
    line->detail += (line->detail.empty() ? "" : ", ") + retry;
  } else {
    const std::string error = frame.last_error.empty() ? "" : frame.last_error + ", ";
    list_.push_back({execution.last_at, who, "failed", error + retry, false});
  }
}

void Teller::look(const Execution& execution, const std::vector<Command>& commands) {
  for (const Command& command : commands) {
    if (const auto* cancel = std::get_if<Cancel>(&command)) {
      tell_aborted(*cancel, execution.last_at);
      continue;
    }
    const auto* timer = std::get_if<SetTimer>(&command);
    const auto* task = std::get_if<RunTask>(&command);
    if (timer == nullptr && task == nullptr) continue;
    const CommandId id = timer != nullptr ? timer->id : task->id;
    const auto waiting = execution.waiting.find(id);
    if (waiting == execution.waiting.end()) continue;  // The whole execution's time limit.
    const auto frame = execution.frames.find(waiting->second);
    if (frame == execution.frames.end()) continue;
    who_waits_[id.value] = who_of(execution, frame->second);
    if (timer != nullptr) tell_timer(execution, frame->second, *timer);
  }
  told_ = list_.size();
}

std::string Teller::lines() const {
  std::size_t widest_time = 0, widest_who = 0, widest_verb = 0;
  for (const Line& line : list_) {
    widest_time = std::max(widest_time, to_text(line.at - start_).size());
    widest_who = std::max(widest_who, line.who.size());
    widest_verb = std::max(widest_verb, line.verb.size());
  }
  const auto pad = [](std::string& text, std::size_t width) {
    text.resize(std::max(text.size(), width), ' ');
  };
  std::string all;
  for (const Line& line : list_) {
    std::string text = to_text(line.at - start_);
    pad(text, widest_time + 2);
    text += line.who;
    pad(text, widest_time + widest_who + 4);
    text += line.verb;
    pad(text, widest_time + widest_who + widest_verb + 6);
    text += line.detail;
    text.resize(text.find_last_not_of(' ') + 1);
    all += text + "\n";
  }
  return all;
}

}  // namespace stepwell::transcript
