// Calls: lambdas, built-in functions, regular expressions, partial application, `~>`.
#include "language/expr/jsonata/evaluator.h"
#include "language/expr/jsonata/functions.h"

namespace stepwell::expr::jsonata {

namespace {

// The name by which a call calls: of a variable, or of a field that was meant to be one.
std::string callee_name(const Node& procedure) {
  if (procedure.kind == NodeKind::kPath) return procedure.list.front()->text;
  return procedure.text;
}

Item make(Function function) {
  return std::shared_ptr<const Function>(std::make_shared<Function>(std::move(function)));
}

// JavaScript counts strings in UTF-16 units; so do the places that $match tells.
std::int64_t utf16_length(std::string_view text) {
  std::int64_t units = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) != 0x80) units += byte >= 0xF0 ? 2 : 1;
  }
  return units;
}

}  // namespace

std::size_t Evaluator::arity(const Item& item) const {
  const Function& function = *item.function();
  switch (function.kind) {
    case Function::Kind::kLambda: return function.node->params.size();
    case Function::Kind::kBuiltin: return function.builtin->arity;
    case Function::Kind::kRegex: return 2;
    case Function::Kind::kNextMatch: return 0;
    case Function::Kind::kTransform:
    case Function::Kind::kChain:
    case Function::Kind::kTail: return 1;
    case Function::Kind::kPartial: {
      std::size_t open = 0;
      for (const bool is_open : function.open) open += is_open ? 1 : 0;
      return open;
    }
  }
  return 1;
}

Item Evaluator::call(const Node& node, const Item& input, const FramePtr& frame,
                     const Item* first) {
  const Item procedure = evaluate(*node.lhs, input, frame);
  const std::string name = callee_name(*node.lhs);
  if (procedure.is_undefined() && node.lhs->kind == NodeKind::kPath &&
      (builtin_named(name) != nullptr)) {
    fail_at("T1005", node.at, json_quote(name), name);
  }
  Items args;
  args.reserve(node.list.size() + 1);
  if (first != nullptr) args.push_back(*first);
  for (const NodePtr& part : node.list) args.push_back(evaluate(*part, input, frame));
  if (node.is_tail && procedure.is_function()) {
    Function tail(Function::Kind::kTail);
    tail.node = &node;
    tail.target = procedure;
    tail.bound = std::move(args);
    return make(std::move(tail));
  }
  try {
    return apply(procedure, std::move(args), input);
  } catch (Error& error) {
    if (error.at == kNowhere) error.at = node.at;
    if (error.token.empty()) error.token = json_quote(name);
    throw;
  }
}

Item Evaluator::apply(const Item& function, Items args, const Item& input) {
  if (!function.is_function()) fail_at("T1006", kNowhere);
  Item result = apply_once(*function.function(), std::move(args), input);
  // A tail call is made here, when the caller's evaluation is over.
  while (result.is_function() && result.function()->kind == Function::Kind::kTail) {
    const Item tail = std::move(result);
    const Function& next = *tail.function();
    work();
    try {
      result = apply_once(*next.target.function(), next.bound, input);
    } catch (Error& error) {
      if (error.at == kNowhere) error.at = next.node->at;
      if (error.token.empty()) error.token = json_quote(callee_name(*next.node->lhs));
      throw;
    }
  }
  must_be_shallow(result);
  return result;
}

Item Evaluator::apply_each(const Item& function, const Item& value, const Item& key,
                           const Item& whole) {
  const std::size_t count = arity(function);
  Items args;
  args.reserve(3);
  args.push_back(value);
  if (count >= 2) args.push_back(key);
  if (count >= 3) args.push_back(whole);
  return apply(function, std::move(args), Value());
}

Item Evaluator::apply_once(const Function& function, Items args, const Item& input) {
  switch (function.kind) {
    case Function::Kind::kLambda: return apply_lambda(function, std::move(args), input);
    case Function::Kind::kBuiltin: {
      const Builtin& builtin = *function.builtin;
      if (!builtin.signature_text.empty()) builtin.signature.fit(*this, args, input);
      return builtin.run(*this, args);
    }
    case Function::Kind::kRegex: return apply_regex(function, args);
    case Function::Kind::kNextMatch: return match_object(function, function.subject, function.from);
    case Function::Kind::kTransform: return transform(function, arg(args, 0));
    case Function::Kind::kPartial: return apply_partial(function, args, input);
    case Function::Kind::kChain: {
      Item between = apply(function.target, std::move(args), Value());
      return apply(function.then, {std::move(between)}, Value());
    }
    case Function::Kind::kTail: break;
  }
  fail_at("T1006", kNowhere);
}

Item Evaluator::apply_lambda(const Function& function, Items args, const Item& input) {
  const Node& node = *function.node;
  if (node.signature) node.signature->fit(*this, args, input);
  const FramePtr frame = new_frame(function.frame);
  frame->bindings.reserve(node.params.size());
  for (std::size_t i = 0; i < node.params.size(); ++i) {
    frame->bind(node.params[i], i < args.size() ? std::move(args[i]) : Item());
  }
  return evaluate(*node.rhs, function.input, frame);
}

// A regular expression is a function of a string that gives its first match, and the way to the
// next.
Item Evaluator::apply_regex(const Function& function, const Items& args) {
  if (!arg(args, 0).is_string()) return Item();
  return match_object(function, args[0].string(), 0);
}

std::optional<Match> Evaluator::find(const Regex& regex, std::string_view subject,
                                     std::size_t from) {
  const std::uint64_t most = work_left();
  std::uint64_t left_over = most;
  Regex::Result result = regex.find(subject, from, left_over);
  work(most - left_over);
  if (result.outcome == Regex::Outcome::kTooMuch) {
    raise("U1001", "The regular expression needs too much work");
  }
  if (result.outcome == Regex::Outcome::kNone) return std::nullopt;
  return std::move(result.match);
}

Item Evaluator::match_object(const Function& function, const std::string& subject,
                             std::size_t from) {
  scan(subject.size() - std::min(from, subject.size()));
  const auto match = find(*function.node->regex, subject, from);
  if (!match) return Item();
  // An empty match would be found for ever; as the first one it may stand.
  if (match->start == match->end && function.kind == Function::Kind::kNextMatch) {
    fail_at("D1004", function.node->at, "", json_quote(function.node->regex->pattern()));
  }
  Value::Array groups;
  for (const auto& group : match->groups) groups.push_back(group ? Value(*group) : Value());
  Object object{{"match", subject.substr(match->start, match->end - match->start)},
                {"start", utf16_length(std::string_view(subject).substr(0, match->start))},
                {"end", utf16_length(std::string_view(subject).substr(0, match->end))},
                {"groups", std::move(groups)}};
  Function next(Function::Kind::kNextMatch);
  next.node = function.node;
  next.subject = subject;
  next.from = match->end;
  // At the end of the text there is nothing more to find.
  if (match->end >= subject.size()) next.from = subject.size() + 1;
  object.set("next", value_of(make(std::move(next))));
  return Value(std::move(object));
}

Item Evaluator::apply_partial(const Function& function, const Items& args, const Item& input) {
  Items all = function.bound;
  std::size_t next = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (function.open[i]) all[i] = next < args.size() ? args[next++] : Item();
  }
  return apply(function.target, std::move(all), input);
}

Item Evaluator::partial(const Node& node, const Item& input, const FramePtr& frame) {
  Function function(Function::Kind::kPartial);
  for (const NodePtr& part : node.list) {
    const bool is_open = part->kind == NodeKind::kOpen;
    function.open.push_back(is_open);
    function.bound.push_back(is_open ? Item() : evaluate(*part, input, frame));
  }
  function.target = evaluate(*node.lhs, input, frame);
  const std::string name = callee_name(*node.lhs);
  if (function.target.is_undefined() && node.lhs->kind == NodeKind::kPath &&
      builtin_named(name) != nullptr) {
    fail_at("T1007", node.at, json_quote(name), name);
  }
  if (!function.target.is_function()) fail_at("T1008", node.at, json_quote(name));
  return make(std::move(function));
}

Item Evaluator::apply_operator(const Node& node, const Item& input, const FramePtr& frame) {
  const Item left = evaluate(*node.lhs, input, frame);
  if (node.rhs->kind == NodeKind::kCall) {
    // x ~> f(y) is f(x, y).
    return call(*node.rhs, input, frame, &left);
  }
  const Item right = evaluate(*node.rhs, input, frame);
  if (!right.is_function()) fail_at("T2006", node.at, "", show(right));
  if (!left.is_function()) return apply(right, {left}, Value());
  Function chain(Function::Kind::kChain);
  chain.target = left;
  chain.then = right;
  return make(std::move(chain));
}

}  // namespace stepwell::expr::jsonata
