// The data is a function: the same seed tells the same, windows add up, everything can be found
// again.
#include "providers/fake/truth.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/random.h"

namespace stepwell::fake {
namespace {

constexpr Seconds kDay = 86'400;
constexpr Seconds kUntil = 20'778 * kDay;

Truth truth_of(std::uint64_t seed, std::uint32_t users = 3, std::uint32_t days = 3 * 365) {
  return Truth({seed, users, days, kUntil});
}

TEST(Truth, IsTheSameForTheSameSeedOnly) {
  const Truth one = truth_of(7), same = truth_of(7), other = truth_of(8);
  ASSERT_EQ(one.count(1), same.count(1));
  std::string first, second, third;
  for (std::uint32_t i = 0; i < 50; ++i) {
    first += one.workout(1, i).to_canonical().to_json();
    second += same.workout(1, i).to_canonical().to_json();
    third += other.workout(1, i).to_canonical().to_json();
  }
  EXPECT_EQ(first, second);
  EXPECT_NE(first, third);
}

TEST(Truth, HoldsAboutSevenHundredWorkoutsInThreeYears) {
  for (std::uint32_t user = 1; user <= 3; ++user) {
    EXPECT_GT(truth_of(7).count(user), 600u) << "user " << user;
    EXPECT_LT(truth_of(7).count(user), 800u) << "user " << user;
  }
}

TEST(Truth, WindowsAddUp) {
  Random dice(11);
  const Truth truth = truth_of(7);
  for (int round = 0; round < 2'000; ++round) {
    const auto user = static_cast<std::uint32_t>(1 + dice.below(3));
    Seconds cuts[3];
    for (Seconds& cut : cuts) {
      cut = truth.all().from - kDay + static_cast<Seconds>(dice.below(1'097 * kDay));
    }
    std::sort(cuts, cuts + 3);
    const auto whole = truth.within(user, {cuts[0], cuts[2]});
    const auto left = truth.within(user, {cuts[0], cuts[1]});
    const auto right = truth.within(user, {cuts[1], cuts[2]});
    ASSERT_EQ(left.second, right.first) << "round " << round;
    ASSERT_EQ(whole, std::make_pair(left.first, right.second)) << "round " << round;
  }
}

TEST(Truth, FindsEachWorkoutByStartAndById) {
  const Truth truth = truth_of(9);
  std::set<std::int64_t> ids;
  Seconds before = 0;
  for (std::uint32_t i = 0; i < truth.count(2); ++i) {
    const Workout w = truth.workout(2, i);
    ASSERT_EQ(w.ordinal, i);
    ASSERT_GT(w.start, before) << "starts are in order and differ";
    before = w.start;
    ASSERT_TRUE(ids.insert(w.id).second);
    ASSERT_EQ(truth.find(2, w.start)->id, w.id);
    ASSERT_EQ(truth.by_id(w.id)->start, w.start);
    ASSERT_LE(w.moving_s, w.elapsed_s);
  }
  EXPECT_FALSE(truth.by_id(1).has_value());
  EXPECT_FALSE(truth.by_id(9'223'372'036'854'775'807).has_value());
  EXPECT_EQ(truth.count(4), 0u);
}

}  // namespace
}  // namespace stepwell::fake
