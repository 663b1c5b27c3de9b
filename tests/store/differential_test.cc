// MemoryStore is a model of the SQL: random operations on both, and nothing differs.
//
//   ./dev differential [--operations N] [--seed S]
#include "tests/store/differential.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace stepwell::testing {
namespace {

std::uint64_t given(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(Differential, NothingDiffers) {
  const std::uint64_t first = given("STEPWELL_DIFFERENTIAL_SEED", 1);
  const std::uint64_t operations = given("STEPWELL_DIFFERENTIAL_OPERATIONS", 800);
  constexpr std::uint64_t kOfOneSeed = 4'000;
  std::vector<std::pair<std::string, std::uint64_t>> counts;
  std::uint64_t seed = first;
  for (std::uint64_t done = 0; done < operations; done += kOfOneSeed, ++seed) {
    Differential world(seed, operations > kOfOneSeed ? 10 : 4);
    const auto now = static_cast<int>(std::min(kOfOneSeed, operations - done));
    const std::string why = world.run(now);
    ASSERT_EQ(why, "") << "again: ./dev differential --seed " << seed << " --operations " << now;
    counts = world.counts();
  }
  if (first != 1) return;  // A short run of one's own need not meet everything.
  for (const char* what : {"claimed something", "claimed a slice", "lost", "start that ends",
                           "marked dead", "woken", "fenced", "cut", "kill", "notice", "close"}) {
    const bool met = std::any_of(counts.begin(), counts.end(),
                                 [&](const auto& count) { return count.first == what; });
    EXPECT_TRUE(met) << what << " was never met";
  }
}

}  // namespace
}  // namespace stepwell::testing
