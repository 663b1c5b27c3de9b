#include "engine/postgres/parameters.h"

namespace stepwell::postgres {
namespace {

template <class Number>
void append_number(std::string& out, Number number) {
  for (int shift = 8 * (static_cast<int>(sizeof(Number)) - 1); shift >= 0; shift -= 8) {
    out += static_cast<char>(static_cast<std::uint64_t>(number) >> shift & 0xff);
  }
}

// dimensions, has-nulls, element type, count, lower bound: 4 bytes each.
constexpr std::size_t kDimensionsAt = 0, kCountAt = 12, kEmptyHeader = 12;
constexpr std::uint32_t kTextArray = 1009;  // The server's number for text[].

constexpr std::uint32_t kNull = 0xffffffff;  // In place of a length.

// An array of one dimension, so far without elements.
std::string begun(std::uint32_t element_type) {
  std::string array;
  for (const std::uint32_t number : {1u, 0u, element_type, 0u, 1u}) append_number(array, number);
  return array;
}

std::string finished(std::string array, std::uint32_t count) {
  if (count == 0) {
    put_number(array, kDimensionsAt, 0);
    array.resize(kEmptyHeader);
  } else {
    put_number(array, kCountAt, count);
  }
  return array;
}

}  // namespace

void put_number(std::string& value, std::size_t at, std::uint32_t number) {
  for (std::size_t i = 0; i < 4; ++i) {
    value[at + i] = static_cast<char>(number >> (24 - 8 * i) & 0xff);
  }
}

ArrayParameter::ArrayParameter(ElementType type)
    : bytes_(begun(static_cast<std::uint32_t>(type))) {}

void ArrayParameter::add_bytes(std::string_view bytes) {
  append_number(bytes_, static_cast<std::uint32_t>(bytes.size()));
  bytes_.append(bytes);
  ++count_;
}

void ArrayParameter::add_int4(std::int32_t number) {
  append_number<std::uint32_t>(bytes_, 4);
  append_number(bytes_, static_cast<std::uint32_t>(number));
  ++count_;
}

std::string ArrayParameter::finish() && { return finished(std::move(bytes_), count_); }

RowsParameter::RowsParameter(const char* type, std::uint32_t columns)
    : type_(type), columns_(columns), bytes_(begun(0)) {}

void RowsParameter::end_row() {
  if (row_at_ == 0) return;
  put_number(bytes_, row_at_, static_cast<std::uint32_t>(bytes_.size() - row_at_ - 4));
}

RowsParameter& RowsParameter::row() {
  end_row();
  row_at_ = bytes_.size();
  ++count_;
  append_number<std::uint32_t>(bytes_, 0);  // Its length.
  append_number(bytes_, columns_);
  return *this;
}

// Of each column: its type, its length (-1: null), its bytes.
RowsParameter& RowsParameter::column(std::uint32_t type, std::string_view bytes) {
  append_number(bytes_, type);
  append_number(bytes_, static_cast<std::uint32_t>(bytes.size()));
  bytes_ += bytes;
  return *this;
}

template <class Number>
RowsParameter& RowsParameter::number(ElementType type, Number number) {
  append_number(bytes_, static_cast<std::uint32_t>(type));
  append_number(bytes_, static_cast<std::uint32_t>(sizeof number));
  append_number(bytes_, number);
  return *this;
}

RowsParameter& RowsParameter::null(ElementType type) {
  append_number(bytes_, static_cast<std::uint32_t>(type));
  append_number(bytes_, kNull);
  return *this;
}

RowsParameter& RowsParameter::uuid(const Uuid& id) {
  return column(static_cast<std::uint32_t>(ElementType::kUuid),
                {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()});
}

RowsParameter& RowsParameter::text(std::string_view text) {
  return column(static_cast<std::uint32_t>(ElementType::kText), text);
}

RowsParameter& RowsParameter::text_or_null(const std::optional<std::string>& text) {
  return text ? this->text(std::string_view(*text)) : null(ElementType::kText);
}

RowsParameter& RowsParameter::int8(std::int64_t value) { return number(ElementType::kInt8, value); }
RowsParameter& RowsParameter::int4(std::int32_t value) { return number(ElementType::kInt4, value); }
RowsParameter& RowsParameter::int2(std::int16_t value) { return number(ElementType::kInt2, value); }

RowsParameter& RowsParameter::flag(bool flag) {
  return column(static_cast<std::uint32_t>(ElementType::kBool), {flag ? "\1" : "\0", 1});
}

RowsParameter& RowsParameter::texts(const std::vector<std::string>& texts) {
  if (!texts.empty()) return column(kTextArray, text_array(texts).finish());
  append_number(bytes_, kTextArray);
  append_number(bytes_, kNull);
  return *this;
}

std::string RowsParameter::finish() && {
  end_row();
  return finished(std::move(bytes_), count_);
}

std::string& Parameters::next(const char* row_type) {
  row_types_.push_back(row_type);
  return values_.emplace_back();
}

Parameters& Parameters::add(RowsParameter rows) {
  std::string& value = next(rows.type());
  value = std::move(rows).finish();
  return *this;
}

Parameters& Parameters::add(const Uuid& id) {
  return add(std::string_view(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()));
}

Parameters& Parameters::add(std::int64_t number) {
  append_number(next(), number);
  return *this;
}

Parameters& Parameters::add_int4(std::int32_t number) {
  append_number(next(), static_cast<std::uint32_t>(number));
  return *this;
}

Parameters& Parameters::add_int2(std::int16_t number) {
  append_number(next(), static_cast<std::uint16_t>(number));
  return *this;
}

Parameters& Parameters::add_bool(bool flag) {
  next().assign(1, flag ? '\1' : '\0');
  return *this;
}

Parameters& Parameters::add(std::string_view text) {
  next() = text;
  return *this;
}

Parameters& Parameters::add(ArrayParameter array) {
  next() = std::move(array).finish();
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
