// One lane without an engine around it: what it does about bugs and data that nobody should see.
#include "engine/runtime/lane.h"

#include "engine/runtime/steady_clock.h"
#include "engine/task/thread_pool.h"
#include "tests/runtime/tampered_store.h"
#include "tests/runtime/world.h"

namespace stepwell::runtime {

// Does what only the lane itself may do, on the lane's thread, and waits until it is done.
struct LaneDoor {
  static void on_thread(Lane& lane, const std::function<void()>& work) {
    std::promise<void> done;
    lane.loop_.post([&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }
  // Nobody runs any more what the execution waits for, and nobody noticed.
  static void lose_everything(Lane& lane, ExecutionId id) {
    on_thread(lane, [&] {
      Held* held = lane.find(id);
      ASSERT_NE(held, nullptr);
      ASSERT_FALSE(held->outstanding.empty());
      while (!held->outstanding.empty()) lane.cancel(*held, held->outstanding.begin()->first);
    });
  }
  // All answers that have arrived are with the committer.
  static void stage_answers(Lane& lane) {
    on_thread(lane, [&] {
      lane.settle();
      lane.flush();
    });
  }
};

namespace {

constexpr const char* kTask = R"(
StartAt: Slow
States:
  Slow: {Type: Task, Resource: test.slow, End: true}
)";
constexpr const char* kWait = R"(
StartAt: Wait
States:
  Wait: {Type: Wait, Seconds: 5, End: true}
)";
constexpr const char* kTaskInTime = R"(
TimeoutSeconds: 5
StartAt: Slow
States:
  Slow: {Type: Task, Resource: test.slow, End: true}
)";

class OneLane : public World {
 protected:
  ~OneLane() override {
    lane_.stop();
    folders_.stop();
    archivists_.stop();
  }
  // Begins the lane, and an execution for it to claim.
  ExecutionId begin(const char* workflow, const std::string& input) {
    auto one = engine();
    deploy(*one, "w", workflow);
    one.reset();
    caller_ = std::move(open_on(store_, options_, settings_).value);  // Runs no lanes.
    const std::string id = start(*caller_, "w", input);
    EXPECT_TRUE(membership_.join().ok());
    EXPECT_TRUE(lane_.start({[this](loop::Loop&, unsigned) { return tasks_; }}).ok());
    lane_.want_claim();
    return row(id).id;
  }
  std::string outcome_of(ExecutionId id) {
    eventually("it ends", [&] {
      lane_.want_claim();  // It learns of the time that has passed.
      return row(id.text()).status != ExecutionStatus::kRunning;
    });
    return outcome(ended(*caller_, id.text()));
  }

  std::shared_ptr<ManualTasks> tasks_ =
      std::make_shared<ManualTasks>(std::vector<std::string>{"test.slow"});
  Tampering tampering_;
  Figures figures_;
  std::unique_ptr<Engine> caller_;

 private:
  TamperedStore tampered_{store_, tampering_};
  Membership membership_{tampered_, {.label = "lane", .lease = settings_.lease}};
  StoreClock clock_{steady_clock()};
  Programs programs_{tampered_, steady_clock()};
  Ends ends_;
  ThreadPool folders_{1}, archivists_{1};
  Health health_{HealthLimits{}};

 protected:
  Lane lane_{{steady_clock(), settings_, tampered_, membership_, clock_, figures_, programs_, ends_,
              folders_, archivists_, health_},
             0};
};

TEST_F(OneLane, RunsAgainATaskThatItHasLost) {
  const ExecutionId id = begin(kTask, "1");
  auto lost = tasks_->next();
  LaneDoor::lose_everything(lane_, id);
  auto again = tasks_->next();
  EXPECT_EQ(again.call.command, lost.call.command);
  EXPECT_EQ(again.call.idempotency_key, lost.call.idempotency_key);
  EXPECT_EQ(figures_.reissued, 1u);
  lost.done(TaskSuccess{Value("of the one that was given up")});
  again.done(TaskSuccess{Value(2)});
  EXPECT_EQ(outcome_of(id), "SUCCEEDED 2");
}

TEST_F(OneLane, SetsAgainATimerThatItHasLost) {
  const ExecutionId id = begin(kWait, "1");
  eventually("it waits", [&] { return !row(id.text()).waiting.empty(); });
  LaneDoor::lose_everything(lane_, id);
  eventually("it is set again", [&] { return figures_.reissued == 1; });
  pass(Millis(5'000));
  EXPECT_EQ(outcome_of(id), "SUCCEEDED 1");
}

TEST_F(OneLane, SetsAgainTheTimeoutOfAnExecutionThatItHasLost) {
  const ExecutionId id = begin(kTaskInTime, "1");
  tasks_->next();
  LaneDoor::lose_everything(lane_, id);
  tasks_->next();
  eventually("both are there again", [&] { return figures_.reissued == 2; });
  pass(Millis(5'000));
  EXPECT_EQ(outcome_of(id), "TIMED_OUT -: -");
}

// What was on its way to the store behind a fact that is refused goes on from what is not there.
TEST_F(OneLane, LeavesNoHoleWhereAFactWasRefused) {
  Gate refused;
  bool is_first = true;
  tampering_.before_ack = [&](const store::Batch& batch) {
    if (!batch.facts.empty() && std::exchange(is_first, false)) refused.pass();
  };
  const ExecutionId id = begin(kCatchingMap, "[0,1,2,3]");
  std::vector<ManualTasks::Begun> begun;
  for (int i = 0; i < 4; ++i) begun.push_back(tasks_->next());
  begun[0].done(TaskSuccess{Value(std::string("\xff\xfe"))});
  refused.wait();
  // Not the last: its end would hold all of them, and be refused for itself.
  for (int i = 1; i < 3; ++i) begun[i].done(TaskSuccess{begun[i].call.input});
  LaneDoor::stage_answers(lane_);
  refused.open();
  for (int i = 1; i < 4; ++i) {
    auto again = tasks_->next();
    again.done(TaskSuccess{again.call.input});
  }
  EXPECT_EQ(outcome_of(id), R"(SUCCEEDED ["refused",1,2,3])");
  EXPECT_EQ(figures_.lost, 0u);
  const auto journal = store_->journal(id, 0, 10);
  std::vector<std::uint64_t> seqs;
  for (const store::JournalRow& row : *journal) seqs.push_back(row.seq);
  EXPECT_EQ(seqs, (std::vector<std::uint64_t>{1, 2, 3, 4, 5}));
}

}  // namespace
}  // namespace stepwell::runtime
