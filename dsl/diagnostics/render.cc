// A diagnostic as text for a terminal, and as JSON.
#include <algorithm>

#include "dsl/diagnostics/diagnostic.h"

namespace stepwell::dsl {

namespace {

constexpr std::size_t kWidest = 160;  // Of a source line that is shown.

const char* word(Severity severity) { return severity == Severity::kError ? "error" : "warning"; }

std::string_view line_of(std::string_view source, std::uint32_t line) {
  for (std::uint32_t number = 1; number < line; ++number) {
    const std::size_t end = source.find('\n');
    if (end == std::string_view::npos) return {};
    source.remove_prefix(end + 1);
  }
  source = source.substr(0, source.find('\n'));
  if (source.ends_with('\r')) source.remove_suffix(1);
  return source;
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// The bytes as a terminal may see them: without control characters, and with whole characters only.
std::string printable(std::string_view bytes) {
  if (!is_utf8(bytes)) {
    std::string ascii;
    for (const char c : bytes) ascii += c >= 0x20 && c < 0x7f ? c : '?';
    return ascii;
  }
  std::string text(bytes);
  for (char& c : text) {
    if (c == '\t') c = ' ';
    if ((c >= 0 && c < 0x20) || c == 0x7f) c = '?';
  }
  return text;
}

// How many bytes the first `characters` of the text take.
std::size_t bytes_of(std::string_view text, std::size_t characters) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (!is_continuation(text[at]) && characters-- == 0) break;
  }
  return at;
}

// The part of a long line around the byte `column`, cut between characters.
std::string_view window(std::string_view line, std::size_t& column) {
  if (line.size() <= kWidest) return line;
  std::size_t first = column > kWidest / 2 ? column - kWidest / 2 : 0;
  while (first > 0 && first < line.size() && is_continuation(line[first])) --first;
  std::size_t end = std::min(first + kWidest, line.size());
  while (end < line.size() && is_continuation(line[end])) ++end;
  column -= std::min(column, first);
  return line.substr(first, end - first);
}

}  // namespace

std::string render(const Diagnostic& diagnostic, std::string_view source) {
  std::string text = diagnostic.file + ":" + std::to_string(diagnostic.line) + ":" +
                     std::to_string(diagnostic.column) + ": " + word(diagnostic.severity) + ": " +
                     printable(diagnostic.message) + " [" + diagnostic.code + "]\n";
  if (source.starts_with("\xef\xbb\xbf")) source.remove_prefix(3);
  const std::string_view whole = line_of(source, diagnostic.line);
  std::size_t column = bytes_of(whole, diagnostic.column > 0 ? diagnostic.column - 1 : 0);
  const std::string_view line = window(whole, column);
  if (!line.empty()) {
    const std::string number = std::to_string(diagnostic.line);
    const std::string margin(std::max<std::size_t>(number.size(), 4), ' ');
    column = std::min(column, line.size());
    const std::string before = printable(line.substr(0, column));
    const std::string_view rest = line.substr(column);
    const std::string under = printable(rest.substr(0, bytes_of(rest, diagnostic.length)));
    text += margin.substr(number.size()) + number + " | " + printable(line) + "\n";
    text += margin + " | " + std::string(count_characters(before), ' ') + "^" +
            std::string(std::max<std::size_t>(count_characters(under), 1) - 1, '~') + "\n";
  }
  if (!diagnostic.hint.empty()) text += "  hint: " + printable(diagnostic.hint) + "\n";
  return text;
}

Value to_json(const Diagnostic& diagnostic) {
  Object json{{"code", diagnostic.code},
              {"severity", diagnostic.severity == Severity::kError ? "ERROR" : "WARNING"},
              {"message", diagnostic.message},
              {"location", diagnostic.pointer.empty() ? "/" : diagnostic.pointer},
              {"file", diagnostic.file},
              {"line", diagnostic.line},
              {"column", diagnostic.column},
              {"length", diagnostic.length}};
  if (!diagnostic.hint.empty()) json.set("hint", diagnostic.hint);
  if (!diagnostic.aws_code.empty()) json.set("aws_code", diagnostic.aws_code);
  if (!diagnostic.aws_message.empty()) json.set("aws_message", diagnostic.aws_message);
  if (!diagnostic.aws_location.empty()) json.set("aws_location", diagnostic.aws_location);
  return json;
}

}  // namespace stepwell::dsl
