#include "authoring/transcript/duration.h"

#include <charconv>
#include <cmath>

namespace stepwell::transcript {

namespace {

struct Unit {
  std::string_view name;
  std::int64_t ms;
};
// A longer name stands before one that it begins with: "ms" before "m".
constexpr Unit kUnits[] = {
    {"ms", 1}, {"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}};

constexpr double kLongest = 1e15;

}  // namespace

std::string to_text(Millis duration) {
  std::int64_t left = duration.count();
  std::string text;
  for (const Unit& unit : kUnits) {
    if (unit.ms <= 1'000 || left < unit.ms) continue;
    text += std::to_string(left / unit.ms) + std::string(unit.name);
    left %= unit.ms;
  }
  if (left == 0 && !text.empty()) return text;
  text += std::to_string(left / 1'000);
  if (left % 1'000 != 0) {
    std::string fraction = std::to_string(1'000 + left % 1'000).substr(1);
    while (fraction.back() == '0') fraction.pop_back();
    text += "." + fraction;
  }
  return text + "s";
}

std::optional<Millis> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    double number = 0;
    const auto parsed =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (parsed.ec != std::errc() || number < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
    const Unit* found = nullptr;
    for (const Unit& unit : kUnits) {
      if (found == nullptr && text.starts_with(unit.name)) found = &unit;
    }
    if (found == nullptr) return std::nullopt;
    text.remove_prefix(found->name.size());
    total += number * static_cast<double>(found->ms);
  }
  if (total > kLongest) return std::nullopt;
  return Millis(std::llround(total));
}

}  // namespace stepwell::transcript
