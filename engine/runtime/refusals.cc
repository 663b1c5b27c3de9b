#include "engine/runtime/refusals.h"

#include <algorithm>
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

bool Refusals::keep(const store::Refused& refused, const store::Batch& batch,
                    std::vector<RefusedAnswer> replaced) {
  const auto is_replaced = [&](CommandId command) {
    return std::any_of(replaced.begin(), replaced.end(),
                       [&](const RefusedAnswer& answer) { return answer.command == command; });
  };
  std::vector<RefusedAnswer> found;
  bool is_known = false;  // Which answer it is; else any of them may have led to what was refused.
  for (const store::JournalRow& row : batch.facts) {
    if (row.execution != refused.execution || !is_answer(row.kind)) continue;
    const bool is_bad = is_refused_itself(row);
    if (is_bad && !std::exchange(is_known, true)) found.clear();
    if ((is_known && !is_bad) || is_replaced(row.command)) continue;
    found.push_back({row.command, row.input_hash, refused.reason});
  }
  if (found.empty()) return false;
  replaced.insert(replaced.end(), found.begin(), found.end());
  kept_[refused.execution] = std::move(replaced);
  return true;
}

std::vector<RefusedAnswer> Refusals::take(ExecutionId id) {
  auto found = kept_.extract(id);
  return found.empty() ? std::vector<RefusedAnswer>{} : std::move(found.mapped());
}

}  // namespace stepwell::runtime
