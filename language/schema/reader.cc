// Reads the JSON of a schema to its parts, or to a list of its mistakes.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "language/schema/parts.h"

namespace stepwell {

namespace {

struct TypeName {
  const char* name;
  std::uint8_t bits;
};
constexpr std::array<TypeName, 7> kTypes{{{"null", kNullType},
                                          {"boolean", kBooleanType},
                                          {"integer", kIntegerType},
                                          {"number", kNumberType},
                                          {"string", kStringType},
                                          {"array", kArrayType},
                                          {"object", kObjectType}}};

// Keywords that we do not support and must refuse: to ignore them would accept wrong values.
constexpr std::array<std::string_view, 6> kUnsupported{"unevaluatedProperties", "unevaluatedItems",
                                                       "$dynamicRef",           "$recursiveRef",
                                                       "contentSchema",         "divisibleBy"};

}  // namespace

// Of all patterns together, with their repetitions written out: a few megabytes.
constexpr std::size_t kMostPatternCode = 200'000;

class SchemaReader {
 public:
  explicit SchemaReader(const Value& root) : root_(root) {}

  std::shared_ptr<Schema::Parts> read() {
    if (root_.depth() > Schema::kMaxDepth) {
      say("", "must not be nested deeper than " + std::to_string(Schema::kMaxDepth) + " levels");
      return nullptr;
    }
    if (root_.is_object()) {
      if (const Value* id = root_.find("$id"); id != nullptr && id->is_string()) {
        base_ = id->as_string().substr(0, id->as_string().find('#'));
      }
    }
    find_anchors(root_, "");
    node_at(root_, "");
    // Goes on while the list grows: a reference may lead to a schema that nothing else leads to.
    for (std::size_t i = 0; i < open_.size() && !is_full(); ++i) {
      const auto [id, reference, pointer] = open_[i];
      resolve(id, reference, pointer);
    }
    if (problems_.empty()) find_loops();
    return problems_.empty() ? parts_ : nullptr;
  }

  std::vector<Violation> take_problems() { return std::move(problems_); }

 private:
  struct OpenReference {
    NodeId from;
    std::string reference, pointer;
  };

  bool is_full() const { return problems_.size() >= Schema::kMostViolations; }
  void say(const std::string& pointer, std::string message) {
    if (!is_full()) problems_.push_back({pointer, std::move(message)});
  }
  SchemaNode& node(NodeId id) { return parts_->nodes[id]; }

  void find_anchors(const Value& value, const std::string& pointer) {
    if (value.is_array()) {
      for (std::size_t i = 0; i < value.size(); ++i) {
        find_anchors(value.as_array()[i], below_pointer(pointer, std::to_string(i)));
      }
    }
    if (!value.is_object()) return;
    for (const auto& [key, member] : value.as_object()) {
      if (key == "enum" || key == "const" || key == "default" || key == "examples") continue;
      if (member.is_string() && key == "$anchor") anchors_.emplace(member.as_string(), pointer);
      if (member.is_string() && key == "$id" && member.as_string().starts_with("#")) {
        anchors_.emplace(member.as_string().substr(1), pointer);
      }
      find_anchors(member, below_pointer(pointer, key));
    }
  }

  // The node of a schema; one for each pointer, so that a schema may refer to itself.
  NodeId node_at(const Value& schema, const std::string& pointer) {
    const auto [found, is_new] =
        by_pointer_.emplace(pointer, static_cast<NodeId>(parts_->nodes.size()));
    if (!is_new) return found->second;
    const NodeId id = found->second;
    parts_->nodes.emplace_back();
    if (parts_->nodes.size() > Schema::kMaxNodes) {
      if (parts_->nodes.size() == Schema::kMaxNodes + 1) {
        say(pointer, "has more than " + std::to_string(Schema::kMaxNodes) + " schemas in it");
      }
      return id;
    }
    if (schema.is_bool()) {
      node(id).never = !schema.as_bool();
    } else if (schema.is_object()) {
      SchemaNode read;
      for (const auto& [key, value] : schema.as_object()) {
        keyword(id, read, schema, key, value, below_pointer(pointer, key));
      }
      node(id) = std::move(read);
    } else {
      say(pointer, "must be a schema, an object or true or false, not " + schema_words(schema));
    }
    return id;
  }

  void keyword(NodeId id, SchemaNode& read, const Value& schema, std::string_view key,
               const Value& value, const std::string& pointer) {
    if (std::find(kUnsupported.begin(), kUnsupported.end(), key) != kUnsupported.end()) {
      return say(pointer, "is a keyword that is not supported here");
    }
    if (key == "$ref") {
      if (value.is_string()) {
        open_.push_back({id, value.as_string(), pointer});
      } else {
        wants(pointer, "a string", value);
      }
      return;
    }
    if (key == "$defs" || key == "definitions") {
      members(value, pointer);
      return;
    }
    if (value_keyword(read, key, value, pointer) || number_keyword(read, key, value, pointer) ||
        string_keyword(read, key, value, pointer)) {
      return;
    }
    if (array_keyword(read, schema, key, value, pointer)) return;
    if (object_keyword(read, key, value, pointer)) return;
    combining_keyword(read, key, value, pointer);
  }

  bool value_keyword(SchemaNode& read, std::string_view key, const Value& value,
                     const std::string& pointer) {
    if (key == "type") {
      read_types(read, value, pointer);
    } else if (key == "const") {
      read.constant = value;
    } else if (key == "enum") {
      if (!value.is_array() || value.size() == 0) return wants(pointer, "a filled list", value);
      read.choices = value.as_array();
    } else {
      return false;
    }
    return true;
  }

  void read_types(SchemaNode& read, const Value& value, const std::string& pointer) {
    const auto one = [&](const Value& name, const std::string& where) {
      for (const TypeName& type : kTypes) {
        if (name == Value(type.name)) {
          read.types |= type.bits;
          return;
        }
      }
      wants(where, "null, boolean, integer, number, string, array or object", name);
    };
    if (!value.is_array()) return one(value, pointer);
    if (value.size() == 0) wants(pointer, "a filled list", value);
    for (std::size_t i = 0; i < value.size(); ++i) {
      one(value.as_array()[i], below_pointer(pointer, std::to_string(i)));
    }
  }

  bool number_keyword(SchemaNode& read, std::string_view key, const Value& value,
                      const std::string& pointer) {
    std::optional<Value>* to = key == "minimum"            ? &read.minimum
                               : key == "maximum"          ? &read.maximum
                               : key == "exclusiveMinimum" ? &read.above
                               : key == "exclusiveMaximum" ? &read.below
                               : key == "multipleOf"       ? &read.multiple_of
                                                           : nullptr;
    if (to == nullptr) return false;
    if (!value.is_number()) return wants(pointer, "a number", value);
    if (key == "multipleOf" && value.as_double() <= 0) {
      return wants(pointer, "a number above 0", value);
    }
    *to = value;
    return true;
  }

  bool string_keyword(SchemaNode& read, std::string_view key, const Value& value,
                      const std::string& pointer) {
    if (key == "minLength") return count(read.min_length, value, pointer);
    if (key == "maxLength") return count(read.max_length, value, pointer);
    if (key != "pattern" && key != "format") return false;
    if (!value.is_string()) return wants(pointer, "a string", value);
    if (key == "format") {
      if (is_known_format(value.as_string())) read.format = value.as_string();
      return true;
    }
    read.pattern_text = value.as_string();
    read.pattern = pattern(value.as_string(), pointer);
    return true;
  }

  bool array_keyword(SchemaNode& read, const Value& schema, std::string_view key,
                     const Value& value, const std::string& pointer) {
    if (key == "minItems") return count(read.min_items, value, pointer);
    if (key == "maxItems") return count(read.max_items, value, pointer);
    if (key == "maxContains") return count(read.max_contains, value, pointer);
    if (key == "minContains") {
      std::optional<std::uint64_t> least;
      count(least, value, pointer);
      read.min_contains = least.value_or(1);
    } else if (key == "uniqueItems") {
      if (!value.is_bool()) return wants(pointer, "true or false", value);
      read.unique_items = value.as_bool();
    } else if (key == "contains") {
      read.contains = node_at(value, pointer);
    } else if (key == "prefixItems" || (key == "items" && value.is_array())) {
      read.first_items = list(value, pointer);
    } else if (key == "items") {
      read.items = node_at(value, pointer);
    } else if (key == "additionalItems") {
      // additionalItems has a meaning only beside a list of items.
      const Value* items = schema.find("items");
      if (items != nullptr && items->is_array()) read.items = node_at(value, pointer);
    } else {
      return false;
    }
    return true;
  }

  bool object_keyword(SchemaNode& read, std::string_view key, const Value& value,
                      const std::string& pointer) {
    if (key == "minProperties") return count(read.min_properties, value, pointer);
    if (key == "maxProperties") return count(read.max_properties, value, pointer);
    if (key == "required") {
      read.required = names(value, pointer);
    } else if (key == "properties") {
      read.properties = members(value, pointer);
      std::sort(read.properties.begin(), read.properties.end());
    } else if (key == "patternProperties") {
      for (const auto& [text, id] : members(value, pointer)) {
        auto parsed = pattern(text, below_pointer(pointer, text));
        if (parsed) read.pattern_properties.push_back({text, std::move(*parsed), id});
      }
    } else if (key == "additionalProperties") {
      read.additional_properties = node_at(value, pointer);
    } else if (key == "propertyNames") {
      read.property_names = node_at(value, pointer);
    } else if (key == "dependencies" || key == "dependentRequired" || key == "dependentSchemas") {
      dependents(read, value, pointer);
    } else {
      return false;
    }
    return true;
  }

  void dependents(SchemaNode& read, const Value& value, const std::string& pointer) {
    if (!value.is_object()) {
      wants(pointer, "an object", value);
      return;
    }
    for (const auto& [name, wanted] : value.as_object()) {
      SchemaNode::Dependent dependent{name, {}, std::nullopt};
      const std::string where = below_pointer(pointer, name);
      if (wanted.is_array()) {
        dependent.required = names(wanted, where);
      } else {
        dependent.node = node_at(wanted, where);
      }
      read.dependents.push_back(std::move(dependent));
    }
  }

  void combining_keyword(SchemaNode& read, std::string_view key, const Value& value,
                         const std::string& pointer) {
    if (key == "allOf") {
      read.all_of = list(value, pointer);
    } else if (key == "anyOf") {
      read.any_of = list(value, pointer);
    } else if (key == "oneOf") {
      read.one_of = list(value, pointer);
    } else if (key == "not") {
      read.none_of = node_at(value, pointer);
    } else if (key == "if") {
      read.condition = node_at(value, pointer);
    } else if (key == "then") {
      read.consequence = node_at(value, pointer);
    } else if (key == "else") {
      read.alternative = node_at(value, pointer);
    }
  }

  // --- the values of keywords; wants() returns true always: the keyword was recognised.
  bool wants(const std::string& pointer, const std::string& what, const Value& value) {
    say(pointer, "must be " + what + ", not " + schema_words(value));
    return true;
  }
  bool count(std::optional<std::uint64_t>& to, const Value& value, const std::string& pointer) {
    const bool is_whole = value.is_number() && value.as_double() >= 0 && value.as_double() < 9e15 &&
                          value.as_double() == std::floor(value.as_double());
    if (!is_whole) return wants(pointer, "a whole number from 0", value);
    to = static_cast<std::uint64_t>(value.as_double());
    return true;
  }
  std::optional<Pattern> pattern(const std::string& text, const std::string& pointer) {
    if (pattern_code_ > kMostPatternCode) return std::nullopt;
    auto parsed = Pattern::parse(text);
    if (auto* good = std::get_if<Pattern>(&parsed)) {
      pattern_code_ += good->size();
      if (pattern_code_ <= kMostPatternCode) return std::move(*good);
      say(pointer, "is one pattern too many: together they are too large");
      return std::nullopt;
    }
    say(pointer, "is not a pattern: " + std::get<Pattern::Wrong>(parsed).message);
    return std::nullopt;
  }
  std::vector<std::string> names(const Value& value, const std::string& pointer) {
    std::vector<std::string> list;
    if (!value.is_array()) {
      wants(pointer, "a list of names", value);
      return list;
    }
    for (const Value& name : value.as_array()) {
      if (name.is_string()) {
        list.push_back(name.as_string());
      } else {
        wants(below_pointer(pointer, std::to_string(list.size())), "a string", name);
      }
    }
    return list;
  }
  std::vector<NodeId> list(const Value& value, const std::string& pointer) {
    std::vector<NodeId> ids;
    if (!value.is_array() || value.size() == 0) {
      wants(pointer, "a filled list of schemas", value);
      return ids;
    }
    for (const Value& schema : value.as_array()) {
      ids.push_back(node_at(schema, below_pointer(pointer, std::to_string(ids.size()))));
    }
    return ids;
  }
  std::vector<std::pair<std::string, NodeId>> members(const Value& value,
                                                      const std::string& pointer) {
    std::vector<std::pair<std::string, NodeId>> all;
    if (!value.is_object()) {
      wants(pointer, "an object of schemas", value);
      return all;
    }
    for (const auto& [name, schema] : value.as_object()) {
      all.emplace_back(name, node_at(schema, below_pointer(pointer, name)));
    }
    return all;
  }

  // --- references
  void resolve(NodeId from, const std::string& reference, const std::string& pointer) {
    std::string text = reference;
    if (!base_.empty() && text.starts_with(base_)) text = text.substr(base_.size());
    if (text.empty()) text = "#";
    if (text.front() != '#') {
      return say(pointer, "must point into this schema (\"#/$defs/Name\"), not to " +
                              json_quote(reference) + ": nothing is fetched");
    }
    std::string target = unescaped(text.substr(1));
    if (!target.empty() && target.front() != '/') {
      const auto anchor = anchors_.find(target);
      if (anchor == anchors_.end()) return nothing_there(pointer, reference);
      target = anchor->second;
    }
    const Value* schema = &root_;
    for (std::size_t at = 1; at <= target.size() && schema != nullptr;) {
      const std::size_t end = std::min(target.find('/', at), target.size());
      schema = below(*schema, target.substr(at, end - at));
      at = end + 1;
    }
    if (schema == nullptr) return nothing_there(pointer, reference);
    const NodeId id = node_at(*schema, target);
    node(from).reference = id;
  }
  void nothing_there(const std::string& pointer, const std::string& reference) {
    say(pointer, "points to " + json_quote(reference) + ", and there is nothing");
  }
  static const Value* below(const Value& value, std::string token) {
    for (std::size_t at = 0; (at = token.find('~', at)) != std::string::npos; ++at) {
      if (at + 1 < token.size()) token.replace(at, 2, token[at + 1] == '1' ? "/" : "~");
    }
    if (value.is_object()) return value.find(token);
    if (!value.is_array() || token.empty() || token.size() > 6) return nullptr;
    std::size_t index = 0;
    for (const char c : token) {
      if (c < '0' || c > '9') return nullptr;
      index = index * 10 + static_cast<std::size_t>(c - '0');
    }
    return index < value.size() ? &value.as_array()[index] : nullptr;
  }
  static std::string unescaped(const std::string& text) {
    std::string out;
    const auto digit = [](char c) {
      return c >= '0' && c <= '9'                 ? c - '0'
             : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 87
                                                  : -1;
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 &&
          digit(text[i + 2]) >= 0) {
        out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
        i += 2;
      } else {
        out += text[i];
      }
    }
    return out;
  }

  // The schemas that are applied to the same value as this one ($ref, allOf, ...).
  std::vector<NodeId> beside(NodeId id) {
    const SchemaNode& at = node(id);
    std::vector<NodeId> all;
    for (const auto& one :
         {at.reference, at.none_of, at.condition, at.consequence, at.alternative}) {
      if (one) all.push_back(*one);
    }
    for (const auto* several : {&at.all_of, &at.any_of, &at.one_of}) {
      all.insert(all.end(), several->begin(), several->end());
    }
    for (const auto& dependent : at.dependents) {
      if (dependent.node) all.push_back(*dependent.node);
    }
    return all;
  }

  // Reports a schema that leads back to itself on the same value: validation would never end.
  void find_loops() {
    enum class Seen : std::uint8_t { kNo, kOpen, kDone };
    std::vector<Seen> seen(parts_->nodes.size(), Seen::kNo);
    std::vector<std::pair<NodeId, std::vector<NodeId>>> path;
    const auto open = [&](NodeId id) {
      seen[id] = Seen::kOpen;
      path.emplace_back(id, beside(id));
    };
    for (NodeId start = 0; start < seen.size(); ++start) {
      if (seen[start] == Seen::kNo) open(start);
      while (!path.empty()) {
        auto& [id, next] = path.back();
        if (next.empty()) {
          seen[id] = Seen::kDone;
          path.pop_back();
          continue;
        }
        const NodeId to = next.back();
        next.pop_back();
        if (seen[to] == Seen::kNo) {
          open(to);
        } else if (seen[to] == Seen::kOpen) {
          for (const auto& [pointer, other] : by_pointer_) {
            if (other == to) say(pointer, "refers to itself without going into the value");
          }
          return;
        }
      }
    }
  }

  const Value& root_;
  std::string base_;
  std::shared_ptr<Schema::Parts> parts_ = std::make_shared<Schema::Parts>();
  std::map<std::string, NodeId> by_pointer_;
  std::map<std::string, std::string> anchors_;
  std::vector<OpenReference> open_;
  std::vector<Violation> problems_;
  std::size_t pattern_code_ = 0;
};

std::vector<Violation> Schema::problems(const Value& schema) {
  SchemaReader reader(schema);
  reader.read();
  return reader.take_problems();
}

Result<Schema> Schema::compile(const Value& schema) {
  SchemaReader reader(schema);
  if (auto parts = reader.read()) return Schema(std::move(parts));
  const std::vector<Violation> problems = reader.take_problems();
  return Error{ErrorCode::kInvalid, "the schema is wrong: " + to_sentence(problems)};
}

}  // namespace stepwell
