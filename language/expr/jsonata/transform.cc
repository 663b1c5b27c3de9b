// ~> |pattern|update, delete|: a copy of a document in which the objects that the pattern finds are
// changed.
//
// Values cannot be changed in place.  So the document is copied without sharing, which gives each
// object an address of its own; the changed objects are kept by the address of the object that they
// replace, and rebuild() puts them in at the end.
#include <unordered_map>

#include "language/expr/jsonata/evaluator.h"
#include "language/expr/jsonata/functions.h"

namespace stepwell::expr::jsonata {

namespace {

class Changes {
 public:
  void replace(const Value& original, Value by) { by_[original.identity()] = std::move(by); }

  const Value& newest(const Value& original) const {
    const auto found = by_.find(original.identity());
    return found == by_.end() ? original : found->second;
  }

  // The value with all replaced objects put in.
  Value rebuild(Evaluator& evaluator, const Value& original) const {
    if (by_.empty()) return original;
    const Value& value = newest(original);
    evaluator.work();
    if (value.is_array()) {
      Value::Array items;
      items.reserve(value.size());
      for (const Value& item : value.as_array()) items.push_back(rebuild(evaluator, item));
      return items;
    }
    if (!value.is_object()) return value;
    if (value.size() == 0) return value;
    Object object;
    object.reserve(value.size());
    for (const auto& [key, member] : value.as_object()) {
      object.set(key, rebuild(evaluator, member));
    }
    return object;
  }

 private:
  std::unordered_map<const void*, Value> by_;  // Never iterated over.
};

[[noreturn]] void fail(const char* code, std::size_t at, std::string value) {
  Error error;
  error.code = code;
  error.at = at;
  error.value = std::move(value);
  raise(std::move(error));
}

}  // namespace

Value deep_copy(const Value& value) {
  if (value.is_array()) {
    Value::Array items;
    items.reserve(value.size());
    for (const Value& item : value.as_array()) items.push_back(deep_copy(item));
    return items;
  }
  if (!value.is_object()) return value;
  Object object;
  object.reserve(value.size());
  for (const auto& [key, member] : value.as_object()) object.set(key, deep_copy(member));
  return object;
}

Item Evaluator::transform(const Function& function, const Item& input) {
  if (input.is_undefined()) return input;
  if (!input.is_object() && !input.is_array()) {
    Error error;
    error.code = "T0410";
    error.index = 1;
    raise(std::move(error));
  }
  const Node& node = *function.node;
  room(input.value().json_size());
  work(input.value().json_size() / 16);
  const Value copy = deep_copy(input.value());
  const Item matches = evaluate(*node.lhs, copy, function.frame);
  Changes changes;
  const auto change = [&](const Value& match) {
    const Item update = evaluate(*node.rhs, changes.rebuild(*this, match), function.frame);
    if (!update.is_undefined() && !update.is_object()) fail("T2011", node.rhs->at, show(update));
    if (!match.is_object()) return;
    Object changed = changes.newest(match).as_object();
    if (!update.is_undefined()) {
      for (const auto& [key, value] : update.value().as_object()) changed.set(key, value);
    }
    changes.replace(match, Value(changed));
    if (!node.third) return;
    const Item deletions = evaluate(*node.third, changes.rebuild(*this, match), function.frame);
    if (deletions.is_undefined()) return;
    const auto erase = [&](const Item& name) {
      if (!name.is_string()) fail("T2012", node.third->at, show(deletions));
      changed.erase(name.string());
    };
    if (deletions.is_array()) {
      for (const Value& name : deletions.array()) erase(item_of(name));
    } else {
      erase(deletions);
    }
    changes.replace(match, Value(std::move(changed)));
  };
  if (matches.is_array()) {
    for (const Value& match : matches.array()) change(match);
  } else if (matches.is_value()) {
    change(matches.value());
  }
  return changes.rebuild(*this, copy);
}

}  // namespace stepwell::expr::jsonata
