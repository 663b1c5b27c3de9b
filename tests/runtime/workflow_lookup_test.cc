// Which program a name means, while others ask for names that nobody knows and the store is away.
#include "engine/runtime/workflow_lookup.h"

#include "dsl/dsl.h"
#include "tests/runtime/fake_clock.h"
#include "tests/runtime/tampered_store.h"
#include "tests/runtime/world.h"

namespace stepwell::runtime {
namespace {

constexpr Millis kStale{Programs::kStaleMs};

class LookupTest : public ::testing::Test {
 protected:
  LookupTest() {
    tampering_.on_name = [this]() -> Status {
      ++questions_;
      if (Gate* const gate = gate_.exchange(nullptr)) gate->pass();
      if (is_away_) return Error{ErrorCode::kUnavailable, "Connection refused"};
      return ok_status();
    };
    old_ = put("StartAt: A\nStates: {A: {Type: Succeed}}\n");
  }

  ProgramRef put(const std::string& text) {
    const ProgramRef program = dsl::compile(text, {}).program;
    const store::StoredProgram stored{.hash = program->hash,
                                      .workflow = "good",
                                      .source = text,
                                      .definition = program->definition.to_json(),
                                      .file = ""};
    EXPECT_TRUE(store_.put_program(Namespace(), stored).ok());
    return program;
  }
  // Notes the name when it is answered.
  std::future<Result<ProgramRef>> ask(const std::string& name) {
    const auto told = std::make_shared<std::promise<Result<ProgramRef>>>();
    lookup_.current(Namespace(), name, [this, name, told](const Result<ProgramRef>& program) {
      {
        const MutexLock lock(mutex_);
        answered_.push_back(name);
      }
      told->set_value(program);
    });
    return told->get_future();
  }
  std::string hash_of(const std::string& name) {
    const auto program = ask(name).get();
    return program.ok() ? (*program)->hash : program.error().message;
  }
  void pass(Millis time) { clock_.now_ms += time.count(); }

  std::atomic<int> questions_{0};
  std::atomic<bool> is_away_{false};
  std::atomic<Gate*> gate_{nullptr};  // Of the next question.
  Mutex mutex_;
  std::vector<std::string> answered_ GUARDED_BY(mutex_);
  Tampering tampering_;
  TamperedStore store_{store::make_memory_store(), tampering_};
  FakeClock clock_;
  Programs programs_{store_, clock_};
  ProgramRef old_;
  WorkflowLookup lookup_{programs_};  // Last: ends first.
};

TEST_F(LookupTest, NamesThatNobodyKnowsHoldUpNoneThatIsKnown) {
  EXPECT_EQ(hash_of("good"), old_->hash);
  pass(kStale);
  Gate gate;
  gate_ = &gate;
  std::vector<std::future<Result<ProgramRef>>> unknown;
  unknown.push_back(ask("unknown"));
  gate.wait();  // It is being asked; 1,000 wait behind it, and there is no room for more.
  for (int i = 0; i < 1'000; ++i) unknown.push_back(ask("unknown " + std::to_string(i)));
  EXPECT_EQ(hash_of("one too many"), "too many starts wait for the database");
  auto good = ask("good");
  gate.open();
  EXPECT_EQ(good.get().value()->hash, old_->hash);
  for (auto& one : unknown) EXPECT_EQ(one.get().error().code, ErrorCode::kNotFound);
  const MutexLock lock(mutex_);
  EXPECT_EQ(answered_[2], "unknown");
  EXPECT_EQ(answered_[3], "good") << "it went before those that waited";
}

TEST_F(LookupTest, WhatIsKnownIsServedWhileTheStoreIsAway) {
  EXPECT_EQ(hash_of("good"), old_->hash);
  const ProgramRef newer = put("StartAt: B\nStates: {B: {Type: Succeed}}\n");
  pass(kStale);
  is_away_ = true;
  EXPECT_EQ(hash_of("good"), old_->hash);
  EXPECT_EQ(questions_, 2);
  EXPECT_EQ(hash_of("good"), old_->hash);
  EXPECT_EQ(questions_, 2) << "the store is not asked for each start";
  EXPECT_EQ(hash_of("other"), "Connection refused") << "nothing is known of it";
  is_away_ = false;
  pass(kStale);
  EXPECT_EQ(hash_of("good"), newer->hash);
}

TEST_F(LookupTest, AMissingNameIsAskedForOnceInAWhile) {
  EXPECT_EQ(hash_of("missing"), "there is no workflow missing");
  EXPECT_EQ(hash_of("missing"), "there is no workflow missing");
  EXPECT_EQ(questions_, 1);
  pass(kStale);
  EXPECT_EQ(hash_of("missing"), "there is no workflow missing");
  EXPECT_EQ(questions_, 2);
  programs_.put(Namespace(), "missing", old_);  // Deployed by this process: known at once.
  EXPECT_EQ(hash_of("missing"), old_->hash);
}

TEST_F(LookupTest, OfMissingNamesOnlySoManyAreKept) {
  EXPECT_EQ(hash_of("first"), "there is no workflow first");
  for (std::size_t i = 0; i < Programs::kMostMissing; ++i) (void)ask(std::to_string(i)).get();
  questions_ = 0;
  EXPECT_EQ(hash_of("first"), "there is no workflow first");
  EXPECT_EQ(questions_, 1);
}

TEST_F(LookupTest, AStopIsToldAsThat) {
  EXPECT_EQ(hash_of("good"), old_->hash);
  pass(kStale);
  lookup_.stop();
  EXPECT_EQ(hash_of("good"), "the engine has stopped");
  EXPECT_EQ(hash_of("other"), "the engine has stopped");
}

}  // namespace
}  // namespace stepwell::runtime
