// How a claim's room is shared between the priorities, so that low ones are never starved.  One
// rule for every store.
#pragma once

#include <array>
#include <cstdint>

namespace stepwell::store {

// For Priority 0, 1 and 2: 70, 20 and 10 % of `limit`.  What is left of the division goes to one of
// them, by turns (`turn` counts the claims) and in the same shares, so a limit of one serves all.
// The store passes on what one of them does not use.
inline std::array<std::uint32_t, 3> room_by_priority(std::uint32_t limit, std::uint64_t turn) {
  const auto share = [limit](std::uint32_t tenths) {
    return static_cast<std::uint32_t>(std::uint64_t{limit} * tenths / 10);
  };
  std::array<std::uint32_t, 3> room = {share(7), share(2), share(1)};
  const std::uint64_t place = turn % 10;
  const std::size_t next = place < 7 ? 0 : place < 9 ? 1 : 2;
  room[next] += limit - room[0] - room[1] - room[2];
  return room;
}

}  // namespace stepwell::store
