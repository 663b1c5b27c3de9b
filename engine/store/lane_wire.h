// LaneWire — the statements of one lane, each one call of one function of the database, and the
// connection over which they go.
//
// LaneSession decides what is asked, and again after what trouble; a wire only asks.  Two wires:
// libpq (engine/postgres), and the memory store's, on which a simulation lets requests and replies
// get lost.
// Not thread-safe; one lane's committer uses it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/store/store.h"
#include "engine/store/trouble.h"

namespace stepwell::store {

struct CommitReply {
  Time now;
  std::vector<StartOutcome> starts;  // One for each start of the batch.
};

struct ClaimReply {
  ClaimResult result;
  bool wrote = false;  // The call took its number.
};

class LaneWire {
 public:
  virtual ~LaneWire() = default;

  virtual bool is_connected() const = 0;
  // Takes the writer over on a new connection, as the only one that may write from now on, and
  // tells the newest number that has landed.  Nothing: the writer was marked dead.
  virtual Result<std::optional<std::int64_t>> reconnect() = 0;

  // Of a call with a number that has landed already, only the reply is made again.
  virtual Reply<CommitReply> commit(std::int64_t n, const Batch& batch) = 0;
  virtual Reply<ClaimReply> claim(std::int64_t n, const ClaimRequest& request) = 0;
  // Which executions of this batch, that was refused as not mine, are not this writer's.
  virtual Reply<std::vector<ExecutionId>> lost_in(const Batch& batch) = 0;
  virtual Reply<std::vector<ExecutionId>> owned() = 0;
  // The end in order; and the end because nothing that is held can be trusted.
  virtual Reply<Unit> close() = 0;
  virtual Reply<Unit> give_up() = 0;

  // Called before a statement is asked again, with how long to wait.  False: no more tries now.
  virtual bool may_try_again(int tries) = 0;
};

}  // namespace stepwell::store
