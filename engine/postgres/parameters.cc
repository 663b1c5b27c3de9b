#include "engine/postgres/parameters.h"

namespace stepwell::postgres {
namespace {

template <class Number>
void append_number(std::string& out, Number number) {
  for (int shift = 8 * (static_cast<int>(sizeof(Number)) - 1); shift >= 0; shift -= 8) {
    out += static_cast<char>(static_cast<std::uint64_t>(number) >> shift & 0xff);
  }
}

template <class Number>
void put_number(std::string& out, std::size_t at, Number number) {
  std::string bytes;
  append_number(bytes, number);
  out.replace(at, bytes.size(), bytes);
}

// dimensions, has-nulls, element type, count, lower bound: 4 bytes each.
constexpr std::size_t kDimensionsAt = 0, kCountAt = 12, kHeader = 20, kEmptyHeader = 12;

}  // namespace

ArrayParameter::ArrayParameter(ElementType type) : type_(type) {
  append_number<std::uint32_t>(bytes_, 1);
  append_number<std::uint32_t>(bytes_, 0);
  append_number(bytes_, static_cast<std::uint32_t>(type));
  append_number<std::uint32_t>(bytes_, 0);
  append_number<std::uint32_t>(bytes_, 1);
}

void ArrayParameter::add_bytes(std::string_view bytes) {
  append_number(bytes_, static_cast<std::uint32_t>(bytes.size()));
  bytes_.append(bytes);
  ++count_;
}

void ArrayParameter::add_int8(std::int64_t number) {
  append_number<std::uint32_t>(bytes_, 8);
  append_number(bytes_, number);
  ++count_;
}

void ArrayParameter::add_int2(std::int16_t number) {
  append_number<std::uint32_t>(bytes_, 2);
  append_number(bytes_, static_cast<std::uint16_t>(number));
  ++count_;
}

void ArrayParameter::add_int4(std::int32_t number) {
  append_number<std::uint32_t>(bytes_, 4);
  append_number(bytes_, static_cast<std::uint32_t>(number));
  ++count_;
}

std::uint32_t ArrayParameter::array_type() const {
  switch (type_) {
    case ElementType::kBool: return 1000;
    case ElementType::kInt2: return 1005;
    case ElementType::kInt4: return 1007;
    case ElementType::kInt8: return 1016;
    case ElementType::kText: return 1009;
    case ElementType::kUuid: return 2951;
  }
  return 0;
}

void ArrayParameter::add_bool(bool flag) { add_bytes(std::string_view(flag ? "\1" : "\0", 1)); }

void ArrayParameter::add_null() {
  append_number<std::uint32_t>(bytes_, 0xffffffffu);
  ++count_;
}

std::string ArrayParameter::finish() && {
  if (count_ == 0) {
    put_number<std::uint32_t>(bytes_, kDimensionsAt, 0);
    bytes_.resize(kEmptyHeader);
  } else {
    put_number(bytes_, kCountAt, count_);
  }
  static_assert(kHeader == 20);
  return std::move(bytes_);
}

// Of each column: its type, its length (-1: null), its bytes.
GroupParameter& GroupParameter::add(ArrayParameter array) {
  ++count_;
  append_number(bytes_, array.array_type());
  if (array.empty()) {
    append_number<std::uint32_t>(bytes_, 0xffffffffu);
    return *this;
  }
  const std::string text = std::move(array).finish();
  append_number(bytes_, static_cast<std::uint32_t>(text.size()));
  bytes_ += text;
  return *this;
}

GroupParameter& GroupParameter::add_number(std::int64_t number) {
  ++count_;
  append_number(bytes_, static_cast<std::uint32_t>(ElementType::kInt8));
  append_number<std::uint32_t>(bytes_, 8);
  append_number(bytes_, number);
  return *this;
}

std::string GroupParameter::finish() && {
  std::string head;
  append_number(head, count_);
  bytes_.insert(0, head);
  return std::move(bytes_);
}

Parameters& Parameters::add(GroupParameter group) {
  values_.push_back(std::move(group).finish());
  return *this;
}

Parameters& Parameters::add(const Uuid& id) {
  return add(std::string_view(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()));
}

Parameters& Parameters::add(std::int64_t number) {
  append_number(values_.emplace_back(), number);
  return *this;
}

Parameters& Parameters::add_int4(std::int32_t number) {
  append_number(values_.emplace_back(), static_cast<std::uint32_t>(number));
  return *this;
}

Parameters& Parameters::add_int2(std::int16_t number) {
  append_number(values_.emplace_back(), static_cast<std::uint16_t>(number));
  return *this;
}

Parameters& Parameters::add_bool(bool flag) {
  values_.emplace_back(1, flag ? '\1' : '\0');
  return *this;
}

Parameters& Parameters::add(std::string_view text) {
  values_.emplace_back(text);
  return *this;
}

Parameters& Parameters::add(ArrayParameter array) {
  values_.push_back(std::move(array).finish());
  return *this;
}

ArrayParameter uuid_array(const std::vector<Uuid>& ids) {
  ArrayParameter array(ElementType::kUuid);
  for (const Uuid& id : ids) array.add(id);
  return array;
}

ArrayParameter text_array(const std::vector<std::string>& texts) {
  ArrayParameter array(ElementType::kText);
  for (const std::string& text : texts) array.add(text);
  return array;
}

}  // namespace stepwell::postgres
