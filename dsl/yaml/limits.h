// What a text may cost, at most.  Held against it before anything is copied.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stepwell::dsl {

inline constexpr std::size_t kMaxBytes = 1u << 20;  // AWS's limit of a definition is 1 MB.
inline constexpr std::uint32_t kMaxDepth = 128;     // Aliases expanded.
inline constexpr std::size_t kMaxNodes = 200'000;   // Aliases expanded.

}  // namespace stepwell::dsl
