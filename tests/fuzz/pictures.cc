#include "language/expr/jsonata/pictures.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "language/expr/jsonata/error.h"
#include "tests/fuzz/targets.h"

namespace stepwell::fuzz {

namespace {

namespace jsonata = expr::jsonata;

constexpr std::int64_t kNow = 1'700'000'000'123;

// Runs it; an Error is an answer too.
template <class Call>
void answer(Call&& call) {
  try {
    call();
  } catch (const jsonata::Error& error) {
    CHECK(!error.code.empty() && !jsonata::text_of(error).empty(), "an error says what is wrong");
  }
}

void run_numbers(double number, std::string_view picture, std::string_view text) {
  answer([&] {
    const std::string out = jsonata::format_number(number, picture, nullptr);
    CHECK(out.size() <= 4 * picture.size() + 2000, "a number is as long as its picture");
  });
  answer([&] { jsonata::parse_integer(text, picture); });
  if (!std::isfinite(number) || std::abs(number) > 1e15) return;
  answer([&] {
    const std::string out = jsonata::format_integer(number, picture);
    if (picture == "0" || picture == "A" || picture == "Ww") {
      const double back = jsonata::parse_integer(out, picture);
      CHECK(number < 0 || back == std::floor(number), "what was written can be read");
    }
  });
}

}  // namespace

// Eight bytes of a number; a picture; after a line break, a text to be read by it.
void run_pictures(std::string_view bytes) {
  if (bytes.size() < 8) return;
  std::uint64_t bits = 0;
  std::memcpy(&bits, bytes.data(), 8);
  std::string_view picture = bytes.substr(8), text;
  if (const std::size_t line = picture.find('\n'); line != std::string_view::npos) {
    text = picture.substr(line + 1);
    picture = picture.substr(0, line);
  }
  if (!is_utf8(picture) || !is_utf8(text)) return;  // Strings of JSON are.
  const double number =
      bits % 2 == 0 ? std::bit_cast<double>(bits) : static_cast<double>(bits >> 32) / 1000;
  run_numbers(number, picture, text);
  const Object options = {{"decimal-separator", text}, {"zero-digit", text}, {"minus-sign", text}};
  if (std::isfinite(number)) {
    answer([&] { jsonata::format_number(number, picture, &options); });
    answer([&] { jsonata::format_base(number, static_cast<double>(bits % 40)); });
  }
  const auto millis = static_cast<std::int64_t>(bits % 17'280'000'000'000'000) -
                      static_cast<std::int64_t>(8'640'000'000'000'000);
  answer([&] { jsonata::format_millis(millis, picture, std::nullopt); });
  answer([&] { jsonata::format_millis(millis, std::nullopt, text); });
  std::uint64_t steps = 100'000;
  answer([&] { jsonata::parse_millis(text, picture, kNow, steps); });
  answer([&] { jsonata::parse_millis(text, std::nullopt, kNow, steps); });
  // Of other years it shows the last four digits.
  const bool has_four_digits = millis >= -62'167'219'200'000 && millis <= 253'402'300'799'999;
  if (!has_four_digits) return;
  const std::string iso = jsonata::format_millis(millis, std::nullopt, std::nullopt);
  CHECK(jsonata::parse_millis(iso, std::nullopt, kNow, steps) == static_cast<double>(millis),
        "ISO 8601 there and back");
}

}  // namespace stepwell::fuzz
