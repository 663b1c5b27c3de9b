// Paths: each step is applied to the results of the step before, and flattens one level.
#include <cmath>

#include "language/expr/jsonata/evaluator.h"

namespace stepwell::expr::jsonata {

namespace {

// Collects the results of one step.  The first result is kept apart: when it stays the only one and
// the step is the last of the path, an array in it is returned as it is, not flattened.
class Gathered {
 public:
  void add(Evaluator& evaluator, Item item) {
    if (item.is_undefined()) return;
    if (++count_ == 1) {
      first_ = std::move(item);
      return;
    }
    if (count_ == 2) flatten(evaluator, first_);
    flatten(evaluator, item);
  }

  Item done(Evaluator& evaluator, bool is_last) {
    if (count_ == 1) {
      if (is_last && first_.is_array() && !first_.has(Item::kSequence)) return std::move(first_);
      if (first_.is_array() && !first_.has(Item::kCons)) {
        Value::Array items = std::move(first_).take_value().take_array();
        return Item::sequence(std::move(items));
      }
      flatten(evaluator, first_);
    }
    evaluator.room(out_.size() * sizeof(Value));
    return Item::sequence(std::move(out_));
  }

 private:
  void flatten(Evaluator& evaluator, const Item& item) {
    if (!item.is_array() || item.has(Item::kCons)) {
      out_.push_back(evaluator.value_of(item));
      return;
    }
    evaluator.work(item.array().size());
    evaluator.must_fit((out_.size() + item.array().size()) * sizeof(Value));
    out_.insert(out_.end(), item.array().begin(), item.array().end());
  }

  std::size_t count_ = 0;
  Item first_;
  Value::Array out_;
};

// Is the step a name and nothing else?  Then it is looked up directly.
bool is_plain_name(const Node& step) {
  return step.kind == NodeKind::kName && step.stages.empty() && step.predicates.empty() &&
         !step.group && !step.keep_array;
}

}  // namespace

Item Evaluator::path(const Node& node, const Item& input, const FramePtr& frame) {
  // A path that begins with a variable is not applied to each element of the input.
  bool is_list = input.is_array() && node.list.front()->kind != NodeKind::kVariable;
  Item current = input, result, tuples;
  bool has_tuples = false;
  for (std::size_t i = 0; i < node.list.size(); ++i) {
    const Node& one = *node.list[i];
    has_tuples = has_tuples || one.tuple;
    if (i == 0 && one.cons_array) {
      result = evaluate(one, is_list ? current : input, frame);
    } else if (has_tuples) {
      tuples = tuple_step(one, current, is_list, tuples, frame);
    } else {
      result = step(one, current, is_list, frame, i + 1 == node.list.size());
    }
    if (!has_tuples && (result.is_undefined() || (result.is_array() && result.array().empty()))) {
      break;
    }
    if (one.focus == kNoSymbol && !has_tuples) {
      current = result;
      is_list = current.is_array();
    }
  }
  if (has_tuples) {
    if (node.tuple) {
      result = tuples;
    } else {
      Value::Array items;
      for (const Tuple& tuple : tuples.tuples()->tuples) items.push_back(value_of(tuple.at));
      room(items.size() * sizeof(Value));
      result = Item::sequence(std::move(items));
    }
  }
  if (node.keep_singleton_array && result.is_array()) {
    if (result.has(Item::kCons) && !result.has(Item::kSequence)) {
      result = Item::sequence({result.value()});
    }
    result.add(Item::kKeepSingleton);
  }
  if (!node.group) return result;
  if (has_tuples) {
    return group_tuples(node.group->pairs, node.group->at, *tuples.tuples(), frame);
  }
  return group(node.group->pairs, node.group->at, result, frame);
}

Item Evaluator::step(const Node& node, const Item& input, bool is_list, const FramePtr& frame,
                     bool is_last) {
  if (node.kind == NodeKind::kSort) {
    Item list = is_list ? input : Item::sequence({value_of(input)});
    return stages(node, sort(node, list, frame), frame);
  }
  Gathered gathered;
  const auto visit = [&](const Item& item) {
    if (is_plain_name(node) && item.is_object()) {
      work();
      const Value* found = item.value().find(node.text);
      if (found != nullptr) gathered.add(*this, item_of(*found));
      return;
    }
    Item result = evaluate(node, item, frame);
    for (const Stage& stage : node.stages) {
      if (stage.filter) {
        result = result.is_tuples() ? filter_tuples(*stage.filter, *result.tuples(), frame)
                                    : filter(*stage.filter, result, frame);
      }
    }
    gathered.add(*this, std::move(result));
  };
  if (is_list) {
    for (const Value& value : input.array()) visit(item_of(value));
  } else {
    visit(input);
  }
  return gathered.done(*this, is_last);
}

Item Evaluator::stages(const Node& node, Item result, const FramePtr& frame) {
  for (const Stage& stage : node.stages) {
    if (stage.filter) {
      result = result.is_tuples() ? filter_tuples(*stage.filter, *result.tuples(), frame)
                                  : filter(*stage.filter, result, frame);
    } else if (result.is_tuples()) {
      auto stream = std::make_shared<TupleStream>(*result.tuples());
      std::int64_t index = 0;
      for (Tuple& tuple : stream->tuples) tuple.bind(stage.index, Value(index++));
      result = std::shared_ptr<const TupleStream>(std::move(stream));
    }
  }
  return result;
}

// Does a filter that came to `answer` select the item at `index`?  A number selects that place, a
// list of numbers each of its places; of anything else the truth counts.  `times`: how often.
bool Evaluator::selects(const Item& answer, std::size_t index, std::size_t size,
                        std::size_t& times) {
  const auto is_here = [&](double number) {
    double place = std::floor(number);
    if (place < 0) place += static_cast<double>(size);
    return place == static_cast<double>(index);
  };
  times = 1;
  if (is_numeric(answer)) return is_here(answer.number());
  if (answer.is_array()) {
    bool all = true;
    for (const Value& one : answer.array()) all = all && is_numeric(item_of(one));
    if (all) {
      times = 0;
      work(answer.array().size());
      for (const Value& one : answer.array()) times += is_here(one.as_double()) ? 1 : 0;
      return times > 0;
    }
  }
  return truth(answer);
}

Item Evaluator::filter(const Node& predicate, const Item& input, const FramePtr& frame) {
  const bool is_list = input.is_array();
  const std::size_t size = is_list ? input.array().size() : 1;
  if (predicate.kind == NodeKind::kLiteral && predicate.value.is_number()) {
    double place = std::floor(predicate.value.as_double());
    if (place < 0) place += static_cast<double>(size);
    if (!(place >= 0) || place >= static_cast<double>(size)) return Item::sequence({});
    Item found = is_list ? item_of(input.array()[static_cast<std::size_t>(place)]) : input;
    if (found.is_array()) return found;
    return found.is_undefined() ? Item::sequence({}) : Item::sequence({value_of(found)});
  }
  Value::Array out;
  for (std::size_t i = 0; i < size; ++i) {
    const Item item = is_list ? item_of(input.array()[i]) : input;
    std::size_t times = 0;
    if (!selects(evaluate(predicate, item, frame), i, size, times)) continue;
    if (item.is_undefined()) continue;
    for (; times > 0; --times) out.push_back(value_of(item));
    must_fit(out.size() * sizeof(Value));
  }
  room(out.size() * sizeof(Value));
  return Item::sequence(std::move(out));
}

}  // namespace stepwell::expr::jsonata
