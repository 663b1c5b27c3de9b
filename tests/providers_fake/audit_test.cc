// The audit is green when all has arrived, and turns red for each way of not being exact.
#include <gtest/gtest.h>

#include "providers/fake/destination.h"

namespace stepwell::fake {
namespace {

constexpr Seconds kDay = 86'400;

class Audit : public ::testing::Test {
 protected:
  Audit() {
    for (std::uint32_t i = 0; i < truth.count(1); ++i) {
      there.add(1, point_of(truth.workout(1, i), "p" + std::to_string(i)));
    }
  }

  static Point point_of(const Workout& w, const std::string& id, std::int64_t hr_shift = 0) {
    const Value canonical = w.to_canonical();
    const Value& time = *canonical.find("time");
    Object summary{{"elevationGainMillimeters", w.elevation_m * 1'000},
                   {"distanceMillimeters", static_cast<double>(w.distance_dm) * 100}};
    if (w.hr_bpm > 0) {
      summary.set("averageHeartRateBeatsPerMinute", std::to_string(w.hr_bpm + hr_shift));
    }
    Object interval{{"startTime", *time.find("start")},
                    {"startUtcOffset", std::to_string(w.offset_s) + "s"},
                    {"endTime", *time.find("end")}};
    return {id, "", w.start, w.offset_s,
            Value(Object{{"interval", Value(std::move(interval))},
                         {"exerciseType", sports()[w.sport].google},
                         {"displayName", w.title},
                         {"activeDuration", std::to_string(w.moving_s) + "s"},
                         {"metricsSummary", Value(std::move(summary))}})};
  }
  // missing, duplicates, unexpected, corrupt
  std::string verdict(std::uint32_t user = 1) const {
    const Verdict v = there.compare(truth, user, truth.all());
    return std::to_string(v.missing) + " " + std::to_string(v.duplicates) + " " +
           std::to_string(v.unexpected) + " " + std::to_string(v.corrupt);
  }
  // The first with a heart rate.
  Workout some() const {
    std::uint32_t i = 0;
    while (truth.workout(1, i).hr_bpm == 0) ++i;
    return truth.workout(1, i);
  }

  Truth truth{{7, 2, 100, 20'000 * kDay}};
  Destination there;
};

TEST_F(Audit, IsGreenWhenAllIsThere) {
  EXPECT_EQ(verdict(), "0 0 0 0");
  EXPECT_TRUE(there.compare(truth, 1, truth.all()).is_exact());
  EXPECT_EQ(there.compare(truth, 1, truth.all()).found, truth.count(1));
}

TEST_F(Audit, SeesAMissingRecord) {
  there.remove(1, "p3");
  EXPECT_EQ(verdict(), "1 0 0 0");
}

TEST_F(Audit, SeesARecordThatCameTwiceWhateverItsKey) {
  Point again = point_of(truth.workout(1, 4), "another-id");
  again.client_id = "another-key";
  there.add(1, again);
  EXPECT_EQ(verdict(), "0 1 0 0");
}

TEST_F(Audit, SeesARecordThatChangedOnTheWay) {
  const Workout w = some();
  there.remove(1, "p" + std::to_string(w.ordinal));
  there.add(1, point_of(w, "x", 1));
  EXPECT_EQ(verdict(), "0 0 0 1");
}

TEST_F(Audit, SeesARecordThatNobodyMade) {
  Workout w = some();
  w.start += 1;
  there.add(1, point_of(w, "x"));
  EXPECT_EQ(verdict(), "0 0 1 0");
}

TEST_F(Audit, SeesARecordAtTheWrongUser) {
  EXPECT_EQ(verdict(2), std::to_string(truth.count(2)) + " 0 0 0");
  there.add(2, point_of(some(), "x"));
  EXPECT_EQ(verdict(2).substr(verdict(2).find(' ')), " 0 1 0");
}

TEST_F(Audit, AsksForEnergyOnlyWhereItIsSaid) {
  const Workout w = some();
  Point point = point_of(w, "p" + std::to_string(w.ordinal));
  Object exercise = point.exercise.as_object();
  Object summary = exercise.find("metricsSummary")->as_object();
  const auto with_energy = [&](int kcal) {
    summary.set("caloriesKcal", kcal);
    exercise.set("metricsSummary", Value(summary));
    point.exercise = Value(exercise);
    there.change(1, point);
  };
  with_energy(w.kcal);
  EXPECT_EQ(verdict(), "0 0 0 0");
  with_energy(w.kcal + 1);
  EXPECT_EQ(verdict(), "0 0 0 1");
}

}  // namespace
}  // namespace stepwell::fake
