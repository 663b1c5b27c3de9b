// Base64 as Java's decoder reads it, for both languages: the padding may be left out.
#pragma once

#include <optional>
#include <string>

#include "base/hash.h"

namespace stepwell::expr {

// The bytes, or nothing when the text is not Base64.
inline std::optional<std::string> decode_base64(std::string text) {
  const std::size_t rest = text.size() % 4;
  if (rest > 1) text.append(4 - rest, '=');
  return base64_decode(text);
}

}  // namespace stepwell::expr
