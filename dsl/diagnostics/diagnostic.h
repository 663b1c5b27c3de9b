// Diagnostic — one thing that is wrong with an author's text, where it stands, and what would mend
// it.  The channel for authors' mistakes; failures of the world are a Result.
//
// Values; thread-safe as such.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"

namespace stepwell::dsl {

enum class Severity : std::uint8_t { kError, kWarning };

struct Diagnostic {
  std::string code;  // "unknown-field", ...: stable, listed in docs/dsl/diagnostics.md.
  Severity severity = Severity::kError;
  std::string file;
  std::uint32_t line = 0, column = 0;  // From 1; column in characters.
  std::uint32_t length = 1;            // Of the underlined text, in characters.
  std::string pointer;                 // JSON pointer
  std::string message;                 // What is wrong, a sentence.
  std::string hint;                    // What would mend it; may be empty.
  // As AWS words it, where AWS does; else empty.  Its location is often less exact than `pointer`.
  std::string aws_code, aws_message, aws_location;
};

// The diagnostic with its source line and a caret, for a terminal:
//   backfill.yaml:12:7: error: there is no state "Fetsh" [no-such-state]
//     12 |   Next: Fetsh
//        |         ^~~~~
//     hint: did you mean "Fetch"?
std::string render(const Diagnostic& diagnostic, std::string_view source);
Value to_json(const Diagnostic& diagnostic);

// The one of `candidates` that is nearest to `word`, or empty when none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace stepwell::dsl
