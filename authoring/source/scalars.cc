#include "authoring/source/scalars.h"

#include <algorithm>
#include <array>

#include "dsl/dsl.h"

namespace stepwell::dsl::source {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// Words that some readers of YAML do not read as text (yes is true in YAML 1.1).
constexpr std::array<std::string_view, 16> kWords = {
    "true", "false", "null",  "yes",  "no", "on",    "off", "y",
    "n",    ".inf",  "-.inf", ".nan", "~",  "+.inf", "=",   "<<"};

bool is_reserved_word(const std::string& text) {
  std::string lower = text;
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return std::find(kWords.begin(), kWords.end(), lower) != kWords.end();
}

// Does the text begin like a number, a date or a time in base sixty?  Then it is quoted.
bool looks_like_number(const std::string& text) {
  std::size_t i = text[0] == '-' || text[0] == '+' || text[0] == '.' ? 1 : 0;
  return i < text.size() && text[i] >= '0' && text[i] <= '9' &&
         text.find_first_not_of("0123456789+-.:_xobXOBeEabcdfABCDFTtZz ") == std::string::npos;
}

bool is_plain(const std::string& text, bool in_flow) {
  // The reader we use takes ? for more than YAML does.
  if (in_flow && text.find_first_of(",[]{}?") != std::string::npos) return false;
  if (text.empty() || is_blank(text.front()) || is_blank(text.back())) return false;
  if (is_reserved_word(text) || looks_like_number(text)) return false;
  constexpr std::string_view kSigns = "-?:,[]{}#&*!|>'\"%@`";
  if (kSigns.find(text[0]) != std::string_view::npos) {
    const bool is_harmless = (text[0] == '-' || text[0] == '?' || text[0] == ':') &&
                             text.size() > 1 && !is_blank(text[1]);
    if (!is_harmless) return false;
  }
  if (text == "---" || text == "...") return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) return false;
    if (byte == 0xc2 || (byte == 0xe2 && text.substr(i, 2) == "\xe2\x80") || byte == 0xef) {
      return false;  // Some of these characters are line breaks, others must be escaped.
    }
    if (text[i] == ':' && (i + 1 == text.size() || is_blank(text[i + 1]))) return false;
    if (text[i] == '#' && i > 0 && is_blank(text[i - 1])) return false;
  }
  return true;
}

}  // namespace

std::optional<std::size_t> quoted_end(std::string_view text, std::size_t from) {
  const char quote = text[from];
  for (std::size_t i = from + 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (quote == '"' || i + 1 >= text.size() || text[i + 1] != '\'') return i + 1;
      ++i;
    }
  }
  return std::nullopt;
}

std::vector<std::string> folded_lines(std::string_view scalar) {
  std::vector<std::string> lines;
  while (true) {
    const std::size_t end = std::min(scalar.find('\n'), scalar.size());
    std::string_view line = scalar.substr(0, end);
    if (!lines.empty()) {
      const std::size_t first = line.find_first_not_of(" \t");
      line.remove_prefix(std::min(first, line.size()));
    }
    const bool is_last = end == scalar.size();
    while (!is_last && !line.empty() && is_blank(line.back()) &&
           !(line.size() > 1 && line[line.size() - 2] == '\\')) {
      line.remove_suffix(1);
    }
    lines.emplace_back(line);
    if (is_last) return lines;
    scalar.remove_prefix(end + 1);
  }
}

std::string block_header(const std::string& signs, const std::vector<std::string>& lines) {
  std::string header;
  for (const char c : signs) {
    if (c < '1' || c > '9') header += c;
  }
  const auto first = std::find_if(lines.begin(), lines.end(),
                                  [](const std::string& line) { return !line.empty(); });
  if (first != lines.end() && is_blank(first->front())) header.insert(1, 1, '2');
  return header;
}

std::string tidy_quotes(const std::string& scalar) {
  if (scalar.size() < 2) return scalar;
  std::string inner = scalar.substr(1, scalar.size() - 2);
  if (scalar[0] == '\'' && inner.find_first_of("\"\\\t") == std::string::npos) {
    std::string text;
    for (std::size_t i = 0; i < inner.size(); ++i) {
      text += inner[i];
      if (inner[i] == '\'') ++i;
    }
    return '"' + text + '"';
  }
  if (scalar[0] != '"' || inner.find('\\') == std::string::npos) return scalar;
  if (inner.find('\'') != std::string::npos) return scalar;
  std::string text;
  for (std::size_t i = 0; i < inner.size(); ++i) {
    if (inner[i] == '\\') {
      if (i + 1 >= inner.size() || inner[++i] != '"') return scalar;
    }
    text += inner[i];
  }
  return '\'' + text + '\'';
}

std::string yaml_string(const std::string& text, bool in_flow) {
  if (is_plain(text, in_flow)) return text;
  const bool has_control = std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  const bool wants_single = text.find_first_of("\"\\") != std::string::npos &&
                            text.find('\'') == std::string::npos && !has_control;
  return wants_single ? '\'' + text + '\'' : json_quote(text);
}

std::string yaml_scalar(const Value& value, bool in_flow) {
  return value.is_string() ? yaml_string(value.as_string(), in_flow) : value.to_json();
}

std::string meaning_of(const std::string& scalar) {
  if (scalar.empty() || (scalar[0] != '"' && scalar[0] != '\'')) return scalar;
  std::string inner = scalar.substr(1, scalar.size() - 2);
  if (inner.find_first_of("\\'") == std::string::npos) return inner;
  const Parsed parsed = parse_document("[" + scalar + "]", "text.yaml");
  const bool is_read = parsed.diagnostics.empty() && parsed.value.size() == 1;
  return is_read && parsed.value.as_array()[0].is_string() ? parsed.value.as_array()[0].as_string()
                                                           : scalar;
}

}  // namespace stepwell::dsl::source
