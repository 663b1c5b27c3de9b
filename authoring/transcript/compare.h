// Compares transcripts, and puts newer ones into a test file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dsl/yaml/document.h"

namespace stepwell::transcript {

// Do both say the same?  The width of the gaps between columns does not matter.
bool tell_the_same(std::string_view expected, std::string_view actual);

// A diff by lines: "  " in both, "- " only expected, "+ " only actual.
std::string diff(std::string_view expected, std::string_view actual);

struct NewTranscript {
  const dsl::Node* owner;  // The case that it belongs to.
  std::string text;
};
// `text` with the transcripts replaced, or added at the end of their cases; nothing else changes.
std::string with_transcripts(std::string_view text, const std::vector<NewTranscript>& list);

}  // namespace stepwell::transcript
