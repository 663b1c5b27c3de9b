// What a Schema is made of.  Private to language/schema.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "language/schema/pattern.h"
#include "language/schema/schema.h"

namespace stepwell {

// JSON Schema's types, as bits.
enum SchemaType : std::uint8_t {
  kNullType = 1,
  kBooleanType = 2,
  kIntegerType = 4,
  kNumberType = 8,
  kStringType = 16,
  kArrayType = 32,
  kObjectType = 64,
};

using NodeId = std::uint32_t;  // Into Schema::Parts::nodes.

// One schema inside of the schema.  An absent member demands nothing of the value.
struct SchemaNode {
  bool never = false;  // The schema `false`.
  std::optional<NodeId> reference;

  std::uint8_t types = 0;  // Bits of SchemaType; 0: any type.
  std::optional<Value> constant;
  std::optional<std::vector<Value>> choices;

  std::optional<Value> minimum, maximum, above, below, multiple_of;

  std::optional<std::uint64_t> min_length, max_length;
  std::optional<Pattern> pattern;
  std::string pattern_text, format;

  std::vector<NodeId> first_items;
  std::optional<NodeId> items, contains;
  std::optional<std::uint64_t> min_items, max_items, max_contains;
  std::uint64_t min_contains = 1;
  bool unique_items = false;

  struct PatternMember {
    std::string text;
    Pattern pattern;
    NodeId node;
  };
  struct Dependent {
    std::string name;
    std::vector<std::string> required;
    std::optional<NodeId> node;
  };
  std::vector<std::pair<std::string, NodeId>> properties;  // Sorted by name.
  std::vector<PatternMember> pattern_properties;
  std::optional<NodeId> additional_properties, property_names;
  std::vector<std::string> required;
  std::vector<Dependent> dependents;
  std::optional<std::uint64_t> min_properties, max_properties;

  std::vector<NodeId> all_of, any_of, one_of;
  std::optional<NodeId> none_of, condition, consequence, alternative;
};

struct Schema::Parts {
  std::vector<SchemaNode> nodes;  // The whole schema is the first.
};

// The formats that are checked, by name.
bool is_known_format(std::string_view format);
bool has_format(std::string_view format, std::string_view text);

// The value in a message: the string "ten", the number 12, an object.
std::string schema_words(const Value& value);
// pointer + "/" + key, escaped.
std::string below_pointer(const std::string& pointer, std::string_view key);

}  // namespace stepwell
