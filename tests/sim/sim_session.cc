#include "tests/sim/sim_session.h"

#include <fmt/core.h>

#include <algorithm>

namespace stepwell::sim {
namespace {

std::string words(const store::Batch& batch) {
  std::string text = fmt::format("#{}", batch.number);
  for (const store::Start& start : batch.starts) {
    text += " +" + brief(start.id);
    if (start.end) text += fmt::format("!{}", to_string(start.end->status));
  }
  for (const store::JournalRow& row : batch.facts) {
    text += fmt::format(" {}:{}:{}:{:x}", brief(row.execution), row.seq, fact_name(row.kind),
                        store::roll_journal_hash(0, row) & 0xffff);
  }
  for (const store::FinishRow& row : batch.finishes) {
    text += fmt::format(" !{}:{}", brief(row.execution), to_string(row.status));
  }
  for (const store::Park& park : batch.parks) text += " p" + brief(park.execution);
  for (const store::InboxKey& key : batch.consumed) text += " i" + brief(key.execution);
  for (const ExecutionId id : batch.released) text += " r" + brief(id);
  for (const store::Quarantine& row : batch.quarantines) text += " q" + brief(row.execution);
  return text + fmt::format(" w{}", batch.waitings.size());
}

void count_early(const store::Batch& batch, Tally& tally) {
  for (const store::Start& start : batch.starts) {
    const bool has_answers =
        std::any_of(batch.facts.begin(), batch.facts.end(),
                    [&](const store::JournalRow& row) { return row.execution == start.id; });
    if (has_answers) tally.count("early: start written with answers");
    if (start.end) tally.count("early: start written with its end");
  }
}

}  // namespace

// The batch as the database would take it without one of its protections.
Result<store::Ack> SimSession::commit_mutated(const store::Batch& batch) {
  store::MemoryState& tables = world_.database->state();
  store::Batch changed = batch;
  if (world_.mutant == Mutant::kNumber) tables.writers.at(writer()).batches.clear();
  if (world_.mutant == Mutant::kPark) {
    for (store::Park& park : changed.parks) {
      park.inbox_seen = tables.executions.at(park.execution).inbox_seq;
    }
  }
  bool& is_alive = tables.writers.at(writer()).alive;
  const bool was_alive = is_alive;
  if (world_.mutant == Mutant::kFence) is_alive = true;
  auto ack = inner_->commit(changed);
  is_alive = was_alive;
  return ack;
}

Result<store::Ack> SimSession::commit(const store::Batch& batch) {
  for (const store::Park& park : batch.parks) aims_.on_park(park.execution);
  auto ack = commit_mutated(batch);
  const std::string answer = ack.ok() ? "ok" : ack.error().message;
  world_.log(fmt::format("{} commit {}: {}", name_, words(batch), answer));
  if (ack.ok() && batch.number == last_number_) world_.tally.count("recovery: batch sent again");
  last_number_ = batch.number;
  witness_.after_statement();
  if (ack.ok()) {
    witness_.on_ack(*ack);
    count_early(batch, world_.tally);
    aims_.on_commit();
  } else if (ack.error().code == ErrorCode::kFenced) {
    aims_.on_fenced();
  }
  return ack;
}

Result<store::ClaimResult> SimSession::claim(const store::ClaimRequest& request) {
  auto result = inner_->claim(request);
  witness_.after_statement();
  const bool was_open = std::exchange(is_claim_open_, !result.ok());
  if (!result.ok()) {
    world_.log(fmt::format("{} claim: {}", name_, result.error().message));
    if (result.error().code == ErrorCode::kFenced) aims_.on_fenced();
    return result;
  }
  if (was_open) world_.tally.count("recovery: claim asked again");
  if (result->claimed.size() + result->inbox.size() > 0) {
    world_.log(fmt::format("{} claim: {} and {} from the inbox", name_, result->claimed.size(),
                           result->inbox.size()));
  }
  for (const store::Claimed& claimed : result->claimed) aims_.on_claimed(claimed.id);
  // Lost for good, with all that it took: only reconciling finds that.
  if (!result->claimed.empty() && !world_.is_healed() && world_.scheduler.chance(0.01)) {
    world_.tally.count("fault: claim forgotten");
    world_.log(name_ + " the claim is forgotten");
    result->claimed.clear();
  }
  return result;
}

Result<std::vector<ExecutionId>> SimSession::owned() {
  auto owned = inner_->owned();
  if (!owned.ok() && owned.error().code == ErrorCode::kFenced) aims_.on_fenced();
  return owned;
}

Status SimSession::close() {
  const store::ExecutionSet held = world_.database->state().owned_by(writer());
  const Status status = inner_->close();
  if (status.ok()) aims_.on_given_back(held);
  world_.log(fmt::format("{} closes: {}", name_, status.ok()));
  witness_.after_statement();
  return status;
}

}  // namespace stepwell::sim
