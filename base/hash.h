// Hashes: one fast for identity inside the engine, and the digests that the language offers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stepwell {

// 64 bits, the same on every machine and for ever (it is stored in journals).  Not for secrets.
std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0);

// Lower-case hex.
std::string sha256_hex(std::string_view bytes);
// `algorithm` is one of MD5 SHA-1 SHA-256 SHA-384 SHA-512 (case matters, as on AWS).
std::optional<std::string> digest_hex(std::string_view algorithm, std::string_view bytes);

std::string base64_encode(std::string_view bytes);
// Nothing when `text` is not standard base64 with padding.
std::optional<std::string> base64_decode(std::string_view text);
std::string hex_encode(std::string_view bytes);

}  // namespace stepwell
