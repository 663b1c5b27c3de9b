// build — a checked document to a Program.
#pragma once

#include <string>

#include "dsl/yaml/document.h"
#include "language/program/program.h"

namespace stepwell::dsl {

// check_workflow() found no error in `document`; a CHECK fails where a rule is missing.
ProgramRef build_program(const Document& document, const std::string& file);

}  // namespace stepwell::dsl
