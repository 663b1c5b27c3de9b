#include "language/expr/jsonata.h"

#include <algorithm>
#include <cmath>

#include "language/expr/jsonata/evaluator.h"
#include "language/expr/jsonata/number_text.h"
#include "language/expr/jsonata/reads.h"

namespace stepwell::expr {

using namespace jsonata;

struct Jsonata::Parts {
  std::string text;
  Tree tree;
  JsonataReads reads;
  StaticType type = StaticType::kAny;
};

namespace {

constexpr std::size_t kMostBytes = 262'144;

JsonataError answer(const Error& error) {
  return {error.code, jsonata::text_of(error), error.at == kNowhere ? 0 : error.at, error.value};
}

bool is_finite(const Value& value) {
  return !value.is_double() || std::isfinite(value.as_double());
}

bool holds_odd(const Evaluator& evaluator, const Value& value) {
  if (value.is_array()) {
    return std::any_of(value.as_array().begin(), value.as_array().end(),
                       [&](const Value& one) { return holds_odd(evaluator, one); });
  }
  if (value.is_object()) {
    if (value.size() == 0) return evaluator.item_of(value).is_function();
    return std::any_of(value.as_object().begin(), value.as_object().end(),
                       [&](const auto& member) { return holds_odd(evaluator, member.second); });
  }
  if (value.is_string()) return !is_utf8(value.as_string());
  return !is_finite(value);
}

// The result as JSON, which has no functions, infinities or half surrogate pairs: they become "",
// "Infinity" (as on AWS) and the replacement character.
Value cleaned(const Evaluator& evaluator, const Value& value) {
  if (value.is_array()) {
    Value::Array items;
    for (const Value& one : value.as_array()) items.push_back(cleaned(evaluator, one));
    return items;
  }
  if (value.is_object()) {
    if (evaluator.item_of(value).is_function()) return Value("");
    Object object;
    for (const auto& [key, member] : value.as_object()) {
      object.set(key, cleaned(evaluator, member));
    }
    return object;
  }
  if (value.is_string() && !is_utf8(value.as_string())) return Value("\uFFFD");
  if (is_finite(value)) return value;
  return std::isnan(value.as_double()) ? Value() : Value(number_text(value.as_double()));
}

}  // namespace

std::variant<Jsonata, JsonataError> Jsonata::parse(std::string_view text) {
  if (text.size() > kMostBytes) {
    return JsonataError{"U1001", "The expression is longer than 262144 bytes", 0};
  }
  if (!is_utf8(text)) return JsonataError{"S0201", "The expression is not valid UTF-8", 0};
  auto parts = std::make_shared<Parts>();
  parts->text = text;
  try {
    parts->tree = parse_tree(text);
  } catch (const Error& error) {
    return answer(error);
  }
  parts->reads = reads_of(*parts->tree.root);
  parts->type = type_of(*parts->tree.root);
  return Jsonata(std::move(parts));
}

JsonataResult Jsonata::evaluate(const JsonataScope& scope, const JsonataLimits& limits) const {
  JsonataResult result;
  Evaluator evaluator(parts_->tree.symbols, scope, limits);
  try {
    const Item item = evaluator.run(*parts_->tree.root);
    if (item.is_undefined()) return result;
    if (!item.is_value()) {
      result.kind = JsonataResult::Kind::kFunction;
      return result;
    }
    result.kind = JsonataResult::Kind::kValue;
    result.value = item.has(Item::kOuterWrapper) ? item.array()[0] : item.value();
    evaluator.must_be_measurable(result.value);
    const bool is_plain = result.value.identity() == nullptr && is_finite(result.value);
    if (!is_plain && holds_odd(evaluator, result.value)) {
      result.value = cleaned(evaluator, result.value);
    }
  } catch (const Error& error) {
    result.kind = JsonataResult::Kind::kError;
    result.value = Value();
    result.error = answer(error);
  }
  return result;
}

const std::string& Jsonata::text() const { return parts_->text; }
const JsonataReads& Jsonata::reads() const { return parts_->reads; }
StaticType Jsonata::static_type() const { return parts_->type; }

bool is_jsonata(std::string_view text, std::string_view* inner) {
  if (text.size() < 4 || !text.starts_with("{%") || !text.ends_with("%}")) return false;
  if (inner != nullptr) {
    *inner = text.substr(2, text.size() - 4);
    const std::size_t first = inner->find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) {
      *inner = inner->substr(0, 0);
    } else {
      *inner = inner->substr(first, inner->find_last_not_of(" \t\r\n") - first + 1);
    }
  }
  return true;
}

}  // namespace stepwell::expr
