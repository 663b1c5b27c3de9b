// Ids.  Each kind is its own type: passing a StateId where a FrameId belongs does not compile.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace stepwell {

template <class Tag, class Number>
struct StrongId {
  Number value = 0;
  auto operator<=>(const StrongId&) const = default;
};

using MachineId = StrongId<struct MachineTag, std::uint32_t>;  // Index into Program::machines.
using StateId = StrongId<struct StateTag, std::uint32_t>;      // Index into Machine::states.
using FrameId = StrongId<struct FrameTag, std::uint64_t>;      // Counts in an execution, from 1.
using CommandId = StrongId<struct CommandTag, std::uint64_t>;  // Counts in an execution, from 1.

// 128 bits, RFC 9562 text form.  Executions, nodes and writers are named by these.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const Uuid&) const = default;
  bool is_nil() const { return *this == Uuid{}; }
  std::string text() const;  // 8-4-4-4-12, lower case.
  static std::optional<Uuid> parse(std::string_view text);
  // A version 7 id: the first 48 bits are Unix milliseconds, the rest is `random`.
  static Uuid v7(std::int64_t unix_ms, std::uint64_t random_high, std::uint64_t random_low);
  // A version 4 id from two random words.
  static Uuid v4(std::uint64_t random_high, std::uint64_t random_low);
};

struct ExecutionId {
  Uuid uuid;
  auto operator<=>(const ExecutionId&) const = default;
  std::string text() const { return uuid.text(); }
};

}  // namespace stepwell

template <class Tag, class Number>
struct std::hash<stepwell::StrongId<Tag, Number>> {
  std::size_t operator()(const stepwell::StrongId<Tag, Number>& id) const {
    return std::hash<Number>()(id.value);
  }
};

template <>
struct std::hash<stepwell::Uuid> {
  std::size_t operator()(const stepwell::Uuid& id) const {
    std::uint64_t low = 0;
    for (int i = 8; i < 16; ++i) low = low << 8 | id.bytes[static_cast<std::size_t>(i)];
    std::uint64_t high = 0;
    for (int i = 0; i < 8; ++i) high = high << 8 | id.bytes[static_cast<std::size_t>(i)];
    return low ^ (high * 0x9e3779b97f4a7c15ULL);
  }
};

template <>
struct std::hash<stepwell::ExecutionId> {
  std::size_t operator()(const stepwell::ExecutionId& id) const {
    return std::hash<stepwell::Uuid>()(id.uuid);
  }
};
