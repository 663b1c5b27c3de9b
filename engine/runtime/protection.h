// Protections — lines without which work would be lost or doubled, by name.
//
// In the product protects() is the constant true.  tests/sim builds the files that ask it once
// more, with STEPWELL_MUTANTS, takes one line out at a time and sees that the simulation notices.
#pragma once

#include <cstdint>
#include <optional>

namespace stepwell::runtime {

enum class Protection : std::uint8_t {
  kEpoch,                 // What a lane staged before it heard that it is dead is not written.
  kDispatchAfterDurable,  // A command leaves when the fact that gave it is durable.
};

#ifdef STEPWELL_MUTANTS
inline std::optional<Protection> taken_out;
inline bool protects(Protection protection) { return taken_out != protection; }
#else
constexpr bool protects(Protection) { return true; }
#endif

}  // namespace stepwell::runtime
