// SimSession — a lane's session over that wire, and the mutants that live in the database.
#pragma once

#include <memory>
#include <string>

#include "tests/sim/sim_store.h"

namespace stepwell::sim {

inline Error away() { return {ErrorCode::kUnavailable, "the database is away"}; }

class SimSession final : public store::Session {
 public:
  SimSession(World& world, Witness& witness, const Aims& aims,
             std::unique_ptr<store::Session> inner, std::string name)
      : world_(world),
        witness_(witness),
        aims_(aims),
        inner_(std::move(inner)),
        name_(std::move(name)) {}

  Uuid writer() const override { return inner_->writer(); }
  Result<store::Ack> commit(const store::Batch& batch) override;
  Result<store::ClaimResult> claim(const store::ClaimRequest& request) override;
  Result<std::vector<ExecutionId>> owned() override;
  Status close() override;

 private:
  Result<store::Ack> commit_mutated(const store::Batch& batch);

  World& world_;
  Witness& witness_;
  const Aims& aims_;
  const std::unique_ptr<store::Session> inner_;
  const std::string name_;
  bool is_claim_open_ = false;     // The last one had no answer.
  std::uint64_t last_number_ = 0;  // Of a batch.
};

}  // namespace stepwell::sim
