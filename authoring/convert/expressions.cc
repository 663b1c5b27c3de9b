#include "authoring/convert/expressions.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "authoring/convert/calls.h"
#include "language/expr/expr.h"

namespace stepwell::dsl {

namespace {

constexpr std::int64_t kLargestExact = 1LL << 53;

bool is_plain_name(const std::string& name) {
  static const std::vector<std::string> kReserved = {"and",  "or",    "in",      "true",
                                                     "null", "false", "function"};
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  if (std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end()) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

Refusal indefinite() {
  return {
      "it may lead to several places: JSONPath always makes a list of them, JSONata one value "
      "of a single one and one list of several lists"};
}

class PathReader {
 public:
  explicit PathReader(std::string_view text) : text_(text) {}

  Attempt<PathText> read() {
    PathText path;
    at_ = 1;
    if (text_.starts_with("$$")) {
      path.root = PathText::Root::kContext;
      at_ = 2;
    } else if (at_ < text_.size() && text_[at_] != '.' && text_[at_] != '[') {
      path.root = PathText::Root::kVariable;
      const std::size_t end = std::min(text_.find_first_of(".[", at_), text_.size());
      path.variable = std::string(text_.substr(at_, end - at_));
      at_ = end;
    }
    while (at_ < text_.size()) {
      const bool is_good = text_[at_] == '[' ? read_bracket(path) : read_name(path);
      if (!is_good) return Refusal{"this form of a path has no counterpart here"};
    }
    return path;
  }

 private:
  bool read_name(PathText& path) {
    if (text_[at_] == '.') ++at_;
    const std::size_t end = std::min(text_.find_first_of(".[", at_), text_.size());
    const std::string_view name = text_.substr(at_, end - at_);
    if (name.empty() || name.find_first_of("(*") != std::string_view::npos) return false;
    path.steps.emplace_back(std::string(name));
    at_ = end;
    return true;
  }
  bool read_bracket(PathText& path) {
    ++at_;
    skip();
    if (at_ >= text_.size()) return false;
    if (text_[at_] == '\'' || text_[at_] == '"') {
      const char quote = text_[at_];
      const std::size_t end = text_.find(quote, at_ + 1);
      if (end == std::string_view::npos) return false;
      const std::string_view name = text_.substr(at_ + 1, end - at_ - 1);
      if (name.find('\\') != std::string_view::npos) return false;
      path.steps.emplace_back(std::string(name));
      at_ = end + 1;
    } else {
      std::int64_t index = 0;
      const auto [end, error] =
          std::from_chars(text_.data() + at_, text_.data() + text_.size(), index);
      if (error != std::errc()) return false;
      path.steps.emplace_back(index);
      at_ = static_cast<std::size_t>(end - text_.data());
    }
    skip();
    if (at_ >= text_.size() || text_[at_] != ']') return false;
    ++at_;
    return true;
  }
  void skip() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// What is known of the fields of the context object.
Known known_of_context(const PathText& path) {
  std::string text;
  for (const auto& step : path.steps) {
    const auto* name = std::get_if<std::string>(&step);
    text += "/" + (name != nullptr ? *name : std::string("0"));
  }
  for (const char* one : {"/Execution/Id", "/Execution/Name", "/Execution/StartTime",
                          "/Execution/RoleArn", "/State/Name", "/State/EnteredTime",
                          "/StateMachine/Id", "/StateMachine/Name", "/Task/Token"}) {
    if (text == one) return Known::kText;
  }
  for (const char* one : {"/Map/Item/Index", "/State/RetryCount", "/Execution/RedriveCount"}) {
    if (text == one) return Known::kWhole;
  }
  return Known::kNothing;
}

bool looks_computed(const std::string& text) {
  return text.size() >= 4 && text.starts_with("{%") && text.ends_with("%}");
}

}  // namespace

Attempt<PathText> read_definite_path(std::string_view text) {
  const auto parsed = expr::JsonPath::parse(text);
  const auto* path = std::get_if<expr::JsonPath>(&parsed);
  if (path == nullptr) return Refusal{"it is not a path"};
  if (!path->is_definite()) return indefinite();
  return PathReader(text).read();
}

Formula follow(Formula from, const std::vector<PathText::Step>& steps) {
  if (steps.empty()) return from;
  std::string text = from.is_literal ? "(" + from.text + ")" : from.operand();
  for (const auto& step : steps) {
    if (const auto* index = std::get_if<std::int64_t>(&step)) {
      text += "[" + std::to_string(*index) + "]";
    } else {
      const auto& name = std::get<std::string>(step);
      text += "." + (is_plain_name(name) ? name : "`" + name + "`");
    }
  }
  return {text, Known::kNothing, true};
}

Attempt<Formula> path_formula(const std::string& text, const Dialect& dialect) {
  const auto path = read_definite_path(text);
  if (!path.ok()) return path.refusal();
  for (const auto& step : path->steps) {
    const auto* name = std::get_if<std::string>(&step);
    const bool is_odd = name != nullptr && name->find('`') != std::string::npos;
    if (is_odd) return Refusal{"no name in JSONata can hold a `"};
  }
  switch (path->root) {
    case PathText::Root::kInput: return follow(dialect.input, path->steps);
    case PathText::Root::kVariable:
      if (!is_plain_name(path->variable)) return Refusal{"the name of the variable is not ASCII"};
      return follow({"$" + path->variable, Known::kNothing, true}, path->steps);
    case PathText::Root::kContext: break;
  }
  Formula formula = follow({"$states.context", Known::kNothing, true}, path->steps);
  formula.known = known_of_context(*path);
  return formula;
}

Attempt<Formula> expression_formula(const std::string& text, const Dialect& dialect) {
  if (text.starts_with("$")) return path_formula(text, dialect);
  return call_formula(text, dialect);
}

Value computed(const Formula& formula) { return "{% " + formula.text + " %}"; }

Value verbatim(const Value& constant) {
  if (constant.is_string() && looks_computed(constant.as_string())) {
    return computed({json_quote(constant.as_string())});
  }
  if (constant.is_array()) {
    Value::Array items;
    for (const Value& item : constant.as_array()) items.push_back(verbatim(item));
    return items;
  }
  if (!constant.is_object()) return constant;
  Object object;
  for (const auto& [key, value] : constant.as_object()) object.set(key, verbatim(value));
  return object;
}

namespace {

// A template as an object or list constructor.  With `is_constant` nothing in it is computed, even
// if a key ends in ".$".
Attempt<Formula> constructor(const Value& payload, const Dialect& dialect, bool is_constant,
                             const std::string& where);

// The value of a key that ends in ".$".
Attempt<Formula> computed_member(const Value& value, const Dialect& dialect) {
  if (!value.is_string()) return Refusal{"it holds no text"};
  const std::string& text = value.as_string();
  auto formula = expression_formula(text, dialect);
  if (!formula.ok() || !text.starts_with("$")) return formula;
  const auto path = read_definite_path(text);
  const bool ends_in_index =
      !path->steps.empty() && std::holds_alternative<std::int64_t>(path->steps.back());
  // An index beyond the end of its list is null in a template.
  if (!ends_in_index) return formula;
  return Formula{"$exists(" + formula->text + ") ? " + formula->text + " : null"};
}

Attempt<Formula> object_constructor(const Object& object, const Dialect& dialect, bool is_constant,
                                    const std::string& where) {
  std::string text = "{";
  for (const auto& [key, value] : object) {
    const bool is_computed = !is_constant && key.ends_with(".$");
    auto member = is_computed ? computed_member(value, dialect)
                              : constructor(value, dialect, is_constant, where + "/" + key);
    if (!member.ok()) {
      Refusal refusal = member.refusal();
      if (refusal.where.empty()) refusal.where = where + "/" + key;
      return refusal;
    }
    const std::string name = is_computed ? key.substr(0, key.size() - 2) : key;
    text += (text.size() > 1 ? ", " : "") + json_quote(name) + ": " + member->text;
  }
  return Formula{text + "}", Known::kObject};
}

Attempt<Formula> constructor(const Value& payload, const Dialect& dialect, bool is_constant,
                             const std::string& where) {
  if (payload.is_object()) {
    return object_constructor(payload.as_object(), dialect, is_constant, where);
  }
  if (payload.is_array()) {
    std::string text = "[";
    for (const Value& item : payload.as_array()) {
      auto one = constructor(item, dialect, is_constant, where);
      if (!one.ok()) return one;
      text += (text.size() > 1 ? ", " : "") + one->text;
    }
    return Formula{text + "]", Known::kList};
  }
  const bool is_large =
      payload.is_int() && (payload.as_int() > kLargestExact || payload.as_int() < -kLargestExact);
  if (is_large) return Refusal{"the number is too large for JSONata, which has doubles only"};
  const Known known = payload.is_string() ? Known::kText
                      : payload.is_int()  ? Known::kWhole
                      : payload.is_bool() ? Known::kTruth
                                          : Known::kNothing;
  return Formula{payload.is_string() ? json_quote(payload.as_string()) : payload.to_json(), known,
                 true, true};
}

Attempt<Value> template_member(const Value& payload, const Dialect& dialect,
                               const std::string& where) {
  if (payload.is_array()) {
    Value::Array items;
    for (const Value& item : payload.as_array()) {
      auto one = template_member(item, dialect, where);
      if (!one.ok()) return one;
      items.push_back(*one);
    }
    return Value(std::move(items));
  }
  if (!payload.is_object()) return verbatim(payload);
  Object object;
  for (const auto& [key, value] : payload.as_object()) {
    if (!key.ends_with(".$")) {
      auto member = template_member(value, dialect, where + "/" + key);
      if (!member.ok()) return member;
      object.set(key, *member);
      continue;
    }
    const auto member = computed_member(value, dialect);
    if (!member.ok()) return Refusal{member.refusal().reason, where + "/" + key};
    object.set(key.substr(0, key.size() - 2), computed(*member));
  }
  return Value(std::move(object));
}

void collect_refusals(const Value& payload, const Dialect& dialect, bool is_formula,
                      const std::string& where, std::vector<Refusal>& to) {
  if (payload.is_array()) {
    for (std::size_t i = 0; i < payload.size(); ++i) {
      collect_refusals(payload.as_array()[i], dialect, is_formula, where + "/" + std::to_string(i),
                       to);
    }
  } else if (payload.is_object()) {
    for (const auto& [key, value] : payload.as_object()) {
      const std::string at = where + "/" + key;
      if (!key.ends_with(".$")) {
        collect_refusals(value, dialect, is_formula, at, to);
      } else if (const auto member = computed_member(value, dialect); !member.ok()) {
        to.push_back({member.refusal().reason, at});
      }
    }
  } else if (is_formula) {
    const auto constant = constructor(payload, dialect, true, where);
    if (!constant.ok()) to.push_back({constant.refusal().reason, where});
  }
}

}  // namespace

std::vector<Refusal> template_refusals(const Value& payload, const Dialect& dialect,
                                       bool is_formula) {
  std::vector<Refusal> refusals;
  collect_refusals(payload, dialect, is_formula, "", refusals);
  return refusals;
}

Attempt<Formula> template_formula(const Value& payload, const Dialect& dialect) {
  return constructor(payload, dialect, false, "");
}

Attempt<Formula> constant_formula(const Value& constant) {
  return constructor(constant, {}, true, "");
}

Attempt<Value> template_value(const Value& payload, const Dialect& dialect) {
  return template_member(payload, dialect, "");
}

}  // namespace stepwell::dsl
