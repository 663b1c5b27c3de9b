// Streams of tuples (paths with @$focus, #$index or %), sorting and grouping.
#include <algorithm>

#include "language/expr/jsonata/evaluator.h"
#include "language/expr/jsonata/merge_sort.h"

namespace stepwell::expr::jsonata {

namespace {

Item stream_of(std::vector<Tuple> tuples) {
  auto stream = std::make_shared<TupleStream>();
  stream->tuples = std::move(tuples);
  return std::shared_ptr<const TupleStream>(std::move(stream));
}

[[noreturn]] void fail(const char* code, std::size_t at, std::string value,
                       std::string value2 = "") {
  Error error;
  error.code = code;
  error.at = at;
  error.value = std::move(value);
  error.value2 = std::move(value2);
  raise(std::move(error));
}

}  // namespace

FramePtr Evaluator::frame_of(const FramePtr& outer, const Tuple& tuple) {
  FramePtr frame = new_frame(outer);
  frame->bindings = tuple.bindings;
  return frame;
}

Item Evaluator::tuple_step(const Node& node, const Item& input, bool is_list, const Item& tuples,
                           const FramePtr& frame) {
  if (node.kind == NodeKind::kSort) {
    if (tuples.is_tuples()) return stages(node, sort_tuples(node, *tuples.tuples(), frame), frame);
    const Item sorted = sort(node, is_list ? input : Item::sequence({value_of(input)}), frame);
    std::vector<Tuple> out;
    for (const Value& value : sorted.array()) {
      Tuple& tuple = out.emplace_back();
      tuple.at = item_of(value);
      if (node.index != kNoSymbol) {
        tuple.bind(node.index, Value(static_cast<std::int64_t>(out.size() - 1)));
      }
    }
    return stages(node, stream_of(std::move(out)), frame);
  }
  std::vector<Tuple> given;
  if (tuples.is_tuples()) {
    given = tuples.tuples()->tuples;
  } else if (is_list) {
    for (const Value& value : input.array()) given.emplace_back().at = item_of(value);
  } else {
    given.emplace_back().at = input;
  }
  std::vector<Tuple> out;
  for (const Tuple& from : given) {
    const FramePtr inner = frame_of(frame, from);
    const Item result = evaluate(node, from.at, inner);
    if (result.is_undefined()) continue;
    if (result.is_tuples()) {
      for (const Tuple& more : result.tuples()->tuples) {
        Tuple tuple = from;
        tuple.at = more.at;
        for (const auto& [name, item] : more.bindings) tuple.bind(name, item);
        out.push_back(std::move(tuple));
      }
      continue;
    }
    const std::size_t size = result.is_array() ? result.array().size() : 1;
    room(size * sizeof(Tuple));
    for (std::size_t i = 0; i < size; ++i) {
      Item item = result.is_array() ? item_of(result.array()[i]) : result;
      Tuple tuple = from;
      if (node.focus != kNoSymbol) {
        tuple.bind(node.focus, std::move(item));
      } else {
        tuple.at = std::move(item);
      }
      if (node.index != kNoSymbol) tuple.bind(node.index, Value(static_cast<std::int64_t>(i)));
      if (node.ancestor) tuple.bind(node.ancestor->label, from.at);
      out.push_back(std::move(tuple));
    }
  }
  return stages(node, stream_of(std::move(out)), frame);
}

Item Evaluator::filter_tuples(const Node& predicate, const TupleStream& stream,
                              const FramePtr& frame) {
  std::vector<Tuple> out;
  const auto& tuples = stream.tuples;
  for (std::size_t i = 0; i < tuples.size(); ++i) {
    std::size_t times = 1;
    const bool is_number = predicate.kind == NodeKind::kLiteral && predicate.value.is_number();
    const Item answer = is_number ? Item(predicate.value)
                                  : evaluate(predicate, tuples[i].at, frame_of(frame, tuples[i]));
    if (!selects(answer, i, tuples.size(), times)) continue;
    for (; times > 0; --times) out.push_back(tuples[i]);
  }
  return stream_of(std::move(out));
}

// ---- Sorting ----

int Evaluator::compare(const Node& node, const Items& left, const Items& right) {
  work();
  for (std::size_t i = 0; i < node.terms.size(); ++i) {
    const Item &a = left[i], &b = right[i];
    if (a.is_undefined() || b.is_undefined()) {
      if (a.is_undefined() && b.is_undefined()) continue;
      return a.is_undefined() ? 1 : -1;
    }
    const auto sortable = [](const Item& item) { return item.is_string() || item.is_number(); };
    if (!sortable(a)) fail("T2008", node.at, show(a));
    if (!sortable(b)) fail("T2008", node.at, show(b));
    if (a.is_string() != b.is_string()) fail("T2007", node.at, show(a), show(b));
    int order = 0;
    if (a.is_string()) {
      order = compare_texts(a.string(), b.string());
    } else {
      order = a.number() < b.number() ? -1 : a.number() > b.number() ? 1 : 0;
    }
    if (order != 0) return node.terms[i].descending ? -order : order;
  }
  return 0;
}

Item Evaluator::sort(const Node& node, const Item& input, const FramePtr& frame) {
  const auto& items = input.array();
  std::vector<Items> keys(items.size());
  for (std::size_t i = 0; i < items.size() && items.size() > 1; ++i) {
    for (const SortTerm& term : node.terms) {
      keys[i].push_back(evaluate(*term.expression, item_of(items[i]), frame));
    }
  }
  if (items.size() <= 1) return input;
  const auto is_after = [&](std::size_t a, std::size_t b) {
    return compare(node, keys[a], keys[b]) > 0;
  };
  const auto order = sorted_order(0, items.size(), is_after);
  Value::Array out;
  out.reserve(items.size());
  for (const std::size_t i : order) out.push_back(items[i]);
  room(out.size() * sizeof(Value));
  return Item::sequence(std::move(out));
}

Item Evaluator::sort_tuples(const Node& node, const TupleStream& stream, const FramePtr& frame) {
  const auto& tuples = stream.tuples;
  std::vector<Items> keys(tuples.size());
  for (std::size_t i = 0; i < tuples.size(); ++i) {
    const FramePtr inner = frame_of(frame, tuples[i]);
    for (const SortTerm& term : node.terms) {
      keys[i].push_back(evaluate(*term.expression, tuples[i].at, inner));
    }
  }
  const auto is_after = [&](std::size_t a, std::size_t b) {
    return compare(node, keys[a], keys[b]) > 0;
  };
  const auto order = sorted_order(0, tuples.size(), is_after);
  std::vector<Tuple> out;
  for (const std::size_t i : order) out.push_back(tuples[i]);
  return stream_of(std::move(out));
}

// ---- Grouping: {key: value, ...} over a sequence ----

namespace {

// The keys in the order in which they came, and the members of each.
template <class Members>
class Groups {
 public:
  struct Entry {
    std::string key;
    std::size_t pair;
    Members members;
  };
  Entry* find(const std::string& key) {
    const auto found = by_key_.find(key);
    return found == by_key_.end() ? nullptr : &entries_[found->second];
  }
  void add(const std::string& key, std::size_t pair, Members members) {
    by_key_.emplace(key, entries_.size());
    entries_.push_back({key, pair, std::move(members)});
  }
  std::vector<Entry>& entries() { return entries_; }

 private:
  std::vector<Entry> entries_;
  std::unordered_map<std::string, std::size_t> by_key_;  // Never iterated over.
};

void check_key(const Item& key, std::size_t at, Evaluator& evaluator) {
  if (!key.is_string()) fail("T1003", at, evaluator.show(key));
}

}  // namespace

Item Evaluator::group(const Pairs& pairs, std::size_t at, const Item& input,
                      const FramePtr& frame) {
  if (input.is_tuples()) return group_tuples(pairs, at, *input.tuples(), frame);
  const bool is_list = input.is_array() && !input.array().empty();
  const std::size_t size = is_list ? input.array().size() : 1;
  // The items of one key.
  struct Members {
    Item first;
    Value::Array all;
    bool is_many = false;
  };
  Groups<Members> groups;
  for (std::size_t i = 0; i < size; ++i) {
    const Item item = is_list ? item_of(input.array()[i]) : input.is_array() ? Item() : input;
    for (std::size_t k = 0; k < pairs.size(); ++k) {
      const Item key = evaluate(*pairs[k].first, item, frame);
      if (key.is_undefined()) continue;
      check_key(key, at, *this);
      auto* entry = groups.find(key.string());
      if (entry == nullptr) {
        groups.add(key.string(), k, {item, {}, false});
        continue;
      }
      if (entry->pair != k) fail("D1009", at, show(key));
      Members& members = entry->members;
      const auto push = [&](const Item& more) {
        if (more.is_array()) {
          work(more.array().size() / 16);
          must_fit((members.all.size() + more.array().size()) * sizeof(Value));
          members.all.insert(members.all.end(), more.array().begin(), more.array().end());
        } else if (!more.is_undefined()) {
          members.all.push_back(value_of(more));
        }
      };
      if (!members.is_many) push(members.first);
      members.is_many = true;
      push(item);
    }
  }
  Object object;
  object.reserve(groups.entries().size());
  for (auto& entry : groups.entries()) {
    const Item context = entry.members.is_many ? Item(Value(std::move(entry.members.all)))
                                               : std::move(entry.members.first);
    const Item value = evaluate(*pairs[entry.pair].second, context, frame);
    if (!value.is_undefined()) object.set(entry.key, value_of(value));
    room(entry.key.size() + 2 * sizeof(Value));
  }
  return Value(std::move(object));
}

Item Evaluator::group_tuples(const Pairs& pairs, std::size_t at, const TupleStream& stream,
                             const FramePtr& frame) {
  Groups<std::vector<const Tuple*>> groups;
  for (const Tuple& tuple : stream.tuples) {
    const FramePtr inner = frame_of(frame, tuple);
    for (std::size_t k = 0; k < pairs.size(); ++k) {
      const Item key = evaluate(*pairs[k].first, tuple.at, inner);
      if (key.is_undefined()) continue;
      check_key(key, at, *this);
      auto* entry = groups.find(key.string());
      if (entry == nullptr) {
        groups.add(key.string(), k, {&tuple});
      } else if (entry->pair != k) {
        fail("D1009", at, show(key));
      } else {
        entry->members.push_back(&tuple);
      }
    }
  }
  Object object;
  for (auto& entry : groups.entries()) {
    // The tuples of one key become one tuple, in which each name holds all of its values.
    Tuple merged = *entry.members.front();
    for (std::size_t i = 1; i < entry.members.size(); ++i) {
      merged.at = append(std::move(merged.at), entry.members[i]->at);
      for (const auto& [name, item] : entry.members[i]->bindings) {
        Item before;
        for (const auto& [bound, old] : merged.bindings) {
          if (bound == name) before = old;
        }
        merged.bind(name, append(std::move(before), item));
      }
    }
    const Item value = evaluate(*pairs[entry.pair].second, merged.at, frame_of(frame, merged));
    if (!value.is_undefined()) object.set(entry.key, value_of(value));
  }
  return Value(std::move(object));
}

}  // namespace stepwell::expr::jsonata
