// Turns the rules of a Choice into conditions of JSONata.
#include "authoring/convert/expressions.h"
#include "dsl/tables/operators.h"

namespace stepwell::dsl {

namespace {

// A comparison with a value of the wrong type is false in JSONPath.  In JSONata = is false too, but
// < fails, so the type is tested first.
std::string is_type(const Formula& formula, const char* type) {
  return "$type(" + formula.text + ") = \"" + type + "\"";
}

// The regular expression for a wildcard text: `*` matches any text, `\*` and `\\` stand for * and
// \.
std::string as_pattern(const std::string& wildcard) {
  std::string pattern = "/^";
  for (std::size_t i = 0; i < wildcard.size(); ++i) {
    char c = wildcard[i];
    if (c == '*') {
      pattern += "[\\s\\S]*";
      continue;
    }
    if (c == '\\' && i + 1 < wildcard.size()) c = wildcard[++i];
    if (std::string_view("\\/^$.|?*+()[]{}-").find(c) != std::string_view::npos) pattern += '\\';
    pattern += c;
  }
  return pattern + "$/";
}

const char* sign_of(Comparison comparison) {
  using enum Comparison;
  switch (comparison) {
    case kStringLessThan:
    case kNumericLessThan: return " < ";
    case kStringGreaterThan:
    case kNumericGreaterThan: return " > ";
    case kStringLessThanEquals:
    case kNumericLessThanEquals: return " <= ";
    case kStringGreaterThanEquals:
    case kNumericGreaterThanEquals: return " >= ";
    default: return " = ";
  }
}

const char* type_of(Operand operand) {
  switch (operand) {
    case Operand::kText: return "string";
    case Operand::kNumber: return "number";
    default: return "boolean";
  }
}

// Whether the path leads anywhere.  JSONata looks into lists on the way and JSONPath does not, so
// each step is tested for being an object.
Attempt<std::string> presence(const std::string& text, const Dialect& dialect) {
  const auto path = read_definite_path(text);
  if (!path.ok()) return path.refusal();
  std::string guards;
  PathText prefix = *path;
  prefix.steps.clear();
  for (std::size_t i = 0; i < path->steps.size(); ++i) {
    const bool is_index = std::holds_alternative<std::int64_t>(path->steps[i]);
    std::string written = text.starts_with("$$") ? "$$" : "$" + path->variable;
    Formula from;
    if (path->root == PathText::Root::kInput) {
      from = follow(dialect.input, prefix.steps);
    } else {
      auto root = path_formula(written, dialect);
      if (!root.ok()) return root.refusal();
      from = follow(*root, prefix.steps);
    }
    const bool is_known_object = i == 0 && !is_index && path->root != PathText::Root::kVariable;
    if (!is_known_object) guards += is_type(from, is_index ? "array" : "object") + " and ";
    prefix.steps.push_back(path->steps[i]);
  }
  auto whole = path_formula(text, dialect);
  if (!whole.ok()) return whole.refusal();
  return guards + "$exists(" + whole->text + ")";
}

Attempt<std::string> type_test(Comparison comparison, bool is_wanted, const std::string& variable,
                               const Dialect& dialect) {
  using enum Comparison;
  if (comparison == kIsPresent) {
    auto test = presence(variable, dialect);
    if (!test.ok() || is_wanted) return test;
    return "$not(" + *test + ")";
  }
  const auto path = path_formula(variable, dialect);
  if (!path.ok()) return path.refusal();
  const char* type = nullptr;
  switch (comparison) {
    case kIsNull: return path->text + (is_wanted ? " = null" : " != null");
    case kIsNumeric: type = "number"; break;
    case kIsString: type = "string"; break;
    case kIsBoolean: type = "boolean"; break;
    default: return Refusal{"JSONata has no test for timestamps"};
  }
  return "$type(" + path->text + (is_wanted ? ") = \"" : ") != \"") + type + "\"";
}

Attempt<std::string> comparison_text(const ComparisonField& field, const Value& operand,
                                     const std::string& variable, const Dialect& dialect) {
  if (field.operand == Operand::kTimestamp) {
    return Refusal{"JSONata compares timestamps as texts, or fails on what is none"};
  }
  if (field.comparison >= Comparison::kIsNull) {
    return type_test(field.comparison, operand.as_bool(), variable, dialect);
  }
  const auto left = path_formula(variable, dialect);
  if (!left.ok()) return left.refusal();
  const std::string guard = is_type(*left, type_of(field.operand));
  const std::string sign = sign_of(field.comparison);
  if (field.is_path) {
    const auto right = path_formula(operand.as_string(), dialect);
    if (!right.ok()) return right.refusal();
    const bool is_equality = sign == " = ";
    return guard + (is_equality ? "" : " and " + is_type(*right, type_of(field.operand))) +
           " and " + left->text + sign + right->text;
  }
  if (field.comparison == Comparison::kStringMatches) {
    return guard + " and $contains(" + left->text + ", " + as_pattern(operand.as_string()) + ")";
  }
  const auto right = constant_formula(operand);
  if (!right.ok()) return right.refusal();
  return (sign == " = " ? "" : guard + " and ") + left->text + sign + right->text;
}

Attempt<std::string> condition_text(const Value& rule, const Dialect& dialect, bool& is_simple) {
  is_simple = false;
  for (const auto& [key, word] : {std::pair{"And", " and "}, std::pair{"Or", " or "}}) {
    const Value* list = rule.find(key);
    if (list == nullptr) continue;
    std::string text;
    for (const Value& one : list->as_array()) {
      bool is_inner_simple = false;
      auto inner = condition_text(one, dialect, is_inner_simple);
      if (!inner.ok()) return inner;
      if (!text.empty()) text += word;
      text += is_inner_simple ? *inner : "(" + *inner + ")";
    }
    return text;
  }
  if (const Value* negated = rule.find("Not")) {
    auto inner = condition_text(*negated, dialect, is_simple);
    if (!inner.ok()) return inner;
    is_simple = true;
    return "$not(" + *inner + ")";
  }
  const Value* variable = rule.find("Variable");
  for (const auto& [key, operand] : rule.as_object()) {
    const auto field = comparison_named(key);
    if (!field || variable == nullptr) continue;
    auto text = comparison_text(*field, operand, variable->as_string(), dialect);
    is_simple = text.ok() && text->find(" and ") == std::string::npos;
    return text;
  }
  return Refusal{"this rule compares nothing"};
}

void collect_refusals(const Value& rule, const Dialect& dialect, const std::string& where,
                      std::vector<Refusal>& to) {
  for (const char* key : {"And", "Or"}) {
    const Value* list = rule.find(key);
    if (list == nullptr) continue;
    for (std::size_t i = 0; i < list->size(); ++i) {
      collect_refusals(list->as_array()[i], dialect, where + "/" + key + "/" + std::to_string(i),
                       to);
    }
    return;
  }
  if (const Value* negated = rule.find("Not")) {
    return collect_refusals(*negated, dialect, where + "/Not", to);
  }
  bool is_simple = false;
  const auto text = condition_text(rule, dialect, is_simple);
  if (!text.ok()) to.push_back({text.refusal().reason, where});
}

}  // namespace

std::vector<Refusal> condition_refusals(const Value& rule, const Dialect& dialect) {
  std::vector<Refusal> refusals;
  collect_refusals(rule, dialect, "", refusals);
  return refusals;
}

Attempt<Formula> condition_formula(const Value& rule, const Dialect& dialect) {
  bool is_simple = false;
  auto text = condition_text(rule, dialect, is_simple);
  if (!text.ok()) return text.refusal();
  return Formula{*text, Known::kTruth};
}

}  // namespace stepwell::dsl
