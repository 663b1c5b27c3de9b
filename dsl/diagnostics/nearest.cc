// "Did you mean": the edit distance, in which a swap of neighbours is one edit and case is ignored.
#include <algorithm>
#include <cctype>

#include "dsl/diagnostics/diagnostic.h"

namespace stepwell::dsl {

namespace {

constexpr std::size_t kLongestWord = 128;

std::string lowered(std::string_view word) {
  std::string lower(word);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
      const bool is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (is_swap) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.empty() || word.size() > kLongestWord) return {};
  const std::string wanted = lowered(word);
  // At most a third of the word may differ.
  std::size_t best = std::min(std::max<std::size_t>(1, word.size() / 3) + 1, word.size());
  const std::string* found = nullptr;
  for (const std::string& candidate : candidates) {
    const std::size_t apart = candidate.size() > word.size() ? candidate.size() - word.size()
                                                             : word.size() - candidate.size();
    if (apart >= best || candidate.size() > kLongestWord) continue;
    const std::size_t far = distance(wanted, lowered(candidate));
    if (far < best) {
      best = far;
      found = &candidate;
    }
  }
  return found != nullptr ? *found : std::string();
}

}  // namespace stepwell::dsl
