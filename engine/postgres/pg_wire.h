// PgWire — a lane's statements, over a connection of its own.
// Not thread-safe; one lane's committer uses it.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "engine/postgres/link.h"
#include "engine/store/lane_wire.h"

namespace stepwell::postgres {

class PgWire : public store::LaneWire {
 public:
  // Registers a new writer of that node; kConflict when the node's lease is over.
  static Result<std::unique_ptr<store::Session>> open_session(const PgOptions& options,
                                                              const Uuid& node, const Uuid& writer);

  bool is_connected() const override { return link_ != nullptr && !link_->is_lost(); }
  Result<std::optional<std::int64_t>> reconnect() override;
  store::Reply<store::CommitReply> commit(std::int64_t n, const store::Batch& batch) override;
  store::Reply<store::ClaimReply> claim(std::int64_t n,
                                        const store::ClaimRequest& request) override;
  store::Reply<std::vector<ExecutionId>> lost_in(const store::Batch& batch) override;
  store::Reply<std::vector<ExecutionId>> owned() override;
  store::Reply<Unit> close() override;
  store::Reply<Unit> give_up() override;
  // Sleeps, longer each time; about a second in all.
  bool may_try_again(int tries) override;

 private:
  PgWire(PgOptions options, const Uuid& writer) : options_(std::move(options)), writer_(writer) {}

  PgOptions options_;
  Uuid writer_;
  void make_plans_anew_at_times();

  std::unique_ptr<Link> link_;
  std::int64_t conn_ = 1;
  std::uint64_t calls_ = 0;  // Commits and claims on this link.
};

}  // namespace stepwell::postgres
