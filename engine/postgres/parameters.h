// Parameters — the arguments of a prepared statement, in PostgreSQL's binary format.
//
// Columns travel as arrays, one parameter for each, built by appending; nothing is quoted, and the
// server parses no text.
#pragma once

#include <cstdint>
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

class ArrayParameter {
 public:
  explicit ArrayParameter(ElementType type);

  void add(const Uuid& id) { add_bytes({reinterpret_cast<const char*>(id.bytes.data()), 16}); }
  void add(std::string_view text) { add_bytes(text); }
  void add_int8(std::int64_t number);
  void add_int2(std::int16_t number);
  void add_bool(bool flag);
  void add_int4(std::int32_t number);
  void add_null();
  bool empty() const { return count_ == 0; }
  std::uint32_t array_type() const;  // The server's number for an array of these.
  void reserve(std::size_t bytes) { bytes_.reserve(bytes); }
  std::string finish() &&;

 private:
  void add_bytes(std::string_view bytes);

  ElementType type_;
  std::string bytes_;
  std::uint32_t count_ = 0;
};

// A row whose columns are arrays: a group of a batch.  A column of no rows is null, and so is the
// whole group when all are.
class GroupParameter {
 public:
  template <class Rows, class Get>
  GroupParameter& uuids(const Rows& rows, const Get& get) {
    return add(ElementType::kUuid, rows,
               [&](auto& array, const auto& row) { array.add(get(row)); });
  }
  template <class Rows, class Get>
  GroupParameter& texts(const Rows& rows, const Get& get) {
    return add(ElementType::kText, rows,
               [&](auto& array, const auto& row) { array.add(std::string_view(get(row))); });
  }
  // Of std::optional<std::string>.
  template <class Rows, class Get>
  GroupParameter& optional_texts(const Rows& rows, const Get& get) {
    return add(ElementType::kText, rows, [&](auto& array, const auto& row) {
      const auto& text = get(row);
      text ? array.add(std::string_view(*text)) : array.add_null();
    });
  }
  template <class Rows, class Get>
  GroupParameter& bigints(const Rows& rows, const Get& get) {
    return add(ElementType::kInt8, rows, [&](auto& array, const auto& row) {
      array.add_int8(static_cast<std::int64_t>(get(row)));
    });
  }
  template <class Rows, class Get>
  GroupParameter& smallints(const Rows& rows, const Get& get) {
    return add(ElementType::kInt2, rows, [&](auto& array, const auto& row) {
      array.add_int2(static_cast<std::int16_t>(get(row)));
    });
  }
  // `fill(array, row)` adds the row's element.
  template <class Rows, class Fill>
  GroupParameter& add(ElementType type, const Rows& rows, const Fill& fill) {
    ArrayParameter array(type);
    array.reserve(20 * rows.size() + 20);
    for (const auto& row : rows) fill(array, row);
    return add(std::move(array));
  }
  GroupParameter& add(ArrayParameter array);
  GroupParameter& add_number(std::int64_t number);
  std::string finish() &&;

 private:
  std::string bytes_;
  std::uint32_t count_ = 0;
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
  Parameters& add(GroupParameter group);

  const std::vector<std::string>& values() const { return values_; }

 private:
  std::vector<std::string> values_;
};

// The usual columns.
ArrayParameter uuid_array(const std::vector<Uuid>& ids);
ArrayParameter text_array(const std::vector<std::string>& texts);

}  // namespace stepwell::postgres
