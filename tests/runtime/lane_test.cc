// One lane without an engine around it: what it does about bugs and data that nobody should see.
#include "engine/runtime/lane_thread.h"
#include "engine/runtime/steady_clock.h"
#include "engine/task/thread_pool.h"
#include "tests/runtime/tampered_store.h"
#include "tests/runtime/world.h"

namespace stepwell::runtime {
namespace {

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
    caller_ = idle_engine();
    const std::string id = start(*caller_, "w", input);
    EXPECT_TRUE(membership_.join().ok());
    const auto make = [this](loop::Loop& loop, unsigned) {
      loop_ = &loop;
      return tasks_;
    };
    EXPECT_TRUE(lane_.start({make}).ok());
    lane_.want_claim();
    return row(id).id;
  }
  // All answers that have arrived are with the committer.
  void stage_answers() {
    std::promise<void> done;
    loop_->post([&] {  // After the answers; what is posted here comes after the loop's next wait.
      loop_->post([&] { done.set_value(); });
    });
    done.get_future().wait();
  }
  // Starts one when the lane comes to it, behind `hold`; what is posted to the lane meanwhile comes
  // after it has been staged.
  std::future<ErrorCode> start_behind(const std::function<void()>& hold) {
    const auto code = std::make_shared<std::promise<ErrorCode>>();
    const ProgramRef program = programs_.current(Namespace(), "w").value();
    loop_->post([hold] { hold(); });
    Beginning beginning;
    beginning.program = program;
    beginning.row.id = ExecutionId{Uuid::v7(unix_ms(clock_.now()), 1, 2)};
    beginning.row.workflow = "w";
    beginning.row.program_hash = beginning.fact.pins.program_hash = program->hash;
    beginning.row.name = beginning.fact.pins.execution_name = "behind";
    beginning.row.input = beginning.fact.input_text = "{}";
    beginning.fact.input = Value(Object());
    lane_.begin(std::move(beginning), [code](const Result<store::StartOutcome>& outcome) {
      code->set_value(outcome.ok() ? ErrorCode::kInvalid : outcome.error().code);
    });
    return code->get_future();
  }
  std::string outcome_of(ExecutionId id) {
    eventually("it ends", [&] {
      lane_.want_claim();  // It learns of the time that has passed.
      return row(id.text()).status != ExecutionStatus::kRunning;
    });
    return outcome(ended(*caller_, id.text()));
  }

  std::shared_ptr<ManualTasks> tasks_ = std::make_shared<ManualTasks>(
      std::vector<std::string>{"test.slow", "test.first", "test.second"});
  Tampering tampering_;
  Counters counters_;
  std::unique_ptr<BlockingEngine> caller_;

 private:
  loop::Loop* loop_ = nullptr;
  TamperedStore tampered_{store_, tampering_};
  Membership membership_{tampered_, {.label = "lane", .lease = settings_.lease}};
  StoreClock clock_{steady_clock()};
  Programs programs_{tampered_, steady_clock()};
  EndWaiters ends_;
  ThreadPool folders_{1}, archivists_{1};
  Health health_{HealthLimits{}};

 protected:
  LaneThread lane_{{steady_clock(), settings_, tampered_, membership_, clock_, counters_, programs_,
                    ends_, folders_, archivists_, health_},
                   0};
};

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
  begun[0].done(TaskSucceeded{Value(std::string("\xff\xfe"))});
  refused.wait();
  // Not the last: its end would hold all of them, and be refused for itself.
  for (int i = 1; i < 3; ++i) begun[i].done(TaskSucceeded{begun[i].call.input});
  stage_answers();
  refused.open();
  for (int i = 1; i < 4; ++i) {
    auto again = tasks_->next();
    again.done(TaskSucceeded{again.call.input});
  }
  EXPECT_EQ(outcome_of(id), R"(SUCCEEDED ["refused",1,2,3])");
  EXPECT_EQ(counters_.lost, 0u);
  const auto journal = store_->journal(Namespace(), id, 0, 10);
  std::vector<std::uint64_t> seqs;
  for (const store::JournalRow& row : *journal) seqs.push_back(row.seq);
  EXPECT_EQ(seqs, (std::vector<std::uint64_t>{1, 2, 3, 4, 5}));
}

// A start that was staged before the lane heard that it had been cut off makes it hear of it once
// more, when it has claimed anew already.
TEST_F(OneLane, KeepsWhatItHasClaimedSinceItWasCutOff) {
  std::atomic<bool> is_cut_off{false}, has_claimed_anew{false};
  std::atomic<int> sessions{0};
  Gate claims;
  tampering_.is_dead = [&] { return is_cut_off.exchange(false); };
  tampering_.before_open = [&] { ++sessions; };
  tampering_.on_claim = [&](const store::ClaimRequest&) {
    if (sessions == 2 && !has_claimed_anew.exchange(true)) claims.came.set_value();
  };
  const ExecutionId id = begin(kTwoSteps, "{}");
  tasks_->next();
  std::promise<void> is_behind;
  auto code = start_behind([&] {
    is_behind.set_value();
    claims.wait();
  });
  is_behind.get_future().wait();
  is_cut_off = true;
  lane_.want_claim();
  EXPECT_EQ(code.get(), ErrorCode::kFenced);
  tasks_->next().done(TaskSucceeded{Value(1)});
  tasks_->next().done(TaskSucceeded{Value(2)});
  EXPECT_EQ(outcome_of(id), "SUCCEEDED 2");
  EXPECT_EQ(counters_.reconciled, 0u);
  EXPECT_EQ(tasks_->begun(), 3u);
}

}  // namespace
}  // namespace stepwell::runtime
