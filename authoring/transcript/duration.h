// "5s", "1.5s", "250ms", "2m30s", "3d": how a transcript writes time.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace stepwell::transcript {

std::string to_text(Millis duration);
std::optional<Millis> parse_duration(std::string_view text);

}  // namespace stepwell::transcript
