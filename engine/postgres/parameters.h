// Parameters — the arguments of a prepared statement, in PostgreSQL's binary format.
//
// Many rows travel as one array, of a composite type or of one column, built by appending; nothing
// is quoted, and the server parses no text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"

namespace stepwell::postgres {

enum class ElementType : std::uint32_t {  // The server's numbers for its types.
  kBool = 16,
  kInt2 = 21,
  kInt4 = 23,
  kInt8 = 20,
  kText = 25,
  kUuid = 2950,
};

// Puts a number into a value, as the server reads it.
void put_number(std::string& value, std::size_t at, std::uint32_t number);

class ArrayParameter {
 public:
  explicit ArrayParameter(ElementType type);

  void add(const Uuid& id) { add_bytes({reinterpret_cast<const char*>(id.bytes.data()), 16}); }
  void add(std::string_view text) { add_bytes(text); }
  void add_int4(std::int32_t number);
  std::string finish() &&;

 private:
  void add_bytes(std::string_view bytes);

  std::string bytes_;
  std::uint32_t count_ = 0;
};

// An array of rows of one of the schema's composite types: a group of a batch.  Each row begins
// with row(); its columns follow in the type's order.
class RowsParameter {
 public:
  // `columns` of the type `type`, which must outlive this: a literal.
  RowsParameter(const char* type, std::uint32_t columns);

  RowsParameter& row();
  RowsParameter& uuid(const Uuid& id);
  RowsParameter& text(std::string_view text);
  RowsParameter& text_or_null(const std::optional<std::string>& text);  // Nothing: null.
  RowsParameter& int8(std::int64_t value);
  RowsParameter& int4(std::int32_t value);
  RowsParameter& int2(std::int16_t value);
  RowsParameter& flag(bool flag);
  RowsParameter& texts(const std::vector<std::string>& texts);  // A text[]; none: null.
  RowsParameter& null(ElementType type);

  const char* type() const { return type_; }
  void reserve(std::size_t bytes) { bytes_.reserve(bytes); }
  std::string finish() &&;  // With the type's number still to be put at kRowTypeAt.
  static constexpr std::size_t kRowTypeAt = 8;

 private:
  void end_row();
  RowsParameter& column(std::uint32_t type, std::string_view bytes);
  template <class Number>
  RowsParameter& number(ElementType type, Number number);

  const char* type_;
  std::uint32_t columns_;
  std::string bytes_;
  std::uint32_t count_ = 0;
  std::size_t row_at_ = 0;  // Where the length of the present one stands; 0: there is none.
};

class Parameters {
 public:
  Parameters& add(const Uuid& id);
  Parameters& add(std::int64_t number);
  Parameters& add_int4(std::int32_t number);
  Parameters& add_int2(std::int16_t number);
  Parameters& add_bool(bool flag);
  Parameters& add(std::string_view text);
  Parameters& add(ArrayParameter array);
  Parameters& add(RowsParameter rows);

  const std::vector<std::string>& values() const { return values_; }
  // Of each array of rows: puts the number that this server gave to its type, which the connection
  // knows.
  template <class NumberOf>
  void number_types(const NumberOf& number_of) {
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (row_types_[i] == nullptr) continue;
      put_number(values_[i], RowsParameter::kRowTypeAt, number_of(row_types_[i]));
    }
  }

 private:
  std::string& next(const char* row_type = nullptr);

  std::vector<std::string> values_;
  std::vector<const char*> row_types_;  // Of each value that is an array of rows; else null.
};

// The usual columns.
ArrayParameter uuid_array(const std::vector<Uuid>& ids);
ArrayParameter text_array(const std::vector<std::string>& texts);

}  // namespace stepwell::postgres
