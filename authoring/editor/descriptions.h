// What an editor says about a field when one points at it.  Private to authoring/editor.
#pragma once

#include <string_view>

namespace stepwell::dsl {

// Empty for a field without.
std::string_view description_of(std::string_view field);

}  // namespace stepwell::dsl
