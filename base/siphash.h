// SipHash-2-4 with an answer of 128 bits: a hash that nobody can predict without its key.
//
// For what is handed out as proof (a task's token): 64 bits, or two seeds of hash64(), can be
// forged.  The answer is the same on every machine and for ever; it is stored and compared.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

// Thread-safety: functions of values.

namespace stepwell {

using SipKey = std::array<std::uint8_t, 16>;
using Hash128 = std::array<std::uint8_t, 16>;

Hash128 siphash128(const SipKey& key, std::string_view bytes);

}  // namespace stepwell
