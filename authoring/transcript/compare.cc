#include "authoring/transcript/compare.h"

#include <algorithm>

namespace stepwell::transcript {

namespace {

constexpr std::size_t kMostCells = 4'000'000;  // Of the table of the longest common part.

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string line(text.substr(0, end));
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(std::move(line));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// Makes every run of blanks two blanks, and removes those at the end.
std::string even(const std::string& line) {
  std::string text;
  std::size_t blanks = 0;
  for (const char c : line) {
    if (c == ' ') {
      ++blanks;
      continue;
    }
    if (!text.empty()) text.append(std::min<std::size_t>(blanks, 2), ' ');
    blanks = 0;
    text += c;
  }
  return text;
}

std::vector<std::string> even_lines(std::string_view text) {
  std::vector<std::string> lines = lines_of(text);
  for (std::string& line : lines) line = even(line);
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

std::size_t indent_of(const std::string& line) {
  return std::min(line.find_first_not_of(' '), line.size());
}
bool is_blank(const std::string& line) { return indent_of(line) == line.size(); }

}  // namespace

bool tell_the_same(std::string_view expected, std::string_view actual) {
  return even_lines(expected) == even_lines(actual);
}

std::string diff(std::string_view expected, std::string_view actual) {
  const std::vector<std::string> a = even_lines(expected), b = even_lines(actual);
  const std::vector<std::string> shown_a = lines_of(expected), shown_b = lines_of(actual);
  std::string text;
  if ((a.size() + 1) * (b.size() + 1) > kMostCells) {
    std::size_t i = 0;
    while (i < std::min(a.size(), b.size()) && a[i] == b[i]) ++i;
    text = "  (" + std::to_string(i) + " equal lines)\n";
    if (i < a.size()) text += "- " + shown_a[i] + "\n";
    if (i < b.size()) text += "+ " + shown_b[i] + "\n";
    return text;
  }
  // common[i][j]: the length of the longest common part of a[i..] and b[j..].
  const std::size_t width = b.size() + 1;
  std::vector<std::uint32_t> common((a.size() + 1) * width, 0);
  for (std::size_t i = a.size(); i-- > 0;) {
    for (std::size_t j = b.size(); j-- > 0;) {
      common[i * width + j] =
          a[i] == b[j] ? common[(i + 1) * width + j + 1] + 1
                       : std::max(common[(i + 1) * width + j], common[i * width + j + 1]);
    }
  }
  std::size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      text += "  " + shown_b[j] + "\n";
      ++i;
      ++j;
    } else if (j == b.size() ||
               (i < a.size() && common[(i + 1) * width + j] >= common[i * width + j + 1])) {
      text += "- " + shown_a[i++] + "\n";
    } else {
      text += "+ " + shown_b[j++] + "\n";
    }
  }
  return text;
}

std::string with_transcripts(std::string_view text, const std::vector<NewTranscript>& list) {
  const std::vector<std::string> lines = lines_of(text);
  std::vector<const NewTranscript*> order;
  for (const NewTranscript& one : list) {
    if (one.owner != nullptr && !one.owner->members.empty()) order.push_back(&one);
  }
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return a->owner->place.offset < b->owner->place.offset;
  });
  std::string result;
  std::size_t at = 0;  // The first line that is not in `result` yet.
  const auto copy_until = [&](std::size_t end) {
    for (; at < std::min(end, lines.size()); ++at) result += lines[at] + "\n";
  };
  for (const NewTranscript* one : order) {
    const dsl::Member* old = one->owner->find("transcript");
    const std::size_t indent = one->owner->members.front().key_place.column - 1;
    std::size_t first = 0, end = 0;  // Lines to be replaced.
    if (old != nullptr) {
      first = old->key_place.line - 1;
      end = first + 1;
    } else {
      first = one->owner->members.back().key_place.line - 1;
      end = first + 1;
    }
    std::size_t after = end;
    for (std::size_t i = end; i < lines.size(); ++i) {
      if (is_blank(lines[i])) continue;
      if (indent_of(lines[i]) <= indent) break;
      after = i + 1;
    }
    copy_until(old != nullptr ? first : after);
    const bool begins_item = old != nullptr && !is_blank(lines[first].substr(0, indent));
    result += begins_item ? lines[first].substr(0, indent) : std::string(indent, ' ');
    result += "transcript: |\n";
    for (const std::string& line : lines_of(one->text)) {
      result += std::string(indent + 2, ' ') + line + "\n";
    }
    at = std::max(at, after);
  }
  copy_until(lines.size());
  return result;
}

}  // namespace stepwell::transcript
