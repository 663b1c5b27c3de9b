// After Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012), and the variant with an
// answer of 128 bits that its authors published with their reference code.
#include "base/siphash.h"

#include <bit>

namespace stepwell {
namespace {

constexpr int kRoundsPerWord = 2, kRoundsAtTheEnd = 4;

// Byte by byte, least significant first, so that the machine's own order does not matter.
template <class Byte>
std::uint64_t read64(const Byte* at, std::size_t count = 8) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < count; ++i) {
    word |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(at[i])) << (8 * i);
  }
  return word;
}

void write64(std::uint64_t word, std::uint8_t* to) {
  for (std::size_t i = 0; i < 8; ++i) to[i] = static_cast<std::uint8_t>(word >> (8 * i));
}

class State {
 public:
  explicit State(const SipKey& key) {
    const std::uint64_t k0 = read64(key.data()), k1 = read64(key.data() + 8);
    a_ ^= k0;
    b_ ^= k1;
    c_ ^= k0;
    d_ ^= k1;
    b_ ^= 0xee;  // The answer has 128 bits.
  }
  void take(std::uint64_t word) {
    d_ ^= word;
    turn(kRoundsPerWord);
    a_ ^= word;
  }
  std::uint64_t finish(std::uint8_t with, bool first) {
    (first ? c_ : b_) ^= with;
    turn(kRoundsAtTheEnd);
    return a_ ^ b_ ^ c_ ^ d_;
  }

 private:
  void turn(int times) {
    for (int i = 0; i < times; ++i) {
      a_ += b_;
      b_ = std::rotl(b_, 13) ^ a_;
      a_ = std::rotl(a_, 32);
      c_ += d_;
      d_ = std::rotl(d_, 16) ^ c_;
      a_ += d_;
      d_ = std::rotl(d_, 21) ^ a_;
      c_ += b_;
      b_ = std::rotl(b_, 17) ^ c_;
      c_ = std::rotl(c_, 32);
    }
  }

  std::uint64_t a_ = 0x736f6d6570736575, b_ = 0x646f72616e646f6d, c_ = 0x6c7967656e657261,
                d_ = 0x7465646279746573;
};

}  // namespace

Hash128 siphash128(const SipKey& key, std::string_view bytes) {
  State state(key);
  const std::size_t whole = bytes.size() / 8 * 8;
  for (std::size_t at = 0; at < whole; at += 8) state.take(read64(bytes.data() + at));
  state.take(read64(bytes.data() + whole, bytes.size() - whole) |
             static_cast<std::uint64_t>(bytes.size()) << 56);
  Hash128 answer;
  write64(state.finish(0xee, true), answer.data());
  write64(state.finish(0xdd, false), answer.data() + 8);
  return answer;
}

}  // namespace stepwell
