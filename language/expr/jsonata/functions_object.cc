// Functions of objects and types; $error and $assert.
#include "language/expr/jsonata/functions.h"

namespace stepwell::expr::jsonata {

namespace {

void collect_keys(Evaluator& evaluator, const Value& value, Object& keys) {
  evaluator.work();
  if (value.is_array()) {
    for (const Value& one : value.as_array()) collect_keys(evaluator, one, keys);
  } else if (value.is_object()) {
    evaluator.work(value.size());
    for (const auto& [key, member] : value.as_object()) keys.set(key, true);
  }
}

Item run_keys(Evaluator& evaluator, Items& args) {
  Object keys;
  if (arg(args, 0).is_value()) collect_keys(evaluator, args[0].value(), keys);
  Value::Array out;
  for (const auto& [key, unused] : keys) out.push_back(Value(key));
  evaluator.room(out.size() * 2 * sizeof(Value));
  return Item::sequence(std::move(out));
}

Item run_lookup(Evaluator& evaluator, Items& args) {
  if (!arg(args, 1).is_string()) return Item();
  return evaluator.lookup(arg(args, 0), args[1].string());
}

void spread_into(Evaluator& evaluator, const Value& value, Value::Array& out) {
  evaluator.work();
  if (value.is_array()) {
    for (const Value& one : value.as_array()) spread_into(evaluator, one, out);
  } else if (value.is_object() && !evaluator.item_of(value).is_function()) {
    for (const auto& [key, member] : value.as_object()) {
      evaluator.work();
      evaluator.room(4 * sizeof(Value));
      out.push_back(Object{{key, member}});
    }
  } else {
    evaluator.room(sizeof(Value));
    out.push_back(value);
  }
}

Item run_spread(Evaluator& evaluator, Items& args) {
  if (!arg(args, 0).is_array() && !arg(args, 0).is_object()) return arg(args, 0);
  Value::Array out;
  spread_into(evaluator, args[0].value(), out);
  return Item::sequence(std::move(out));
}

Item run_merge(Evaluator& evaluator, Items& args) {
  if (!arg(args, 0).is_array()) return Item();
  Object merged;
  for (const Value& one : args[0].array()) {
    if (!one.is_object()) continue;
    for (const auto& [key, member] : one.as_object()) {
      evaluator.work();
      merged.set(key, member);
    }
  }
  evaluator.room(merged.size() * 3 * sizeof(Value));
  return Value(std::move(merged));
}

Item run_each(Evaluator& evaluator, Items& args) {
  Value::Array out;
  if (arg(args, 0).is_object()) {
    for (const auto& [key, member] : args[0].value().as_object()) {
      const Item got =
          evaluator.apply_each(args[1], evaluator.item_of(member), Value(key), args[0]);
      if (!got.is_undefined()) out.push_back(evaluator.value_of(got));
    }
  }
  evaluator.room(out.size() * sizeof(Value));
  return Item::sequence(std::move(out));
}

Item run_sift(Evaluator& evaluator, Items& args) {
  Object kept;
  if (arg(args, 0).is_object()) {
    for (const auto& [key, member] : args[0].value().as_object()) {
      const Item got =
          evaluator.apply_each(arg(args, 1), evaluator.item_of(member), Value(key), args[0]);
      if (evaluator.truth(got)) kept.set(key, member);
    }
  }
  evaluator.room(kept.size() * 3 * sizeof(Value));
  return kept.empty() ? Item() : Item(Value(std::move(kept)));
}

Item run_type(Evaluator& evaluator, Items& args) {
  const Item& item = arg(args, 0);
  if (item.is_undefined()) return Item();
  if (item.is_function()) return Value("function");
  switch (item.value().kind()) {
    case Value::Kind::kNull: return Value("null");
    case Value::Kind::kBool: return Value("boolean");
    case Value::Kind::kInt: return Value("number");
    case Value::Kind::kDouble: return Value(evaluator.is_numeric(item) ? "number" : "object");
    case Value::Kind::kString: return Value("string");
    case Value::Kind::kArray: return Value("array");
    case Value::Kind::kObject: return Value("object");
  }
  return Item();
}

Item run_clone(Evaluator& evaluator, Items& args) {
  if (arg(args, 0).is_undefined()) return Item();
  evaluator.room(args[0].value().json_size());
  return deep_copy(args[0].value());
}

Item run_error(Evaluator&, Items& args) {
  const bool has_text = arg(args, 0).is_string() && !args[0].string().empty();
  raise("D3137", has_text ? args[0].string() : "$error() function evaluated");
}

Item run_assert(Evaluator& evaluator, Items& args) {
  if (evaluator.truth(arg(args, 0))) return Item();
  const bool has_text = arg(args, 1).is_string() && !args[1].string().empty();
  raise("D3141", has_text ? args[1].string() : "$assert() statement failed");
}

}  // namespace

void add_object_functions(Builtins& table) {
  table.push_back({"keys", "<x-:a<s>>", 1, run_keys});
  table.push_back({"lookup", "<x-s:x>", 2, run_lookup});
  table.push_back({"spread", "<x-:a<o>>", 1, run_spread});
  table.push_back({"merge", "<a<o>:o>", 1, run_merge});
  table.push_back({"each", "<o-f:a>", 2, run_each});
  table.push_back({"sift", "<o-f?:o>", 2, run_sift});
  table.push_back({"type", "<x:s>", 1, run_type});
  table.push_back({"clone", "<(oa)-:o>", 1, run_clone});
  table.push_back({"error", "<s?:x>", 1, run_error});
  table.push_back({"assert", "<bs?:x>", 2, run_assert});
}

}  // namespace stepwell::expr::jsonata
