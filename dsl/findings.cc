#include "dsl/findings.h"

#include <algorithm>
#include <tuple>

namespace stepwell::dsl {

Diagnostic& Findings::error(std::string code, const Place& place, std::string pointer,
                            std::string message, std::string hint) {
  ++errors_;
  return add(Severity::kError, std::move(code), place, std::move(pointer), std::move(message),
             std::move(hint));
}

Diagnostic& Findings::warning(std::string code, const Place& place, std::string pointer,
                              std::string message, std::string hint) {
  return add(Severity::kWarning, std::move(code), place, std::move(pointer), std::move(message),
             std::move(hint));
}

Diagnostic& Findings::add(Severity severity, std::string code, const Place& place,
                          std::string pointer, std::string message, std::string hint) {
  Diagnostic diagnostic;
  diagnostic.severity = severity;
  diagnostic.file = file_;
  diagnostic.line = place.line;
  diagnostic.column = place.column;
  diagnostic.length = std::max<std::uint32_t>(place.length, 1);
  diagnostic.pointer = std::move(pointer);
  diagnostic.code = std::move(code);
  diagnostic.message = std::move(message);
  diagnostic.hint = std::move(hint);
  if (list_.size() < kMost) {
    list_.push_back(std::move(diagnostic));
    return list_.back();
  }
  if (list_.size() == kMost) {
    list_.push_back(diagnostic);
    Diagnostic& last = list_.back();
    last.code = "too-many-problems";
    last.message = "more than " + std::to_string(kMost) + " problems; the rest is not listed";
    last.hint.clear();
  }
  if (severity == Severity::kError) list_.back().severity = Severity::kError;
  spare_ = std::move(diagnostic);
  return spare_;
}

std::vector<Diagnostic> Findings::take() {
  std::stable_sort(list_.begin(), list_.end(), [](const Diagnostic& a, const Diagnostic& b) {
    const bool a_last = a.code == "too-many-problems", b_last = b.code == "too-many-problems";
    return std::tie(a_last, a.line, a.column) < std::tie(b_last, b.line, b.column);
  });
  return std::move(list_);
}

void in_aws_words(Diagnostic& diagnostic, AwsWords words) {
  diagnostic.aws_code = words.code.empty() ? "SCHEMA_VALIDATION_FAILED" : std::move(words.code);
  diagnostic.aws_message = std::move(words.message);
  diagnostic.aws_location = std::move(words.location);
}

}  // namespace stepwell::dsl
