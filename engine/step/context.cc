// The context object: what $$ and $states.context show.
#include "engine/step/evaluation.h"
#include "engine/step/rehearsal.h"

namespace stepwell {

namespace {

// Objects member by member, all else as `over` has it.
Value laid_over(const Value& under, const Value& over) {
  if (!under.is_object() || !over.is_object()) return over;
  Object merged = under.as_object();
  for (const auto& [name, value] : over.as_object()) {
    const Value* below = under.find(name);
    merged.set(name, below != nullptr ? laid_over(*below, value) : value);
  }
  return merged;
}

}  // namespace

const Value& Evaluation::execution_context() {
  if (!execution_context_.is_null()) return execution_context_;
  Object execution{{"Id", x_.pins.execution_arn},
                   {"Input", x_.input},
                   {"StartTime", to_rfc3339(x_.started_at)},
                   {"Name", x_.pins.execution_name},
                   {"RoleArn", x_.pins.role_arn}};
  // An express execution cannot be redriven, and says nothing about it.
  const bool express = x_.pins.execution_arn.find(":express:") != std::string::npos;
  if (!express) execution.set("RedriveCount", x_.redrive_count);
  if (x_.redrive_count > 0) execution.set("RedriveTime", to_rfc3339(x_.redriven_at));
  execution_context_ =
      Object{{"Execution", std::move(execution)},
             {"StateMachine", Object{{"Id", x_.pins.machine_arn}, {"Name", x_.pins.machine_name}}}};
  return execution_context_;
}

Value Evaluation::context_of(const Frame& frame, const State& state) {
  Object context = execution_context().as_object();
  Object about{{"Name", state.name}, {"EnteredTime", to_rfc3339(frame.entered_at)}};
  if (std::holds_alternative<Task>(state.kind) || std::holds_alternative<Map>(state.kind) ||
      std::holds_alternative<Parallel>(state.kind)) {
    about.set("RetryCount", frame.attempt - 1);
  }
  context.set("State", std::move(about));
  if (Value item = map_item_of(frame); !item.is_null()) {
    context.set("Map", Object{{"Item", std::move(item)}});
  }
  if (given_ == nullptr || !given_->context.is_object()) return context;
  return laid_over(Value(std::move(context)), given_->context);
}

// {"Index", "Value"} of the innermost Map around the frame, or null.
Value Evaluation::map_item_of(const Frame& inner) const {
  const Frame* child = &inner;
  while (!child->is_root()) {
    const Frame& parent = x_.frames.at(child->parent);
    const auto* children = std::get_if<Children>(&parent.doing);
    if (children != nullptr && children->items.is_array()) {
      return Object{{"Index", child->index}, {"Value", children->items.as_array()[child->index]}};
    }
    child = &parent;
  }
  return Value();
}

}  // namespace stepwell
