// JSONPath states: input, output and what is assigned.  Also what both languages share.
#include "engine/step/evaluation.h"

#include "engine/step/rehearsal.h"

namespace stepwell {

Fault fault(std::string error, std::string cause) {
  auto problem = std::make_unique<Problem>();
  problem->error = std::move(error);
  problem->cause = std::move(cause);
  return problem;
}

Fault fault(const expr::Failure& failure) {
  Fault problem = fault(failure.error, failure.cause);
  problem->blame = failure.blame;
  return problem;
}

Fault runtime_fault(std::string cause, const std::string& path, const Value* value) {
  Fault problem = fault("States.Runtime", std::move(cause));
  problem->blame.location = path;
  if (value != nullptr) problem->blame.value = expr::blamed_value(*value);
  return problem;
}

// Each evaluation has a stream of its own, so that none depends on how much another drew.
Random Evaluation::next_random() {
  const std::uint64_t stream = ++x_.random_draws;
  return Random(x_.pins.seed ^ (stream * 0xd1342543de82ef95ULL));
}

Evaluated<Value> Evaluation::select(const Frame& frame, const State& state,
                                    const Selection& selection, const Value& from) {
  if (selection.discard) return Value(Object());
  if (!selection.path) return from;
  const Value context = state.uses_context ? context_of(frame, state) : Value();
  Random random = next_random();
  std::string missing;
  auto found = selection.path->find(expr::Scope{from, context, frame.variables, random}, &missing);
  if (found) return std::move(*found);
  const std::string& path = selection.path->text();
  return runtime_fault("Invalid path '" + path + "' : " + missing, path);
}

Evaluated<Value> Evaluation::evaluate(const Frame& frame, const State& state,
                                      const expr::Template& what, const Value& input) {
  const Value context =
      state.uses_context && what.uses_context() ? context_of(frame, state) : Value();
  return evaluate_in(frame, what, input, context);
}

Evaluated<Value> Evaluation::evaluate_in(const Frame& frame, const expr::Template& what,
                                         const Value& input, const Value& context) {
  Random random = next_random();
  auto evaluated = what.evaluate(
      expr::Scope{input, context, frame.variables, random, nullptr, nullptr, now_, edition()});
  if (!evaluated.ok()) return fault(evaluated.failure());
  return std::move(evaluated.value());
}

Evaluated<Value> Evaluation::place(const Placement& placement, const Value& into, Value value) {
  if (placement.discard) return into;
  if (!placement.path || placement.path->text() == "$") return value;
  auto placed = placement.path->put(into, std::move(value));
  if (placed) return std::move(*placed);
  return fault("States.ResultPathMatchFailure", "Unable to apply the ReferencePath " +
                                                    placement.path->text() + " to the input " +
                                                    into.to_json());
}

Evaluated<Value> Evaluation::selected_input(const Frame& frame, const State& state) {
  Value selected = TRY(select(frame, state, state.input_path, frame.input));
  if (!state.speaks_jsonata()) note("afterInputPath", selected);
  return selected;
}

Evaluated<Value> Evaluation::effective_input(const Frame& frame, const State& state) {
  Value input = TRY(selected_input(frame, state));
  if (state.parameters) input = TRY(evaluate(frame, state, *state.parameters, input));
  if (!state.speaks_jsonata()) {
    note("afterParameters", input);
  } else if (state.parameters) {
    note("afterArguments", input);
  }
  return input;
}

Evaluated<std::optional<Value>> Evaluation::assigned(const Frame& frame, const State& state,
                                                     const std::optional<expr::Template>& assign,
                                                     const Value& input) {
  std::optional<Value> assigned;
  if (assign) assigned = TRY(evaluate(frame, state, *assign, input));
  return assigned;
}

Evaluated<Departure> Evaluation::departure(const Frame& frame, const State& state, bool assigns) {
  if (state.speaks_jsonata()) {
    return compute_departure(frame, state, {state.assign, state.output}, {}, frame.input);
  }
  const Value input = TRY(selected_input(frame, state));
  Departure departure;
  if (assigns) departure.assigned = TRY(assigned(frame, state, state.assign, input));
  departure.output = TRY(select(frame, state, state.output_path, input));
  return departure;
}

Evaluated<Departure> Evaluation::departure_with(const Frame& frame, const State& state,
                                                const Value& result) {
  if (state.speaks_jsonata()) {
    return compute_departure(frame, state, {state.assign, state.output}, {&result, nullptr},
                             result);
  }
  Value selected = result;
  if (state.result_selector) {
    selected = TRY(evaluate(frame, state, *state.result_selector, result));
  }
  note("afterResultSelector", selected);
  const Value placed = TRY(place(state.result_path, frame.input, std::move(selected)));
  note("afterResultPath", placed);
  Departure departure;
  departure.assigned = TRY(assigned(frame, state, state.assign, result));
  departure.output = TRY(select(frame, state, state.output_path, placed));
  return departure;
}

Evaluated<Departure> Evaluation::departure_by(const Frame& frame, const State& state,
                                              const Chosen& chosen) {
  const ChoiceRule* const rule = chosen.rule;
  if (state.speaks_jsonata()) {
    // The state's own Assign and Output belong to Default.
    const Leaving leaving =
        rule != nullptr ? Leaving{rule->assign, rule->output} : Leaving{state.assign, state.output};
    return compute_departure(frame, state, leaving, {}, frame.input);
  }
  Departure departure;
  departure.assigned =
      TRY(assigned(frame, state, rule != nullptr ? rule->assign : state.assign, chosen.input));
  departure.output = TRY(select(frame, state, state.output_path, chosen.input));
  return departure;
}

Evaluated<Departure> Evaluation::departure_caught(const Frame& frame, const State& rules,
                                                  const Catcher& catcher,
                                                  const Value& error_output) {
  if (rules.speaks_jsonata()) {
    return compute_departure(frame, rules, {catcher.assign, catcher.output},
                             {nullptr, &error_output}, error_output);
  }
  Departure departure;
  departure.output = TRY(place(catcher.result_path, frame.input, error_output));
  departure.assigned = TRY(assigned(frame, rules, catcher.assign, error_output));
  return departure;
}

Fault Evaluation::check_size(std::string_view name, const Value& value) const {
  if (value.identity() == nullptr) return nullptr;
  if (value.depth() > x_.pins.limits.max_value_depth) {
    return fault("States.DataLimitExceeded", "The state/task '" + std::string(name) +
                                                 "' returned a result nested deeper than " +
                                                 std::to_string(x_.pins.limits.max_value_depth) +
                                                 " levels.");
  }
  if (value.json_size() <= x_.pins.limits.max_payload_bytes) return nullptr;
  return fault("States.DataLimitExceeded",
               "The state/task '" + std::string(name) +
                   "' returned a result with a size exceeding the maximum number of bytes service "
                   "limit.");
}

Fault Evaluation::check_assigned(const Frame& frame, const State& state,
                                 const std::optional<Value>& assigned) const {
  if (!assigned) return nullptr;
  if (Fault too_large = check_size(state.name, *assigned)) return too_large;
  if (x_.pins.semantics < 2 || !assigned->is_object()) return nullptr;
  const std::uint64_t most = kVariablePayloads * x_.pins.limits.max_payload_bytes;
  // What is assigned anew is counted twice at first: sizes are remembered, a merge is not free.
  if (frame.variables.json_size() + assigned->json_size() <= most) return nullptr;
  Object merged = frame.variables.as_object();
  for (const auto& [name, value] : assigned->as_object()) merged.set(name, value);
  if (Value(std::move(merged)).json_size() <= most) return nullptr;
  return fault("States.DataLimitExceeded", "The variables in sight of the state '" + state.name +
                                               "' exceed the maximum of " + std::to_string(most) +
                                               " bytes.");
}

Evaluated<std::optional<std::string>> Evaluation::fail_text(
    const Frame& frame, const State& state, const std::optional<expr::Template>& what,
    std::string_view field, const std::string& path_text) {
  if (!what) return std::optional<std::string>();
  auto found = evaluate(frame, state, *what, frame.input);
  if (!found.ok()) {
    if (path_text.empty() || found.problem()->error != "States.Runtime") return found.error();
    return runtime_fault("The JSONPath '" + path_text + "' specified for the field '" +
                             std::string(field) + "Path' could not be found in the input '" +
                             frame.input.to_json() + "'",
                         path_text);
  }
  const Value value = std::move(found).value();
  if (value.is_string()) return std::optional<std::string>(value.as_string());
  if (state.speaks_jsonata()) return wrong_result(*what, field, "string", value);
  return runtime_fault("The " + std::string(field) + "Path field refers to value '" +
                           value.to_json() + "' which is not a string: " + path_text,
                       path_text, &value);
}

Evaluated<Children> Evaluation::children_of(const Frame& frame, const State& state,
                                            const Map& map) {
  Children children;
  // Parameters of a Map are its item selector: they do not shape the input.
  children.effective = TRY(selected_input(frame, state));
  const Value& input = children.effective;
  std::int64_t limit = 0;
  if (map.max_concurrency) {
    limit = TRY(whole_number(frame, state, *map.max_concurrency, "MaxConcurrency", input));
  }
  if (limit < 0) return runtime_fault("MaxConcurrency cannot be negative.");
  children.limit = static_cast<std::uint64_t>(limit);
  note("maxConcurrency", limit);
  if (given_ != nullptr && given_->items) {
    children.items = *given_->items;
  } else if (state.speaks_jsonata()) {
    children.items = TRY(compute_items(frame, state, map));
  } else {
    children.items = TRY(items_of(frame, state, map, input));
  }
  children.results.resize(children.items.size());
  return children;
}

Evaluated<Value> Evaluation::items_of(const Frame& frame, const State& state, const Map& map,
                                      const Value& input) {
  Value items = input;
  if (map.items) {
    auto found = evaluate(frame, state, *map.items, input);
    if (!found.ok()) {
      if (found.problem()->error != "States.Runtime") return found.error();
      // Once more, for the text that says what is missing.
      std::string missing;
      return quantity_value(frame, state, {*map.items, map.items_path_text}, input, missing);
    }
    items = std::move(found).value();
  }
  note("afterItemsPath", items);
  if (are_items(items)) return items;
  const std::string path = map.items_path_text.empty() ? "$" : map.items_path_text;
  return runtime_fault("Reference path \"" + path + "\" must point to array.", path, &items);
}

Evaluated<Value> Evaluation::item(const Frame& map_frame, const State& state,
                                  const Children& children, std::uint64_t index) {
  const Map& map = std::get<Map>(state.kind);
  Value context;
  if (map.item_selector->uses_context()) {
    Object object = context_of(map_frame, state).take_object();
    object.set("Map", Object{{"Item", map_item(children, index)}});
    context = std::move(object);
  }
  return evaluate_in(map_frame, *map.item_selector, children.effective, context);
}

}  // namespace stepwell
