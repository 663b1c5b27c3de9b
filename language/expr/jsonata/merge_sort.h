// A stable merge sort that compares the same pairs in the same order as the reference
// implementation. The pair that an error names depends on that, and so does the result for a
// comparator that contradicts itself.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace stepwell::expr::jsonata {

// The positions 0..size-1, sorted; `is_after(a, b)`: does a belong behind b?
template <class IsAfter>
std::vector<std::size_t> sorted_order(std::size_t begin, std::size_t end, IsAfter& is_after) {
  if (end - begin <= 1) {
    return end == begin ? std::vector<std::size_t>{} : std::vector<std::size_t>{begin};
  }
  const std::size_t middle = begin + (end - begin) / 2;
  const std::vector<std::size_t> left = sorted_order(begin, middle, is_after);
  const std::vector<std::size_t> right = sorted_order(middle, end, is_after);
  std::vector<std::size_t> order;
  order.reserve(end - begin);
  std::size_t l = 0, r = 0;
  while (l < left.size() && r < right.size()) {
    order.push_back(is_after(left[l], right[r]) ? right[r++] : left[l++]);
  }
  order.insert(order.end(), left.begin() + static_cast<std::ptrdiff_t>(l), left.end());
  order.insert(order.end(), right.begin() + static_cast<std::ptrdiff_t>(r), right.end());
  return order;
}

}  // namespace stepwell::expr::jsonata
