#include "providers/host/plugin/values.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <vector>

namespace stepwell::host {
namespace {

constexpr int kMaxDepth = 100;
// A table that holds another one twice, and so on, is small in Lua and endless as JSON.
constexpr std::size_t kMaxNodes = 300'000;
constexpr std::size_t kMaxBytes = 32u << 20;

const char kListKey = 0;  // Its address is the registry key of the mark.

void push_list_mark(lua_State* lua) {
  if (lua_rawgetp(lua, LUA_REGISTRYINDEX, &kListKey) == LUA_TTABLE) return;
  lua_pop(lua, 1);
  lua_createtable(lua, 0, 1);
  lua_pushboolean(lua, false);
  lua_setfield(lua, -2, "__metatable");
  lua_pushvalue(lua, -1);
  lua_rawsetp(lua, LUA_REGISTRYINDEX, &kListKey);
}

bool is_marked_list(lua_State* lua, int index) {
  if (lua_getmetatable(lua, index) == 0) return false;
  push_list_mark(lua);
  const bool is_same = lua_rawequal(lua, -1, -2) != 0;
  lua_pop(lua, 2);
  return is_same;
}

class Reader {
 public:
  Reader(lua_State* lua, const ToValue& how) : lua_(lua), how_(how) {}

  Value read(int index, int depth) {
    charge(1, 1);
    switch (lua_type(lua_, index)) {
      case LUA_TNIL: return Value();
      case LUA_TBOOLEAN: return Value(lua_toboolean(lua_, index) != 0);
      case LUA_TNUMBER: return number(index);
      case LUA_TSTRING: return Value(text(index));
      case LUA_TTABLE: return table(lua_absindex(lua_, index), depth);
      case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(lua_, index) == nullptr) return Value();
        [[fallthrough]];
      default: luaL_error(lua_, "a %s cannot be written as JSON", luaL_typename(lua_, index));
    }
    return Value();
  }

 private:
  void charge(std::size_t nodes, std::size_t bytes) {
    nodes_ += nodes;
    bytes_ += bytes;
    if (nodes_ > kMaxNodes || bytes_ > kMaxBytes) luaL_error(lua_, "the value is too large");
  }

  Value number(int index) {
    if (lua_isinteger(lua_, index) != 0) {
      return Value(static_cast<std::int64_t>(lua_tointeger(lua_, index)));
    }
    const double real = lua_tonumber(lua_, index);
    if (!std::isfinite(real)) luaL_error(lua_, "an infinite number cannot be written as JSON");
    if (how_.whole_floats_are_integers && real == std::floor(real) && std::fabs(real) < 9e15) {
      return Value(static_cast<std::int64_t>(real));
    }
    return Value(real);
  }

  std::string text(int index) {
    std::size_t size = 0;
    const char* bytes = lua_tolstring(lua_, index, &size);
    charge(0, size);
    std::string copy(bytes, size);
    if (!is_utf8(copy)) luaL_error(lua_, "a string is not UTF-8 text");
    if (copy.find('\0') != std::string::npos) luaL_error(lua_, "a string holds a NUL byte");
    return copy;
  }

  Value table(int index, int depth) {
    if (depth >= kMaxDepth) luaL_error(lua_, "a table is nested too deeply, or in itself");
    luaL_checkstack(lua_, 6, "nested too deeply");
    const lua_Unsigned length = lua_rawlen(lua_, index);
    if (length > 0 || is_marked_list(lua_, index)) return list(index, length, depth);
    return object(index, depth);
  }

  Value list(int index, lua_Unsigned length, int depth) {
    if (length > kMaxNodes) luaL_error(lua_, "the value is too large");
    std::size_t members = 0;
    for (lua_pushnil(lua_); lua_next(lua_, index) != 0; lua_pop(lua_, 1)) {
      charge(1, 0);
      if (lua_isinteger(lua_, -2) == 0) {
        luaL_error(lua_, "a table has both list items and named fields");
      }
      ++members;
    }
    if (members != length) luaL_error(lua_, "a list has holes");
    Value::Array items;
    items.reserve(length);
    for (lua_Unsigned i = 1; i <= length; ++i) {
      lua_rawgeti(lua_, index, static_cast<lua_Integer>(i));
      items.push_back(read(-1, depth + 1));
      lua_pop(lua_, 1);
    }
    return Value(std::move(items));
  }

  Value object(int index, int depth) {
    std::vector<Object::Member> members;
    for (lua_pushnil(lua_); lua_next(lua_, index) != 0; lua_pop(lua_, 1)) {
      if (lua_type(lua_, -2) != LUA_TSTRING) {
        luaL_error(lua_, "a table has a key that is not a string");
      }
      std::string key = text(-2);
      members.emplace_back(std::move(key), read(-1, depth + 1));
    }
    std::sort(members.begin(), members.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    Object sorted;
    sorted.reserve(members.size());
    for (auto& [key, value] : members) sorted.set(key, std::move(value));
    return Value(std::move(sorted));
  }

  lua_State* lua_;
  ToValue how_;
  std::size_t nodes_ = 0, bytes_ = 0;
};

// Recursive descent straight onto the Lua stack.
class JsonToLua {
 public:
  JsonToLua(lua_State* lua, std::string_view text) : lua_(lua), text_(text) {}

  bool run() {
    if (!is_utf8(text_)) return fail("is not UTF-8");
    if (!value(0)) return false;
    skip_space();
    return at_ == text_.size() || fail("has more after its end");
  }
  const std::string& message() const { return message_; }

 private:
  bool fail(const char* what) {
    if (message_.empty()) message_ = std::string(what) + " at byte " + std::to_string(at_);
    return false;
  }
  void skip_space() {
    while (at_ < text_.size() && std::strchr(" \t\r\n", text_[at_]) != nullptr) ++at_;
  }
  bool eat(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool word(std::string_view expected) {
    if (text_.substr(at_, expected.size()) != expected) return fail("has an unknown word");
    at_ += expected.size();
    return true;
  }

  // Pushes one value.
  bool value(int depth) {
    if (depth > kMaxDepth) return fail("is nested too deeply");
    luaL_checkstack(lua_, 4, "nested too deeply");
    skip_space();
    if (at_ >= text_.size()) return fail("ends too early");
    switch (text_[at_]) {
      case '{': return object(depth);
      case '[': return list(depth);
      case '"':
        if (!string()) return false;
        lua_pushlstring(lua_, scratch_.data(), scratch_.size());
        return true;
      case 't': lua_pushboolean(lua_, true); return word("true");
      case 'f': lua_pushboolean(lua_, false); return word("false");
      case 'n': push_null(lua_); return word("null");
      default: return number();
    }
  }

  bool object(int depth) {
    ++at_;
    lua_newtable(lua_);
    if (eat('}')) return true;
    do {
      skip_space();
      if (at_ >= text_.size() || text_[at_] != '"') return fail("lacks a key");
      if (!string()) return false;
      lua_pushlstring(lua_, scratch_.data(), scratch_.size());
      if (!eat(':')) return fail("lacks a colon");
      if (!value(depth + 1)) return false;
      if (lua_type(lua_, -1) == LUA_TLIGHTUSERDATA) {
        lua_pop(lua_, 1);
        lua_pushnil(lua_);
      }
      lua_rawset(lua_, -3);
    } while (eat(','));
    return eat('}') || fail("lacks a closing brace");
  }

  bool list(int depth) {
    ++at_;
    lua_newtable(lua_);
    if (eat(']')) {
      mark_list(lua_, -1);
      return true;
    }
    lua_Integer count = 0;
    do {
      if (!value(depth + 1)) return false;
      lua_rawseti(lua_, -2, ++count);
    } while (eat(','));
    return eat(']') || fail("lacks a closing bracket");
  }

  bool number() {
    const std::size_t from = at_;
    bool is_integer = true;
    while (at_ < text_.size() && std::strchr("+-0123456789.eE", text_[at_]) != nullptr) {
      if (std::strchr(".eE", text_[at_]) != nullptr) is_integer = false;
      ++at_;
    }
    const std::string_view digits = text_.substr(from, at_ - from);
    const char* const end = digits.data() + digits.size();
    const std::size_t first = !digits.empty() && digits[0] == '-' ? 1 : 0;
    if (digits.size() <= first || digits.size() > 400 || digits[first] < '0' ||
        digits[first] > '9') {
      return fail("has no value");
    }
    if (is_integer) {
      std::int64_t whole = 0;
      const auto parsed = std::from_chars(digits.data(), end, whole);
      if (parsed.ptr != end) return fail("has a malformed number");
      if (parsed.ec == std::errc()) {
        lua_pushinteger(lua_, whole);
      } else {
        lua_pushlstring(lua_, digits.data(), digits.size());
      }
      return true;
    }
    double real = 0;
    const auto parsed = std::from_chars(digits.data(), end, real);
    if (parsed.ptr != end || parsed.ec != std::errc()) return fail("has a malformed number");
    lua_pushnumber(lua_, real);
    return true;
  }

  bool hex4(std::uint32_t& code) {
    if (at_ + 4 > text_.size()) return fail("has a cut-off escape");
    const char* const from = text_.data() + at_;
    const auto parsed = std::from_chars(from, from + 4, code, 16);
    if (parsed.ptr != from + 4) return fail("has a malformed escape");
    at_ += 4;
    return true;
  }

  bool unicode_escape() {
    std::uint32_t code = 0;
    if (!hex4(code)) return false;
    if (code >= 0xd800 && code < 0xdc00 && text_.substr(at_, 2) == "\\u") {
      at_ += 2;
      std::uint32_t low = 0;
      if (!hex4(low)) return false;
      const bool is_pair = low >= 0xdc00 && low < 0xe000;
      code = is_pair ? 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00) : 0xfffd;
    }
    // NUL and lone halves have no place in text that is stored.
    if (code == 0 || (code >= 0xd800 && code < 0xe000)) code = 0xfffd;
    if (code < 0x80) {
      scratch_ += static_cast<char>(code);
    } else if (code < 0x800) {
      scratch_ += static_cast<char>(0xc0 | code >> 6);
    } else if (code < 0x10000) {
      scratch_ += static_cast<char>(0xe0 | code >> 12);
      scratch_ += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    } else {
      scratch_ += static_cast<char>(0xf0 | code >> 18);
      scratch_ += static_cast<char>(0x80 | (code >> 12 & 0x3f));
      scratch_ += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    }
    if (code >= 0x80) scratch_ += static_cast<char>(0x80 | (code & 0x3f));
    return true;
  }

  // Into scratch_.
  bool string() {
    ++at_;
    scratch_.clear();
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return fail("has a control character in a string");
      if (c != '\\') {
        scratch_ += c;
        continue;
      }
      if (at_ >= text_.size()) break;
      const char escape = text_[at_++];
      constexpr std::string_view kNames = "\"\\/bfnrt", kMeant = "\"\\/\b\f\n\r\t";
      const std::size_t known = kNames.find(escape);
      if (escape == 'u') {
        if (!unicode_escape()) return false;
      } else if (known != std::string_view::npos) {
        scratch_ += kMeant[known];
      } else {
        return fail("has an unknown escape");
      }
    }
    return fail("ends inside a string");
  }

  lua_State* lua_;
  std::string_view text_;
  std::size_t at_ = 0;
  std::string scratch_, message_;
};

}  // namespace

void push_null(lua_State* lua) { lua_pushlightuserdata(lua, nullptr); }

void mark_list(lua_State* lua, int index) {
  const int table = lua_absindex(lua, index);
  push_list_mark(lua);
  lua_setmetatable(lua, table);
}

void push_value(lua_State* lua, const Value& value) {
  luaL_checkstack(lua, 4, "nested too deeply");
  switch (value.kind()) {
    case Value::Kind::kNull: push_null(lua); break;
    case Value::Kind::kBool: lua_pushboolean(lua, value.as_bool()); break;
    case Value::Kind::kInt: lua_pushinteger(lua, value.as_int()); break;
    case Value::Kind::kDouble: lua_pushnumber(lua, value.as_double()); break;
    case Value::Kind::kString:
      lua_pushlstring(lua, value.as_string().data(), value.as_string().size());
      break;
    case Value::Kind::kArray: {
      const auto& items = value.as_array();
      lua_createtable(lua, static_cast<int>(items.size()), 0);
      lua_Integer i = 0;
      for (const Value& item : items) {
        push_value(lua, item);
        lua_rawseti(lua, -2, ++i);
      }
      if (items.empty()) mark_list(lua, -1);
      break;
    }
    case Value::Kind::kObject: {
      const Object& members = value.as_object();
      lua_createtable(lua, 0, static_cast<int>(members.size()));
      for (const auto& [key, member] : members) {
        if (member.is_null()) continue;
        lua_pushlstring(lua, key.data(), key.size());
        push_value(lua, member);
        lua_rawset(lua, -3);
      }
      break;
    }
  }
}

Value to_value(lua_State* lua, int index, const ToValue& how) {
  return Reader(lua, how).read(index, 0);
}

bool push_json(lua_State* lua, std::string_view text) {
  const int top = lua_gettop(lua);
  JsonToLua parser(lua, text);
  if (parser.run()) return true;
  lua_settop(lua, top);
  lua_pushfstring(lua, "the JSON text %s", parser.message().c_str());
  return false;
}

}  // namespace stepwell::host
