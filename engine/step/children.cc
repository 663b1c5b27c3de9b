// Map and Parallel: frames below a frame.
#include <algorithm>

#include "base/hash.h"
#include "engine/step/stepper.h"

namespace stepwell {

namespace {

constexpr FrameId kNobody{0};

Value text_or_null(const std::optional<std::string>& text) { return text ? Value(*text) : Value(); }

// {"Results": [.., null, ..], "Failures": [{"Index", "Error", "Cause"}]}, both by index, whatever
// came first.
Value result_with_failures(Children children) {
  std::sort(children.failures.begin(), children.failures.end(),
            [](const auto& a, const auto& b) { return a.index < b.index; });
  Value::Array failures;
  for (const ToleratedFailure& one : children.failures) {
    failures.push_back(Object{{"Index", one.index},
                              {"Error", text_or_null(one.error)},
                              {"Cause", text_or_null(one.cause)}});
  }
  return Object{{"Results", std::move(children.results)}, {"Failures", std::move(failures)}};
}

// "...:stateMachine:name" -> "...:mapRun:name/<label>:<uuid>", the same at every fold.
std::string map_run_arn(const Pins& pins, const std::string& label, std::uint64_t event) {
  std::string arn = pins.machine_arn;
  const std::string kind = ":stateMachine:";
  if (const auto at = arn.find(kind); at != std::string::npos) {
    arn.replace(at, kind.size(), ":mapRun:");
  }
  Random random(hash64(pins.execution_arn, event) ^ pins.seed);
  const auto uuid = [&random] {
    const std::uint64_t high = random.next();
    return Uuid::v4(high, random.next()).text();
  };
  arn += "/" + (label.empty() ? uuid() : label);
  return arn + ":" + uuid();
}

}  // namespace

Go Stepper::begin(Frame& frame, const State& state, const Parallel& parallel) {
  Children children;
  if (!effective_input(frame, state, children.effective)) return fail_with_fault(frame);
  children.results.resize(parallel.branches.size());
  return begin_children(frame, state, std::move(children));
}

Go Stepper::begin(Frame& frame, const State& state, const Map& map) {
  if (!map.unsupported.empty() && rehearsal_ == nullptr) {
    return fail_runtime(
        frame, "A Map with " + map.unsupported + " cannot be run by this version of Stepwell.");
  }
  Children children;
  if (!prepare_map(frame, state, map, children)) return fail_with_fault(frame);
  children.results.resize(children.items.size());
  return begin_children(frame, state, std::move(children));
}

bool Stepper::prepare_map(Frame& frame, const State& state, const Map& map, Children& children) {
  // Parameters of a Map are its item selector: they do not shape the input.
  if (!select_input(frame, state, children.effective)) return false;
  const Value& input = children.effective;
  std::int64_t limit = 0;
  if (map.max_concurrency &&
      !whole_number(frame, state, *map.max_concurrency, "MaxConcurrency", input, limit)) {
    return false;
  }
  if (limit < 0) return runtime_fault("MaxConcurrency cannot be negative.");
  children.limit = static_cast<std::uint64_t>(limit);
  note("maxConcurrency", limit);
  if (const Value* items = given_items()) {
    children.items = *items;
    return true;
  }
  if (state.speaks_jsonata()) return compute_items(frame, state, map, children.items);
  if (!map.items) {
    children.items = input;
  } else if (!evaluate(frame, state, *map.items, input, children.items)) {
    if (fault_.error != "States.Runtime") return false;
    return items_missing(frame, state, map, input);
  }
  note("afterItemsPath", children.items);
  if (children.items.is_array()) return true;
  const std::string path = map.items_path_text.empty() ? "$" : map.items_path_text;
  return runtime_fault("Reference path \"" + path + "\" must point to array.", path,
                       &children.items);
}

bool Stepper::items_missing(Frame& frame, const State& state, const Map& map, const Value& input) {
  Quantity path{*map.items, map.items_path_text};
  Value ignored;
  std::string missing;
  return quantity_value(frame, state, path, input, ignored, missing);
}

bool Stepper::prepare_tolerance(Frame& frame, const State& state, const Map& map,
                                Children& children) {
  std::int64_t count = 0;
  if (map.tolerated_failure_count &&
      !whole_number(frame, state, *map.tolerated_failure_count, "ToleratedFailureCount",
                    children.effective, count)) {
    return false;
  }
  if (count < 0) return runtime_fault("ToleratedFailureCount cannot be negative.");
  if (map.tolerated_failure_count) note("toleratedFailureCount", count);
  double percent = 0;
  if (map.tolerated_failure_percentage &&
      !percentage(frame, state, *map.tolerated_failure_percentage, "ToleratedFailurePercentage",
                  children.effective, percent)) {
    return false;
  }
  if (percent < 0 || percent > 100) {
    return runtime_fault("ToleratedFailurePercentage must be between 0 and 100.");
  }
  if (map.tolerated_failure_percentage) note("toleratedFailurePercentage", percent);
  const auto share =
      static_cast<std::uint64_t>(static_cast<double>(children.results.size()) * percent / 100);
  children.tolerated = std::max(static_cast<std::uint64_t>(count), share);
  const bool says_how_many = map.tolerated_failure_count || map.tolerated_failure_percentage;
  if (map.tolerate_failures && !says_how_many) children.tolerated = children.results.size();
  return true;
}

Go Stepper::begin_children(Frame& frame, const State& state, Children children) {
  children.running.resize(children.results.size(), kNobody);
  tell_children_started(frame, state, children);
  const auto* map = std::get_if<Map>(&state.kind);
  if (map != nullptr && (map->distributed || map->tolerate_failures || rehearsal_ != nullptr) &&
      !prepare_tolerance(frame, state, *map, children)) {
    return fail_with_fault(frame);
  }
  if (map != nullptr && map->distributed) tell_map_run(frame, *map, "MapRunStarted", nullptr);
  if (rehearsal_ != nullptr) return rehearse_children(frame, state, children);
  const bool nothing_to_do = children.results.empty();
  frame.doing = std::move(children);
  if (nothing_to_do) return children_done(frame, state);
  start_children(frame, state, frame.last_event);
  return Go::kStop;
}

void Stepper::tell_children_started(Frame& frame, const State& state, const Children& children) {
  tell_of(frame, kind_name(state.kind), "StateStarted", [&](Object& details) {
    if (std::holds_alternative<Map>(state.kind)) details.set("length", children.results.size());
  });
}

void Stepper::tell_map_run(Frame& frame, const Map& map, std::string_view what,
                           const Problem* problem) {
  tell_of(frame, what, {}, [&](Object& details) {
    if (problem != nullptr) put_problem(details, *problem);
    if (what == "MapRunStarted" || what == "MapRunRedriven") {
      details.set("mapRunArn", map_run_arn(x_.pins, map.label, frame.entered_event));
    }
    if (what == "MapRunRedriven") details.set("redriveCount", x_.redrive_count);
  });
}

std::uint64_t Stepper::tell_iteration(const State& state, std::string_view what,
                                      std::uint64_t index, std::uint64_t previous) {
  return tell(previous, "MapIteration", what, [&](Object& details) {
    details.set("name", state.name);
    details.set("index", index);
  });
}

void Stepper::start_children(Frame& parent, const State& state, std::uint64_t previous) {
  auto& children = std::get<Children>(parent.doing);
  while (children.next < children.results.size() &&
         (children.limit == 0 || children.live < children.limit)) {
    start_child(parent, state, children, children.next, previous);
    ++children.next;
    ++children.live;
  }
}

void Stepper::start_child(Frame& parent, const State& state, Children& children,
                          std::uint64_t index, std::uint64_t previous) {
  const FrameId id{x_.next_frame++};
  Frame& child = x_.frames[id];  // References to other frames stay good.
  child.id = id;
  child.parent = parent.id;
  child.index = index;
  child.variables = parent.variables;
  child.quiet = parent.quiet;
  children.running[index] = id;
  if (const auto* parallel = std::get_if<Parallel>(&state.kind)) {
    child.machine = parallel->branches[index];
    child.input = children.effective;
    child.last_event = previous;
  } else {
    const Map& map = std::get<Map>(state.kind);
    child.machine = map.processor;
    child.quiet = child.quiet || map.distributed;
    // An item is selected when its turn comes, so that a long Map begins in slices.
    child.fresh = map.item_selector.has_value();
    if (!child.fresh) child.input = children.items.as_array()[index];
    child.last_event = child.quiet ? previous : tell_iteration(state, "Started", index, previous);
  }
  child.state = program_.machine(child.machine).start_at;
  set_ready(child);
}

bool Stepper::select_item(Frame& child) {
  Frame& parent = frame(child.parent);
  const State& state = state_of(parent);
  if (!item_of(parent, state, std::get<Children>(parent.doing), child.index, child.input)) {
    return false;
  }
  child.fresh = false;
  return true;
}

bool Stepper::item_of(const Frame& map_frame, const State& state, const Children& children,
                      std::uint64_t index, Value& to) {
  const Map& map = std::get<Map>(state.kind);
  Value context;
  if (map.item_selector->uses_context()) {
    Object object = std::move(context_of(map_frame, state)).take_object();
    Object item{{"Index", index}, {"Value", children.items.as_array()[index]}};
    object.set("Map", Object{{"Item", std::move(item)}});
    context = std::move(object);
  }
  return evaluate_in(map_frame, *map.item_selector, children.effective, context, to);
}

void Stepper::child_succeeded(Frame& child, Value output) {
  Frame& parent = frame(child.parent);
  const State& state = state_of(parent);
  auto& children = std::get<Children>(parent.doing);
  const std::uint64_t index = child.index;
  const std::uint64_t last = child.last_event;
  if (child.quiet == parent.quiet) parent.last_event = last;
  if (std::holds_alternative<Map>(state.kind) && !child.quiet) {
    parent.last_event = tell_iteration(state, "Succeeded", index, last);
  }
  children.results[index] = std::move(output);
  ++children.finished;
  child_gone(parent, state, child, last);
}

// The last of a child that succeeded or whose failure is tolerated.
void Stepper::child_gone(Frame& parent, const State& state, Frame& child, std::uint64_t previous) {
  auto& children = std::get<Children>(parent.doing);
  children.running[child.index] = kNobody;
  --children.live;
  const FrameId id = child.id;
  x_.frames.erase(id);
  if (children.finished + children.failed < children.results.size()) {
    start_children(parent, state, previous);
  } else if (children_done(parent, state) == Go::kOn) {
    set_ready(parent);
  }
}

Go Stepper::children_done(Frame& parent, const State& state) {
  Children children = std::move(std::get<Children>(parent.doing));
  parent.doing = Halted{};
  const auto* map = std::get_if<Map>(&state.kind);
  if (map != nullptr) {
    if (map->distributed) tell_map_run(parent, *map, "MapRunSucceeded", nullptr);
    if (parent.is_root()) note_finished_map(parent.state, children);
  }
  if (!parent.quiet) tell(parent.last_event, kind_name(state.kind), "StateSucceeded");
  if (map != nullptr && map->tolerate_failures) {
    return finish(parent, state, result_with_failures(std::move(children)));
  }
  return finish(parent, state, std::move(children.results));
}

void Stepper::note_finished_map(StateId state, const Children& children) {
  const FinishedMap note{state, children.results.size(), children.finished};
  for (FinishedMap& finished : x_.finished_maps) {
    if (finished.state == state) {
      finished = note;
      return;
    }
  }
  x_.finished_maps.push_back(note);
}

void Stepper::destroy_children(Frame& frame) {
  auto* children = std::get_if<Children>(&frame.doing);
  if (children == nullptr) return;
  for (const FrameId id : children->running) {
    if (id.value == 0) continue;
    Frame& child = this->frame(id);
    halt(child, false, 0);
    destroy_children(child);
    x_.frames.erase(id);
  }
  frame.doing = Halted{};
}

}  // namespace stepwell
