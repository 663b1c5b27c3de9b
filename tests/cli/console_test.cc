// How text is measured and cut for a terminal.
#include "cli/console.h"

#include <gtest/gtest.h>

namespace stepwell::cli {
namespace {

TEST(Console, CountsColumnsNotBytesNorColours) {
  EXPECT_EQ(columns_of("abc"), 3u);
  EXPECT_EQ(columns_of("Äpfel █"), 7u);
  EXPECT_EQ(columns_of("\033[32mgreen\033[0m"), 5u);
}

TEST(Console, CutsToAWidthAndShowsThatItDid) {
  EXPECT_EQ(cut_to("abcdef", 6), "abcdef");
  EXPECT_EQ(cut_to("abcdef", 4), "abc…");
  EXPECT_EQ(cut_to("ÄÖÜäöü", 3), "ÄÖ…");
  EXPECT_EQ(cut_to("\033[32mgreen\033[0m", 3), "\033[32mgr…");
}

}  // namespace
}  // namespace stepwell::cli
