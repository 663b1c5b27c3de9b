// Finds a text that nests deeper than any author writes, before yaml-cpp reads it: it reads all of
// the brackets, at a cost that grows with the square, before it tells how deep they are.
#pragma once

#include <optional>
#include <string_view>

namespace stepwell::dsl {

struct TooDeep {
  std::size_t at;      // The byte of the bracket that is one too many.
  bool in_text_alone;  // Counting those in texts and comments too, as there are absurdly many.
};

// Of a YAML text.  Brackets in quoted strings, block scalars and comments do not nest; they count
// only beyond a bound that is much higher, because a text that is not YAML can look like one.
std::optional<TooDeep> too_deep(std::string_view text);

}  // namespace stepwell::dsl
