// The escapes of double quotes that yaml-cpp gets wrong.
//
// It refuses the pair in which JSON writes a character beyond U+FFFF, \ud83d\ude00, and turns \N
// and \_ (U+0085, U+00A0) into single bytes, which are not UTF-8.  So yaml-cpp reads a text in
// which a mark stands for each such pair, as long as the pair, and its scalars are mended
// afterwards.  The marks begin with a byte that no UTF-8 text has, so nothing else can be taken for
// one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stepwell::dsl {

class Escapes {
 public:
  explicit Escapes(std::string_view text);

  // The text for yaml-cpp; every byte that is not of a pair stands where it stood.
  const std::string& text() const { return text_; }
  // What the scalar really says.  Outside of double quotes a pair is the letters that it is.
  std::string mended(std::string_view scalar, bool is_double_quoted) const;

 private:
  std::string text_;
  std::vector<std::string> pairs_;  // As written, in order.
};

}  // namespace stepwell::dsl
