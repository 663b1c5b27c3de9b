// JSON text out of Values.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/value.h"

namespace stepwell {
namespace {

const char* short_escape(char c) {
  switch (c) {
    case '"': return "\\\"";
    case '\\': return "\\\\";
    case '\b': return "\\b";
    case '\f': return "\\f";
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default: return nullptr;
  }
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain_from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool is_plain = static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\';
    if (is_plain) continue;
    out.append(text, plain_from, i - plain_from);
    plain_from = i + 1;
    if (const char* escape = short_escape(c)) {
      out += escape;
    } else {
      constexpr const char* kHex = "0123456789abcdef";
      out += "\\u00";
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[static_cast<unsigned char>(c) & 15];
    }
  }
  out.append(text, plain_from, text.size() - plain_from);
  out += '"';
}

// The shortest text that reads back as the same double; always with a point or an exponent, so
// that it stays a double.  JSON has no infinities: they become null, as in JavaScript.
void append_double(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  std::array<char, 40> buffer{};
  const double size = std::fabs(number);
  const auto form = (size != 0 && (size < 1e-5 || size >= 1e16)) ? std::chars_format::scientific
                                                                 : std::chars_format::fixed;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, form).ptr;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  out += text;
  if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
}

void append_int(std::string& out, std::int64_t number) {
  std::array<char, 24> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  out.append(buffer.data(), end);
}

void append_pretty(std::string& out, const Value& value, std::size_t level) {
  const std::string margin(2 * (level + 1), ' ');
  if (value.size() == 0) {
    value.append_json(out);
  } else if (value.is_array()) {
    const char* separator = "[\n";
    for (const Value& item : value.as_array()) {
      out += separator + margin;
      append_pretty(out, item, level + 1);
      separator = ",\n";
    }
    out += "\n" + margin.substr(2) + "]";
  } else {
    const char* separator = "{\n";
    for (const auto& [key, member] : value.as_object()) {
      out += separator + margin;
      append_quoted(out, key);
      out += ": ";
      append_pretty(out, member, level + 1);
      separator = ",\n";
    }
    out += "\n" + margin.substr(2) + "}";
  }
}

std::size_t quoted_size(std::string_view text) {
  std::size_t size = 2;
  for (const char c : text) {
    if (short_escape(c) != nullptr) {
      size += 2;
    } else {
      size += static_cast<unsigned char>(c) < 0x20 ? 6 : 1;
    }
  }
  return size;
}

}  // namespace

namespace {

// Stops, and says so with false, once `out` has more than `most` bytes.
bool append_up_to(std::string& out, const Value& value, std::size_t most) {
  switch (value.kind()) {
    case Value::Kind::kNull: out += "null"; break;
    case Value::Kind::kBool: out += value.as_bool() ? "true" : "false"; break;
    case Value::Kind::kInt: append_int(out, value.as_int()); break;
    case Value::Kind::kDouble: append_double(out, value.as_double()); break;
    case Value::Kind::kString: append_quoted(out, value.as_string()); break;
    case Value::Kind::kArray: {
      out += '[';
      bool is_first = true;
      for (const Value& item : value.as_array()) {
        if (!is_first) out += ',';
        is_first = false;
        if (!append_up_to(out, item, most)) return false;
      }
      out += ']';
      break;
    }
    case Value::Kind::kObject: {
      out += '{';
      bool is_first = true;
      for (const auto& [key, member] : value.as_object()) {
        if (!is_first) out += ',';
        is_first = false;
        append_quoted(out, key);
        out += ':';
        if (!append_up_to(out, member, most)) return false;
      }
      out += '}';
      break;
    }
  }
  return out.size() <= most;
}

}  // namespace

void Value::append_json(std::string& out) const { append_up_to(out, *this, std::string::npos); }

std::string Value::json_beginning(std::size_t most) const {
  std::string out;
  append_up_to(out, *this, most);
  return out;
}

std::string Value::to_json() const {
  std::string out;
  append_json(out);
  return out;
}

std::string Value::to_pretty_json() const {
  std::string out;
  append_pretty(out, *this, 0);
  return out;
}

std::string json_quote(std::string_view text) {
  std::string out;
  append_quoted(out, text);
  return out;
}

// A value in which the same part stands often can have a text that no machine could hold: its size
// is this then, and sums of a few such sizes still do not overflow.
constexpr std::size_t kImmeasurable = std::size_t{1} << 60;

std::size_t json_text_size(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kString: return quoted_size(value.as_string());
    case Value::Kind::kArray: {
      std::size_t size = value.size() == 0 ? 2 : value.size() + 1;
      for (const Value& item : value.as_array()) {
        size = std::min(size + item.json_size(), kImmeasurable);
      }
      return size;
    }
    case Value::Kind::kObject: {
      std::size_t size = value.size() == 0 ? 2 : value.size() + 1;
      for (const auto& [key, member] : value.as_object()) {
        size = std::min(size + quoted_size(key) + 1 + member.json_size(), kImmeasurable);
      }
      return size;
    }
    case Value::Kind::kNull:
    case Value::Kind::kBool:
    case Value::Kind::kInt:
    case Value::Kind::kDouble: break;
  }
  std::string text;
  value.append_json(text);
  return text.size();
}

}  // namespace stepwell
