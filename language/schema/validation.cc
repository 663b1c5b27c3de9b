// Validates a value by a schema.
#include <algorithm>
#include <cmath>

#include "language/schema/parts.h"

namespace stepwell {

namespace {

std::string one_or_more(std::uint64_t count, const std::string& thing) {
  return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

std::uint8_t type_of(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull: return kNullType;
    case Value::Kind::kBool: return kBooleanType;
    case Value::Kind::kInt: return kIntegerType | kNumberType;
    case Value::Kind::kDouble:
      return value.as_double() == std::floor(value.as_double()) ? kIntegerType | kNumberType
                                                                : kNumberType;
    case Value::Kind::kString: return kStringType;
    case Value::Kind::kArray: return kArrayType;
    case Value::Kind::kObject: return kObjectType;
  }
  return 0;
}

// "a string", "a string, an array or null"
std::string types_in_words(std::uint8_t types) {
  if ((types & kNumberType) != 0) types &= static_cast<std::uint8_t>(~kIntegerType);
  std::vector<std::string> words;
  for (const auto& [bit, word] : {std::pair{kObjectType, "an object"},
                                  {kArrayType, "an array"},
                                  {kStringType, "a string"},
                                  {kNumberType, "a number"},
                                  {kIntegerType, "a whole number"},
                                  {kBooleanType, "true or false"},
                                  {kNullType, "null"}}) {
    if ((types & bit) != 0) words.emplace_back(word);
  }
  std::string text = words.front();
  for (std::size_t i = 1; i < words.size(); ++i) {
    text += (i + 1 == words.size() ? " or " : ", ") + words[i];
  }
  return text;
}

std::uint64_t characters_in(std::string_view utf8) {
  return static_cast<std::uint64_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

// Appends the same text for equal values: keys sorted, 1.0 as 1.
void append_canonical(const Value& value, std::string& out) {
  if (value.is_double() && value.as_double() == std::floor(value.as_double()) &&
      std::abs(value.as_double()) < 9e15) {
    out += std::to_string(static_cast<std::int64_t>(value.as_double()));
  } else if (value.is_array()) {
    out += '[';
    for (const Value& item : value.as_array()) {
      append_canonical(item, out);
      out += ',';
    }
    out += ']';
  } else if (value.is_object()) {
    std::vector<const Object::Member*> members;
    for (const auto& member : value.as_object()) members.push_back(&member);
    std::sort(members.begin(), members.end(),
              [](const auto* a, const auto* b) { return a->first < b->first; });
    out += '{';
    for (const auto* member : members) {
      out += json_quote(member->first) + ':';
      append_canonical(member->second, out);
      out += ',';
    }
    out += '}';
  } else {
    value.append_json(out);
  }
}

std::string listed(const std::vector<Value>& choices) {
  std::string text;
  constexpr std::size_t kMost = 8;  // Of the values of an enum that a message lists.
  for (std::size_t i = 0; i < choices.size() && i < kMost; ++i) {
    text += (i == 0 ? "" : ", ") + (choices[i].json_size() <= 40 ? choices[i].to_json() : "...");
  }
  return choices.size() > kMost ? text + ", ..." : text;
}

bool is_multiple(const Value& value, const Value& of) {
  if (value.is_int() && of.is_int()) return value.as_int() % of.as_int() == 0;
  const double quotient = value.as_double() / of.as_double();
  if (!std::isfinite(quotient)) return false;
  return std::abs(quotient - std::round(quotient)) <= 1e-9 * std::max(1.0, std::abs(quotient));
}

}  // namespace

class Validation {
 public:
  explicit Validation(const Schema::Parts& parts) : parts_(parts) {}

  std::vector<Violation> run(const Value& value) {
    std::vector<Violation> found;
    check(0, value, "", &found);
    if (!gave_up_.empty()) return {{"", gave_up_}};
    return found;
  }

 private:
  using List =
      std::vector<Violation>*;  // nullptr: the caller only wants to know whether it is valid.

  // Each returns true when the value is valid, and otherwise adds the violations to `to`.
  bool check(NodeId id, const Value& value, const std::string& pointer, List to) {
    if (!spend(1)) return false;
    if (nesting_ >= Schema::kMaxNesting) return give_up("is nested too deeply to be checked");
    ++nesting_;
    const SchemaNode& node = parts_.nodes[id];
    bool good = true;
    if (node.never) good = say(to, pointer, "must not be here");
    if (node.reference) good &= check(*node.reference, value, pointer, to);
    // After a wrong type no other violation is worth reporting.
    if (good && node.types != 0 && (node.types & type_of(value)) == 0) {
      good = say(to, pointer,
                 "must be " + types_in_words(node.types) + ", not " + schema_words(value));
    } else if (good) {
      good &= check_value(node, value, pointer, to);
      if (value.is_number()) good &= check_number(node, value, pointer, to);
      if (value.is_string()) good &= check_string(node, value.as_string(), pointer, to);
      if (value.is_array()) good &= check_array(node, value.as_array(), pointer, to);
      if (value.is_object()) good &= check_object(node, value, pointer, to);
      good &= check_combined(node, value, pointer, to);
    }
    --nesting_;
    return good;
  }

  bool check_value(const SchemaNode& node, const Value& value, const std::string& pointer,
                   List to) {
    bool good = true;
    if (node.constant && spend(weight(value)) && !(value == *node.constant)) {
      good =
          say(to, pointer, "must be " + node.constant->to_json() + ", not " + schema_words(value));
    }
    if (node.choices && spend(node.choices->size() * weight(value))) {
      const auto& all = *node.choices;
      if (std::find(all.begin(), all.end(), value) == all.end()) {
        good = say(to, pointer, "must be one of " + listed(all) + ", not " + schema_words(value));
      }
    }
    return good;
  }

  bool check_number(const SchemaNode& node, const Value& value, const std::string& pointer,
                    List to) {
    const auto demand = [&](const std::optional<Value>& limit, const char* words, auto holds) {
      if (!limit || holds(*limit)) return true;
      return say(
          to, pointer,
          std::string("must be ") + words + " " + limit->to_json() + ", not " + value.to_json());
    };
    const auto compared = [&](const Value& limit) {
      if (value.is_int() && limit.is_int()) {
        return value.as_int() < limit.as_int() ? -1 : value.as_int() > limit.as_int() ? 1 : 0;
      }
      const double a = value.as_double(), b = limit.as_double();
      return a < b ? -1 : a > b ? 1 : 0;
    };
    bool good = demand(node.minimum, "at least", [&](auto& x) { return compared(x) >= 0; });
    good &= demand(node.maximum, "at most", [&](auto& x) { return compared(x) <= 0; });
    good &= demand(node.above, "more than", [&](auto& x) { return compared(x) > 0; });
    good &= demand(node.below, "less than", [&](auto& x) { return compared(x) < 0; });
    good &=
        demand(node.multiple_of, "a multiple of", [&](auto& x) { return is_multiple(value, x); });
    return good;
  }

  bool check_string(const SchemaNode& node, const std::string& text, const std::string& pointer,
                    List to) {
    bool good = true;
    if (node.min_length || node.max_length) {
      spend(text.size() / 64);
      const std::uint64_t length = characters_in(text);
      if (node.min_length && length < *node.min_length) {
        good = say(to, pointer, "must have at least " + one_or_more(*node.min_length, "character"));
      }
      if (node.max_length && length > *node.max_length) {
        good = say(to, pointer, "must have at most " + one_or_more(*node.max_length, "character"));
      }
    }
    if (node.pattern && !matches(*node.pattern, text)) {
      good = say(to, pointer,
                 "must match the pattern " + json_quote(node.pattern_text) + ", not " +
                     schema_words(text));
    }
    if (!node.format.empty() && !has_format(node.format, text)) {
      good =
          say(to, pointer, "must be in the format " + node.format + ", not " + schema_words(text));
    }
    return good;
  }

  bool check_array(const SchemaNode& node, const Value::Array& items, const std::string& pointer,
                   List to) {
    bool good = true;
    if (node.min_items && items.size() < *node.min_items) {
      good = say(to, pointer, "must have at least " + one_or_more(*node.min_items, "item"));
    }
    if (node.max_items && items.size() > *node.max_items) {
      good = say(to, pointer, "must have at most " + one_or_more(*node.max_items, "item"));
    }
    for (std::size_t i = 0; i < items.size() && gave_up_.empty(); ++i) {
      const bool is_first = i < node.first_items.size();
      if (!is_first && !node.items) break;
      good &=
          check(is_first ? node.first_items[i] : *node.items, items[i], below(pointer, i, to), to);
    }
    if (node.contains) good &= check_contains(node, items, pointer, to);
    if (node.unique_items) good &= check_unique(items, pointer, to);
    return good;
  }

  bool check_contains(const SchemaNode& node, const Value::Array& items, const std::string& pointer,
                      List to) {
    std::uint64_t count = 0;
    for (const Value& item : items) {
      if (check(*node.contains, item, "", nullptr)) ++count;
    }
    if (count < node.min_contains) {
      return say(to, pointer,
                 "must contain at least " + std::to_string(node.min_contains) +
                     " of what is asked for, and has " + std::to_string(count));
    }
    if (node.max_contains && count > *node.max_contains) {
      return say(to, pointer,
                 "must contain at most " + std::to_string(*node.max_contains) +
                     " of what is asked for, and has " + std::to_string(count));
    }
    return true;
  }

  bool check_unique(const Value::Array& items, const std::string& pointer, List to) {
    std::vector<std::pair<std::string, std::size_t>> texts;
    for (std::size_t i = 0; i < items.size() && spend(weight(items[i])); ++i) {
      append_canonical(items[i], texts.emplace_back("", i).first);
    }
    std::sort(texts.begin(), texts.end());
    for (std::size_t i = 1; i < texts.size(); ++i) {
      if (texts[i].first != texts[i - 1].first) continue;
      return say(to, pointer,
                 "must not have the same item twice: " + std::to_string(texts[i - 1].second) +
                     " and " + std::to_string(texts[i].second) + " are equal");
    }
    return true;
  }

  bool check_object(const SchemaNode& node, const Value& value, const std::string& pointer,
                    List to) {
    const Object& members = value.as_object();
    bool good = true;
    for (const std::string& name : node.required) {
      if (spend(1) && !members.contains(name)) {
        good = say(to, pointer, "must have the field " + json_quote(name));
      }
    }
    if (node.min_properties && members.size() < *node.min_properties) {
      good = say(to, pointer, "must have at least " + one_or_more(*node.min_properties, "field"));
    }
    if (node.max_properties && members.size() > *node.max_properties) {
      good = say(to, pointer, "must have at most " + one_or_more(*node.max_properties, "field"));
    }
    for (const auto& [name, member] : members) {
      if (!spend(1)) return false;
      good &= check_member(node, name, member, pointer, to);
    }
    for (const auto& dependent : node.dependents) {
      if (!members.contains(dependent.name)) continue;
      for (const std::string& name : dependent.required) {
        if (members.contains(name)) continue;
        good = say(
            to, pointer,
            "must have the field " + json_quote(name) + " beside " + json_quote(dependent.name));
      }
      if (dependent.node) good &= check(*dependent.node, value, pointer, to);
    }
    return good;
  }

  bool check_member(const SchemaNode& node, const std::string& name, const Value& member,
                    const std::string& pointer, List to) {
    bool good = true, is_known = false;
    const std::string where = to != nullptr ? below_pointer(pointer, name) : std::string();
    const auto found = std::lower_bound(
        node.properties.begin(), node.properties.end(), name,
        [](const auto& property, const auto& key) { return property.first < key; });
    if (found != node.properties.end() && found->first == name) {
      is_known = true;
      good &= check(found->second, member, where, to);
    }
    for (const auto& property : node.pattern_properties) {
      if (!matches(property.pattern, name)) continue;
      is_known = true;
      good &= check(property.node, member, where, to);
    }
    if (node.property_names) good &= check(*node.property_names, name, where, to);
    if (is_known || !node.additional_properties) return good;
    if (!parts_.nodes[*node.additional_properties].never) {
      return good & check(*node.additional_properties, member, where, to);
    }
    std::string known;
    for (std::size_t i = 0; i < node.properties.size() && i < 12; ++i) {
      known += (i == 0 ? ": known are " : ", ") + node.properties[i].first;
    }
    return say(
        to, where,
        "is not a field of this object" + known + (node.properties.size() > 12 ? ", ..." : ""));
  }

  bool check_combined(const SchemaNode& node, const Value& value, const std::string& pointer,
                      List to) {
    bool good = true;
    for (const NodeId id : node.all_of) good &= check(id, value, pointer, to);
    if (!node.any_of.empty()) good &= check_any(node.any_of, value, pointer, to);
    if (!node.one_of.empty()) {
      const auto fitting = std::count_if(node.one_of.begin(), node.one_of.end(),
                                         [&](NodeId id) { return check(id, value, "", nullptr); });
      if (fitting == 0) good &= check_any(node.one_of, value, pointer, to);
      if (fitting > 1) {
        good = say(to, pointer,
                   "must fit exactly one of " + std::to_string(node.one_of.size()) +
                       " alternatives, and fits " + std::to_string(fitting));
      }
    }
    if (node.none_of && check(*node.none_of, value, "", nullptr)) {
      good = say(to, pointer, "fits what is excluded");
    }
    if (node.condition) {
      const auto& branch =
          check(*node.condition, value, "", nullptr) ? node.consequence : node.alternative;
      if (branch) good &= check(*branch, value, pointer, to);
    }
    return good;
  }

  // One of the schemas must accept the value.  When none does, the violations of the one that came
  // furthest are reported, as the likeliest to be meant.
  bool check_any(const std::vector<NodeId>& any_of, const Value& value, const std::string& pointer,
                 List to) {
    for (const NodeId id : any_of) {
      if (check(id, value, "", nullptr)) return true;
    }
    if (to == nullptr) return false;
    std::vector<Violation> nearest;
    std::size_t depth = 0;
    for (const NodeId id : any_of) {
      std::vector<Violation> found;
      check(id, value, pointer, &found);
      std::size_t furthest = 0;
      for (const Violation& one : found) furthest = std::max(furthest, one.pointer.size());
      if (nearest.empty() || furthest > depth ||
          (furthest == depth && found.size() < nearest.size())) {
        nearest = std::move(found);
        depth = furthest;
      }
    }
    if (any_of.size() == 1 || depth > pointer.size()) {
      for (Violation& one : nearest) say(to, one.pointer, std::move(one.message));
      return false;
    }
    return say(to, pointer,
               "fits none of " + std::to_string(any_of.size()) + " alternatives; the nearest: " +
                   (nearest.empty() ? "none" : nearest.front().message));
  }

  bool matches(const Pattern& pattern, const std::string& text) {
    const auto found = pattern.search(text, work_);
    if (found == Pattern::Found::kTooMuchWork) return give_up("costs too much to be checked");
    return found == Pattern::Found::kYes;
  }

  static std::uint64_t weight(const Value& value) { return 1 + value.json_size() / 64; }
  bool spend(std::uint64_t cost) {
    if (work_ < cost) return give_up("costs too much to be checked");
    work_ -= cost;
    return true;
  }
  // The validation cannot be finished, so the value is refused.
  bool give_up(const char* why) {
    work_ = 0;
    if (gave_up_.empty()) gave_up_ = why;
    return false;
  }
  bool say(List to, const std::string& pointer, std::string message) {
    if (to != nullptr && to->size() < Schema::kMostViolations) {
      to->push_back({pointer, std::move(message)});
    }
    return false;
  }
  static std::string below(const std::string& pointer, std::size_t i, List to) {
    return to != nullptr ? pointer + "/" + std::to_string(i) : std::string();
  }

  const Schema::Parts& parts_;
  std::uint64_t work_ = Schema::kMaxWork;
  std::uint32_t nesting_ = 0;
  std::string gave_up_;
};

std::vector<Violation> Schema::validate(const Value& value) const {
  return Validation(*parts_).run(value);
}

std::string to_sentence(const std::vector<Violation>& violations) {
  std::string text;
  for (const Violation& one : violations) {
    text +=
        (text.empty() ? "" : "; ") + (one.pointer.empty() ? "it" : one.pointer) + " " + one.message;
  }
  return text;
}

std::string schema_words(const Value& value) {
  constexpr std::size_t kLongest = 60;
  switch (value.kind()) {
    case Value::Kind::kNull: return "null";
    case Value::Kind::kBool: return value.as_bool() ? "true" : "false";
    case Value::Kind::kArray: return value.size() == 0 ? "an empty array" : "an array";
    case Value::Kind::kObject: return "an object";
    case Value::Kind::kString: break;
    default: return "the number " + value.to_json();
  }
  const std::string& text = value.as_string();
  if (text.size() <= kLongest) return "the string " + json_quote(text);
  std::size_t end = kLongest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return "the string " + json_quote(text.substr(0, end)) + "...";
}

std::string below_pointer(const std::string& pointer, std::string_view key) {
  std::string text = pointer + "/";
  for (const char c : key) {
    if (c == '~') {
      text += "~0";
    } else if (c == '/') {
      text += "~1";
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace stepwell
