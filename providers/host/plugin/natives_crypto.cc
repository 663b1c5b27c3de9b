#include <string>

#include "base/hash.h"
#include "base/ids.h"
#include "providers/host/plugin/lua_call.h"
#include "providers/host/plugin/natives.h"

namespace stepwell::host {
namespace {

std::string bytes_at(lua_State* lua, int index) {
  std::size_t size = 0;
  const char* bytes = luaL_checklstring(lua, index, &size);
  return {bytes, size};
}

int push_bytes(lua_State* lua, const std::string& bytes) {
  lua_pushlstring(lua, bytes.data(), bytes.size());
  return 1;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// False when `text` is not hex.
bool unhex_text(const std::string& text, std::string& bytes) {
  if (text.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return false;
    bytes += static_cast<char>(high * 16 + low);
  }
  return true;
}

std::string digest(const char* algorithm, const std::string& bytes) {
  std::string raw;
  unhex_text(digest_hex(algorithm, bytes).value_or(""), raw);
  return raw;
}

int sha256(lua_State* lua) { return push_bytes(lua, sha256_hex(bytes_at(lua, 1))); }

// RFC 2104.
int hmac(lua_State* lua) {
  const std::string name = bytes_at(lua, 1);
  const char* algorithm = name == "sha256"   ? "SHA-256"
                          : name == "sha1"   ? "SHA-1"
                          : name == "sha512" ? "SHA-512"
                                             : nullptr;
  if (algorithm == nullptr) return luaL_error(lua, "there is no hmac by the name %s", name.c_str());
  const std::size_t block = name == "sha512" ? 128 : 64;
  std::string key = bytes_at(lua, 2);
  if (key.size() > block) key = digest(algorithm, key);
  key.resize(block, '\0');
  std::string inner = key, outer = key;
  for (char& c : inner) c = static_cast<char>(c ^ 0x36);
  for (char& c : outer) c = static_cast<char>(c ^ 0x5c);
  const std::string mac = digest(algorithm, outer + digest(algorithm, inner + bytes_at(lua, 3)));
  return push_bytes(lua, hex_encode(mac));
}

int base64(lua_State* lua) { return push_bytes(lua, base64_encode(bytes_at(lua, 1))); }

int base64url(lua_State* lua) {
  std::string text = base64_encode(bytes_at(lua, 1));
  while (!text.empty() && text.back() == '=') text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return push_bytes(lua, text);
}

// Both alphabets, padded or not; nil when it is neither.
int unbase64(lua_State* lua) {
  std::string text = bytes_at(lua, 1);
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  while (text.size() % 4 != 0) text += '=';
  const auto bytes = base64_decode(text);
  if (bytes) return push_bytes(lua, *bytes);
  lua_pushnil(lua);
  return 1;
}

int hex(lua_State* lua) { return push_bytes(lua, hex_encode(bytes_at(lua, 1))); }

int unhex(lua_State* lua) {
  std::string bytes;
  if (unhex_text(bytes_at(lua, 1), bytes)) return push_bytes(lua, bytes);
  lua_pushnil(lua);
  return 1;
}

// Takes as long whether the first or the last byte differs.
int equal(lua_State* lua) {
  const std::string a = bytes_at(lua, 1), b = bytes_at(lua, 2);
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  }
  lua_pushboolean(lua, difference == 0);
  return 1;
}

int uuid(lua_State* lua) {
  Random& random = LuaCall::of(lua).random();
  const std::uint64_t high = random.next();
  return push_bytes(lua, Uuid::v4(high, random.next()).text());
}

}  // namespace

const luaL_Reg kCryptoNatives[] = {
    {"sha256", sha256},     {"hmac", hmac},    {"base64", base64}, {"base64url", base64url},
    {"unbase64", unbase64}, {"hex", hex},      {"unhex", unhex},   {"equal", equal},
    {"uuid", uuid},         {nullptr, nullptr}};

}  // namespace stepwell::host
