#include "dsl/yaml/yaml_mistakes.h"

#include <algorithm>
#include <optional>
#include <vector>

namespace stepwell::dsl {

namespace {

struct Line {
  std::string_view text;  // Without the line break.
  std::uint32_t number = 1;
  std::uint32_t offset = 0;

  std::size_t indent() const { return std::min(text.find_first_not_of(" \t"), text.size()); }
  bool is_blank() const { return indent() == text.size() || text[indent()] == '#'; }
  Place place(std::size_t from, std::size_t length) const {
    return {number, characters_of(text.substr(0, from)) + 1,
            characters_of(text.substr(from, length)), offset + static_cast<std::uint32_t>(from)};
  }
  Place words() const {
    const std::size_t last = text.find_last_not_of(" \t");
    return place(indent(), last == std::string_view::npos ? 1 : last + 1 - indent());
  }
};

// The lines from the first to number `last`.
std::vector<Line> lines_until(std::string_view text, std::uint32_t last) {
  std::vector<Line> lines;
  std::size_t at = 0;
  for (std::uint32_t number = 1; number <= last && at <= text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back({line, number, static_cast<std::uint32_t>(at)});
    at = end + 1;
  }
  return lines;
}

// Reports a tab in the indentation of the line where the parser gave up, or of the line before.
bool report_tab(const std::vector<Line>& lines, const std::string& pointer, Findings& findings) {
  const std::size_t first = lines.size() > 2 ? lines.size() - 2 : 0;
  for (std::size_t i = first; i < lines.size(); ++i) {
    const std::size_t tab = lines[i].text.substr(0, lines[i].indent()).find('\t');
    if (tab == std::string_view::npos || lines[i].is_blank()) continue;
    findings.error("tab-indentation", lines[i].place(tab, 1), pointer,
                   "this line is indented with a tab", "YAML is indented with spaces only");
    return true;
  }
  return false;
}

bool looks_like_entry(const Line& line) {
  const std::string_view words = line.text.substr(line.indent());
  return words.find(": ") != std::string_view::npos || words.ends_with(':') ||
         words.starts_with("- ") || words == "-" || words.starts_with("---");
}

// Reports "Next Fetch", where the colon is missing: the parser notices that in the next line only.
bool report_missing_colon(const std::vector<Line>& lines, const std::string& pointer,
                          Findings& findings) {
  for (std::size_t i = lines.size(); i-- > 0;) {
    if (lines[i].is_blank()) continue;
    const bool is_last = i + 1 == lines.size();
    if (is_last && looks_like_entry(lines[i])) continue;
    if (looks_like_entry(lines[i])) return false;
    const std::string_view words = lines[i].text.substr(lines[i].indent());
    const std::size_t colon = words.find(':');
    findings.error("yaml-syntax", lines[i].words(), pointer, "this line is not `key: value`",
                   colon == std::string_view::npos ? "is a colon missing?"
                                                   : "a space belongs behind the colon");
    return true;
  }
  return false;
}

// Reports a line whose indentation fits no line above it.
bool report_indentation(const std::vector<Line>& lines, const std::string& pointer,
                        Findings& findings) {
  if (lines.empty() || lines.back().is_blank()) return false;
  const std::size_t indent = lines.back().indent();
  std::vector<std::size_t> open;  // Indentations that the next line may have.
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    if (lines[i].is_blank()) continue;
    while (!open.empty() && open.back() >= lines[i].indent()) open.pop_back();
    open.push_back(lines[i].indent());
  }
  if (open.empty() || std::find(open.begin(), open.end(), indent) != open.end()) return false;
  const std::string_view words = lines.back().text.substr(indent);
  // A deeper line is right below "key:", and wrong below "key: value".
  const bool is_deeper = indent > open.back();
  const bool has_two_keys = words.find(": ") != words.rfind(": ");
  if (is_deeper && (has_two_keys || !looks_like_entry(lines.back()))) return false;
  std::string columns;
  for (const std::size_t one : open) {
    columns += (columns.empty() ? "" : one == open.back() ? " or " : ", ") + std::to_string(one);
  }
  const std::size_t word = std::min(words.find(' '), words.size());
  findings.error("indentation", lines.back().place(indent, std::max<std::size_t>(word, 1)), pointer,
                 "this line is indented by " + std::to_string(indent) +
                     (is_deeper ? " spaces, deeper than a line above that has its value already"
                                : " spaces, which fits nothing above it"),
                 "indent it by " + columns);
  return true;
}

struct Wording {
  std::string_view parser_message, message, hint;
};
constexpr Wording kWordings[] = {
    {"illegal map value", "a second `: ` in one line, or a key where none is allowed",
     "put a value that holds `: ` in quotes, and check the indentation"},
    {"end of map not found", "this does not fit the mapping that it stands in",
     "check the indentation of this line and of the one above"},
    {"end of sequence not found", "this does not fit the list that it stands in",
     "check the indentation of this line and of the one above"},
    {"end of sequence flow not found", "a [ is not closed before this",
     "add the missing ]; a value in here that holds a bracket needs quotes"},
    {"end of map flow not found", "a { is not closed before this",
     "add the missing }; a value in here that holds a bracket needs quotes"},
    {"unknown token", "a plain value cannot begin with this character", "put the value in quotes"},
    {"the referenced anchor is not defined", "no anchor of this name stands above", ""},
    {"illegal block entry", "a list item is not allowed here",
     "put the list in lines of its own, below its key"},
    {"illegal map key", "a key is not allowed here", "check the indentation"},
    {"invalid unicode", "the escape before this is not a Unicode character",
     "\\ud800 to \\udfff come in pairs only"},
};

}  // namespace

void report_yaml_mistake(std::string_view text, Place place, const std::string& parser_message,
                         std::string pointer, Findings& findings) {
  const std::vector<Line> lines = lines_until(text, place.line);
  if (report_tab(lines, pointer, findings)) return;
  const bool is_layout = parser_message == "illegal map value" ||
                         parser_message.starts_with("end of map not") ||
                         parser_message.starts_with("end of sequence not");
  if (is_layout && report_indentation(lines, pointer, findings)) return;
  if (is_layout && report_missing_colon(lines, pointer, findings)) return;
  for (const Wording& wording : kWordings) {
    if (!parser_message.starts_with(wording.parser_message)) continue;
    findings.error("yaml-syntax", place, std::move(pointer), std::string(wording.message),
                   std::string(wording.hint));
    return;
  }
  // The parser quotes single bytes, so of a character beyond ASCII only the first.
  std::string said = parser_message;
  if (!is_utf8(said)) {
    std::erase_if(said, [](char c) { return (static_cast<unsigned char>(c) & 0x80) != 0; });
  }
  findings.error("yaml-syntax", place, std::move(pointer), "not YAML: " + said);
}

}  // namespace stepwell::dsl
