#include "dsl/dsl.h"

#include <algorithm>

#include "dsl/check/advice.h"
#include "dsl/check/check.h"
#include "dsl/compile/build.h"
#include "dsl/yaml/document.h"

namespace stepwell::dsl {

namespace {

// AWS has one code for every text that cannot be read.
void call_unreadable(std::vector<Diagnostic>& diagnostics) {
  for (Diagnostic& one : diagnostics) {
    if (one.severity != Severity::kError || !one.aws_code.empty()) continue;
    in_aws_words(one, {"INVALID_JSON_DESCRIPTION", one.message, ""});
  }
}

// Checks and builds a document that was read.
Compiled compile_read(const Document& document, const CompileOptions& options, Findings& findings) {
  check_workflow(document, options, findings);
  Compiled compiled;
  if (!findings.has_errors()) {
    compiled.program = build_program(document, options.file).value();
    advise(*compiled.program, document, findings);
    if (findings.has_errors()) compiled.program.reset();
  }
  compiled.diagnostics = findings.take();
  return compiled;
}

}  // namespace

Compiled compile(std::string_view text, const CompileOptions& options) {
  Findings findings(options.file);
  const Document document = read_document(text, options.file, findings);
  refuse_outdated(document, findings);
  if (document.root != nullptr) return compile_read(document, options, findings);
  Compiled compiled{nullptr, findings.take()};
  call_unreadable(compiled.diagnostics);
  return compiled;
}

Compiled compile(const Document& document, const Node& workflow, const CompileOptions& options) {
  Findings findings(options.file);
  Document part;
  part.text = document.text;
  part.root = &workflow;
  return compile_read(part, options, findings);
}

namespace {

enum class Lines { kOfTheFile, kNone };

// The same without lines and columns: it is not the text that the author has before them.
void forget_lines(Document& document) {
  for (Node& node : document.nodes) {
    node.place.line = node.place.column = 0;
    for (Member& member : node.members) member.key_place.line = member.key_place.column = 0;
  }
}

Result<ProgramRef> build_from(std::string_view text, const std::string& file, Lines lines) {
  Findings findings(file);
  Document document = read_document(text, file, findings);
  if (document.root == nullptr || findings.has_errors()) {
    const Diagnostic first = findings.take().front();
    return Error{ErrorCode::kUnavailable, file + ":" + std::to_string(first.line) + ":" +
                                              std::to_string(first.column) + ": " + first.message};
  }
  if (lines == Lines::kNone) forget_lines(document);
  return build_program(document, file);
}

}  // namespace

Result<ProgramRef> build(std::string_view text, const std::string& file) {
  return build_from(text, file, Lines::kOfTheFile);
}

Result<ProgramRef> load(const StoredText& stored) {
  Result<ProgramRef> written = build(stored.source, stored.file);
  if (written.ok() && (*written)->hash == stored.hash) return written;
  Result<ProgramRef> defined = build_from(stored.definition, stored.file, Lines::kNone);
  if (!defined.ok()) {
    return Error{defined.error().code,
                 "this version of Stepwell does not know what stands in the program " +
                     stored.hash + ": " + (written.ok() ? defined : written).error().message};
  }
  if ((*defined)->hash == stored.hash) return defined;
  return Error{ErrorCode::kInternal, "the definition that is stored as the program " + stored.hash +
                                         " is the program " + (*defined)->hash};
}

Parsed parse_document(std::string_view text, const std::string& file) {
  Findings findings(file);
  const Document document = read_document(text, file, findings);
  refuse_outdated(document, findings);
  Parsed parsed;
  if (document.root != nullptr && !findings.has_errors()) parsed.value = document.root->value;
  parsed.diagnostics = findings.take();
  return parsed;
}

}  // namespace stepwell::dsl
