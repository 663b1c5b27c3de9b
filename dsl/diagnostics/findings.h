// Findings — the list to which the readers and rules of dsl add what is wrong with a text.
// Not thread-safe: one per text.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/value.h"
#include "dsl/diagnostics/diagnostic.h"

namespace stepwell::dsl {

// Where something stands in the text.  line 0: it does not stand in a text.
struct Place {
  std::uint32_t line = 1, column = 1;  // From 1, in characters, as editors count.
  std::uint32_t length = 1;            // Of what would be underlined, within the line; characters.
  std::uint32_t offset = 0;            // In the whole text, from 0, in bytes.
};

// What columns and lengths count.
inline std::uint32_t characters_of(std::string_view text) {
  return static_cast<std::uint32_t>(count_characters(text));
}

// The same problem in the words of AWS's validation.
struct AwsWords {
  std::string code, message, location;
};

class Findings {
 public:
  // More are counted but not kept: a text with a million mistakes must not cost a million messages.
  static constexpr std::size_t kMost = 100;

  explicit Findings(std::string file) : file_(std::move(file)) {}

  // Return the new diagnostic, so that AWS's words can be added; valid until the next call.
  Diagnostic& error(std::string code, const Place& place, std::string pointer, std::string message,
                    std::string hint = {});
  Diagnostic& warning(std::string code, const Place& place, std::string pointer,
                      std::string message, std::string hint = {});

  bool has_errors() const { return errors_ > 0; }
  std::size_t errors() const { return errors_; }
  bool is_full() const { return list_.size() > kMost; }
  // In order of line and column.
  std::vector<Diagnostic> take();

 private:
  Diagnostic& add(Severity severity, std::string code, const Place& place, std::string pointer,
                  std::string message, std::string hint);

  std::string file_;
  std::vector<Diagnostic> list_;
  Diagnostic spare_;  // What is returned once the list is full.
  std::size_t errors_ = 0;
};

// Adds AWS's words: SCHEMA_VALIDATION_FAILED unless another code is given.
void in_aws_words(Diagnostic& diagnostic, AwsWords words);

}  // namespace stepwell::dsl
