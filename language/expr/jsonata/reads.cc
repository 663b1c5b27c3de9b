#include "language/expr/jsonata/reads.h"

#include <algorithm>

#include "language/expr/jsonata/functions.h"

namespace stepwell::expr::jsonata {

namespace {

// Walks the tree and keeps the names that are bound.  A name that was bound anywhere before counts
// as bound, so that a variable that exists is never reported as unknown.
class Walk {
 public:
  JsonataReads reads;

  void visit(const Node& node, bool has_context) {
    switch (node.kind) {
      case NodeKind::kPath: path(node, has_context); break;
      case NodeKind::kVariable: variable(node, has_context); break;
      case NodeKind::kName:
        if (!has_context) add(reads.top_level_names, node.text);
        reads.top_level_input |= !has_context;
        break;
      case NodeKind::kWildcard:
      case NodeKind::kDescendant: reads.top_level_input |= !has_context; break;
      case NodeKind::kLambda:
        bound_.insert(bound_.end(), node.params.begin(), node.params.end());
        visit(*node.rhs, has_context);
        break;
      case NodeKind::kBind:
        bound_.push_back(node.symbol);
        visit(*node.rhs, has_context);
        break;
      default: parts(node, has_context); break;
    }
    extras(node);
  }

 private:
  void parts(const Node& node, bool has_context) {
    const bool is_transform = node.kind == NodeKind::kTransform;
    for (const NodePtr& one : node.list) {
      if (one->kind != NodeKind::kOpen) visit(*one, has_context);
    }
    for (const auto& [key, value] : node.pairs) {
      visit(*key, has_context);
      visit(*value, has_context);
    }
    for (const NodePtr& one : {node.lhs, node.rhs, node.third}) {
      if (one) visit(*one, has_context || is_transform);
    }
  }

  // Filters, sort terms and groups are evaluated with a context.
  void extras(const Node& node) {
    for (const NodePtr& one : node.predicates) visit(*one, true);
    for (const SortTerm& term : node.terms) visit(*term.expression, true);
    for (const Stage& stage : node.stages) {
      if (stage.index != kNoSymbol) bound_.push_back(stage.index);
      if (stage.filter) visit(*stage.filter, true);
    }
    if (!node.group) return;
    for (const auto& [key, value] : node.group->pairs) {
      visit(*key, true);
      visit(*value, true);
    }
  }

  void path(const Node& node, bool has_context) {
    for (const NodePtr& step : node.list) {
      if (step->focus != kNoSymbol) bound_.push_back(step->focus);
      if (step->index != kNoSymbol) bound_.push_back(step->index);
    }
    const Node& first = *node.list.front();
    if (first.kind == NodeKind::kVariable && first.text == "states" && node.list.size() > 1 &&
        node.list[1]->kind == NodeKind::kName) {
      add(reads.states_fields, node.list[1]->text);
      extras(first);
    } else {
      visit(first, has_context);
    }
    for (std::size_t i = 1; i < node.list.size(); ++i) visit(*node.list[i], true);
  }

  void variable(const Node& node, bool has_context) {
    if (node.text.empty() || node.text == "$") {
      reads.top_level_input |= node.text == "$" || !has_context;
    } else if (node.text == "states") {
      reads.whole_states = true;
    } else if (node.builtin == nullptr &&
               std::find(bound_.begin(), bound_.end(), node.symbol) == bound_.end()) {
      add(reads.variables, node.text);
    }
  }

  static void add(std::vector<std::string>& names, const std::string& name) {
    const auto at = std::lower_bound(names.begin(), names.end(), name);
    if (at == names.end() || *at != name) names.insert(at, name);
  }

  std::vector<Symbol> bound_;
};

StaticType type_of_value(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull: return StaticType::kNull;
    case Value::Kind::kBool: return StaticType::kBool;
    case Value::Kind::kInt:
    case Value::Kind::kDouble: return StaticType::kNumber;
    case Value::Kind::kString: return StaticType::kString;
    case Value::Kind::kArray: return StaticType::kArray;
    case Value::Kind::kObject: return StaticType::kObject;
  }
  return StaticType::kAny;
}

StaticType type_of_operator(const Node& node) {
  switch (node.op) {
    case Op::kAdd:
    case Op::kSubtract:
    case Op::kMultiply:
    case Op::kDivide:
    case Op::kModulo: return StaticType::kNumber;
    case Op::kConcat: return StaticType::kString;
    case Op::kEqual:
    case Op::kNotEqual:
    case Op::kLess:
    case Op::kLessEqual:
    case Op::kGreater:
    case Op::kGreaterEqual:
    case Op::kIn:
    case Op::kAnd:
    case Op::kOr: return StaticType::kBool;
    default: return StaticType::kAny;
  }
}

// The type of a call: what the signature of a built-in function promises.
StaticType type_of_call(const Node& node) {
  const Builtin* builtin = node.lhs->kind == NodeKind::kVariable ? node.lhs->builtin : nullptr;
  if (builtin == nullptr) return StaticType::kAny;
  const std::string_view signature = builtin->signature_text;
  const std::size_t colon = signature.rfind(':');
  if (colon == std::string_view::npos) return StaticType::kAny;
  switch (signature[colon + 1]) {
    case 's': return StaticType::kString;
    case 'n': return StaticType::kNumber;
    case 'b': return StaticType::kBool;
    default: return StaticType::kAny;
  }
}

}  // namespace

JsonataReads reads_of(const Node& root) {
  Walk walk;
  walk.visit(root, false);
  return std::move(walk.reads);
}

// kAny whenever it is not certain, because a warning is given by it.
StaticType type_of(const Node& node) {
  if (!node.predicates.empty() || node.group) return StaticType::kAny;
  switch (node.kind) {
    case NodeKind::kLiteral: return type_of_value(node.value);
    case NodeKind::kBinary: return type_of_operator(node);
    case NodeKind::kNegate: return StaticType::kNumber;
    case NodeKind::kArray: return StaticType::kArray;
    case NodeKind::kObject: return StaticType::kObject;
    case NodeKind::kLambda:
    case NodeKind::kPartial:
    case NodeKind::kRegex:
    case NodeKind::kTransform: return StaticType::kFunction;
    case NodeKind::kCall: return type_of_call(node);
    case NodeKind::kBlock: return node.list.empty() ? StaticType::kAny : type_of(*node.list.back());
    case NodeKind::kBind: return type_of(*node.rhs);
    case NodeKind::kCondition: {
      if (!node.third) return StaticType::kAny;
      const StaticType first = type_of(*node.rhs);
      return first == type_of(*node.third) ? first : StaticType::kAny;
    }
    default: return StaticType::kAny;
  }
}

}  // namespace stepwell::expr::jsonata
