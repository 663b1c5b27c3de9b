// Value — an immutable JSON value.
//
// Sixteen bytes; strings, arrays and objects are shared by reference count, so copying a Value
// never copies what is in it.  To change one, take its array or object out (a shallow copy, or a
// move when nobody else holds it), change that, and build a new Value.
//
// Numbers keep their form: 1 is an integer, 1.0 is a double, and each is written as it came.
// Objects keep the order in which their keys came.
// Thread-safety: distinct Values may be used from distinct threads even when they share contents.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.h"

namespace stepwell {

class Object;

class Value {
 public:
  enum class Kind : std::uint8_t { kNull, kBool, kInt, kDouble, kString, kArray, kObject };
  using Array = std::vector<Value>;

  Value() noexcept : kind_(Kind::kNull) { payload_.integer = 0; }
  Value(std::nullptr_t) noexcept : Value() {}
  template <class Bool, std::enable_if_t<std::is_same_v<Bool, bool>, int> = 0>
  Value(Bool flag) noexcept : kind_(Kind::kBool) {
    payload_.integer = flag;
  }
  template <class Int,
            std::enable_if_t<std::is_integral_v<Int> && !std::is_same_v<Int, bool>, int> = 0>
  Value(Int number) noexcept : kind_(Kind::kInt) {
    payload_.integer = static_cast<std::int64_t>(number);
  }
  Value(double number) noexcept : kind_(Kind::kDouble) { payload_.real = number; }
  Value(std::string text);
  Value(std::string_view text) : Value(std::string(text)) {}
  Value(const char* text) : Value(std::string(text)) {}
  Value(Array items);
  Value(Object members);

  Value(const Value& other) noexcept : kind_(other.kind_), payload_(other.payload_) { retain(); }
  Value(Value&& other) noexcept : kind_(other.kind_), payload_(other.payload_) {
    other.kind_ = Kind::kNull;
  }
  Value& operator=(const Value& other) noexcept {
    Value copy(other);
    swap(copy);
    return *this;
  }
  Value& operator=(Value&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Value() {
    if (is_shared()) release();
  }
  void swap(Value& other) noexcept {
    std::swap(kind_, other.kind_);
    std::swap(payload_, other.payload_);
  }

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::kNull; }
  bool is_bool() const { return kind_ == Kind::kBool; }
  bool is_int() const { return kind_ == Kind::kInt; }
  bool is_double() const { return kind_ == Kind::kDouble; }
  bool is_number() const { return is_int() || is_double(); }
  bool is_string() const { return kind_ == Kind::kString; }
  bool is_array() const { return kind_ == Kind::kArray; }
  bool is_object() const { return kind_ == Kind::kObject; }

  // Each CHECKs the kind.
  bool as_bool() const;
  std::int64_t as_int() const;
  double as_double() const;  // Of any number.
  const std::string& as_string() const;
  const Array& as_array() const;
  const Object& as_object() const;

  // The contents, to be changed and made into a new Value: moved when this is the only holder,
  // copied (shallowly) otherwise.  Leaves null behind.
  Array take_array() &&;
  Object take_object() &&;

  // The member of that name, or nullptr when this is no object or has none.
  const Value* find(std::string_view key) const;
  // Elements of an array, members of an object, else 0.
  std::size_t size() const;

  // Levels of arrays and objects: 0 for a scalar, 1 for [] and {}.  Known at construction.
  std::uint32_t depth() const;
  // Bytes of to_json(), counted once and remembered: so this takes no longer than the value is
  // large in memory, while whatever walks it (to_json, hash, ==) visits a part that it shares with
  // itself every time.  At most 2^60, however much more it were.
  std::size_t json_size() const;
  // Compact JSON text: no spaces, keys in their order, UTF-8 as it is.
  std::string to_json() const;
  void append_json(std::string& out) const;
  // All of to_json() when that has at most `most` bytes, else a beginning that has more.
  std::string json_beginning(std::size_t most) const;
  // For people: two spaces per level.
  std::string to_pretty_json() const;
  // The shared contents' address: equal for two Values that share them; null for a scalar.
  const void* identity() const { return is_shared() ? payload_.shared : nullptr; }
  // A hash of the contents, the same on every machine; 1 and 1.0 differ, order of keys matters.
  std::uint64_t hash() const;

  // Deep equality; 1 equals 1.0, order of keys does not matter.
  friend bool operator==(const Value& a, const Value& b);

 private:
  struct Shared;
  struct SharedString;
  struct SharedArray;
  struct SharedObject;
  union Payload {
    std::int64_t integer;  // kBool (0 or 1), kInt
    double real;
    Shared* shared;
  };

  bool is_shared() const { return kind_ >= Kind::kString; }
  void retain() noexcept;
  void release() noexcept;

  Kind kind_;
  Payload payload_;
};

// a == b, or nothing when that would take more than `steps`.  A step is a pair of values looked at,
// or 64 bytes of text compared; those taken are subtracted.
std::optional<bool> equal_within(const Value& a, const Value& b, std::uint64_t& steps);

// A hash that equal values share.
std::uint64_t hash_of_equals(const Value& value);

// Members of a JSON object in the order they came.  Look-up is linear up to sixteen members and by
// hash above.
class Object {
 public:
  using Member = std::pair<std::string, Value>;

  Object() = default;
  Object(std::initializer_list<Member> members);

  // Replaces the member of that name in its place, or appends it.
  void set(std::string_view key, Value value);
  // True when there was one.
  bool erase(std::string_view key);
  const Value* find(std::string_view key) const;
  bool contains(std::string_view key) const { return find(key) != nullptr; }

  std::size_t size() const { return members_.size(); }
  bool empty() const { return members_.empty(); }
  void reserve(std::size_t count) { members_.reserve(count); }
  auto begin() const { return members_.begin(); }
  auto end() const { return members_.end(); }
  const Member& operator[](std::size_t i) const { return members_[i]; }

 private:
  std::size_t position(std::string_view key) const;  // size() when absent.
  void index_from(std::size_t first);

  std::vector<Member> members_;
  std::vector<std::uint32_t> slots_;  // Open addressing, position + 1; empty for small objects.
};

struct JsonLimits {
  std::size_t max_bytes = 64u << 20;
  std::uint32_t max_depth = 512;
  bool refuse_duplicate_keys = false;  // Otherwise the last one wins, as in every JSON library.
  // Whole numbers that do not fit 64 bits are refused, not rounded.  Not so in what we stored
  // ourselves: earlier releases rounded them.
  bool refuse_rounding = true;
};

// Parses one JSON text (RFC 8259).  Refuses invalid UTF-8, NUL (escaped too: Postgres cannot hold
// it), numbers no double can hold, and what exceeds the limits.  The message says where.
Result<Value> parse_json(std::string_view text, const JsonLimits& limits = {});

// `text` as a JSON string literal, quotes included.
std::string json_quote(std::string_view text);

// True when `text` is well-formed UTF-8 (no surrogates, no overlong forms).
bool is_utf8(std::string_view text);

// How many characters (code points) the UTF-8 text has.
std::size_t count_characters(std::string_view text);

}  // namespace stepwell
