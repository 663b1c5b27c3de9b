// check — every rule of the language, held against a document.
//
// Reports all problems in one pass.  When it reports no error, dsl/compile/ cannot fail: whatever
// the compiler relies on is a rule here.
#pragma once

#include "dsl/dsl.h"
#include "dsl/yaml/document.h"

namespace stepwell::dsl {

// `document.root` is not null.
void check_workflow(const Document& document, const CompileOptions& options, Findings& findings);

}  // namespace stepwell::dsl
