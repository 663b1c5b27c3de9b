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
                   {"StartTime", context_time(x_.started_at)},
                   {"Name", x_.pins.execution_name},
                   {"RoleArn", x_.pins.role_arn}};
  // An express execution cannot be redriven, and says nothing about it.
  const bool express = x_.pins.execution_arn.find(":express:") != std::string::npos;
  if (!express) execution.set("RedriveCount", x_.redrive_count);
  if (x_.redrive_count > 0) execution.set("RedriveTime", context_time(x_.redriven_at));
  execution_context_ =
      Object{{"Execution", std::move(execution)},
             {"StateMachine", Object{{"Id", x_.pins.machine_arn}, {"Name", x_.pins.machine_name}}}};
  return execution_context_;
}

Value Evaluation::context_of(const Frame& frame, const State& state) {
  Object context = execution_context().as_object();
  Object about{{"Name", state.name}, {"EnteredTime", context_time(frame.entered_at)}};
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

// AWS leaves the fraction out when it is zero.
std::string Evaluation::context_time(Time time) const {
  std::string text = to_rfc3339(time);
  if (x_.pins.semantics >= 4 && text.ends_with(".000Z")) text.replace(text.size() - 5, 5, "Z");
  return text;
}

Value Evaluation::map_item(const Children& children, std::uint64_t index) const {
  Object item{{"Index", index}};
  if (children.items.is_object()) {
    const auto& [key, value] = children.items.as_object()[index];
    item.set("Key", key);
    item.set("Value", value);
  } else {
    item.set("Value", children.items.as_array()[index]);
  }
  // Of an ItemReader it would be the file; none can be run yet.
  if (x_.pins.semantics >= 4) item.set("Source", "STATE_DATA");
  return item;
}

// Of the innermost Map around the frame.
Value Evaluation::map_item_of(const Frame& inner) const {
  const Frame* child = &inner;
  while (!child->is_root()) {
    const Frame& parent = x_.frames.at(child->parent);
    const auto* children = std::get_if<Children>(&parent.doing);
    if (children != nullptr && children->is_map()) return map_item(*children, child->index);
    child = &parent;
  }
  return Value();
}

}  // namespace stepwell
