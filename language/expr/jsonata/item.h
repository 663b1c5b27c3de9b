// Item — what an expression computes with: a JSON value, undefined, a function, or a stream of
// tuples; for an array also the flags by which JSONata decides later whether to flatten it.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/value.h"

namespace stepwell::expr::jsonata {

struct Function;
struct TupleStream;

class Item {
 public:
  // Of an array.
  enum Flag : std::uint8_t {
    kSequence = 1,       // The result of a path or the like: [x] is x, [] is nothing.
    kKeepSingleton = 2,  // ... but not this one: it was followed by [].
    kOuterWrapper = 4,   // The input, an array, wrapped in a sequence of its own.
    kCons = 8,           // Was written as [...] at the end of a path: is not flattened.
  };

  Item() = default;  // Undefined.
  Item(Value value) : value_(std::move(value)), kind_(Kind::kValue) {}
  Item(std::shared_ptr<const Function> function)
      : held_(std::move(function)), kind_(Kind::kFunction) {}
  Item(std::shared_ptr<const TupleStream> tuples)
      : held_(std::move(tuples)), kind_(Kind::kTuples) {}

  static Item sequence(Value::Array items) {
    Item item{Value(std::move(items))};
    item.flags_ = kSequence;
    return item;
  }

  bool is_undefined() const { return kind_ == Kind::kUndefined; }
  bool is_function() const { return kind_ == Kind::kFunction; }
  bool is_tuples() const { return kind_ == Kind::kTuples; }
  bool is_value() const { return kind_ == Kind::kValue; }
  bool is_array() const { return is_value() && value_.is_array(); }
  bool is_object() const { return is_value() && value_.is_object(); }
  bool is_string() const { return is_value() && value_.is_string(); }
  bool is_number() const { return is_value() && value_.is_number(); }
  bool is_bool() const { return is_value() && value_.is_bool(); }
  bool is_null() const { return is_value() && value_.is_null(); }

  // Null unless is_value().
  const Value& value() const { return value_; }
  Value take_value() && { return std::move(value_); }
  const std::string& string() const { return value_.as_string(); }
  double number() const { return value_.as_double(); }
  const Value::Array& array() const { return value_.as_array(); }
  // Null unless is_function(), is_tuples().
  const Function* function() const {
    return is_function() ? static_cast<const Function*>(held_.get()) : nullptr;
  }
  const TupleStream* tuples() const {
    return is_tuples() ? static_cast<const TupleStream*>(held_.get()) : nullptr;
  }

  bool has(Flag flag) const { return (flags_ & flag) != 0; }
  void add(Flag flag) { flags_ = static_cast<std::uint8_t>(flags_ | flag); }
  std::uint8_t flags() const { return flags_; }
  void set_flags(std::uint8_t flags) { flags_ = flags; }

 private:
  enum class Kind : std::uint8_t { kUndefined, kValue, kFunction, kTuples };
  Value value_;
  std::shared_ptr<const void> held_;
  Kind kind_ = Kind::kUndefined;
  std::uint8_t flags_ = 0;
};

}  // namespace stepwell::expr::jsonata
