// The operators between two values.
#include <algorithm>
#include <cmath>

#include "language/expr/jsonata/evaluator.h"
#include "language/expr/jsonata/number_text.h"

namespace stepwell::expr::jsonata {

namespace {

constexpr double kLongestRange = 1e7;
constexpr double kLastInteger =
    9007199254740992.0;  // The last double up to which all whole numbers are doubles.

[[noreturn]] void fail(const char* code, const Node& node, std::string value = "",
                       std::string value2 = "") {
  Error error;
  error.code = code;
  error.at = node.at;
  error.token = json_quote(text_of(node.op));
  error.value = std::move(value);
  error.value2 = std::move(value2);
  raise(std::move(error));
}

bool is_whole(const Item& item) {
  return item.is_number() && (item.value().is_int() || item.number() == std::floor(item.number()));
}

}  // namespace

bool Evaluator::is_numeric(const Item& item) const {
  if (!item.is_number()) return false;
  if (item.value().is_int()) return true;
  const double number = item.number();
  if (std::isnan(number)) return false;
  if (std::isinf(number)) {
    Error error;
    error.code = "D1001";
    error.value = "null";
    raise(std::move(error));
  }
  return true;
}

bool Evaluator::equal(const Item& left, const Item& right) {
  if (left.is_function() || right.is_function()) return left.function() == right.function();
  const std::uint64_t most = work_left() + 1;  // The first step is the operator's own.
  std::uint64_t left_over = most;
  const auto are_equal = equal_within(left.value(), right.value(), left_over);
  work(are_equal ? most - left_over - 1 : most);
  return *are_equal;
}

int Evaluator::compare_texts(const std::string& left, const std::string& right) {
  scan(std::min(left.size(), right.size()));
  return left.compare(right);
}

Item Evaluator::negate(const Node& node, const Item& input, const FramePtr& frame) {
  Item value = evaluate(*node.lhs, input, frame);
  if (value.is_undefined()) return value;
  if (!is_numeric(value)) {
    Error error;
    error.code = "D1002";
    error.at = node.at;
    error.token = "\"-\"";
    error.value = show(value);
    raise(std::move(error));
  }
  return number_value(-value.number());
}

Item Evaluator::binary(const Node& node, const Item& input, const FramePtr& frame) {
  const Item left = evaluate(*node.lhs, input, frame);
  if (node.op == Op::kAnd || node.op == Op::kOr) {
    const bool first = truth(left);
    if (first == (node.op == Op::kOr)) return Value(first);
    return Value(truth(evaluate(*node.rhs, input, frame)));
  }
  const Item right = evaluate(*node.rhs, input, frame);
  switch (node.op) {
    case Op::kAdd:
    case Op::kSubtract:
    case Op::kMultiply:
    case Op::kDivide:
    case Op::kModulo: return arithmetic(node, left, right);
    case Op::kEqual:
    case Op::kNotEqual:
      if (left.is_undefined() || right.is_undefined()) return Value(false);
      return Value(equal(left, right) == (node.op == Op::kEqual));
    case Op::kConcat: {
      std::string text = left.is_undefined() ? std::string() : to_text(left);
      if (!right.is_undefined()) text += to_text(right);
      room(text.size());
      return Value(std::move(text));
    }
    case Op::kRange: return range(node, left, right);
    case Op::kIn: {
      if (left.is_undefined() || right.is_undefined()) return Value(false);
      // `in` compares arrays and objects by identity, so a new one is never in a list.
      if (left.is_array() || left.is_object()) return Value(false);
      if (!right.is_array()) return Value(equal(left, right));
      work(right.array().size());
      for (const Value& item : right.array()) {
        if (equal(left, item_of(item))) return Value(true);
      }
      return Value(false);
    }
    default: return comparison(node, left, right);
  }
}

Item Evaluator::arithmetic(const Node& node, const Item& left, const Item& right) {
  if (!left.is_undefined() && !is_numeric(left)) fail("T2001", node, show(left));
  if (!right.is_undefined() && !is_numeric(right)) fail("T2002", node, show(right));
  if (left.is_undefined() || right.is_undefined()) return Item();
  const double a = left.number(), b = right.number();
  switch (node.op) {
    case Op::kAdd: return number_value(a + b);
    case Op::kSubtract: return number_value(a - b);
    case Op::kMultiply: return number_value(a * b);
    case Op::kDivide: return number_value(a / b);
    default: return number_value(std::fmod(a, b));
  }
}

Item Evaluator::comparison(const Node& node, const Item& left, const Item& right) {
  const auto comparable = [](const Item& item) {
    return item.is_undefined() || item.is_string() || item.is_number();
  };
  if (!comparable(left)) fail("T2010", node, show(left));
  if (!comparable(right)) fail("T2010", node, show(right));
  if (left.is_undefined() || right.is_undefined()) return Item();
  if (left.is_string() != right.is_string()) fail("T2009", node, show(left), show(right));
  int order = 0;
  if (left.is_string()) {
    order = compare_texts(left.string(), right.string());
  } else {
    const double a = left.number(), b = right.number();
    if (std::isnan(a) || std::isnan(b)) return Value(false);
    order = a < b ? -1 : a > b ? 1 : 0;
  }
  switch (node.op) {
    case Op::kLess: return Value(order < 0);
    case Op::kLessEqual: return Value(order <= 0);
    case Op::kGreater: return Value(order > 0);
    default: return Value(order >= 0);
  }
}

Item Evaluator::range(const Node& node, const Item& left, const Item& right) {
  if (!left.is_undefined() && !is_whole(left)) fail("T2003", node, show(left));
  if (!right.is_undefined() && !is_whole(right)) fail("T2004", node, show(right));
  if (left.is_undefined() || right.is_undefined()) return Item();
  const double first = left.number(), last = right.number();
  if (first > last) return Item();
  const double size = last - first + 1;
  if (size > kLongestRange) fail("D2014", node, number_text(size));
  const auto count = static_cast<std::size_t>(size);
  work(count / 16);
  room(count * sizeof(Value));
  Value::Array items;
  items.reserve(count);
  if (std::abs(first) < kLastInteger && std::abs(last) < kLastInteger) {
    auto number = static_cast<std::int64_t>(first);
    for (std::size_t i = 0; i < count; ++i) items.emplace_back(number++);
  } else {
    for (std::size_t i = 0; i < count; ++i) {
      items.push_back(number_value(first + static_cast<double>(i)));
    }
  }
  return Item::sequence(std::move(items));
}

}  // namespace stepwell::expr::jsonata
