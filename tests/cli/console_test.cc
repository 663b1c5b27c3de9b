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

TEST(Console, ShowsControlCharactersAndDoesNotObeyThem) {
  EXPECT_EQ(for_terminal("a\033[2Jb"), "a\\x1b[2Jb");
  EXPECT_EQ(for_terminal("\033]0;title\007"), "\\x1b]0;title\\x07");
  EXPECT_EQ(for_terminal("\xc2\x9b"
                         "2J \r \x7f \b"),
            "\\x9b2J \\x0d \\x7f \\x08");
  EXPECT_EQ(for_terminal("two\nlines\tÄ ¢"), "two\nlines\tÄ ¢");
  EXPECT_EQ(for_terminal("\033[1;32mgreen\033[0m"), "\033[1;32mgreen\033[0m");
  EXPECT_EQ(for_terminal("\033[2Jmore m"), "\\x1b[2Jmore m");
  EXPECT_EQ(for_terminal("\033["), "\\x1b[");
}

}  // namespace
}  // namespace stepwell::cli
