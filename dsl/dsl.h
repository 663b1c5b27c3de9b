// dsl — from the text of a workflow to a Program, or to a list of what is wrong with it.
//
//   text ── yaml/ ──> Document (nodes with line:column) ── check/ ──> diagnostics
//                                                       └─ compile/ ──> Program
//
// Two questions are kept apart, because their answers must age differently:
//
//   check    Is this text good enough to be deployed today?  Diagnostics.  Its rules may grow with
//            every release: what was accepted yesterday may be refused tomorrow.
//   build    Which program does this text say?  No rules.  It builds whatever the check of any
//            release so far accepted, for as long as an execution or a history names it; only what
//            no release accepted (a newer Stepwell's field) is an error, kUnavailable: this process
//            cannot run it, one of the newer version can.
//
//   compile  check, then build.  For whoever offers a new text: deploy, lint, tests.
//   load     build alone, of a program that was stored when it was deployed.
//
// YAML and JSON alike (JSON is read as YAML's subset with the same positions).  Bounded before
// anything is copied: kMaxBytes, kMaxDepth, kMaxNodes, aliases expanded at most kMaxNodes in all.
// Pure: no file is read, nothing is looked up in the world.  Thread-safe: no state.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dsl/diagnostics/diagnostic.h"
#include "language/program/program.h"

namespace stepwell::dsl {

struct Document;
struct Node;

struct CompileOptions {
  std::string file = "workflow.yaml";
  // Resources that somebody serves ("strava.fetch"): an unknown one with a provider's prefix is an
  // error with did-you-mean.  Empty: resources are not checked.
  std::vector<std::string> known_resources;
  // Of an Express state machine on AWS: it cannot wait for the world for long.
  bool is_express = false;
};

struct Compiled {
  ProgramRef program;                   // Null when any diagnostic is an error.
  std::vector<Diagnostic> diagnostics;  // In order of line and column.
  bool ok() const { return program != nullptr; }
};

Compiled compile(std::string_view text, const CompileOptions& options = {});
// Of a workflow that is a part of a document; places are those in the document's text, and
// options.file is the name of that.
Compiled compile(const Document& document, const Node& workflow, const CompileOptions& options);

// `file` is what the program's places name.  kUnavailable: no released check accepts this text.
Result<ProgramRef> build(std::string_view text, const std::string& file);

// A program as its deploy stored it.
struct StoredText {
  std::string hash;        // Program::hash
  std::string source;      // The author's text.
  std::string definition;  // Program::definition as JSON.
  std::string file;        // Program::file
};
// From the author's text, so that histories and `waiting` name its lines; from the definition, then
// without lines, when today's reader makes anything else of the text.  kUnavailable: written by a
// newer Stepwell.  kInternal: the stored definition is not the one of that hash.
Result<ProgramRef> load(const StoredText& stored);

// YAML or JSON as a value (no duplicate keys), for inputs, mocks and transcripts.
struct Parsed {
  Value value;
  std::vector<Diagnostic> diagnostics;  // Empty: value is good.
};
Parsed parse_document(std::string_view text, const std::string& file);

}  // namespace stepwell::dsl
