// What somebody who watches an execution sees, as a function of its history.
#include "cli/progress.h"

#include <gtest/gtest.h>

#include "cli/console.h"

namespace stepwell::cli {
namespace {

// Feeds the events of a run: a state, a Map of `total` items, of which `done` have succeeded.
class WatchedRun {
 public:
  Progress progress;

  WatchedRun& event(const std::string& type, const std::string& details_name = "",
                    const std::string& details = "") {
    ++id_;
    std::string text = R"({"id":)" + std::to_string(id_) + R"(,"previousEventId":)" +
                       std::to_string(id_ - 1) +
                       R"(,"timestamp":"2026-11-21T05:00:00.000Z","type":")" + type + "\"";
    if (!details.empty()) text += ",\"" + details_name + "\":" + details;
    progress.feed(parse_json(text + "}").value());
    return *this;
  }
  WatchedRun& enters(const std::string& kind, const std::string& name) {
    return event(kind + "StateEntered", "stateEnteredEventDetails", R"({"name":")" + name + "\"}");
  }
  WatchedRun& map_of(const std::string& name, int total) {
    enters("Map", name);
    return event("MapStateStarted", "mapStateStartedEventDetails",
                 R"({"length":)" + std::to_string(total) + "}");
  }
  WatchedRun& iterations(const std::string& name, int from, int count,
                         const std::string& how = "Succeeded") {
    for (int i = from; i < from + count; ++i) {
      event("MapIteration" + how, "mapIteration" + how + "EventDetails",
            R"({"name":")" + name + R"(","index":)" + std::to_string(i) + "}");
    }
    return *this;
  }

 private:
  std::uint64_t id_ = 0;
};

Time seconds_in(int seconds) {
  return parse_rfc3339("2026-11-21T05:00:00Z").value() + std::chrono::seconds(seconds);
}

TEST(Progress, ShowsTheStateOutsideOfMaps) {
  WatchedRun run;
  EXPECT_EQ(run.progress.plain(), "started");
  run.event("ExecutionStarted").enters("Task", "Plan");
  EXPECT_EQ(run.progress.plain(), "Plan");
  EXPECT_EQ(run.progress.line(80, seconds_in(1)), "Plan");
}

TEST(Progress, DrawsABarWithCountsAndAnEstimate) {
  WatchedRun run;
  run.map_of("Chunks", 40).iterations("Chunks", 0, 10);
  EXPECT_EQ(run.progress.line(80, seconds_in(10)),
            "Chunks  ██████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  10/40  ~31 s left");
  EXPECT_EQ(run.progress.plain(), "Chunks 10/40");
  EXPECT_EQ(run.progress.percent(), 25u);
}

TEST(Progress, ANarrowTerminalLosesTheEstimateThenTheName) {
  WatchedRun run;
  run.map_of("Chunks", 40).iterations("Chunks", 0, 20);
  EXPECT_EQ(run.progress.line(40, seconds_in(10)), "Chunks  ██████░░░░░░░  20/40  ~11 s left");
  EXPECT_EQ(run.progress.line(24, seconds_in(10)), "Chunks  ████░░░░░  20/40");
  EXPECT_EQ(run.progress.line(14, seconds_in(10)), "███░░░░  20/40");
  for (std::size_t width = 14; width < 100; ++width) {
    EXPECT_LE(columns_of(run.progress.line(width, seconds_in(10))), width);
  }
}

TEST(Progress, CountsRetriesAndFailedIterations) {
  WatchedRun run;
  run.map_of("Chunks", 3);
  run.enters("Task", "Fetch").event("TaskScheduled").event("TaskFailed");
  EXPECT_EQ(run.progress.plain(), "Chunks 0/3");  // A catcher may take it.
  run.event("TaskScheduled");
  EXPECT_EQ(run.progress.plain(), "Chunks 0/3, 1 retry");
  run.event("TaskTimedOut").event("TaskScheduled").event("TaskFailed");
  run.enters("Task", "Mend").event("LambdaFunctionScheduled").event("LambdaFunctionFailed");
  run.event("LambdaFunctionScheduled").event("LambdaFunctionSucceeded");
  run.iterations("Chunks", 0, 1, "Failed").iterations("Chunks", 1, 1);
  EXPECT_EQ(run.progress.plain(), "Chunks 2/3, 1 failed, 3 retries");
  EXPECT_EQ(run.progress.line(80, seconds_in(10)),
            "Chunks  ██████████████████████████░░░░░░░░░░░░░░  2/3  3 retries  ~6 s left");
}

TEST(Progress, GoesOnToTheNextStateWhenTheMapIsOver) {
  WatchedRun run;
  run.map_of("Chunks", 2).iterations("Chunks", 0, 2).event("MapStateSucceeded");
  run.enters("Pass", "Sum");
  EXPECT_EQ(run.progress.plain(), "Sum");
  EXPECT_EQ(run.progress.percent(), std::nullopt);
}

TEST(Progress, ReadingAPageTwiceChangesNothing) {
  WatchedRun run;
  run.map_of("Chunks", 2).iterations("Chunks", 0, 1);
  const Value again = parse_json(R"({"id":3,"type":"MapIterationSucceeded",)"
                                 R"("mapIterationSucceededEventDetails":{"name":"Chunks"}})")
                          .value();
  run.progress.feed(again);
  EXPECT_EQ(run.progress.plain(), "Chunks 1/2");
}

TEST(Standstill, TellsWhatNothingMovesBefore) {
  const std::string task = R"({"state":"A","where":"a.yaml:3:3","reason":"task"})";
  const std::string soon =
      R"({"state":"A","where":"a.yaml:3:3","reason":"timer","until":"2026-11-21T05:00:09Z"})";
  const std::string timer =
      R"({"state":"B","where":"a.yaml:4:3","reason":"timer","until":"2026-11-21T06:00:00Z"})";
  const std::string retry = R"({"state":"C","where":"a.yaml:5:3","reason":"retry","attempt":3,)"
                            R"("last_error":"Bank.Busy","until":"2026-11-21T05:01:00Z"})";
  const std::string nobody = R"({"state":"D","where":"a.yaml:6:3","reason":"handler",)"
                             R"("resource":"x.y","text":"no process serves \"x.y\""})";
  const std::pair<std::string, std::string> cases[] = {
      {"", ""},
      {task, ""},
      {soon, ""},
      {timer, "waiting at a.yaml:4:3 until 2026-11-21T06:00:00Z"},
      {retry, "waiting at a.yaml:5:3 until 2026-11-21T05:01:00Z, to try again after Bank.Busy"},
      {timer + "," + retry,
       "waiting at a.yaml:5:3 until 2026-11-21T05:01:00Z, to try again after Bank.Busy"},
      {timer + "," + soon, ""},
      {timer + "," + task, ""},
      {nobody, R"(waiting at a.yaml:6:3: no process serves "x.y")"},
      {R"({"reason":"suspect","text":"its process died"})", "waiting: its process died"},
      {task + "," + nobody, R"(waiting at a.yaml:6:3: no process serves "x.y")"},
  };
  for (const auto& [waits, text] : cases) {
    const Value waiting = parse_json(R"({"for":[)" + waits + "]}").value();
    EXPECT_EQ(standstill(waiting, seconds_in(0)), text) << waits;
  }
  EXPECT_EQ(standstill(Value(), seconds_in(0)), "");
}

}  // namespace
}  // namespace stepwell::cli
