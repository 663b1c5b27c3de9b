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
  void add_null();
  void reserve(std::size_t bytes) { bytes_.reserve(bytes); }
  std::string finish() &&;

 private:
  void add_bytes(std::string_view bytes);

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

  const std::vector<std::string>& values() const { return values_; }

 private:
  std::vector<std::string> values_;
};

// The usual columns.
ArrayParameter uuid_array(const std::vector<Uuid>& ids);
ArrayParameter text_array(const std::vector<std::string>& texts);

}  // namespace stepwell::postgres
