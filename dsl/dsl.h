// dsl — from the text of a workflow to a Program, or to a list of what is wrong with it.
//
//   text ── yaml/ ──> Document (nodes with line:column) ── check/ ──> diagnostics
//                                                       └─ compile/ ──> Program
//
// YAML and JSON alike (JSON is read as YAML's subset with the same positions).  Bounded before
// anything is copied: kMaxBytes, kMaxDepth, kMaxNodes, aliases expanded at most kMaxNodes in all.
// Pure: no file is read, nothing is looked up in the world.  Thread-safe: no state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "language/program/program.h"

namespace stepwell::dsl {

inline constexpr std::size_t kMaxBytes = 1u << 20;  // AWS's limit of a definition is 1 MB.
inline constexpr std::uint32_t kMaxDepth = 128;
inline constexpr std::size_t kMaxNodes = 200'000;

enum class Severity : std::uint8_t { kError, kWarning };

struct Diagnostic {
  std::string
      code;  // "unknown-field", "no-such-state", ...: stable, listed in docs/dsl/diagnostics.md
  Severity severity = Severity::kError;
  std::string file;
  std::uint32_t line = 0, column = 0;  // From 1; column in bytes.
  std::uint32_t length = 1;            // Of the underlined text.
  std::string pointer;                 // JSON pointer
  std::string message;                 // What is wrong, a sentence.
  std::string hint;                    // How to mend it; may be empty.
  // As AWS words it, where it does; else empty.  Its location is often less exact than `pointer`.
  std::string aws_code, aws_message, aws_location;
};

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

// The diagnostic with its source line and a caret, for a terminal:
//   backfill.yaml:12:7: error: there is no state "Fetsh" [no-such-state]
//     12 |   Next: Fetsh
//        |         ^~~~~
//     hint: did you mean "Fetch"?
std::string render(const Diagnostic& diagnostic, std::string_view source);
Value to_json(const Diagnostic& diagnostic);

// YAML or JSON as a value (no duplicate keys), for inputs, mocks and transcripts.
struct Parsed {
  Value value;
  std::vector<Diagnostic> diagnostics;  // Empty: value is good.
};
Parsed parse_document(std::string_view text, const std::string& file);

// The one of `candidates` nearest to `word`, or empty when none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace stepwell::dsl
