// The value of a plain scalar: true, false, null or a number as JSON writes it, else a string.
#pragma once

#include <optional>
#include <string_view>

#include "base/value.h"

namespace stepwell::dsl {

// Nothing when it is a number that no double can hold (1e400).
std::optional<Value> resolve_plain(std::string_view text);

// Is this a whole number as JSON writes it, of whatever size?
bool is_whole_number(std::string_view text);

}  // namespace stepwell::dsl
