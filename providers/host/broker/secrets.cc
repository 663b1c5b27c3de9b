#include "providers/host/broker/secrets.h"

#include <algorithm>
#include <vector>

#include "base/hash.h"

namespace stepwell::host {
namespace {

constexpr std::size_t kMaxKnown = 1'000;
constexpr std::ptrdiff_t kSpellings = 5;
constexpr std::size_t kShortest = 6;  // Shorter ones would blank out ordinary words.
constexpr std::string_view kHidden = "[secret]";

void replace_all(std::string& text, std::string_view what) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + kHidden.size())) {
    text.replace(at, what.size(), kHidden);
  }
}

std::string percent_encoded(const std::string& text) {
  constexpr std::string_view kPlain = "-._~";
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                          (c >= 'a' && c <= 'z') || kPlain.find(c) != std::string_view::npos;
    if (is_plain) {
      out += c;
    } else {
      std::string hex = hex_encode(std::string_view(&c, 1));
      for (char& digit : hex) digit = digit >= 'a' ? static_cast<char>(digit - 32) : digit;
      out += '%' + hex;
    }
  }
  return out;
}

// As it may turn up in a URL, a header or a dump.
std::vector<std::string> spellings_of(const std::string& secret) {
  std::string hex = hex_encode(secret), upper = hex;
  for (char& digit : upper) digit = digit >= 'a' ? static_cast<char>(digit - 32) : digit;
  return {secret, percent_encoded(secret), base64_encode(secret), std::move(hex), std::move(upper)};
}

void hide_bearers(std::string& text) {
  constexpr std::string_view kBearer = "Bearer ";
  for (std::size_t at = text.find(kBearer); at != std::string::npos;
       at = text.find(kBearer, at + kBearer.size())) {
    const std::size_t from = at + kBearer.size();
    const std::size_t to = std::min(text.find_first_of(" \"',;\n", from), text.size());
    if (to > from) text.replace(from, to - from, kHidden);
  }
}

}  // namespace

void Secrets::add(const std::string& secret) {
  if (secret.size() < kShortest) return;
  if (std::find(known_.rbegin(), known_.rend(), secret) != known_.rend()) return;
  known_.push_back(secret);
  for (std::string& spelling : spellings_of(secret)) spellings_.push_back(std::move(spelling));
  if (known_.size() > kMaxKnown) {
    known_.pop_front();
    spellings_.erase(spellings_.begin(), spellings_.begin() + kSpellings);
  }
}

std::string Secrets::scrub(std::string_view text) const {
  std::string out(text);
  for (const std::string& spelling : spellings_) replace_all(out, spelling);
  hide_bearers(out);
  return out;
}

std::string Secrets::scrub(std::string text, const std::deque<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    if (secret.size() < kShortest) continue;
    for (const std::string& spelling : spellings_of(secret)) replace_all(text, spelling);
  }
  return text;
}

}  // namespace stepwell::host
