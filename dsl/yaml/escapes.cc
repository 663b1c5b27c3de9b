#include "dsl/yaml/escapes.h"

#include <charconv>
#include <optional>

#include "base/value.h"

namespace stepwell::dsl {

namespace {

constexpr std::size_t kPairLength = 12;  // \ud83d\ude00
constexpr char kMark = '\xf8';

// The number of an escape like \ud83d at the beginning of the text.
std::optional<std::uint32_t> unit_of(std::string_view text) {
  if (text.size() < 6 || !text.starts_with("\\u")) return std::nullopt;
  std::uint32_t unit = 0;
  const auto read = std::from_chars(text.data() + 2, text.data() + 6, unit, 16);
  return read.ptr == text.data() + 6 ? std::optional(unit) : std::nullopt;
}

// The character of the pair of surrogates at the beginning of the text.
std::optional<std::uint32_t> pair_of(std::string_view text) {
  const auto high = unit_of(text);
  if (!high || *high < 0xd800 || *high > 0xdbff) return std::nullopt;
  const auto low = unit_of(text.substr(6));
  if (!low || *low < 0xdc00 || *low > 0xdfff) return std::nullopt;
  return 0x10000 + ((*high - 0xd800) << 10) + (*low - 0xdc00);
}

void append_four_bytes(std::string& out, std::uint32_t code) {
  out += static_cast<char>(0xf0 | (code >> 18));
  out += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
  out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
  out += static_cast<char>(0x80 | (code & 0x3f));
}

// How many bytes the character that begins with `lead` has.
std::size_t length_of(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

}  // namespace

Escapes::Escapes(std::string_view text) : text_(text) {
  for (std::size_t at = text.find("\\"); at != std::string_view::npos; at = text.find("\\", at)) {
    if (!pair_of(text.substr(at))) {
      at += 2;  // Also over the second of two backslashes: it begins no escape.
      continue;
    }
    std::string digits = std::to_string(pairs_.size());
    digits.insert(0, kPairLength - 1 - digits.size(), '0');
    pairs_.emplace_back(text.substr(at, kPairLength));
    text_.replace(at, kPairLength, kMark + digits);
    at += kPairLength;
  }
}

std::string Escapes::mended(std::string_view scalar, bool is_double_quoted) const {
  const bool is_good = (!is_double_quoted || is_utf8(scalar)) &&
                       (pairs_.empty() || scalar.find(kMark) == std::string_view::npos);
  if (is_good) return std::string(scalar);
  std::string out;
  for (std::size_t i = 0; i < scalar.size();) {
    const char c = scalar[i];
    std::size_t index = 0;
    if (c == kMark && i + kPairLength <= scalar.size()) {
      std::from_chars(scalar.data() + i + 1, scalar.data() + i + kPairLength, index);
      const std::string& written = pairs_.at(index);
      if (is_double_quoted) {
        append_four_bytes(out, *pair_of(written));
      } else {
        out += written;
      }
      i += kPairLength;
    } else if (is_double_quoted && (c == '\x85' || c == '\xa0')) {
      (out += '\xc2') += c;
      ++i;
    } else {
      const std::size_t length = length_of(c);
      out += scalar.substr(i, length);
      i += length;
    }
  }
  return out;
}

}  // namespace stepwell::dsl
