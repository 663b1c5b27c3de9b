#include "base/hash.h"

#include <openssl/evp.h>

#include <array>
#include <cstring>

namespace stepwell {
namespace {

std::uint64_t read64(const char* at) {
  std::uint64_t word = 0;
  for (int i = 7; i >= 0; --i) word = word << 8 | static_cast<unsigned char>(at[i]);
  return word;
}

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  __extension__ const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::string digest(const EVP_MD* kind, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, kind, nullptr);
  return hex_encode({reinterpret_cast<const char*>(out.data()), size});
}

constexpr const char* kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_digit(char c) {
  const char* at = c == '\0' ? nullptr : std::strchr(kBase64, c);
  return at == nullptr ? -1 : static_cast<int>(at - kBase64);
}

}  // namespace

// Multiply and fold, sixteen bytes a round (the idea of wyhash), read byte by byte so that the
// answer does not depend on the machine.
std::uint64_t hash64(std::string_view bytes, std::uint64_t seed) {
  constexpr std::uint64_t kA = 0xa0761d6478bd642fULL, kB = 0xe7037ed1a0b428dbULL;
  std::uint64_t state = seed ^ kA ^ bytes.size();
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 16; at += 16, left -= 16) state = mix(read64(at) ^ kB, read64(at + 8) ^ state);
  std::array<char, 16> tail{};
  if (left != 0) std::memcpy(tail.data(), at, left);
  return mix(read64(tail.data()) ^ kA, mix(read64(tail.data() + 8) ^ kB, state ^ kA));
}

std::string hex_encode(std::string_view bytes) {
  constexpr const char* kHex = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    out += kHex[static_cast<unsigned char>(c) >> 4];
    out += kHex[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::string sha256_hex(std::string_view bytes) { return digest(EVP_sha256(), bytes); }

std::optional<std::string> digest_hex(std::string_view algorithm, std::string_view bytes) {
  if (algorithm == "MD5") return digest(EVP_md5(), bytes);
  if (algorithm == "SHA-1") return digest(EVP_sha1(), bytes);
  if (algorithm == "SHA-256") return digest(EVP_sha256(), bytes);
  if (algorithm == "SHA-384") return digest(EVP_sha384(), bytes);
  if (algorithm == "SHA-512") return digest(EVP_sha512(), bytes);
  return std::nullopt;
}

std::string base64_encode(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      word = word << 8 | (k < have ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += k <= have ? kBase64[word >> (18 - 6 * k) & 63] : '=';
    }
  }
  return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const bool is_last = i + 4 == text.size();
    const std::size_t padding = is_last ? (text[i + 3] == '=') + (text[i + 2] == '=') : 0;
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const int digit = k >= 4 - padding ? 0 : base64_digit(text[i + k]);
      if (digit < 0) return std::nullopt;
      word = word << 6 | static_cast<std::uint32_t>(digit);
    }
    for (std::size_t k = 0; k + padding < 3; ++k) {
      out += static_cast<char>(word >> (16 - 8 * k) & 255);
    }
  }
  return out;
}

}  // namespace stepwell
