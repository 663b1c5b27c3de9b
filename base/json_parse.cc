// JSON text into Values: nlohmann's tokenizer, our bounds and our tree.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/value.h"

namespace stepwell {
namespace {

using Json = nlohmann::json;

// Builds Values from the tokenizer's events.  Keeps its own stack, so depth costs no C++ stack.
class Builder {
 public:
  Builder(std::string_view text, const JsonLimits& limits) : text_(text), limits_(limits) {}

  bool null() { return add(Value()); }
  bool boolean(bool flag) { return add(Value(flag)); }
  bool number_integer(std::int64_t number) { return add(Value(number)); }
  bool number_unsigned(std::uint64_t number) {
    if (number <= static_cast<std::uint64_t>(INT64_MAX)) return add(Value(number));
    return rounded(static_cast<double>(number), std::to_string(number));
  }
  bool number_float(double number, const std::string& text) {
    const bool is_whole = text.find_first_of(".eE") == std::string::npos;
    return is_whole ? rounded(number, text) : add(Value(number));
  }
  bool string(std::string& text) {
    if (text.find('\0') != std::string::npos) return fail("a string holds a NUL (\\u0000)");
    return add(Value(std::move(text)));
  }
  bool binary(std::vector<std::uint8_t>&) { return fail("binary data is not JSON"); }

  bool start_array(std::size_t) { return open(false); }
  bool start_object(std::size_t) { return open(true); }
  bool key(std::string& name) {
    if (name.find('\0') != std::string::npos) return fail("a key holds a NUL (\\u0000)");
    Open& object = stack_.back();
    if (limits_.refuse_duplicate_keys && object.members.contains(name)) {
      return fail("the key " + json_quote(name) + " stands twice in one object");
    }
    object.key = std::move(name);
    return true;
  }
  bool end_array() {
    Value value(std::move(stack_.back().items));
    stack_.pop_back();
    return add(std::move(value));
  }
  bool end_object() {
    Value value(std::move(stack_.back().members));
    stack_.pop_back();
    return add(std::move(value));
  }
  bool parse_error(std::size_t at, const std::string&, const Json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: <what>"
    std::string what = error.what();
    const std::size_t named = what.find("] ");
    if (named != std::string::npos) what = what.substr(named + 2);
    const bool has_place = what.find("line") != std::string::npos;
    message_ = has_place ? what : what + " at byte " + std::to_string(at);
    return false;
  }

  Value take() { return std::move(root_); }
  const std::string& message() const { return message_; }

 private:
  struct Open {
    bool is_object;
    Value::Array items;
    Object members;
    std::string key;
  };

  bool open(bool is_object) {
    if (stack_.size() >= limits_.max_depth) {
      return fail("nested deeper than " + std::to_string(limits_.max_depth) + " levels");
    }
    stack_.push_back({is_object, {}, {}, {}});
    return true;
  }
  bool add(Value value) {
    if (stack_.empty()) {
      root_ = std::move(value);
    } else if (stack_.back().is_object) {
      stack_.back().members.set(stack_.back().key, std::move(value));
    } else {
      stack_.back().items.push_back(std::move(value));
    }
    return true;
  }
  bool rounded(double number, const std::string& text) {
    if (!limits_.refuse_rounding) return add(Value(number));
    constexpr std::size_t kShown = 40;
    return fail("no 64-bit number can hold " + text.substr(0, kShown) +
                (text.size() > kShown ? "..." : "") + "; as a text it is kept");
  }
  bool fail(std::string message) {
    message_ = std::move(message);
    return false;
  }

  std::string_view text_;
  const JsonLimits& limits_;
  std::vector<Open> stack_;
  Value root_;
  std::string message_;
};

// The parser quotes what it read last, and that may be what is wrong.
std::string shown(std::string message) {
  if (is_utf8(message)) return message;
  for (char& c : message) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return message;
}

}  // namespace

Result<Value> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return Error{ErrorCode::kTooLarge, "the JSON text has " + std::to_string(text.size()) +
                                           " bytes; at most " + std::to_string(limits.max_bytes) +
                                           " are allowed"};
  }
  Builder builder(text, limits);
  try {
    if (Json::sax_parse(text.begin(), text.end(), &builder)) return builder.take();
  } catch (const Json::exception& error) {
    return Error{ErrorCode::kInvalid, "not JSON: " + shown(error.what())};
  }
  return Error{ErrorCode::kInvalid, "not JSON: " + shown(builder.message())};
}

bool is_utf8(std::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = at + text.size();
  while (at < end) {
    if (*at < 0x80) {
      ++at;
      continue;
    }
    const int more = *at >= 0xf0 ? 3 : *at >= 0xe0 ? 2 : 1;
    if (*at < 0xc2 || *at > 0xf4 || end - at <= more) return false;
    const unsigned char second = at[1];
    const bool is_bad_second = (*at == 0xe0 && second < 0xa0) || (*at == 0xed && second > 0x9f) ||
                               (*at == 0xf0 && second < 0x90) || (*at == 0xf4 && second > 0x8f);
    if (is_bad_second) return false;
    for (int i = 1; i <= more; ++i) {
      if ((at[i] & 0xc0) != 0x80) return false;
    }
    at += more + 1;
  }
  return true;
}

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

}  // namespace stepwell
