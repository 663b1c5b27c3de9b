// The eighteen intrinsic functions, each a function of its arguments.
//
// Where AWS's documentation is silent they do what was recorded on AWS: MathAdd rounds each
// argument half up, StringSplit takes its second argument as a set of characters, Format prints
// objects as Java does.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <unordered_map>

#include "base/hash.h"
#include "base/ids.h"
#include "language/expr/base64.h"
#include "language/expr/intrinsic.h"

namespace stepwell::expr {
namespace {

constexpr std::size_t kMaxText = 10'000;
constexpr std::int64_t kMaxRange = 1'000;

using Arguments = Value::Array;

// The number, rounded half up when it has a fraction; nothing when the value is not a number.
std::optional<std::int64_t> integer(const Value& value) {
  if (value.is_int()) return value.as_int();
  if (!value.is_double() || std::fabs(value.as_double()) > 9e15) return std::nullopt;
  return static_cast<std::int64_t>(std::floor(value.as_double() + 0.5));
}

// Appends the value as toString() of Java's Map and List writes it: {a=1, b=[2, 3]}.
void append_java(std::string& out, const Value& value) {
  if (value.is_string()) {
    out += value.as_string();
  } else if (value.is_array()) {
    out += '[';
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (i > 0) out += ", ";
      append_java(out, value.as_array()[i]);
    }
    out += ']';
  } else if (value.is_object()) {
    out += '{';
    bool first = true;
    for (const auto& [key, member] : value.as_object()) {
      if (!first) out += ", ";
      first = false;
      out += key + "=";
      append_java(out, member);
    }
    out += '}';
  } else {
    value.append_json(out);
  }
}

FunctionResult format_in(Edition edition, const Arguments& arguments) {
  if (!arguments[0].is_string()) return std::string("The first argument must be a string");
  const std::string& pattern = arguments[0].as_string();
  std::string out;
  std::size_t next = 1;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\' && i + 1 < pattern.size() &&
        (pattern[i + 1] == '{' || pattern[i + 1] == '}' || pattern[i + 1] == '\\' ||
         pattern[i + 1] == '\'')) {
      out += pattern[++i];
    } else if (pattern.compare(i, 2, "{}") == 0) {
      if (next >= arguments.size()) {
        return std::string(
            "The number of arguments does not match the number of occurrences of {}");
      }
      append_java(out, arguments[next++]);
      ++i;
    } else if (pattern[i] == '{' && edition != Edition::kFirst) {
      return std::string("Invalid template in States.Format: matching '}' not found for '{'");
    } else if (pattern[i] == '}' && edition != Edition::kFirst) {
      return std::string("Invalid template in States.Format: matching '{' not found for '}'");
    } else {
      out += pattern[i];
    }
  }
  if (next != arguments.size()) {
    return std::string("The number of arguments does not match the number of occurrences of {}");
  }
  return Value(std::move(out));
}

FunctionResult format(const Arguments& arguments, Random&) {
  return format_in(Edition::kSecond, arguments);
}
FunctionResult format_first(const Arguments& arguments, Random&) {
  return format_in(Edition::kFirst, arguments);
}

FunctionResult string_to_json(const Arguments& arguments, Random&) {
  if (!arguments[0].is_string()) return std::string("The argument must be a string");
  const std::string& text = arguments[0].as_string();
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) return Value();
  auto value = parse_json(text);
  if (!value.ok()) return "Invalid JSON: " + value.error().message;
  return std::move(*value);
}

FunctionResult json_to_string(const Arguments& arguments, Random&) {
  return Value(arguments[0].to_json());
}

FunctionResult array(const Arguments& arguments, Random&) { return Value(arguments); }

FunctionResult array_partition(const Arguments& arguments, Random&) {
  const auto size = integer(arguments[1]);
  if (!arguments[0].is_array()) return std::string("The first argument must be an array");
  if (!size || *size <= 0) return std::string("The chunk size must be a positive integer");
  Value::Array chunks;
  Value::Array chunk;
  for (const Value& item : arguments[0].as_array()) {
    chunk.push_back(item);
    if (static_cast<std::int64_t>(chunk.size()) == *size) {
      chunks.emplace_back(std::exchange(chunk, {}));
    }
  }
  if (!chunk.empty()) chunks.emplace_back(std::move(chunk));
  return Value(std::move(chunks));
}

FunctionResult array_contains(const Arguments& arguments, Random&) {
  if (!arguments[0].is_array()) return std::string("The first argument must be an array");
  const auto& items = arguments[0].as_array();
  return Value(std::find(items.begin(), items.end(), arguments[1]) != items.end());
}

FunctionResult array_range(const Arguments& arguments, Random&) {
  const auto from = integer(arguments[0]), to = integer(arguments[1]), by = integer(arguments[2]);
  if (!from || !to || !by) return std::string("The arguments must be integers");
  if (*by == 0) return std::string("The step must not be zero");
  if (std::fabs(static_cast<double>(*to) - static_cast<double>(*from)) >=
      static_cast<double>(kMaxRange) * std::fabs(static_cast<double>(*by))) {
    return "The range must not have more than " + std::to_string(kMaxRange) + " elements";
  }
  Value::Array items;
  std::int64_t i = *from;
  while (*by > 0 ? i <= *to : i >= *to) {
    items.emplace_back(i);
    if (__builtin_add_overflow(i, *by, &i)) break;
  }
  return Value(std::move(items));
}

FunctionResult array_get_item(const Arguments& arguments, Random&) {
  const auto index = integer(arguments[1]);
  if (!arguments[0].is_array()) return std::string("The first argument must be an array");
  if (!index || *index < 0 || static_cast<std::size_t>(*index) >= arguments[0].size()) {
    return std::string("The index is out of the bounds of the array");
  }
  return arguments[0].as_array()[static_cast<std::size_t>(*index)];
}

FunctionResult array_length(const Arguments& arguments, Random&) {
  if (!arguments[0].is_array()) return std::string("The argument must be an array");
  return Value(arguments[0].size());
}

FunctionResult array_unique(const Arguments& arguments, Random&) {
  if (!arguments[0].is_array()) return std::string("The argument must be an array");
  Value::Array unique;
  std::unordered_multimap<std::uint64_t, std::size_t> seen;  // Never iterated over.
  for (const Value& item : arguments[0].as_array()) {
    const std::uint64_t hash = hash_of_equals(item);
    const auto [first, last] = seen.equal_range(hash);
    const bool is_known =
        std::any_of(first, last, [&](const auto& known) { return unique[known.second] == item; });
    if (is_known) continue;
    seen.emplace(hash, unique.size());
    unique.push_back(item);
  }
  return Value(std::move(unique));
}

FunctionResult base64_of(const Arguments& arguments, Random&) {
  if (!arguments[0].is_string()) return std::string("The argument must be a string");
  if (arguments[0].as_string().size() > kMaxText) {
    return std::string("The argument must not have more than 10000 characters");
  }
  return Value(base64_encode(arguments[0].as_string()));
}

FunctionResult from_base64(const Arguments& arguments, Random&) {
  if (!arguments[0].is_string()) return std::string("The argument must be a string");
  if (arguments[0].as_string().size() > kMaxText) {
    return std::string("The argument must not have more than 10000 characters");
  }
  auto bytes = decode_base64(arguments[0].as_string());
  if (!bytes) return std::string("The argument is not Base64");
  const bool is_text = is_utf8(*bytes) && bytes->find('\0') == std::string::npos;
  if (!is_text) return std::string("The decoded bytes are not text");
  return Value(std::move(*bytes));
}

FunctionResult hash(const Arguments& arguments, Random&) {
  if (!arguments[1].is_string()) return std::string("The algorithm must be a string");
  const std::string data =
      arguments[0].is_string() ? arguments[0].as_string() : arguments[0].to_json();
  if (data.size() > kMaxText) {
    return std::string("The data must not have more than 10000 characters");
  }
  auto digest = digest_hex(arguments[1].as_string(), data);
  if (!digest) return "Invalid hash algorithm: " + arguments[1].as_string();
  return Value(std::move(*digest));
}

FunctionResult json_merge(const Arguments& arguments, Random&) {
  if (!arguments[0].is_object() || !arguments[1].is_object()) {
    return std::string("The first two arguments must be objects");
  }
  if (!arguments[2].is_bool()) return std::string("The third argument must be a boolean");
  if (arguments[2].as_bool()) return std::string("Deep merging is not supported: use false");
  Object merged = arguments[0].as_object();
  for (const auto& [key, member] : arguments[1].as_object()) merged.set(key, member);
  return Value(std::move(merged));
}

FunctionResult math_random(const Arguments& arguments, Random& random) {
  const auto from = integer(arguments[0]), to = integer(arguments[1]);
  if (!from || !to) return std::string("The arguments must be integers");
  if (*from >= *to) return std::string("The first argument must be less than the second");
  std::uint64_t drawn = random.next();
  if (arguments.size() == 3) {
    const auto seed = integer(arguments[2]);
    if (!seed) return std::string("The seed must be an integer");
    drawn = Random(static_cast<std::uint64_t>(*seed)).next();
  }
  return Value(*from + static_cast<std::int64_t>(drawn % static_cast<std::uint64_t>(*to - *from)));
}

FunctionResult math_add(const Arguments& arguments, Random&) {
  const auto a = integer(arguments[0]), b = integer(arguments[1]);
  if (!a || !b) return std::string("The arguments must be numbers");
  std::int64_t sum = 0;
  if (__builtin_add_overflow(*a, *b, &sum)) return std::string("The sum is too large");
  return Value(sum);
}

FunctionResult string_split(const Arguments& arguments, Random&) {
  if (!arguments[0].is_string() || !arguments[1].is_string()) {
    return std::string("The arguments must be strings");
  }
  const std::string& text = arguments[0].as_string();
  const std::string& separators = arguments[1].as_string();
  Value::Array pieces;
  std::size_t from = 0;
  while (from < text.size()) {
    const std::size_t end = std::min(text.find_first_of(separators, from), text.size());
    if (end > from) pieces.emplace_back(text.substr(from, end - from));
    from = end + 1;
  }
  return Value(std::move(pieces));
}

FunctionResult uuid(const Arguments&, Random& random) {
  const std::uint64_t high = random.next();
  return Value(Uuid::v4(high, random.next()).text());
}

constexpr std::size_t kMany = 1'000;
constexpr Function kFunctions[] = {
    {kFormat, 1, kMany, format, format_first},
    {"States.StringToJson", 1, 1, string_to_json},
    {"States.JsonToString", 1, 1, json_to_string},
    {"States.Array", 0, kMany, array},
    {"States.ArrayPartition", 2, 2, array_partition},
    {"States.ArrayContains", 2, 2, array_contains},
    {"States.ArrayRange", 3, 3, array_range},
    {"States.ArrayGetItem", 2, 2, array_get_item},
    {"States.ArrayLength", 1, 1, array_length},
    {"States.ArrayUnique", 1, 1, array_unique},
    {"States.Base64Encode", 1, 1, base64_of},
    {"States.Base64Decode", 1, 1, from_base64},
    {"States.Hash", 2, 2, hash},
    {"States.JsonMerge", 3, 3, json_merge},
    {"States.MathRandom", 2, 3, math_random},
    {"States.MathAdd", 2, 2, math_add},
    {"States.StringSplit", 2, 2, string_split},
    {"States.UUID", 0, 0, uuid},
};

}  // namespace

const Function* find_function(std::string_view name) {
  const auto* found = std::find_if(std::begin(kFunctions), std::end(kFunctions),
                                   [&](const Function& one) { return name == one.name; });
  return found == std::end(kFunctions) ? nullptr : found;
}

}  // namespace stepwell::expr
