// Backlog — what a lane has staged for its committer, and what the committer hands back.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "engine/store/store.h"

namespace stepwell::runtime {

// Called once with what became of a start; on the lane's thread, and must not block.
using StartAnswer = std::function<void(Result<store::StartOutcome>)>;

// Executions that a lane holds, asked for by the audit: whatever else names it is to be given back.
struct HeldList {
  std::unordered_set<ExecutionId> ids;
  std::uint64_t claims_seen = 0;  // How many claims the lane had taken in when it made the list.
};

// In the order in which they were staged; a chunk is never cut.
struct Chunk {
  store::Batch batch;
  std::vector<StartAnswer> answers;  // One for each of batch.starts.
  std::optional<HeldList> held;
  std::size_t bytes = 0;    // Of the texts in it, about.
  std::uint64_t epoch = 0;  // Of the lane's session: what was staged for an older one is void.
  // Batches with refused rows that the lane had heard of: what it staged before goes on from facts
  // that are not there.
  std::uint64_t refusals_seen = 0;

  bool empty() const { return batch.empty() && !held; }
  std::size_t rows() const { return batch.rows(); }
};

// A batch that is durable (but for what the ack lists).
struct Landed {
  store::Batch batch;
  std::vector<StartAnswer> answers;
  store::Ack ack;
};

// Appends all of `from`; `from` is left empty.
void append(store::Batch& to, store::Batch&& from);
void append(Chunk& to, Chunk&& from);

}  // namespace stepwell::runtime
