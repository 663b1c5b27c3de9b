// Turns the message with which yaml-cpp gave up into one that tells an author what to change.
#pragma once

#include <string>
#include <string_view>

#include "dsl/diagnostics/findings.h"

namespace stepwell::dsl {

// `place` is where the parser gave up, which is often a line later than the mistake.
void report_yaml_mistake(std::string_view text, Place place, const std::string& parser_message,
                         std::string pointer, Findings& findings);

}  // namespace stepwell::dsl
