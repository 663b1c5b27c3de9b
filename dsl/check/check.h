// check — the rules of the language, held against a document: all problems in one pass.
//
// When it reports no error, build_program() succeeds: every case in which build stops is an error
// here.  The other way round does not hold: rules are added with every release, and build goes on
// to build what they refuse, because programs of earlier releases are stored (see dsl.h).
#pragma once

#include "dsl/dsl.h"
#include "dsl/yaml/document.h"

namespace stepwell::dsl {

// `document.root` is not null.
void check_workflow(const Document& document, const CompileOptions& options, Findings& findings);

}  // namespace stepwell::dsl
