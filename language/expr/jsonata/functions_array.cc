// Functions of lists: counting, ordering, and those that take a function.
#include <algorithm>
#include <cmath>

#include "language/expr/jsonata/functions.h"
#include "language/expr/jsonata/merge_sort.h"

namespace stepwell::expr::jsonata {

namespace {

[[noreturn]] void fail(const char* code) {
  Error error;
  error.code = code;
  raise(std::move(error));
}

Item index_of(std::size_t index) { return Value(static_cast<std::int64_t>(index)); }

Item sequence(Evaluator& evaluator, Value::Array items) {
  evaluator.room(items.size() * sizeof(Value));
  return Item::sequence(std::move(items));
}

Item run_count(Evaluator&, Items& args) {
  return index_of(arg(args, 0).is_array() ? args[0].array().size() : 0);
}

Item run_append(Evaluator& evaluator, Items& args) {
  return evaluator.append(arg(args, 0), arg(args, 1));
}

Item run_reverse(Evaluator& evaluator, Items& args) {
  if (!arg(args, 0).is_array()) return Item();
  if (args[0].array().size() <= 1) return args[0];
  Value::Array items(args[0].array().rbegin(), args[0].array().rend());
  evaluator.room(items.size() * sizeof(Value));
  return Value(std::move(items));
}

Item run_shuffle(Evaluator& evaluator, Items& args) {
  if (!arg(args, 0).is_array()) return Item();
  if (args[0].array().size() <= 1) return args[0];
  Random* random = evaluator.scope().random;
  if (random == nullptr) raise("D3199", "There is no source of randomness here");
  Value::Array items = args[0].array();
  for (std::size_t i = items.size() - 1; i > 0; --i) {
    std::swap(items[i], items[random->below(i + 1)]);
  }
  evaluator.room(items.size() * sizeof(Value));
  return Value(std::move(items));
}

Item run_distinct(Evaluator& evaluator, Items& args) {
  if (!arg(args, 0).is_array() || args[0].array().size() <= 1) return arg(args, 0);
  Value::Array out;
  // Found by hash, then compared.  1 and 1.0 are equal, so numbers are hashed as doubles.
  std::unordered_multimap<std::uint64_t, std::size_t> seen;  // Never iterated over.
  for (const Value& one : args[0].array()) {
    evaluator.work();
    const bool is_scalar = one.identity() == nullptr || one.is_string();
    const std::uint64_t hash = one.is_number() ? Value(one.as_double()).hash()
                               : is_scalar     ? one.hash()
                                               : one.size();
    bool known = false;
    const auto [first, last] = seen.equal_range(hash);
    for (auto at = first; at != last && !known; ++at) {
      evaluator.work();
      known = evaluator.equal(out[at->second], one);
    }
    if (known) continue;
    seen.emplace(hash, out.size());
    out.push_back(one);
  }
  if (args[0].has(Item::kSequence)) return sequence(evaluator, std::move(out));
  return Value(std::move(out));
}

Item run_zip(Evaluator& evaluator, Items& args) {
  std::size_t size = args.empty() ? 0 : static_cast<std::size_t>(-1);
  for (const Item& one : args) {
    size = std::min(size, one.is_array() ? one.array().size() : 0);
  }
  evaluator.work(size * args.size());
  evaluator.room(size * (args.size() + 2) * sizeof(Value));
  Value::Array out;
  out.reserve(size);
  for (std::size_t i = 0; i < size; ++i) {
    Value::Array tuple;
    tuple.reserve(args.size());
    for (const Item& one : args) tuple.push_back(one.array()[i]);
    out.push_back(std::move(tuple));
  }
  return Value(std::move(out));
}

Item run_map(Evaluator& evaluator, Items& args) {
  if (!arg(args, 0).is_array()) return Item();
  Value::Array out;
  const auto& items = args[0].array();
  out.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Item got =
        evaluator.apply_each(args[1], evaluator.item_of(items[i]), index_of(i), args[0]);
    if (!got.is_undefined()) out.push_back(evaluator.value_of(got));
  }
  return sequence(evaluator, std::move(out));
}

Item run_filter(Evaluator& evaluator, Items& args) {
  if (!arg(args, 0).is_array()) return Item();
  Value::Array out;
  const auto& items = args[0].array();
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Item got =
        evaluator.apply_each(args[1], evaluator.item_of(items[i]), index_of(i), args[0]);
    if (evaluator.truth(got)) out.push_back(items[i]);
  }
  return sequence(evaluator, std::move(out));
}

Item run_single(Evaluator& evaluator, Items& args) {
  if (!arg(args, 0).is_array()) return Item();
  const auto& items = args[0].array();
  Item found;
  bool is_found = false;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Item item = evaluator.item_of(items[i]);
    if (arg(args, 1).is_function() &&
        !evaluator.truth(evaluator.apply_each(args[1], item, index_of(i), args[0]))) {
      continue;
    }
    if (is_found) fail("D3138");
    is_found = true;
    found = item;
  }
  if (!is_found) fail("D3139");
  return found;
}

Item run_reduce(Evaluator& evaluator, Items& args) {
  if (!arg(args, 0).is_array()) return Item();
  const auto& items = args[0].array();
  const std::size_t arity = evaluator.arity(args[1]);
  if (arity < 2) fail("D3050");
  Item result = arg(args, 2);
  std::size_t next = 0;
  if (result.is_undefined() && !items.empty()) result = evaluator.item_of(items[next++]);
  for (; next < items.size(); ++next) {
    Items given;
    given.reserve(4);
    given.push_back(std::move(result));
    given.push_back(evaluator.item_of(items[next]));
    if (arity >= 3) given.push_back(index_of(next));
    if (arity >= 4) given.push_back(args[0]);
    result = evaluator.apply(args[1], std::move(given), Value());
  }
  return result;
}

Item run_sort(Evaluator& evaluator, Items& args) {
  if (!arg(args, 0).is_array()) return Item();
  const auto& items = args[0].array();
  if (items.size() <= 1) return args[0];
  if (arg(args, 1).is_undefined()) {
    const bool numbers =
        std::all_of(items.begin(), items.end(), [](const Value& one) { return one.is_number(); });
    const bool strings =
        std::all_of(items.begin(), items.end(), [](const Value& one) { return one.is_string(); });
    if (!numbers && !strings) fail("D3070");
  }
  evaluator.room(2 * items.size() * sizeof(Value));
  const Item& comparator = arg(args, 1);
  const auto is_after = [&](std::size_t left, std::size_t right) {
    const Value &a = items[left], &b = items[right];
    evaluator.work();
    if (comparator.is_undefined()) {
      if (!a.is_string()) return a.as_double() > b.as_double();
      return evaluator.compare_texts(a.as_string(), b.as_string()) > 0;
    }
    return evaluator.truth(
        evaluator.apply(comparator, {evaluator.item_of(a), evaluator.item_of(b)}, Value()));
  };
  Value::Array sorted;
  for (const std::size_t i : sorted_order(0, items.size(), is_after)) sorted.push_back(items[i]);
  return Value(std::move(sorted));
}

Item run_boolean(Evaluator& evaluator, Items& args) {
  if (arg(args, 0).is_undefined()) return Item();
  return Value(evaluator.truth(args[0]));
}

Item run_not(Evaluator& evaluator, Items& args) {
  if (arg(args, 0).is_undefined()) return Item();
  return Value(!evaluator.truth(args[0]));
}

Item run_exists(Evaluator&, Items& args) { return Value(!arg(args, 0).is_undefined()); }

}  // namespace

void add_array_functions(Builtins& table) {
  table.push_back({"count", "<a:n>", 1, run_count});
  table.push_back({"append", "<xx:a>", 2, run_append});
  table.push_back({"reverse", "<a:a>", 1, run_reverse});
  table.push_back({"shuffle", "<a:a>", 1, run_shuffle});
  table.push_back({"distinct", "<x:x>", 1, run_distinct});
  table.push_back({"zip", "<a+>", 0, run_zip});
  table.push_back({"map", "<af>", 2, run_map});
  table.push_back({"filter", "<af>", 2, run_filter});
  table.push_back({"single", "<af?>", 2, run_single});
  table.push_back({"reduce", "<afj?:j>", 3, run_reduce});
  table.push_back({"sort", "<af?:a>", 2, run_sort});
  table.push_back({"boolean", "<x-:b>", 1, run_boolean});
  table.push_back({"not", "<x-:b>", 1, run_not});
  table.push_back({"exists", "<x:b>", 1, run_exists});
}

}  // namespace stepwell::expr::jsonata
