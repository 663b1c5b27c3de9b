// Parses the text to a tree of operators (Pratt's operator precedence).  analyse() rewrites it.
#include <map>
#include <optional>

#include "language/expr/jsonata/ast.h"
#include "language/expr/jsonata/error.h"
#include "language/expr/jsonata/lexer.h"

namespace stepwell::expr::jsonata {

namespace {

constexpr int kDeepest = 200;  // Nested expressions of one text.

struct Infix {
  int power;
  Op op;
};

// How strongly an operator binds what stands to its left.
const std::map<std::string_view, Infix>& infixes() {
  static const std::map<std::string_view, Infix> kTable = {
      {".", {75, Op::kDot}},        {"[", {80, Op::kFilter}},        {"{", {70, Op::kGroup}},
      {"(", {80, Op::kNone}},       {"@", {80, Op::kFocus}},         {"#", {80, Op::kIndex}},
      {"?", {20, Op::kNone}},       {"+", {50, Op::kAdd}},           {"-", {50, Op::kSubtract}},
      {"*", {60, Op::kMultiply}},   {"/", {60, Op::kDivide}},        {"%", {60, Op::kModulo}},
      {"=", {40, Op::kEqual}},      {"<", {40, Op::kLess}},          {">", {40, Op::kGreater}},
      {"^", {40, Op::kOrderBy}},    {":=", {10, Op::kAssign}},       {"!=", {40, Op::kNotEqual}},
      {"<=", {40, Op::kLessEqual}}, {">=", {40, Op::kGreaterEqual}}, {"~>", {40, Op::kChain}},
      {"?:", {40, Op::kNone}},      {"??", {40, Op::kNone}},         {"and", {30, Op::kAnd}},
      {"or", {25, Op::kOr}},        {"in", {40, Op::kIn}},           {"&", {50, Op::kConcat}},
  };
  return kTable;
}

NodePtr deep_copy(const NodePtr& node) {
  if (!node) return nullptr;
  auto copy = std::make_shared<Node>(*node);
  copy->lhs = deep_copy(node->lhs);
  copy->rhs = deep_copy(node->rhs);
  copy->third = deep_copy(node->third);
  for (NodePtr& item : copy->list) item = deep_copy(item);
  for (auto& [key, value] : copy->pairs) {
    key = deep_copy(key);
    value = deep_copy(value);
  }
  for (SortTerm& term : copy->terms) term.expression = deep_copy(term.expression);
  return copy;
}

class Parser {
 public:
  Parser(std::string_view text, Symbols& symbols) : lexer_(text), symbols_(symbols) {}

  NodePtr parse() {
    advance(false);
    NodePtr root = expression(0);
    if (token_.type != Token::Type::kEnd) fail_at("S0201", token_.at, token_.quoted());
    return root;
  }

 private:
  void advance(bool after_operand) {
    token_ = lexer_.next(after_operand);
    if (token_.is("!") || token_.is("~")) fail_at("S0204", token_.at, token_.quoted());
  }

  void expect(std::string_view op, bool after_operand = false) {
    if (!token_.is(op)) {
      fail_at(token_.type == Token::Type::kEnd ? "S0203" : "S0202", token_.at, token_.quoted(),
              json_quote(op));
    }
    advance(after_operand);
  }

  NodePtr make(NodeKind kind, std::size_t at) {
    auto node = std::make_shared<Node>();
    node->kind = kind;
    node->at = at;
    return node;
  }

  // How strongly the current token binds; 0 when it is not an infix operator.
  int power() const {
    if (token_.type != Token::Type::kOperator) return 0;
    const auto found = infixes().find(token_.text);
    return found == infixes().end() ? 0 : found->second.power;
  }

  NodePtr expression(int right_power) {
    if (++depth_ > kDeepest) {
      Error error;
      error.code = "U1001";
      error.message = "More than " + std::to_string(kDeepest) + " parts inside each other";
      error.at = token_.at;
      raise(std::move(error));
    }
    const Token first = token_;
    advance(true);
    NodePtr left = prefix(first);
    int chained = 0;
    while (right_power < power()) {
      const Token op = token_;
      advance(false);
      left = infix(op, std::move(left));
      // A long chain of operators makes a deep tree, too.
      if (++chained > 20 * kDeepest) fail_at("S0201", op.at, op.quoted());
    }
    --depth_;
    return left;
  }

  NodePtr prefix(const Token& token) {
    switch (token.type) {
      case Token::Type::kEnd: return make(NodeKind::kEnd, token.at);
      case Token::Type::kString:
      case Token::Type::kNumber:
      case Token::Type::kValue: return literal(token);
      case Token::Type::kRegex: {
        NodePtr node = make(NodeKind::kRegex, token.at);
        node->regex = token.regex;
        return node;
      }
      case Token::Type::kName: {
        NodePtr node = make(NodeKind::kName, token.at);
        node->text = token.text;
        return node;
      }
      case Token::Type::kVariable: return variable(token);
      case Token::Type::kOperator: break;
    }
    return prefix_operator(token);
  }

  NodePtr literal(const Token& token) {
    NodePtr node = make(NodeKind::kLiteral, token.at);
    node->value = token.value;
    return node;
  }

  NodePtr variable(const Token& token) {
    NodePtr node = make(NodeKind::kVariable, token.at);
    node->text = token.text;
    node->symbol = symbols_.intern(token.text);
    return node;
  }

  NodePtr prefix_operator(const Token& token) {
    if (token.text == "and" || token.text == "or" || token.text == "in") {
      NodePtr node = make(NodeKind::kName, token.at);
      node->text = token.text;
      return node;
    }
    if (token.text == "*") return make(NodeKind::kWildcard, token.at);
    if (token.text == "**") return make(NodeKind::kDescendant, token.at);
    if (token.text == "%") return make(NodeKind::kParent, token.at);
    if (token.text == "(") return block(token);
    if (token.text == "[") return array(token);
    if (token.text == "{") {
      NodePtr node = make(NodeKind::kObject, token.at);
      node->pairs = pairs();
      return node;
    }
    if (token.text == "|") return transform(token);
    if (token.text == "-") {
      NodePtr node = make(NodeKind::kNegate, token.at);
      node->lhs = expression(70);
      return node;
    }
    fail_at("S0211", token.at, token.quoted());
  }

  NodePtr block(const Token& token) {
    NodePtr node = make(NodeKind::kBlock, token.at);
    while (!token_.is(")")) {
      node->list.push_back(expression(0));
      if (!token_.is(";")) break;
      advance(false);
    }
    expect(")", true);
    return node;
  }

  NodePtr array(const Token& token) {
    NodePtr node = make(NodeKind::kArray, token.at);
    while (!token_.is("]")) {
      NodePtr item = expression(0);
      if (token_.is("..")) {
        NodePtr range = make(NodeKind::kBinary, token_.at);
        range->op = Op::kRange;
        range->lhs = std::move(item);
        advance(false);
        range->rhs = expression(0);
        item = std::move(range);
      }
      node->list.push_back(std::move(item));
      if (!token_.is(",")) break;
      advance(false);
      // After a comma an item must follow.
      if (token_.is("]")) node->list.push_back(expression(0));
    }
    expect("]", true);
    return node;
  }

  Pairs pairs() {
    Pairs list;
    if (!token_.is("}")) {
      while (true) {
        NodePtr key = expression(0);
        expect(":");
        NodePtr value = expression(0);
        list.emplace_back(std::move(key), std::move(value));
        if (!token_.is(",")) break;
        advance(false);
      }
    }
    expect("}", true);
    return list;
  }

  NodePtr transform(const Token& token) {
    NodePtr node = make(NodeKind::kTransform, token.at);
    node->lhs = expression(0);
    expect("|");
    node->rhs = expression(0);
    if (token_.is(",")) {
      advance(false);
      node->third = expression(0);
    }
    expect("|", true);
    return node;
  }

  NodePtr infix(const Token& token, NodePtr left) {
    const Infix& rule = infixes().at(token.text);
    switch (rule.op) {
      case Op::kFilter: return filter(token, std::move(left));
      case Op::kOrderBy: return order_by(token, std::move(left));
      case Op::kGroup: {
        NodePtr node = binary(token, rule.op, std::move(left));
        node->pairs = pairs();
        return node;
      }
      case Op::kAssign: {
        if (left->kind != NodeKind::kVariable) fail_at("S0212", left->at, json_quote(left->text));
        NodePtr node = binary(token, rule.op, std::move(left));
        node->rhs = expression(rule.power - 1);
        return node;
      }
      case Op::kFocus:
      case Op::kIndex: {
        NodePtr node = binary(token, rule.op, std::move(left));
        node->rhs = expression(rule.power);
        if (node->rhs->kind != NodeKind::kVariable) {
          fail_at("S0214", node->rhs->at, json_quote(token.text));
        }
        return node;
      }
      case Op::kNone: break;
      default: {
        NodePtr node = binary(token, rule.op, std::move(left));
        node->rhs = expression(rule.power);
        return node;
      }
    }
    if (token.text == "(") return call(token, std::move(left));
    return condition(token, std::move(left));
  }

  NodePtr binary(const Token& token, Op op, NodePtr left) {
    NodePtr node = make(NodeKind::kBinary, token.at);
    node->op = op;
    node->lhs = std::move(left);
    return node;
  }

  NodePtr filter(const Token& token, NodePtr left) {
    if (token_.is("]")) {
      Node* step = left.get();
      while (step->kind == NodeKind::kBinary && step->op == Op::kFilter) step = step->lhs.get();
      step->keep_array = true;
      advance(true);
      return left;
    }
    NodePtr node = binary(token, Op::kFilter, std::move(left));
    node->rhs = expression(0);
    expect("]", true);
    return node;
  }

  NodePtr order_by(const Token& token, NodePtr left) {
    NodePtr node = binary(token, Op::kOrderBy, std::move(left));
    expect("(");
    while (true) {
      SortTerm term;
      if (token_.is("<") || token_.is(">")) {
        term.descending = token_.is(">");
        advance(false);
      }
      term.expression = expression(0);
      node->terms.push_back(std::move(term));
      if (!token_.is(",")) break;
      advance(false);
    }
    expect(")", true);
    return node;
  }

  // "?", "?:" and "??"
  NodePtr condition(const Token& token, NodePtr left) {
    NodePtr node = make(NodeKind::kCondition, token.at);
    if (token.text == "?") {
      node->lhs = std::move(left);
      node->rhs = expression(0);
      if (token_.is(":")) {
        advance(false);
        node->third = expression(0);
      }
      return node;
    }
    node->lhs = deep_copy(left);
    if (token.text == "??") {
      NodePtr exists = make(NodeKind::kCall, token.at);
      exists->lhs = make(NodeKind::kVariable, token.at);
      exists->lhs->text = "exists";
      exists->lhs->symbol = symbols_.intern("exists");
      exists->list.push_back(std::move(node->lhs));
      node->lhs = std::move(exists);
    }
    node->rhs = std::move(left);
    node->third = expression(0);
    return node;
  }

  NodePtr call(const Token& token, NodePtr left) {
    NodePtr node = make(NodeKind::kCall, token.at);
    if (!token_.is(")")) {
      while (true) {
        if (token_.is("?")) {
          node->kind = NodeKind::kPartial;
          node->list.push_back(make(NodeKind::kOpen, token_.at));
          advance(false);
        } else {
          node->list.push_back(expression(0));
        }
        if (!token_.is(",")) break;
        advance(false);
      }
    }
    expect(")", true);
    const bool is_lambda =
        left->kind == NodeKind::kName && (left->text == "function" || left->text == "\u03BB");
    if (is_lambda) return lambda(std::move(node));
    node->lhs = std::move(left);
    return node;
  }

  NodePtr lambda(NodePtr node) {
    for (std::size_t i = 0; i < node->list.size(); ++i) {
      const Node& param = *node->list[i];
      if (param.kind != NodeKind::kVariable) {
        fail_at("S0208", param.at, json_quote(param.text), std::to_string(i + 1));
      }
      node->params.push_back(param.symbol);
    }
    node->kind = NodeKind::kLambda;
    node->list.clear();
    if (token_.is("<")) node->signature = signature();
    expect("{");
    node->rhs = expression(0);
    expect("}", true);
    return node;
  }

  std::shared_ptr<const Signature> signature() {
    const std::size_t at = token_.at;
    int depth = 1;
    std::string text = "<";
    while (depth > 0) {
      advance(false);
      if (token_.type == Token::Type::kEnd || token_.is("{")) break;
      if (token_.is(">")) --depth;
      if (token_.is("<")) ++depth;
      text += token_.text;
    }
    expect(">");
    try {
      return std::make_shared<const Signature>(Signature::parse(text));
    } catch (Error& error) {
      error.at += at;
      throw;
    }
  }

  Lexer lexer_;
  Symbols& symbols_;
  Token token_;
  int depth_ = 0;
};

}  // namespace

const char* text_of(Op op) {
  for (const auto& [text, rule] : infixes()) {
    if (rule.op == op) return text.data();
  }
  return "..";
}

Symbol Symbols::intern(const std::string& name) {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (names_[i] == name) return static_cast<Symbol>(i);
  }
  names_.push_back(name);
  return static_cast<Symbol>(names_.size() - 1);
}

Tree parse_tree(std::string_view text) {
  Tree tree;
  tree.root = Parser(text, tree.symbols).parse();
  tree.root = analyse(std::move(tree.root), tree.symbols);
  return tree;
}

}  // namespace stepwell::expr::jsonata
