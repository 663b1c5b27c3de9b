// Map and Parallel: frames below a frame.
#include <algorithm>

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

}  // namespace

Value Children::item(std::uint64_t index) const {
  if (items.is_array()) return items.as_array()[index];
  const auto& [key, value] = items.as_object()[index];
  return Object{{"Key", key}, {"Value", value}};
}

Go Stepper::begin(Frame& frame, const State& state, const Parallel& parallel) {
  Children children;
  auto input = evaluation_.effective_input(frame, state);
  if (!input.ok()) return fail(frame, input.error());
  children.effective = std::move(*input);
  children.results.resize(parallel.branches.size());
  return begin_children(frame, state, std::move(children));
}

Go Stepper::begin(Frame& frame, const State& state, const Map& map) {
  if (!map.unsupported.empty() && rehearsal_ == nullptr) {
    return fail(frame, runtime_fault("A Map with " + map.unsupported +
                                     " cannot be run by this version of Stepwell."));
  }
  auto children = evaluation_.children_of(frame, state, map);
  if (!children.ok()) return fail(frame, children.error());
  return begin_children(frame, state, std::move(*children));
}

Go Stepper::begin_children(Frame& frame, const State& state, Children children) {
  children.running.resize(children.results.size(), kNobody);
  teller_.children_started(frame, state, children);
  const auto* map = std::get_if<Map>(&state.kind);
  if (map != nullptr && (map->distributed || map->tolerate_failures || rehearsal_ != nullptr)) {
    auto tolerated = evaluation_.tolerated(frame, state, *map, children);
    if (!tolerated.ok()) return fail(frame, tolerated.error());
    children.tolerated = *tolerated;
  }
  if (map != nullptr && map->distributed) teller_.map_run(frame, *map, "MapRunStarted", nullptr);
  if (rehearsal_ != nullptr) return rehearse_children(frame, state, children);
  const bool nothing_to_do = children.results.empty();
  frame.doing = std::move(children);
  if (nothing_to_do) return children_done(frame, state);
  start_children(frame, state, frame.last_event);
  return Go::kStop;
}

void Stepper::start_children(Frame& parent, const State& state, std::uint64_t previous) {
  auto& children = std::get<Children>(parent.doing);
  while (children.next < children.results.size() && has_room(children)) {
    start_child(parent, state, children, children.next, previous);
    ++children.next;
    ++children.live;
    x_.open += children.weight();
  }
}

bool Stepper::has_room(const Children& children) const {
  if (children.limit > 0 && children.live >= children.limit) return false;
  const bool may_wait = x_.pins.semantics >= 4 && children.is_map() && children.live > 0;
  return !may_wait || x_.open + children.weight() <= kMostOpen;
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
    if (!child.fresh) child.input = children.item(index);
    child.last_event =
        child.quiet ? previous : teller_.iteration(state, "Started", index, previous);
  }
  child.state = program_.machine(child.machine).start_at;
  set_ready(child);
}

Fault Stepper::select_item(Frame& child) {
  const Frame& parent = frame(child.parent);
  auto item =
      evaluation_.item(parent, state_of(parent), std::get<Children>(parent.doing), child.index);
  if (!item.ok()) return item.error();
  child.input = std::move(*item);
  child.fresh = false;
  return nullptr;
}

void Stepper::child_succeeded(Frame& child, Value output) {
  Frame& parent = frame(child.parent);
  const State& state = state_of(parent);
  auto& children = std::get<Children>(parent.doing);
  const std::uint64_t index = child.index;
  const std::uint64_t last = child.last_event;
  if (child.quiet == parent.quiet) parent.last_event = last;
  if (std::holds_alternative<Map>(state.kind) && !child.quiet) {
    parent.last_event = teller_.iteration(state, "Succeeded", index, last);
  }
  children.results[index] = std::move(output);
  ++children.finished;
  child_gone(parent, state, child, last);
}

void Stepper::child_gone(Frame& parent, const State& state, Frame& child, std::uint64_t previous) {
  auto& children = std::get<Children>(parent.doing);
  children.running[child.index] = kNobody;
  --children.live;
  x_.open -= children.weight();
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
    if (map->distributed) teller_.map_run(parent, *map, "MapRunSucceeded", nullptr);
    if (parent.is_root()) note_finished_map(parent.state, children);
  }
  teller_.children_succeeded(parent, state);
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
  x_.open -= children->live * children->weight();
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
