// World — a store with what only the world does to it: for the suite that runs on every store.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/store/store.h"

namespace stepwell::testing {

class World {
 public:
  virtual ~World() = default;
  virtual store::Store& store() = 0;
  // The node's lease is over although the process lives.
  virtual void expire(const store::Node& node) = 0;
  // Returns when the store can see that the killed node is gone.
  virtual void wait_until_gone(Uuid node) = 0;
};

struct WorldMaker {
  const char* name;
  std::unique_ptr<World> (*make)();
};

std::unique_ptr<World> make_memory_world();
std::unique_ptr<World> make_postgres_world();

// Ids in order, of now.
ExecutionId new_execution();

store::JournalRow fact(ExecutionId id, std::uint64_t seq, std::string payload = "{}",
                       FactKind kind = FactKind::kTaskSucceeded);
store::Start start_of(ExecutionId id, const std::string& name = "", const std::string& input = "{}",
                      const std::string& workflow = "wf");
store::Delivery stop_of(ExecutionId id, const std::string& key = "stop");
store::FinishRow finish_of(ExecutionId id, ExecutionStatus status = ExecutionStatus::kSucceeded);

// Values for assertions.
std::vector<ExecutionId> ids_of(const store::ClaimResult& result);

// Every test of the suite, and of others that want both stores.
class OnEveryStore : public ::testing::TestWithParam<WorldMaker> {
 protected:
  void SetUp() override { world_ = GetParam().make(); }

  store::Store& db() { return world_->store(); }
  World& world() { return *world_; }

  // A process with one lane; dropping it kills the process.
  struct Process {
    std::unique_ptr<store::Node> node;
    std::unique_ptr<store::Session> lane;
  };
  Process process(const store::NodeOptions& options = {.label = "p", .lease = Millis{600'000}});

  // Ends it as kill -9 does; returns when that can be seen.
  void kill(Process& process);
  // Starts at the store's door and takes them over; the ids in order.
  std::vector<ExecutionId> claimed_by(store::Session& lane, int count);
  void start(const std::vector<ExecutionId>& ids);
  store::Batch batch() {
    store::Batch made;
    made.number = ++number_;
    return made;
  }
  store::ClaimResult claim(store::Session& lane, const store::ClaimRequest& request = {});
  store::Ack commit(store::Session& lane, const store::Batch& batch);
  std::vector<std::uint64_t> seqs(ExecutionId id);
  ErrorCode error_of(const Status& status) {
    return status.ok() ? ErrorCode::kInternal : status.error().code;
  }

 private:
  std::unique_ptr<World> world_;
  std::uint64_t number_ = 0;
};

}  // namespace stepwell::testing
