// MemoryState: starts, as in sql/engine/functions/start.sql.
#include <algorithm>

#include "engine/store/memory_state.h"

namespace stepwell::store {
namespace {

MemoryState::StartKey key_of(const Start& start) { return {start.ns, start.workflow, start.name}; }

}  // namespace

MemoryState::Started MemoryState::try_starts(const std::vector<Start>& starts, bool by_lane) {
  Started started;
  std::vector<const Start*> named;
  for (const Start& start : starts) {
    if (!is_nameless(start)) named.push_back(&start);
  }
  std::sort(named.begin(), named.end(), [](const Start* a, const Start* b) {
    return std::pair(key_of(*a), a->id) < std::pair(key_of(*b), b->id);
  });
  for (const Start* start : named) {
    const KeyRow row{start->id, start->input_hash};
    if (start_keys.try_emplace(key_of(*start), row).second) started.keys.push_back(key_of(*start));
  }
  const bool all_are_new = by_lane && started.keys.size() == named.size();
  for (const Start& start : starts) {
    const bool has_name = is_nameless(start) || start_keys.at(key_of(start)).execution == start.id;
    const bool is_there = executions.contains(start.id);
    if (!has_name) started.losers.insert(start.id);
    started.is_new.push_back(all_are_new || (has_name && !is_there));
    started.is_taken |= all_are_new && is_there;
  }
  return started;
}

void MemoryState::insert(const Start& start, std::optional<Uuid> writer) {
  MemoryExecution& execution = executions[start.id];
  ExecutionRow& row = execution.row;
  row.id = start.id;
  row.ns = start.ns;
  row.workflow = start.workflow;
  row.program_hash = start.program_hash;
  row.name = is_nameless(start) ? std::string() : start.name;
  row.pool = start.pool;
  row.input = start.input;
  row.started_at = start.first.at;
  row.redrive_of = start.redrive_of;
  row.tags = start.tags;
  execution.semantics = start.semantics;
  execution.priority = start.priority;
  execution.version = start.version;
  execution.origin = start.origin;
  execution.input_hash = start.input_hash;
  JournalRow first = start.first;
  first.execution = start.id;
  first.seq = 1;
  first.kind = FactKind::kStarted;
  first.command = {};
  first.payload = full_payload(start);
  execution.journal.emplace(1, std::move(first));
  execution.claim_seq = 1;
  execution.claimed_at = now();
  if (start.end) {
    row.status = start.end->status;
    row.output = start.end->output;
    row.error = start.end->error;
    row.cause = start.end->cause;
    row.ended_at = start.end->at;
    return;
  }
  set_owner(execution, start.owned ? writer : std::nullopt);
  if (!row.owner) row.wake_at = now();
}

std::vector<StartOutcome> MemoryState::outcomes_of(const std::vector<Start>& starts) const {
  using Kind = StartOutcome::Kind;
  std::vector<StartOutcome> outcomes;
  for (const Start& start : starts) {
    StartOutcome outcome{Kind::kCreated, start.id};
    const auto key = start_keys.find(key_of(start));
    if (!is_nameless(start) && key != start_keys.end() && key->second.execution != start.id) {
      const bool is_same = key->second.input_hash == start.input_hash;
      outcome = {is_same ? Kind::kExistsSame : Kind::kExistsOther, key->second.execution};
    }
    outcomes.push_back(outcome);
  }
  return outcomes;
}

std::vector<StartOutcome> MemoryState::start_unowned(const std::vector<Start>& starts) {
  const Started started = try_starts(starts, false);
  for (std::size_t i = 0; i < starts.size(); ++i) {
    if (started.is_new[i]) insert(starts[i], std::nullopt);
  }
  return outcomes_of(starts);
}

}  // namespace stepwell::store
