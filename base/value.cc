#include "base/value.h"

#include <algorithm>
#include <cstring>

#include "base/hash.h"

namespace stepwell {

std::size_t json_text_size(const Value& value);  // json_write.cc

// What strings, arrays and objects have in common: the count of holders, and what is known of them.
struct Value::Shared {
  std::atomic<std::uint32_t> holders{1};
  std::uint32_t depth = 0;
  mutable std::atomic<std::size_t> json_size{0};  // 0: not counted yet (no JSON text is empty).
};
struct Value::SharedString : Shared {
  std::string text;
};
struct Value::SharedArray : Shared {
  Array items;
};
struct Value::SharedObject : Shared {
  Object members;
};

namespace {

constexpr std::size_t kLinearLookup = 16;

std::uint64_t key_hash(std::string_view key) { return hash64(key); }

}  // namespace

Value::Value(std::string text) : kind_(Kind::kString) {
  auto* shared = new SharedString;
  shared->text = std::move(text);
  payload_.shared = shared;
}

Value::Value(Array items) : kind_(Kind::kArray) {
  auto* shared = new SharedArray;
  std::uint32_t deepest = 0;
  for (const Value& item : items) deepest = std::max(deepest, item.depth());
  shared->depth = deepest + 1;
  shared->items = std::move(items);
  payload_.shared = shared;
}

Value::Value(Object members) : kind_(Kind::kObject) {
  auto* shared = new SharedObject;
  std::uint32_t deepest = 0;
  for (const auto& [key, member] : members) deepest = std::max(deepest, member.depth());
  shared->depth = deepest + 1;
  shared->members = std::move(members);
  payload_.shared = shared;
}

void Value::retain() noexcept {
  if (is_shared()) payload_.shared->holders.fetch_add(1, std::memory_order_relaxed);
}

void Value::release() noexcept {
  if (payload_.shared->holders.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  switch (kind_) {
    case Kind::kString: delete static_cast<SharedString*>(payload_.shared); break;
    case Kind::kArray: delete static_cast<SharedArray*>(payload_.shared); break;
    case Kind::kObject: delete static_cast<SharedObject*>(payload_.shared); break;
    case Kind::kNull:
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kDouble: break;
  }
}

bool Value::as_bool() const {
  CHECK(is_bool(), "the value is not a boolean");
  return payload_.integer != 0;
}

std::int64_t Value::as_int() const {
  CHECK(is_int(), "the value is not an integer");
  return payload_.integer;
}

double Value::as_double() const {
  CHECK(is_number(), "the value is not a number");
  return is_int() ? static_cast<double>(payload_.integer) : payload_.real;
}

const std::string& Value::as_string() const {
  CHECK(is_string(), "the value is not a string");
  return static_cast<const SharedString*>(payload_.shared)->text;
}

const Value::Array& Value::as_array() const {
  CHECK(is_array(), "the value is not an array");
  return static_cast<const SharedArray*>(payload_.shared)->items;
}

const Object& Value::as_object() const {
  CHECK(is_object(), "the value is not an object");
  return static_cast<const SharedObject*>(payload_.shared)->members;
}

Value::Array Value::take_array() && {
  CHECK(is_array(), "the value is not an array");
  auto* shared = static_cast<SharedArray*>(payload_.shared);
  const bool only_holder = shared->holders.load(std::memory_order_acquire) == 1;
  Array items = only_holder ? std::move(shared->items) : shared->items;
  *this = Value();
  return items;
}

Object Value::take_object() && {
  CHECK(is_object(), "the value is not an object");
  auto* shared = static_cast<SharedObject*>(payload_.shared);
  const bool only_holder = shared->holders.load(std::memory_order_acquire) == 1;
  Object members = only_holder ? std::move(shared->members) : shared->members;
  *this = Value();
  return members;
}

const Value* Value::find(std::string_view key) const {
  return is_object() ? as_object().find(key) : nullptr;
}

std::size_t Value::size() const {
  if (is_array()) return as_array().size();
  if (is_object()) return as_object().size();
  return 0;
}

std::uint32_t Value::depth() const { return is_shared() ? payload_.shared->depth : 0; }

std::size_t Value::json_size() const {
  if (!is_shared()) return json_text_size(*this);
  std::size_t known = payload_.shared->json_size.load(std::memory_order_relaxed);
  if (known == 0) {
    known = json_text_size(*this);
    payload_.shared->json_size.store(known, std::memory_order_relaxed);
  }
  return known;
}

std::uint64_t Value::hash() const {
  const auto tag = static_cast<std::uint64_t>(kind_) + 1;
  switch (kind_) {
    case Kind::kNull: return hash64("null");
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kDouble: {
      char bytes[8];
      std::memcpy(bytes, &payload_, 8);
      return hash64(std::string_view(bytes, 8), tag);
    }
    case Kind::kString: return hash64(as_string(), tag);
    case Kind::kArray: {
      std::uint64_t mixed = hash64("[", as_array().size());
      for (const Value& item : as_array()) mixed = (mixed ^ item.hash()) * 0x9fb21c651e98df25ULL;
      return mixed;
    }
    case Kind::kObject: {
      std::uint64_t mixed = hash64("{", as_object().size());
      for (const auto& [key, member] : as_object()) {
        mixed = (mixed ^ hash64(key, member.hash())) * 0x9fb21c651e98df25ULL;
      }
      return mixed;
    }
  }
  return 0;
}

namespace {

constexpr std::size_t kBytesOfStep = 64;

// Compares, and counts what that takes.
class Comparison {
 public:
  explicit Comparison(std::uint64_t& steps) : steps_(steps) {}
  bool is_over() const { return is_over_; }

  // Not to be relied on once is_over().
  bool equal(const Value& a, const Value& b) {
    if (!spend(1)) return false;
    if (a.is_number() && b.is_number()) {
      return a.is_int() && b.is_int() ? a.as_int() == b.as_int() : a.as_double() == b.as_double();
    }
    if (a.kind() != b.kind()) return false;
    if (a.identity() != nullptr && a.identity() == b.identity()) return true;
    switch (a.kind()) {
      case Value::Kind::kBool: return a.as_bool() == b.as_bool();
      case Value::Kind::kString: return equal(a.as_string(), b.as_string());
      case Value::Kind::kArray: return equal(a.as_array(), b.as_array());
      case Value::Kind::kObject: return equal(a.as_object(), b.as_object());
      case Value::Kind::kNull:
      case Value::Kind::kInt:
      case Value::Kind::kDouble: break;  // Numbers were compared above.
    }
    return true;
  }

 private:
  bool spend(std::size_t steps) {
    if (is_over_ || steps > steps_) {
      is_over_ = true;
      return false;
    }
    steps_ -= steps;
    return true;
  }
  bool equal(const std::string& a, const std::string& b) {
    return a.size() == b.size() && spend(a.size() / kBytesOfStep) && a == b;
  }
  bool equal(const Value::Array& a, const Value::Array& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (!equal(a[i], b[i])) return false;
    }
    return true;
  }
  bool equal(const Object& a, const Object& b) {
    if (a.size() != b.size()) return false;
    return std::all_of(a.begin(), a.end(), [&](const Object::Member& member) {
      const Value* other = b.find(member.first);
      return other != nullptr && equal(member.second, *other);
    });
  }

  std::uint64_t& steps_;
  bool is_over_ = false;
};

}  // namespace

bool operator==(const Value& a, const Value& b) {
  std::uint64_t steps = ~std::uint64_t{0};
  return Comparison(steps).equal(a, b);
}

std::optional<bool> equal_within(const Value& a, const Value& b, std::uint64_t& steps) {
  Comparison comparison(steps);
  const bool is_equal = comparison.equal(a, b);
  if (comparison.is_over()) return std::nullopt;
  return is_equal;
}

std::uint64_t hash_of_equals(const Value& value) {
  constexpr std::uint64_t kMix = 0x9fb21c651e98df25ULL;
  switch (value.kind()) {
    case Value::Kind::kInt:
    case Value::Kind::kDouble: {  // 1 equals 1.0, and 0.0 equals -0.0.
      const double number = value.as_double();
      return Value(number == 0 ? 0.0 : number).hash();
    }
    case Value::Kind::kArray: {
      std::uint64_t mixed = hash64("[", value.size());
      for (const Value& item : value.as_array()) mixed = (mixed ^ hash_of_equals(item)) * kMix;
      return mixed;
    }
    case Value::Kind::kObject: {  // In whatever order its members are.
      std::uint64_t sum = hash64("{", value.size());
      for (const auto& [key, member] : value.as_object()) {
        sum += hash64(key, hash_of_equals(member));
      }
      return sum;
    }
    case Value::Kind::kNull:
    case Value::Kind::kBool:
    case Value::Kind::kString: break;
  }
  return value.hash();
}

Object::Object(std::initializer_list<Member> members) {
  members_.reserve(members.size());
  for (const Member& member : members) set(member.first, member.second);
}

std::size_t Object::position(std::string_view key) const {
  if (slots_.empty()) {
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (members_[i].first == key) return i;
    }
    return members_.size();
  }
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = key_hash(key) & mask; slots_[at] != 0; at = (at + 1) & mask) {
    if (members_[slots_[at] - 1].first == key) return slots_[at] - 1;
  }
  return members_.size();
}

// Enters the members from `first` on into the slots; grows and refills them when too full.
void Object::index_from(std::size_t first) {
  if (members_.size() <= kLinearLookup) {
    slots_.clear();
    return;
  }
  if (slots_.size() < members_.size() * 2) {
    std::size_t wanted = 64;
    while (wanted < members_.size() * 4) wanted *= 2;
    slots_.assign(wanted, 0);
    first = 0;
  }
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = first; i < members_.size(); ++i) {
    std::size_t at = key_hash(members_[i].first) & mask;
    while (slots_[at] != 0) at = (at + 1) & mask;
    slots_[at] = static_cast<std::uint32_t>(i + 1);
  }
}

void Object::set(std::string_view key, Value value) {
  const std::size_t at = position(key);
  if (at < members_.size()) {
    members_[at].second = std::move(value);
    return;
  }
  members_.emplace_back(std::string(key), std::move(value));
  index_from(members_.size() - 1);
}

bool Object::erase(std::string_view key) {
  const std::size_t at = position(key);
  if (at == members_.size()) return false;
  members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(at));
  slots_.clear();
  index_from(0);
  return true;
}

const Value* Object::find(std::string_view key) const {
  const std::size_t at = position(key);
  return at < members_.size() ? &members_[at].second : nullptr;
}

}  // namespace stepwell
