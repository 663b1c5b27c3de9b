#include "dsl/diagnostics/findings.h"

#include <algorithm>
#include <iterator>
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

namespace {

// A JSON pointer as AWS writes it: "/States/C/Choices/0/Next" becomes "/States/C/Choices[0]/Next".
std::string in_brackets(const std::string& pointer) {
  constexpr std::string_view kLists[] = {"Choices",     "Catch", "Retry", "Branches",
                                         "ErrorEquals", "And",   "Or",    "Items"};
  std::string location;
  bool is_list = false;
  for (std::size_t at = 0; at < pointer.size();) {
    const std::size_t end = std::min(pointer.find('/', at + 1), pointer.size());
    const std::string token = pointer.substr(at + 1, end - at - 1);
    const bool is_number =
        !token.empty() && token.find_first_not_of("0123456789") == std::string::npos;
    location += is_list && is_number ? "[" + token + "]" : "/" + token;
    is_list = std::find(std::begin(kLists), std::end(kLists), token) != std::end(kLists);
    at = end;
  }
  return location;
}

}  // namespace

void in_aws_words(Diagnostic& diagnostic, AwsWords words) {
  diagnostic.aws_code = words.code.empty() ? "SCHEMA_VALIDATION_FAILED" : std::move(words.code);
  diagnostic.aws_message = std::move(words.message);
  diagnostic.aws_location = words.location == "/" ? "/" : in_brackets(words.location);
}

}  // namespace stepwell::dsl
