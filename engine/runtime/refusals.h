// Refusals — answers of tasks that the store would not take, until their executions have been
// folded again without them and go on with a failure in their place.
//
// Belongs to its lane's thread.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/store/store.h"

namespace stepwell::runtime {

// An answer that is replaced by a failure.
struct RefusedAnswer {
  CommandId command;
  std::uint64_t input_hash = 0;
  std::string reason;
};

class Refusals {
 public:
  // Counts batches with refused rows.  A chunk says how many its lane had heard of: what was staged
  // before that, and builds on a refused fact, is cut.
  void count() { ++seen_; }
  std::uint64_t seen() const { return seen_; }

  // Keeps what has to be replaced, beside those that failures stood for already in that batch.
  // False: there is no other answer of a task among what the batch says of that execution, so
  // nothing can stand in for what was refused.
  bool keep(const store::Refused& refused, const store::Batch& batch,
            std::vector<RefusedAnswer> replaced);
  std::vector<RefusedAnswer> take(ExecutionId id);  // Empty: nothing of it was refused.
  void clear() { kept_.clear(); }

 private:
  std::uint64_t seen_ = 0;
  std::unordered_map<ExecutionId, std::vector<RefusedAnswer>> kept_;
};

}  // namespace stepwell::runtime
