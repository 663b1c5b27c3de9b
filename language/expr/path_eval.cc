// Following a path through a value, as Jayway does it.
#include <algorithm>
#include <cmath>

#include "base/match.h"
#include "language/expr/filter.h"
#include "language/expr/path_parts.h"

namespace stepwell::expr {
namespace {

std::string quoted(const Names& names) {
  std::string out = "[";
  for (std::size_t i = 0; i < names.names.size(); ++i) {
    if (i > 0) out += ',';
    out += names.quote + names.names[i] + names.quote;
  }
  return out + "]";
}

std::string written(const PathStep& step) {
  return std::visit(match{
                        [](const Names& names) { return quoted(names); },
                        [](const Indexes& indexes) {
                          std::string out = "[";
                          for (const std::int64_t index : indexes.indexes) {
                            out += (out.size() > 1 ? "," : "") + std::to_string(index);
                          }
                          return out + "]";
                        },
                        [](const Slice&) { return std::string("[:]"); },
                        [](const Wildcard&) { return std::string("[*]"); },
                        [](const Descent&) { return std::string(".."); },
                        [](const FunctionCall& call) { return "." + call.name + "()"; },
                        [](const FilterStep&) { return std::string("[?]"); },
                    },
                    step);
}

class Walk {
 public:
  Walk(const JsonPath::Parts& path, const Value& root, Budget& budget)
      : path_(path), root_(root), budget_(budget) {}

  // Appends to `out` every value that the path leads to from `value`, beginning with step `step`.
  void go(const Value& value, std::size_t step, Value::Array& out) {
    if (!budget_.spend()) return;
    if (step == path_.steps.size()) {
      out.push_back(value);
      return;
    }
    std::visit(match{
                   [&](const Names& names) { go_names(names, value, step, out); },
                   [&](const Indexes& indexes) {
                     for (const std::int64_t index : indexes.indexes)
                       go_index(index, value, step, out);
                   },
                   [&](const Slice& slice) { go_slice(slice, value, step, out); },
                   [&](const Wildcard&) {
                     for_children(value, [&](const Value& child) { go(child, step + 1, out); });
                   },
                   [&](const Descent&) { descend(value, step + 1, out); },
                   [&](const FunctionCall& call) { out.push_back(apply(call, value)); },
                   [&](const FilterStep& filter) { go_filter(filter, value, step, out); },
               },
               path_.steps[step]);
  }

  static Value apply(const FunctionCall& call, const Value& value);

 private:
  template <class Each>
  static void for_children(const Value& value, Each each) {
    if (value.is_array()) {
      for (const Value& item : value.as_array()) each(item);
    } else if (value.is_object()) {
      for (const auto& [key, member] : value.as_object()) each(member);
    }
  }

  void go_names(const Names& names, const Value& value, std::size_t step, Value::Array& out) {
    if (names.names.size() == 1) {
      if (const Value* member = value.find(names.names[0])) go(*member, step + 1, out);
      return;
    }
    if (!value.is_object()) return;
    if (step + 1 < path_.steps.size()) {
      for (const std::string& name : names.names) {
        if (const Value* member = value.find(name)) go(*member, step + 1, out);
      }
      return;
    }
    Object picked;
    for (const std::string& name : names.names) {
      if (const Value* member = value.find(name)) picked.set(name, *member);
    }
    out.push_back(std::move(picked));
  }

  void go_index(std::int64_t index, const Value& value, std::size_t step, Value::Array& out) {
    if (!value.is_array()) return;
    const auto size = static_cast<std::int64_t>(value.size());
    if (index < 0) index += size;
    if (index < 0 || index >= size) return;
    go(value.as_array()[static_cast<std::size_t>(index)], step + 1, out);
  }

  void go_slice(const Slice& slice, const Value& value, std::size_t step, Value::Array& out) {
    if (!value.is_array() || value.size() == 0) return;
    const auto size = static_cast<std::int64_t>(value.size());
    std::int64_t from = slice.from.value_or(0), to = slice.to.value_or(size);
    if (slice.from && !slice.to) from = from < 0 ? std::max<std::int64_t>(0, from + size) : from;
    if (slice.to && !slice.from && to < 0) to += size;
    to = std::min(to, size);
    for (std::int64_t i = std::max(from, -size); i < to; ++i) go_index(i, value, step, out);
  }

  void go_filter(const FilterStep& filter, const Value& value, std::size_t step,
                 Value::Array& out) {
    if (value.is_array()) {
      for (const Value& item : value.as_array()) {
        if (holds(*filter.filter, item, root_, budget_)) go(item, step + 1, out);
      }
    } else if (value.is_object() && holds(*filter.filter, value, root_, budget_)) {
      go(value, step + 1, out);
    }
  }

  // `..`: applies the next step to this value, then to all below it, depth first.
  void descend(const Value& value, std::size_t step, Value::Array& out) {
    if (!budget_.spend() || value.depth() == 0) return;
    const bool fits = step >= path_.steps.size() || applies(path_.steps[step], value);
    if (fits) go(value, step, out);
    for_children(value, [&](const Value& child) { descend(child, step, out); });
  }

  static bool applies(const PathStep& step, const Value& value) {
    if (const auto* names = std::get_if<Names>(&step)) {
      return value.is_object() &&
             std::all_of(names->names.begin(), names->names.end(),
                         [&](const std::string& name) { return value.find(name) != nullptr; });
    }
    if (std::holds_alternative<Indexes>(step) || std::holds_alternative<Slice>(step)) {
      return value.is_array();
    }
    return true;
  }

  const JsonPath::Parts& path_;
  const Value& root_;
  Budget& budget_;
};

Value statistic(const std::string& name, const std::vector<double>& numbers) {
  if (numbers.empty()) return Value();
  double sum = 0, squares = 0;
  for (const double number : numbers) {
    sum += number;
    squares += number * number;
  }
  const auto count = static_cast<double>(numbers.size());
  if (name == "min") return *std::min_element(numbers.begin(), numbers.end());
  if (name == "max") return *std::max_element(numbers.begin(), numbers.end());
  if (name == "sum") return sum;
  if (name == "avg") return sum / count;
  return std::sqrt(squares / count - sum * sum / count / count);
}

Value Walk::apply(const FunctionCall& call, const Value& value) {
  const std::string& name = call.name;
  if (name == "length" || name == "size") {
    if (value.is_array() || value.is_object()) return Value(value.size());
    return Value();
  }
  if (name == "keys") {
    if (!value.is_object()) return Value();
    Value::Array keys;
    for (const auto& [key, member] : value.as_object()) keys.emplace_back(key);
    return keys;
  }
  if (name == "concat") {
    std::string text;
    if (value.is_array()) {
      for (const Value& item : value.as_array()) {
        if (item.is_string()) text += item.as_string();
      }
    }
    for (const Value& argument : call.arguments) {
      text += argument.is_string() ? argument.as_string() : argument.to_json();
    }
    return text;
  }
  if (name == "append") {
    if (!value.is_array()) return value;
    Value::Array items = value.as_array();
    items.insert(items.end(), call.arguments.begin(), call.arguments.end());
    return items;
  }
  if (name == "first" || name == "last" || name == "index") {
    if (!value.is_array() || value.size() == 0) return Value();
    const auto size = static_cast<std::int64_t>(value.size());
    std::int64_t index = name == "last" ? size - 1 : 0;
    if (name == "index" && !call.arguments.empty() && call.arguments[0].is_int()) {
      index = call.arguments[0].as_int();
      if (index < 0) index += size;
    }
    return index >= 0 && index < size ? value.as_array()[static_cast<std::size_t>(index)] : Value();
  }
  std::vector<double> numbers;
  if (value.is_array()) {
    for (const Value& item : value.as_array()) {
      if (item.is_number()) numbers.push_back(item.as_double());
    }
  }
  for (const Value& argument : call.arguments) {
    if (argument.is_number()) numbers.push_back(argument.as_double());
  }
  return statistic(name, numbers);
}

// The value that a definite path leads to, or nullptr.  No list of results is made on the way.
const Value* follow_definite(const JsonPath::Parts& path, const Value& from, Value& scratch,
                             std::size_t& stopped) {
  const Value* at = &from;
  for (std::size_t i = 0; i < path.steps.size(); ++i) {
    stopped = i;
    const PathStep& step = path.steps[i];
    if (const auto* names = std::get_if<Names>(&step)) {
      if (names->names.size() > 1) {
        if (!at->is_object()) return nullptr;
        Object picked;
        for (const std::string& name : names->names) {
          if (const Value* member = at->find(name)) picked.set(name, *member);
        }
        scratch = std::move(picked);
        at = &scratch;
        continue;
      }
      at = at->find(names->names[0]);
    } else if (const auto* indexes = std::get_if<Indexes>(&step)) {
      if (!at->is_array()) return nullptr;
      std::int64_t index = indexes->indexes[0];
      const auto size = static_cast<std::int64_t>(at->size());
      if (index < 0) index += size;
      if (index < 0 || index >= size) return nullptr;
      at = &at->as_array()[static_cast<std::size_t>(index)];
    } else {
      scratch = Walk::apply(std::get<FunctionCall>(step), *at);
      at = &scratch;
    }
    if (at == nullptr) return nullptr;
  }
  return at;
}

bool is_plain(const JsonPath::Parts& path) {
  return std::all_of(path.steps.begin(), path.steps.end(), [](const PathStep& step) {
    const auto* indexes = std::get_if<Indexes>(&step);
    return std::holds_alternative<Names>(step) || std::holds_alternative<FunctionCall>(step) ||
           (indexes != nullptr && indexes->indexes.size() == 1);
  });
}

}  // namespace

Found follow(const JsonPath::Parts& path, const Value& from, const Value& root, Budget& budget,
             bool want_missing) {
  Found found;
  if (path.definite && is_plain(path)) {
    Value scratch;
    std::size_t stopped = 0;
    if (const Value* at = follow_definite(path, from, scratch, stopped)) {
      found.value = *at;
    } else if (want_missing) {
      std::string way = "$";
      for (std::size_t i = 0; i <= stopped; ++i) way += written(path.steps[i]);
      if (stopped + 1 == path.steps.size()) {
        found.missing = "No results for path: " + way;
      } else {
        found.missing = "Missing property in path " + way;
      }
    }
    return found;
  }
  // A function at the end is applied to what the rest of the path yields.
  const bool has_function =
      !path.steps.empty() && std::holds_alternative<FunctionCall>(path.steps.back());
  Value::Array out;
  if (has_function) {
    JsonPath::Parts front = path;
    front.steps.pop_back();
    Walk(front, root, budget).go(from, 0, out);
    found.value = Walk::apply(std::get<FunctionCall>(path.steps.back()), Value(std::move(out)));
    return found;
  }
  Walk(path, root, budget).go(from, 0, out);
  found.value = Value(std::move(out));
  return found;
}

bool JsonPath::is_definite() const { return parts_->definite; }
bool JsonPath::is_reference() const { return parts_->reference; }
JsonPath::Root JsonPath::root() const { return parts_->root; }
const std::string& JsonPath::variable() const { return parts_->variable; }
const std::string& JsonPath::text() const { return parts_->text; }

namespace {

// The value that the path begins at; nullptr when its variable does not exist.
const Value* root_of(const JsonPath::Parts& path, const Scope& scope) {
  if (path.root == JsonPath::Root::kContext) return &scope.context;
  if (path.root == JsonPath::Root::kVariable) return scope.variables.find(path.variable);
  return &scope.input;
}

// The fast way for a path of names only, which nearly every path is.  nullptr when it has any other
// step, or leads nowhere.
const Value* follow_names(const JsonPath::Parts& path, const Value* at) {
  for (const PathStep& step : path.steps) {
    const auto* names = std::get_if<Names>(&step);
    if (names == nullptr || names->names.size() != 1) return nullptr;
    at = at->find(names->names.front());
    if (at == nullptr) return nullptr;
  }
  return at;
}

}  // namespace

std::optional<Value> JsonPath::find(const Scope& scope, std::string* missing) const {
  const Value* root = root_of(*parts_, scope);
  if (root == nullptr) {
    if (missing != nullptr) *missing = "No results for path: $" + parts_->variable;
    return std::nullopt;
  }
  if (const Value* at = follow_names(*parts_, root)) {
    if (missing != nullptr) missing->clear();
    return *at;
  }
  Budget budget;
  Found found = follow(*parts_, *root, *root, budget, missing != nullptr);
  if (budget.is_spent()) {
    found.value.reset();
    found.missing = "Too much work for one path: " + parts_->text;
  }
  if (missing != nullptr) *missing = std::move(found.missing);
  return std::move(found.value);
}

bool JsonPath::is_past_end(const Scope& scope) const {
  const Value* root = root_of(*parts_, scope);
  if (root == nullptr || parts_->steps.empty() || !is_plain(*parts_)) return false;
  if (!std::holds_alternative<Indexes>(parts_->steps.back())) return false;
  Parts front = *parts_;
  front.steps.pop_back();
  Value scratch;
  std::size_t stopped = 0;
  const Value* array = follow_definite(front, *root, scratch, stopped);
  return array != nullptr && array->is_array();
}

namespace {

constexpr std::int64_t kMostNewItems = 10'000;

std::optional<Value> put_at(Value into, const std::vector<PathStep>& steps, std::size_t step,
                            Value value) {
  if (step == steps.size()) return value;
  if (const auto* names = std::get_if<Names>(&steps[step])) {
    if (!into.is_object()) {
      if (!into.is_null()) return std::nullopt;
      into = Object();
    }
    Object members = std::move(into).take_object();
    const Value* old = members.find(names->names[0]);
    auto inner = put_at(old == nullptr ? Value() : *old, steps, step + 1, std::move(value));
    if (!inner) return std::nullopt;
    members.set(names->names[0], std::move(*inner));
    return Value(std::move(members));
  }
  const auto index = std::get<Indexes>(steps[step]).indexes[0];
  if (!into.is_array() && !into.is_null()) return std::nullopt;
  Value::Array items;
  if (into.is_array()) items = std::move(into).take_array();
  const auto at = static_cast<std::size_t>(index);
  if (index < 0 || index > kMostNewItems + static_cast<std::int64_t>(items.size())) {
    return std::nullopt;
  }
  if (at >= items.size()) items.resize(at + 1);
  auto inner = put_at(items[at], steps, step + 1, std::move(value));
  if (!inner) return std::nullopt;
  items[at] = std::move(*inner);
  return Value(std::move(items));
}

}  // namespace

std::optional<Value> JsonPath::put(Value document, Value value) const {
  CHECK(parts_->reference, "only a reference path names a place: " + parts_->text);
  return put_at(std::move(document), parts_->steps, 0, std::move(value));
}

}  // namespace stepwell::expr
