// Rewrites the parser's tree of operators into what is evaluated: `.` becomes a path of steps, `[`
// and
// `{` become filters and groups of the step before them, `%` is tied to the step whose input it
// means, and tail calls are marked.
#include <algorithm>

#include "language/expr/jsonata/ast.h"
#include "language/expr/jsonata/error.h"
#include "language/expr/jsonata/functions.h"

namespace stepwell::expr::jsonata {

namespace {

[[noreturn]] void fail(const char* code, std::size_t at, std::string value = "") {
  Error error;
  error.code = code;
  error.at = at;
  error.value = value;
  error.token = std::move(value);
  raise(std::move(error));
}

class Analysis {
 public:
  explicit Analysis(Symbols& symbols) : symbols_(symbols) {}

  NodePtr process(NodePtr node) {
    const bool keep_array = node->keep_array;
    NodePtr result = transform(std::move(node));
    if (keep_array) result->keep_array = true;
    return result;
  }

 private:
  NodePtr transform(NodePtr node) {
    switch (node->kind) {
      case NodeKind::kBinary: return binary(std::move(node));
      case NodeKind::kNegate: return negate(std::move(node));
      case NodeKind::kName: return path_of(std::move(node));
      case NodeKind::kParent: return parent(std::move(node));
      case NodeKind::kVariable: node->builtin = builtin_named(node->text); return node;
      case NodeKind::kEnd: fail("S0207", node->at);
      case NodeKind::kLambda:
        node->rhs = process(std::move(node->rhs));
        mark_tail(*node->rhs);
        return node;
      case NodeKind::kTransform:
        for (NodePtr* part : {&node->lhs, &node->rhs, &node->third}) {
          if (*part) *part = process(std::move(*part));
        }
        return node;
      default: return with_parts(std::move(node));
    }
  }

  // Rewrites the parts of a node that are evaluated in the same context as the node.
  NodePtr with_parts(NodePtr node) {
    for (NodePtr& item : node->list) {
      if (item->kind == NodeKind::kOpen) continue;
      item = process(std::move(item));
      push_ancestry(*node, *item);
      const bool cons =
          item->cons_array || (item->kind == NodeKind::kPath && item->list.front()->cons_array);
      if (node->kind == NodeKind::kBlock && cons) node->cons_array = true;
    }
    for (auto& [key, value] : node->pairs) {
      key = process(std::move(key));
      push_ancestry(*node, *key);
      value = process(std::move(value));
      push_ancestry(*node, *value);
    }
    const bool is_call = node->kind == NodeKind::kCall || node->kind == NodeKind::kPartial;
    for (NodePtr* part : {&node->lhs, &node->rhs, &node->third}) {
      if (!*part) continue;
      *part = process(std::move(*part));
      if (!is_call) push_ancestry(*node, **part);
    }
    return node;
  }

  NodePtr path_of(NodePtr step) {
    auto path = std::make_shared<Node>();
    path->kind = NodeKind::kPath;
    path->at = step->at;
    path->keep_singleton_array = step->keep_array;
    path->list.push_back(std::move(step));
    return path;
  }

  NodePtr parent(NodePtr node) {
    node->slot = std::make_shared<Slot>();
    node->slot->label = symbols_.intern("!" + std::to_string(parents_.size()));
    node->slot->index = parents_.size();
    parents_.push_back(node->slot);
    return node;
  }

  NodePtr negate(NodePtr node) {
    node->lhs = process(std::move(node->lhs));
    if (node->lhs->kind == NodeKind::kLiteral && node->lhs->value.is_number()) {
      const Value& number = node->lhs->value;
      node->lhs->value = number.is_int() ? Value(-number.as_int()) : Value(-number.as_double());
      return node->lhs;
    }
    push_ancestry(*node, *node->lhs);
    return node;
  }

  NodePtr binary(NodePtr node) {
    switch (node->op) {
      case Op::kDot: return dot(node);
      case Op::kFilter: return filter(node);
      case Op::kGroup: return group(node);
      case Op::kOrderBy: return order_by(node);
      case Op::kAssign: {
        node->kind = NodeKind::kBind;
        node->symbol = node->lhs->symbol;
        node->text = node->lhs->text;
        node->lhs = nullptr;
        node->rhs = process(std::move(node->rhs));
        push_ancestry(*node, *node->rhs);
        return node;
      }
      case Op::kFocus: return focus(node);
      case Op::kIndex: return index(node);
      case Op::kChain:
        node->kind = NodeKind::kApply;
        node->lhs = process(std::move(node->lhs));
        node->rhs = process(std::move(node->rhs));
        node->keep_array = node->lhs->keep_array || node->rhs->keep_array;
        return node;
      default: return with_parts(std::move(node));
    }
  }

  NodePtr dot(const NodePtr& node) {
    NodePtr left = process(std::move(node->lhs));
    NodePtr path = left;
    if (left->kind != NodeKind::kPath) {
      path = path_of(left);
      path->keep_singleton_array = false;
      if (left->kind == NodeKind::kParent) path->seeking = {left->slot};
    }
    NodePtr rest = process(std::move(node->rhs));
    if (rest->kind == NodeKind::kPath) {
      path->list.insert(path->list.end(), rest->list.begin(), rest->list.end());
    } else {
      move_predicates_to_stages(*rest);
      path->list.push_back(std::move(rest));
    }
    for (const NodePtr& step : path->list) {
      if (step->kind == NodeKind::kLiteral) {
        if (!step->value.is_string()) fail("S0213", step->at, step->value.to_json());
        step->kind = NodeKind::kName;
        step->text = step->value.as_string();
      }
      if (step->keep_array) path->keep_singleton_array = true;
    }
    for (const NodePtr& end : {path->list.front(), path->list.back()}) {
      if (end->kind == NodeKind::kArray) end->cons_array = true;
    }
    resolve_ancestry(*path);
    return path;
  }

  static void move_predicates_to_stages(Node& step) {
    for (NodePtr& predicate : step.predicates) step.stages.push_back({std::move(predicate), -1});
    step.predicates.clear();
  }

  NodePtr filter(const NodePtr& node) {
    NodePtr result = process(std::move(node->lhs));
    const bool is_path = result->kind == NodeKind::kPath;
    Node& step = is_path ? *result->list.back() : *result;
    if (step.group) fail("S0209", node->at);
    NodePtr predicate = process(std::move(node->rhs));
    if (!predicate->seeking.empty()) {
      for (const SlotPtr& slot : predicate->seeking) {
        if (slot->level == 1) {
          seek_parent(step, slot);
        } else {
          --slot->level;
        }
      }
      push_ancestry(step, *predicate);
    }
    if (is_path) {
      step.stages.push_back({std::move(predicate), kNoSymbol});
    } else {
      step.predicates.push_back(std::move(predicate));
    }
    return result;
  }

  NodePtr group(const NodePtr& node) {
    NodePtr result = process(std::move(node->lhs));
    if (result->group) fail("S0210", node->at);
    result->group = std::make_shared<Group>();
    result->group->at = node->at;
    for (auto& [key, value] : node->pairs) {
      NodePtr done = process(std::move(key));
      result->group->pairs.emplace_back(std::move(done), process(std::move(value)));
    }
    return result;
  }

  NodePtr order_by(const NodePtr& node) {
    NodePtr result = process(std::move(node->lhs));
    if (result->kind != NodeKind::kPath) {
      result = path_of(std::move(result));
      result->keep_singleton_array = false;
    }
    auto sort = std::make_shared<Node>();
    sort->kind = NodeKind::kSort;
    sort->at = node->at;
    for (SortTerm& term : node->terms) {
      term.expression = process(std::move(term.expression));
      push_ancestry(*sort, *term.expression);
      sort->terms.push_back(std::move(term));
    }
    result->list.push_back(std::move(sort));
    resolve_ancestry(*result);
    return result;
  }

  NodePtr focus(const NodePtr& node) {
    NodePtr result = process(std::move(node->lhs));
    Node& step = result->kind == NodeKind::kPath ? *result->list.back() : *result;
    if (!step.stages.empty() || !step.predicates.empty()) fail("S0215", node->at);
    if (step.kind == NodeKind::kSort) fail("S0216", node->at);
    if (node->keep_array) step.keep_array = true;
    step.focus = node->rhs->symbol;
    step.tuple = true;
    return result;
  }

  NodePtr index(const NodePtr& node) {
    NodePtr result = process(std::move(node->lhs));
    if (result->kind != NodeKind::kPath) {
      NodePtr only = result;
      result = path_of(only);
      result->keep_singleton_array = false;
      move_predicates_to_stages(*only);
    }
    Node& step = *result->list.back();
    if (step.stages.empty()) {
      step.index = node->rhs->symbol;
    } else {
      step.stages.push_back({nullptr, node->rhs->symbol});
    }
    step.tuple = true;
    return result;
  }

  // ---- `%` ----

  // Ties `slot` to `node` when that is the step it means; else returns it with the levels still to
  // go.
  SlotPtr seek_parent(Node& node, SlotPtr slot) {
    switch (node.kind) {
      case NodeKind::kName:
      case NodeKind::kWildcard:
        if (--slot->level == 0) {
          // A step stores its input under one label: a second `%` uses the label of the first.
          if (node.ancestor) parents_[slot->index]->label = node.ancestor->label;
          node.ancestor = slot;
          node.tuple = true;
        }
        return slot;
      case NodeKind::kParent: ++slot->level; return slot;
      case NodeKind::kBlock:
        if (node.list.empty()) return slot;
        node.tuple = true;
        return seek_parent(*node.list.back(), std::move(slot));
      case NodeKind::kPath: {
        node.tuple = true;
        std::size_t left = node.list.size();
        do {
          slot = seek_parent(*node.list[--left], std::move(slot));
        } while (slot->level > 0 && left > 0);
        return slot;
      }
      default: fail("S0217", node.at);
    }
  }

  static void push_ancestry(Node& to, const Node& from) {
    to.seeking.insert(to.seeking.end(), from.seeking.begin(), from.seeking.end());
    if (from.kind == NodeKind::kParent) to.seeking.push_back(from.slot);
  }

  void resolve_ancestry(Node& path) {
    const Node& last = *path.list.back();
    std::vector<SlotPtr> slots = last.seeking;
    if (last.kind == NodeKind::kParent) slots.push_back(last.slot);
    for (SlotPtr slot : slots) {
      std::size_t left = path.list.size() - 1;
      while (slot->level > 0) {
        if (left == 0) {
          path.seeking.push_back(slot);
          break;
        }
        Node* step = path.list[--left].get();
        // Several steps in a row that bind a focus (@$name) are one level.
        while (left > 0 && step->focus != kNoSymbol && path.list[left - 1]->focus != kNoSymbol) {
          step = path.list[--left].get();
        }
        slot = seek_parent(*step, std::move(slot));
      }
    }
  }

  // ---- Tail calls ----

  static void mark_tail(Node& node) {
    if (!node.predicates.empty() || node.group) return;
    if (node.kind == NodeKind::kCall) {
      node.is_tail = true;
    } else if (node.kind == NodeKind::kCondition) {
      mark_tail(*node.rhs);
      if (node.third) mark_tail(*node.third);
    } else if (node.kind == NodeKind::kBlock && !node.list.empty()) {
      mark_tail(*node.list.back());
    }
  }

  Symbols& symbols_;
  std::vector<SlotPtr> parents_;  // By index: the `%` of the expression.
};

}  // namespace

NodePtr analyse(NodePtr root, Symbols& symbols) {
  NodePtr done = Analysis(symbols).process(std::move(root));
  if (done->kind == NodeKind::kParent || !done->seeking.empty()) fail("S0217", done->at);
  return done;
}

}  // namespace stepwell::expr::jsonata
