// Programs that were deployed by another release than ours.
#include "dsl/dsl.h"
#include "tests/runtime/world.h"

namespace stepwell::runtime {
namespace {

// The check of today refuses a heartbeat that is not less than its timeout.  Here an earlier
// release is taken to have accepted it.
constexpr const char* kOfAnEarlierRelease = R"(# Deployed long ago.
StartAt: Sleep
States:
  Sleep: {Type: Wait, Seconds: 3600, Next: Work}
  Work: {Type: Task, Resource: test.work, HeartbeatSeconds: 20, TimeoutSeconds: 10, Next: Broken}
  Broken: {Type: Fail, ErrorPath: $.missing}
)";

class OtherReleases : public World {
 protected:
  // As the deploy of another release left it.
  void stored(const std::string& hash, const std::string& text, const std::string& definition) {
    const auto version = store_->put_program(Namespace(), {.hash = hash,
                                                           .workflow = "old",
                                                           .source = text,
                                                           .definition = definition,
                                                           .file = "old.yaml"});
    ASSERT_TRUE(version.ok()) << version.error().message;
  }
};

TEST_F(OtherReleases, OfWhichARuleWouldRefuseTheTextSleepWakeAndShowTheirHistories) {
  ASSERT_FALSE(dsl::compile(kOfAnEarlierRelease).ok()) << "no rule refuses it";
  const ProgramRef program = dsl::build(kOfAnEarlierRelease, "old.yaml").value();
  stored(program->hash, kOfAnEarlierRelease, program->definition.to_json());
  std::string id;
  {
    auto one = engine();
    id = start(*one, "old");
    eventually("it is parked", [&] { return !row(id).owner; });
  }
  auto tasks = std::make_shared<ManualTasks>(std::vector<std::string>{"test.work"});
  auto two = engine(tasks);  // Has not seen the program, and the execution sleeps.
  pass(Millis(3'600'000));
  tasks->next().done(TaskSucceeded{Value(Object{{"worked", true}})});
  EXPECT_EQ(ended(*two, id).status, "FAILED");
  HistoryOptions newest;
  newest.newest_first = true;
  const auto page = two->history(id, newest);
  ASSERT_TRUE(page) << page.error;
  EXPECT_EQ(page.value.events.size(), 10u);
  // By the author's text, so with its lines.
  EXPECT_EQ(page.value.places[0].where, "old.yaml:6:35");
}

TEST_F(OtherReleases, ThatAreNewerAreLeftToThem) {
  const std::string newer = R"({"StartAt":"A","States":{"A":{"Type":"Loop","End":true}}})";
  stored("newer", newer, newer);
  auto one = engine();
  const auto started = one->start("old", "{}");
  EXPECT_EQ(started.code, Code::kUnavailable);
  EXPECT_EQ(started.error,
            "this version of Stepwell does not know what stands in the program newer: "
            "old.yaml:1:38: there is no type of state \"Loop\"");
}

}  // namespace
}  // namespace stepwell::runtime
