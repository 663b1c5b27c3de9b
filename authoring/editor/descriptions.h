// The text that an editor shows when the pointer is on a field.  Private to authoring/editor.
#pragma once

#include <string_view>

namespace stepwell::dsl {

// Empty for a field that has no description.
std::string_view description_of(std::string_view field);

}  // namespace stepwell::dsl
