#include "engine/runtime/refusals.h"

#include <utility>

#include "engine/store/batch_parts.h"

namespace stepwell::runtime {
namespace {

bool is_answer(FactKind kind) {
  return kind == FactKind::kTaskSucceeded || kind == FactKind::kTaskFailed;
}

bool is_refused_itself(const store::JournalRow& row) {
  return !store::why_refused("answer", row.payload, store::kMaxTextBytes).empty();
}

}  // namespace

bool Refusals::keep(const store::Refused& refused, const store::Batch& batch) {
  Refusal refusal;
  refusal.reason = refused.reason;
  bool is_known = false;  // Which answer it is; else any of them may have led to what was refused.
  for (const store::JournalRow& row : batch.facts) {
    if (row.execution != refused.execution || !is_answer(row.kind)) continue;
    const bool is_bad = is_refused_itself(row);
    if (is_bad && !std::exchange(is_known, true)) refusal.answers.clear();
    if (is_bad || !is_known) refusal.answers.push_back(row);
  }
  if (refusal.answers.empty()) return false;
  kept_[refused.execution] = std::move(refusal);
  return true;
}

std::optional<Refusal> Refusals::take(ExecutionId id) {
  auto found = kept_.extract(id);
  if (found.empty()) return std::nullopt;
  return std::move(found.mapped());
}

}  // namespace stepwell::runtime
