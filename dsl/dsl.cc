#include "dsl/dsl.h"

#include <algorithm>

#include "dsl/check/advice.h"
#include "dsl/check/check.h"
#include "dsl/compile/build.h"
#include "dsl/yaml/document.h"

namespace stepwell::dsl {

Compiled compile(std::string_view text, const CompileOptions& options) {
  Findings findings(options.file);
  const Document document = read_document(text, options.file, findings);
  if (document.root != nullptr) check_workflow(document, options, findings);
  Compiled compiled;
  if (document.root != nullptr && !findings.has_errors()) {
    compiled.program = build_program(document);
    advise(*compiled.program, document, findings);
  }
  compiled.diagnostics = findings.take();
  return compiled;
}

Parsed parse_document(std::string_view text, const std::string& file) {
  Findings findings(file);
  const Document document = read_document(text, file, findings);
  Parsed parsed;
  if (document.root != nullptr && !findings.has_errors()) parsed.value = document.root->value;
  parsed.diagnostics = findings.take();
  return parsed;
}

}  // namespace stepwell::dsl
