// Evaluates nodes that are not operators, paths or calls; counts work and bytes.
#include <cmath>

#include "language/expr/jsonata/evaluator.h"
#include "language/expr/jsonata/functions.h"

namespace stepwell::expr::jsonata {

// ---- Frames ----

Frame::Frame(FramePtr outer_frame, Frame** first_frame)
    : outer(std::move(outer_frame)), first(first_frame), next(*first_frame) {
  if (next != nullptr) next->previous = this;
  *first = this;
}

Frame::~Frame() {
  if (previous != nullptr) previous->next = next;
  if (next != nullptr) next->previous = previous;
  if (*first == this) *first = next;
}

void Frame::bind(Symbol name, Item value) {
  for (auto& [bound, item] : bindings) {
    if (bound == name) {
      item = std::move(value);
      return;
    }
  }
  bindings.emplace_back(name, std::move(value));
}

const Item* Frame::find(Symbol name) const {
  for (const Frame* frame = this; frame != nullptr; frame = frame->outer.get()) {
    for (const auto& [bound, item] : frame->bindings) {
      if (bound == name) return &item;
    }
  }
  return nullptr;
}

void Tuple::bind(Symbol name, Item value) {
  for (auto& [bound, item] : bindings) {
    if (bound == name) {
      item = std::move(value);
      return;
    }
  }
  bindings.emplace_back(name, std::move(value));
}

// ---- Counting work and bytes ----

namespace {

// About what a new frame takes.
constexpr std::size_t kFrameBytes = 160;

// The message is AWS's.
[[noreturn]] void too_deep() {
  raise("U1001",
        "Stack overflow error: Check for non-terminating recursive function. Consider rewriting as "
        "tail-recursive.");
}
[[noreturn]] void too_nested() {
  raise("U1001", "The value has too many levels: Check for non-terminating recursive function");
}
[[noreturn]] void too_long() {
  raise("U1001", "Expression evaluation timeout: Check for infinite loop");
}
[[noreturn]] void too_large() {
  raise("U1001", "Expression evaluation memory limit exceeded: Check for excessive memory usage");
}

// All values of an evaluation together may have so many times the bytes of the largest single one.
constexpr std::size_t kValuesAtOnce = 16;

}  // namespace

struct DepthGuard {
  explicit DepthGuard(Evaluator& one) : evaluator(one) {
    if (++evaluator.depth_ > evaluator.limits_.max_depth) too_deep();
  }
  ~DepthGuard() { --evaluator.depth_; }
  DepthGuard(const DepthGuard&) = delete;
  DepthGuard& operator=(const DepthGuard&) = delete;
  Evaluator& evaluator;
};

void Evaluator::work(std::uint64_t operations) {
  operations_ += operations;
  if (operations_ > limits_.max_operations) too_long();
}

void Evaluator::room(std::size_t bytes) {
  must_fit(bytes);
  bytes_ += bytes;
  if (bytes_ > kValuesAtOnce * limits_.max_bytes) too_large();
}

void Evaluator::must_fit(std::size_t bytes) const {
  if (bytes > limits_.max_bytes) too_large();
}

void Evaluator::must_be_measurable(const Value& value) const {
  const std::size_t size = value.json_size();
  if (size <= limits_.max_bytes) return;
  std::size_t most = limits_.max_bytes;
  for (const Value* read :
       {scope_.input, scope_.variables, scope_.states_input, scope_.states_result,
        scope_.states_error_output, scope_.states_context}) {
    if (read != nullptr) most += read->json_size();
  }
  if (size > most) too_large();
}

// Values are taken apart level by level, so the depth of one is bounded like that of the calls.
void Evaluator::must_be_shallow(const Item& item) const {
  if (item.value().depth() > limits_.max_value_depth) too_nested();
}

Evaluator::Evaluator(const Symbols& symbols, const JsonataScope& scope, const JsonataLimits& limits)
    : symbols_(symbols), scope_(scope), limits_(limits) {}

Evaluator::~Evaluator() {
  // A lambda keeps its frame, and the frame may hold the lambda: empty all frames to cut the ring.
  while (frames_ != nullptr) {
    const FramePtr frame = frames_->shared_from_this();
    auto bindings = std::move(frame->bindings);
    frame->bindings.clear();
    bindings.clear();
    boxed_.clear();
    root_ = Item();
    if (frames_ == frame.get()) {
      // The frame is still held from somewhere else: take it off the list, or this would not end.
      Frame* next = frame->next;
      if (next != nullptr) next->previous = nullptr;
      frames_ = next;
      frame->next = nullptr;
      frame->previous = nullptr;
    }
  }
}

FramePtr Evaluator::new_frame(const FramePtr& outer) {
  room(kFrameBytes);
  return std::make_shared<Frame>(outer, &frames_);
}

Item Evaluator::run(const Node& root) {
  if (scope_.input != nullptr) {
    root_ = *scope_.input;
    if (root_.is_array()) {
      root_ = Item::sequence({root_.value()});
      root_.add(Item::kOuterWrapper);
    }
  }
  const FramePtr frame = new_frame(nullptr);
  return evaluate(root, root_, frame);
}

// ---- Functions inside of arrays and objects ----

Item Evaluator::item_of(const Value& value) const {
  if (!boxed_.empty() && value.is_object() && value.size() == 0) {
    const auto found = boxed_.find(value.identity());
    if (found != boxed_.end()) return found->second.second;
  }
  return value;
}

Value Evaluator::value_of(const Item& item) {
  if (!item.is_function()) return item.value();
  room(kFrameBytes);
  Value box{Object()};
  boxed_.emplace(box.identity(), std::make_pair(box, item));
  return box;
}

// ---- Nodes ----

Item Evaluator::evaluate(const Node& node, const Item& input, const FramePtr& frame) {
  const DepthGuard guard(*this);
  work();
  Item result = evaluate_kind(node, input, frame);
  must_be_shallow(result);
  for (const NodePtr& predicate : node.predicates) {
    result = result.is_tuples() ? filter_tuples(*predicate, *result.tuples(), frame)
                                : filter(*predicate, result, frame);
  }
  if (node.group && node.kind != NodeKind::kPath) {
    result = group(node.group->pairs, node.group->at, result, frame);
  }
  if (result.is_array() && result.has(Item::kSequence)) {
    if (node.keep_array) result.add(Item::kKeepSingleton);
    const auto& items = result.array();
    if (items.empty()) return Item();
    if (items.size() == 1 && !result.has(Item::kKeepSingleton)) return item_of(Value(items[0]));
  }
  return result;
}

Item Evaluator::evaluate_kind(const Node& node, const Item& input, const FramePtr& frame) {
  switch (node.kind) {
    case NodeKind::kPath: return path(node, input, frame);
    case NodeKind::kBinary: return binary(node, input, frame);
    case NodeKind::kNegate: return negate(node, input, frame);
    case NodeKind::kArray: return array(node, input, frame);
    case NodeKind::kObject: return group(node.pairs, node.at, input, frame);
    case NodeKind::kName: return lookup(input, node.text);
    case NodeKind::kLiteral: return node.value;
    case NodeKind::kWildcard: return wildcard(input);
    case NodeKind::kDescendant: return descendants(input);
    case NodeKind::kParent: {
      const Item* found = frame->find(node.slot->label);
      return found == nullptr ? Item() : *found;
    }
    case NodeKind::kCondition: return condition(node, input, frame);
    case NodeKind::kBlock: return block(node, input, frame);
    case NodeKind::kBind: {
      Item value = evaluate(*node.rhs, input, frame);
      frame->bind(node.symbol, value);
      return value;
    }
    case NodeKind::kRegex: {
      auto function = std::make_shared<Function>();
      function->kind = Function::Kind::kRegex;
      function->node = &node;
      return std::shared_ptr<const Function>(std::move(function));
    }
    case NodeKind::kCall: return call(node, input, frame, nullptr);
    case NodeKind::kPartial: return partial(node, input, frame);
    case NodeKind::kVariable: return variable(node, input, frame);
    case NodeKind::kLambda:
    case NodeKind::kTransform: {
      room(kFrameBytes);
      auto function = std::make_shared<Function>();
      function->kind =
          node.kind == NodeKind::kLambda ? Function::Kind::kLambda : Function::Kind::kTransform;
      function->node = &node;
      function->frame = frame;
      function->input = input;
      return std::shared_ptr<const Function>(std::move(function));
    }
    case NodeKind::kApply: return apply_operator(node, input, frame);
    case NodeKind::kSort:
    case NodeKind::kOpen:
    case NodeKind::kEnd: break;
  }
  CHECK(false, "a node that cannot be evaluated");
}

const Value& Evaluator::states() {
  if (!states_.is_null()) return states_;
  Object fields;
  if (scope_.states_input != nullptr) fields.set("input", *scope_.states_input);
  if (scope_.states_result != nullptr) fields.set("result", *scope_.states_result);
  if (scope_.states_error_output != nullptr) {
    fields.set("errorOutput", *scope_.states_error_output);
  }
  if (scope_.states_context != nullptr) fields.set("context", *scope_.states_context);
  states_ = std::move(fields);
  return states_;
}

Item Evaluator::variable(const Node& node, const Item& input, const FramePtr& frame) {
  if (node.text.empty()) {
    return input.has(Item::kOuterWrapper) ? item_of(input.array()[0]) : input;
  }
  if (const Item* found = frame->find(node.symbol)) return *found;
  if (node.text == "$") return root_;
  if (node.text == "states" && scope_.states_input != nullptr) return states();
  if (scope_.variables != nullptr) {
    if (const Value* found = scope_.variables->find(node.text)) return *found;
  }
  if (node.builtin == nullptr) return Item();
  auto function = std::make_shared<Function>();
  function->kind = Function::Kind::kBuiltin;
  function->builtin = node.builtin;
  return std::shared_ptr<const Function>(std::move(function));
}

Item Evaluator::array(const Node& node, const Item& input, const FramePtr& frame) {
  Value::Array items;
  items.reserve(node.list.size());
  for (const NodePtr& part : node.list) {
    Item value = evaluate(*part, input, frame);
    if (value.is_undefined()) continue;
    if (part->kind == NodeKind::kArray || !value.is_array()) {
      items.push_back(value_of(value));
    } else if (items.empty()) {
      items = std::move(value).take_value().take_array();
    } else {
      items.insert(items.end(), value.array().begin(), value.array().end());
    }
    work(1);
  }
  room(items.size() * sizeof(Value));
  Item result{Value(std::move(items))};
  if (node.cons_array) result.add(Item::kCons);
  return result;
}

Item Evaluator::block(const Node& node, const Item& input, const FramePtr& frame) {
  Item result;
  const FramePtr inner = new_frame(frame);
  for (const NodePtr& part : node.list) result = evaluate(*part, input, inner);
  return result;
}

Item Evaluator::condition(const Node& node, const Item& input, const FramePtr& frame) {
  if (truth(evaluate(*node.lhs, input, frame))) return evaluate(*node.rhs, input, frame);
  return node.third ? evaluate(*node.third, input, frame) : Item();
}

void Evaluator::flatten(const Value& value, Value::Array& out) {
  work();
  if (!value.is_array()) {
    must_fit(out.size() * sizeof(Value));
    out.push_back(value);
    return;
  }
  for (const Value& item : value.as_array()) flatten(item, out);
}

Item Evaluator::wildcard(const Item& input) {
  Item inner = input;
  if (input.has(Item::kOuterWrapper) && !input.array().empty()) inner = input.array()[0];
  Value::Array out;
  bool is_sequence = true;
  const auto add = [&](const Value& value) {
    if (value.is_array()) is_sequence = false;
    flatten(value, out);
  };
  if (inner.is_array()) {
    for (const Value& value : inner.array()) add(value);
  } else if (inner.is_object()) {
    for (const auto& [key, value] : inner.value().as_object()) add(value);
  }
  room(out.size() * sizeof(Value));
  return is_sequence ? Item::sequence(std::move(out)) : Item(Value(std::move(out)));
}

void Evaluator::descend(const Value& value, Value::Array& out) {
  work();
  if (value.is_array()) {
    for (const Value& item : value.as_array()) descend(item, out);
    return;
  }
  out.push_back(value);
  room(sizeof(Value));
  if (!value.is_object()) return;
  for (const auto& [key, member] : value.as_object()) descend(member, out);
}

Item Evaluator::descendants(const Item& input) {
  if (!input.is_value()) return input;
  Value::Array out;
  descend(input.value(), out);
  if (out.size() == 1) return item_of(Value(out[0]));
  return Item::sequence(std::move(out));
}

Item Evaluator::lookup(const Item& input, std::string_view key) {
  if (input.is_object()) {
    const Value* found = input.value().find(key);
    return found == nullptr ? Item() : item_of(*found);
  }
  if (!input.is_array()) return Item();
  Value::Array out;
  const auto add_all = [&](const Value::Array& more) {
    work(more.size() / 16);
    must_fit((out.size() + more.size()) * sizeof(Value));
    out.insert(out.end(), more.begin(), more.end());
  };
  for (const Value& element : input.array()) {
    work();
    if (element.is_object()) {
      const Value* found = element.find(key);
      if (found == nullptr) continue;
      if (found->is_array()) {
        add_all(found->as_array());
      } else {
        out.push_back(*found);
      }
    } else if (element.is_array()) {
      add_all(lookup(element, key).array());
    }
  }
  room(out.size() * sizeof(Value));
  return Item::sequence(std::move(out));
}

}  // namespace stepwell::expr::jsonata
