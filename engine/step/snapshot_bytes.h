// The bytes of a snapshot (snapshot.cc): numbers, texts and values, written and read.
//
// Internal to engine/step.  A Reader never trusts a length: it is checked against what is left, and
// what does not fit makes ok() false.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "base/value.h"

namespace stepwell::snapshot {

inline constexpr std::string_view kMagic = "SWX";
inline constexpr std::uint8_t kNewestFormat = 2;

// A kind of value in the body.
enum Tag : std::uint8_t { kNullTag, kFalseTag, kTrueTag, kIntTag, kDoubleTag, kTextTag };

class Writer {
 public:
  Writer(std::uint8_t format, bool share) : format_(format), share_(share) {}

  std::uint8_t format() const { return format_; }

  void number(std::uint64_t n) { varint(body_, n); }
  void flag(bool b) { number(b ? 1 : 0); }
  void signed_number(std::int64_t n) {
    number(static_cast<std::uint64_t>(n) << 1 ^ static_cast<std::uint64_t>(n >> 63));
  }
  void time(Time at) { signed_number(unix_ms(at)); }
  void text(std::string_view text) {
    number(text.size());
    body_ += text;
  }
  void maybe_text(const std::optional<std::string>& maybe) {
    flag(maybe.has_value());
    if (maybe) text(*maybe);
  }
  void value(const Value& value) {
    switch (value.kind()) {
      case Value::Kind::kNull: number(kNullTag); return;
      case Value::Kind::kBool: number(value.as_bool() ? kTrueTag : kFalseTag); return;
      case Value::Kind::kInt:
        number(kIntTag);
        signed_number(value.as_int());
        return;
      case Value::Kind::kDouble:
        number(kDoubleTag);
        number(std::bit_cast<std::uint64_t>(value.as_double()));
        return;
      default: break;
    }
    number(kTextTag);
    if (share_) {
      const auto [at, is_new] = positions_.emplace(value.identity(), positions_.size());
      number(at->second);
      if (!is_new) return;
    }
    const std::string json = value.to_json();
    varint(texts_, json.size());
    texts_ += json;
    ++count_;
  }
  std::string finish() {
    std::string out(kMagic);
    out += static_cast<char>(format_);
    varint(out, count_);
    return out + texts_ + body_;
  }

 private:
  static void varint(std::string& out, std::uint64_t n) {
    while (n >= 0x80) {
      out += static_cast<char>(n | 0x80);
      n >>= 7;
    }
    out += static_cast<char>(n);
  }

  const std::uint8_t format_;
  const bool share_;
  std::string texts_, body_;
  std::uint64_t count_ = 0;
  std::unordered_map<const void*, std::uint64_t> positions_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  void refuse() { ok_ = false; }
  bool at_end() const { return bytes_.empty(); }
  std::uint8_t format() const { return format_; }

  void header() {
    if (!bytes_.starts_with(kMagic) || bytes_.size() < kMagic.size() + 1) {
      ok_ = false;
      return;
    }
    format_ = static_cast<std::uint8_t>(bytes_[kMagic.size()]);
    if (format_ == 0 || format_ > kNewestFormat) {
      ok_ = false;
      return;
    }
    bytes_.remove_prefix(kMagic.size() + 1);
    const std::uint64_t count = length();
    const JsonLimits limits{std::numeric_limits<std::size_t>::max(), 100'000, false, false};
    for (std::uint64_t i = 0; i < count && ok_; ++i) {
      auto value = parse_json(take(number()), limits);
      if (!value.ok()) {
        ok_ = false;
        return;
      }
      texts_.push_back(std::move(value).value());
    }
  }
  std::uint64_t number() {
    std::uint64_t n = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (bytes_.empty()) break;
      const auto byte = static_cast<std::uint8_t>(bytes_.front());
      bytes_.remove_prefix(1);
      n |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return n;
    }
    ok_ = false;
    return 0;
  }
  // A number of things that follow, each of at least one byte: never more than bytes are left.
  std::uint64_t length() {
    const std::uint64_t n = number();
    if (n > bytes_.size()) ok_ = false;
    return ok_ ? n : 0;
  }
  bool flag() { return number() != 0; }
  std::int64_t signed_number() {
    const std::uint64_t n = number();
    return static_cast<std::int64_t>(n >> 1) ^ -static_cast<std::int64_t>(n & 1);
  }
  Time time() { return from_unix_ms(signed_number()); }
  std::string text() { return std::string(take(number())); }
  std::optional<std::string> maybe_text() {
    if (!flag()) return std::nullopt;
    return text();
  }
  Value value() {
    switch (number()) {
      case kNullTag: return Value();
      case kFalseTag: return false;
      case kTrueTag: return true;
      case kIntTag: return signed_number();
      case kDoubleTag: return std::bit_cast<double>(number());
      case kTextTag:
        if (const std::uint64_t at = number(); at < texts_.size()) return texts_[at];
        break;
      default: break;
    }
    ok_ = false;
    return Value();
  }

 private:
  std::string_view take(std::uint64_t size) {
    if (size > bytes_.size()) {
      ok_ = false;
      return {};
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  std::string_view bytes_;
  std::uint8_t format_ = 0;
  std::vector<Value> texts_;
  bool ok_ = true;
};

}  // namespace stepwell::snapshot
