// build — a document to a Program.  Holds no rule of the language: see dsl.h.
#pragma once

#include <string>

#include "base/result.h"
#include "dsl/yaml/document.h"
#include "language/program/program.h"

namespace stepwell::dsl {

// `document.root` is not null.  kUnavailable, with the place, for what no released check accepted.
Result<ProgramRef> build_program(const Document& document, const std::string& file);

}  // namespace stepwell::dsl
