#include "engine/store/batch_parts.h"

#include <algorithm>
#include <map>

#include "base/hash.h"
#include "base/value.h"

namespace stepwell::store {
namespace {

ExecutionId execution_of(const Start& start) { return start.id; }
ExecutionId execution_of(ExecutionId id) { return id; }
template <class Row>
ExecutionId execution_of(const Row& row) {
  return row.execution;
}

template <class Row, class Keep>
std::vector<Row> filtered(const std::vector<Row>& rows, const Keep& keep) {
  std::vector<Row> kept;
  kept.reserve(rows.size());
  for (const Row& row : rows) {
    if (keep(execution_of(row))) kept.push_back(row);
  }
  return kept;
}

template <class Keep>
Batch filtered_batch(const Batch& batch, const Keep& keep) {
  Batch part;
  part.number = batch.number;
  Batch::for_each_group([&](auto group) { part.*group = filtered(batch.*group, keep); });
  return part;
}

// Remembers the first reason for each execution.
struct Refusals {
  std::map<ExecutionId, std::string> reasons;

  void add(ExecutionId id, const std::string& why) {
    if (!why.empty()) reasons.emplace(id, why);
  }
};

std::string why_refused_row(const JournalRow& row) {
  return why_refused("payload of a fact", row.payload, kMaxTextBytes);
}

}  // namespace

std::string why_refused(const char* what, const std::string& text, std::size_t limit) {
  if (text.size() > limit) {
    return std::string(what) + " has " + std::to_string(text.size()) + " bytes, more than " +
           std::to_string(limit);
  }
  if (text.find('\0') != std::string::npos) {
    return std::string(what) + " contains a NUL, which the database cannot hold";
  }
  if (!is_utf8(text)) return std::string(what) + " is not valid UTF-8";
  return {};
}

bool is_nameless(const Start& start) { return start.name.empty() || start.name == start.id.text(); }

std::string why_refused(const Start& start) {
  const struct {
    const char* what;
    const std::string& text;
    std::size_t limit;
  } texts[] = {
      {"workflow name", start.workflow, kMaxNameBytes},
      {"execution name", start.name, kMaxNameBytes},
      {"program hash", start.program_hash, kMaxNameBytes},
      {"pool", start.pool, kMaxNameBytes},
      {"input", start.input, kMaxTextBytes},
      {"origin", start.origin, kMaxNameBytes},
      {"namespace", start.ns.name(), kMaxNameBytes},
  };
  for (const auto& [what, text, limit] : texts) {
    if (std::string why = why_refused(what, text, limit); !why.empty()) return why;
  }
  for (const std::string& tag : start.tags) {
    if (std::string why = why_refused("tag", tag, kMaxNameBytes); !why.empty()) return why;
  }
  return why_refused_row(start.first);
}

std::string why_refused(const Delivery& delivery) {
  std::string why = why_refused("dedupe key", delivery.dedupe_key, kMaxNameBytes);
  return why.empty() ? why_refused("payload", delivery.payload, kMaxTextBytes) : why;
}

std::vector<ExecutionId> executions_in(const Batch& batch) {
  ExecutionSet all;
  Batch::for_each_group([&](auto group) {
    for (const auto& row : batch.*group) all.insert(execution_of(row));
  });
  return {all.begin(), all.end()};
}

Batch only(const Batch& batch, const ExecutionSet& kept) {
  return filtered_batch(batch, [&](ExecutionId id) { return kept.contains(id); });
}

Batch without(const Batch& batch, const ExecutionSet& dropped) {
  return filtered_batch(batch, [&](ExecutionId id) { return !dropped.contains(id); });
}

Batch without_followers(const Batch& batch, const ExecutionSet& losers) {
  Batch part = without(batch, losers);
  part.starts = batch.starts;
  return part;
}

std::vector<ExecutionId> mine_in(const Batch& batch) {
  std::vector<ExecutionId> mine;
  for (const JournalRow& row : batch.facts) {
    if (mine.empty() || mine.back() != row.execution) mine.push_back(row.execution);
  }
  for (const InboxKey& key : batch.consumed) mine.push_back(key.execution);
  for (const NoticeKey& key : batch.notices) mine.push_back(key.execution);
  std::sort(mine.begin(), mine.end());
  mine.erase(std::unique(mine.begin(), mine.end()), mine.end());
  ExecutionSet others;
  for (const Start& start : batch.starts) {
    if (start.end) others.insert(start.id);
  }
  for (const FinishRow& row : batch.finishes) others.insert(row.execution);
  for (const Park& row : batch.parks) others.insert(row.execution);
  if (!others.empty()) std::erase_if(mine, [&](ExecutionId id) { return others.contains(id); });
  return mine;
}

std::vector<ExecutionId> touched_in(const Batch& batch) {
  Batch touching = batch;
  touching.released.clear();
  touching.starts.clear();
  ExecutionSet touched;
  for (const ExecutionId id : executions_in(touching)) touched.insert(id);
  for (const Start& start : batch.starts) touched.erase(start.id);
  return {touched.begin(), touched.end()};
}

bool has_followers(const Batch& batch, const ExecutionSet& losers) {
  if (losers.empty()) return false;
  const auto follows = [&](const auto& rows) {
    for (const auto& row : rows) {
      if (losers.contains(row.execution)) return true;
    }
    return false;
  };
  return follows(batch.facts) || follows(batch.waitings) || follows(batch.finishes) ||
         follows(batch.parks) || follows(batch.quarantines);
}

std::vector<Refused> refused_texts(const Batch& batch) {
  Refusals refusals;
  const auto check_end = [&](const FinishRow& row) {
    refusals.add(row.execution, why_refused("output", row.output, kMaxTextBytes));
    refusals.add(row.execution, why_refused("error", row.error.value_or(""), kMaxTextBytes));
    refusals.add(row.execution, why_refused("cause", row.cause.value_or(""), kMaxTextBytes));
  };
  for (const Start& start : batch.starts) {
    refusals.add(start.id, why_refused(start));
    if (start.end) check_end(*start.end);
  }
  for (const JournalRow& row : batch.facts) refusals.add(row.execution, why_refused_row(row));
  for (const FinishRow& row : batch.finishes) check_end(row);
  for (const Park& row : batch.parks) {
    refusals.add(row.execution, why_refused("waiting", row.waiting, kMaxTextBytes));
  }
  for (const WaitingRow& row : batch.waitings) {
    refusals.add(row.execution, why_refused("waiting", row.waiting, kMaxTextBytes));
  }
  for (const Quarantine& row : batch.quarantines) {
    refusals.add(row.execution, why_refused("reason", row.reason, kMaxTextBytes));
  }
  std::vector<Refused> out;
  for (auto& [id, why] : refusals.reasons) out.push_back({id, std::move(why)});
  return out;
}

std::string full_payload(const Start& start) {
  return start.is_first_slim ? join_pins(start.first.payload, start.input) : start.first.payload;
}

std::uint64_t roll_journal_hash(std::uint64_t before, const JournalRow& row) {
  const std::uint64_t numbers[] = {before,
                                   row.seq,
                                   static_cast<std::uint64_t>(row.kind),
                                   row.command.value,
                                   static_cast<std::uint64_t>(unix_ms(row.at)),
                                   row.input_hash};
  std::string bytes;
  for (const std::uint64_t number : numbers) {
    for (int shift = 0; shift < 64; shift += 8) {
      bytes += static_cast<char>(number >> shift & 0xff);
    }
  }
  return hash64(row.payload, hash64(bytes));
}

}  // namespace stepwell::store
