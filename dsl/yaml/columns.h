// Columns — in which column of its line a byte of a text stands, counted in characters.
//
// Remembers where it was asked last: readers ask in the order of the text, so that a long line is
// not counted anew for each of its values.  Not thread-safe: one per reader.
#pragma once

#include <algorithm>

#include "dsl/diagnostics/findings.h"

namespace stepwell::dsl {

class Columns {
 public:
  explicit Columns(std::string_view text) : text_(text) {}

  // The column, from 1, of the byte at `offset` of the line that begins at `line_start`.
  std::uint32_t at(std::size_t line_start, std::size_t offset) {
    offset = std::min(offset, text_.size());
    line_start = std::min(line_start, offset);
    if (line_start != line_start_) {
      line_start_ = offset_ = line_start;
      before_ = 0;
    }
    if (offset >= offset_) {
      before_ += characters_of(text_.substr(offset_, offset - offset_));
    } else {
      before_ -= characters_of(text_.substr(offset, offset_ - offset));
    }
    offset_ = offset;
    return before_ + 1;
  }

 private:
  std::string_view text_;
  std::size_t line_start_ = 0, offset_ = 0;
  std::uint32_t before_ = 0;  // Characters between the two.
};

}  // namespace stepwell::dsl
