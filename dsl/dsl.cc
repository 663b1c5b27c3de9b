#include "dsl/dsl.h"

#include <algorithm>

#include "dsl/check/advice.h"
#include "dsl/check/check.h"
#include "dsl/compile/build.h"
#include "dsl/yaml/document.h"

namespace stepwell::dsl {

namespace {

// What could not be read has one name on AWS, whatever it is that is wrong with it.
void call_unreadable(std::vector<Diagnostic>& diagnostics) {
  for (Diagnostic& one : diagnostics) {
    if (one.severity != Severity::kError || !one.aws_code.empty()) continue;
    in_aws_words(one, {"INVALID_JSON_DESCRIPTION", one.message, ""});
  }
}

}  // namespace

Compiled compile(std::string_view text, const CompileOptions& options) {
  Findings findings(options.file);
  const Document document = read_document(text, options.file, findings);
  if (document.root != nullptr) check_workflow(document, options, findings);
  Compiled compiled;
  if (document.root != nullptr && !findings.has_errors()) {
    compiled.program = build_program(document, options.file);
    advise(*compiled.program, document, findings);
    if (findings.has_errors()) compiled.program.reset();
  }
  compiled.diagnostics = findings.take();
  if (document.root == nullptr) call_unreadable(compiled.diagnostics);
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
