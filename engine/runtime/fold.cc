#include "engine/runtime/fold.h"

#include <iterator>

#include "engine/store/suspects.h"

namespace stepwell::runtime {
namespace {

constexpr std::uint32_t kJournalPage = 2'000;

bool begin_with_snapshot(const store::Claimed& claimed, OwnedExecution& held) {
  auto decoded = Execution::decode(claimed.snapshot);
  if (!decoded.ok()) return false;
  held.x = std::move(*decoded);
  held.seq = claimed.snapshot_seq;
  held.journal_hash = claimed.snapshot_hash;
  held.snapshot_bytes = claimed.snapshot.size();
  return true;
}

Status fold_journal(const std::vector<store::JournalRow>& journal, const RowNames& names,
                    OwnedExecution& held) {
  std::vector<Command> commands;
  for (const store::JournalRow& row : journal) {
    if (row.seq != held.seq + 1) {
      return Error{ErrorCode::kInternal, "fact " + std::to_string(held.seq + 1) + " is missing"};
    }
    FactBody body = TRY(decode_payload(row.kind, row.payload, names));
    const Fact fact{row.command, row.at, row.input_hash, std::move(body)};
    if (!step(*held.program, held.x, fact, commands)) {
      return Error{ErrorCode::kInternal, "fact " + std::to_string(row.seq) + " (" +
                                             fact_name(row.kind) + ") answers nothing"};
    }
    commands.clear();
    held.seq = row.seq;
    held.journal_hash = store::roll_journal_hash(held.journal_hash, row);
    ++held.facts_since_snapshot;
    held.bytes_since_snapshot += row.payload.size() + store::kJournalRowBytes;
  }
  return ok_status();
}

Status fold_all(const store::Claimed& claimed, store::Store& store, OwnedExecution& held) {
  const RowNames names = store::names_of(claimed);
  if (claimed.snapshot.empty() || begin_with_snapshot(claimed, held)) {
    return fold_journal(claimed.journal, names, held);
  }
  while (true) {
    const auto rows = TRY(store.journal(claimed.ns, claimed.id, held.seq, kJournalPage));
    TRY(fold_journal(rows, names, held));
    if (rows.size() < kJournalPage) return ok_status();
  }
}

void stage_outstanding(OwnedExecution& held) {
  for (Command& command : outstanding(*held.program, held.x)) {
    held.staged.push_back({held.seq, std::move(command)});
  }
  held.recovered_to = held.x.next_command - 1;
}

}  // namespace

Folded fold(store::Claimed&& claimed, Programs& programs, store::Store& store, const Clock& clock) {
  Folded folded;
  folded.id = claimed.id;
  folded.inbox = std::move(claimed.inbox);
  folded.last_seq = claimed.journal.empty() ? claimed.snapshot_seq : claimed.journal.back().seq;
  auto program = programs.get(claimed.ns, claimed.program_hash);
  if (!program.ok()) {
    const bool is_gone = program.error().code != ErrorCode::kUnavailable;
    (is_gone ? folded.broken : folded.away) = program.error().message;
    return folded;
  }
  auto held = std::make_unique<OwnedExecution>();
  held->id = claimed.id;
  held->ns = claimed.ns;
  held->workflow = claimed.workflow;  // Which its facts are named by as well.
  held->program = std::move(*program);
  held->inbox_seen = claimed.inbox_seq;
  try {
    const Status status = fold_all(claimed, store, *held);
    if (!status.ok()) {
      const bool is_away = status.error().code == ErrorCode::kUnavailable;
      (is_away ? folded.away : folded.broken) = status.error().message;
      return folded;
    }
    held->durable = held->seq;
    stage_outstanding(*held);
  } catch (const FoldMismatch& mismatch) {
    folded.broken = "fact " + std::to_string(held->seq + 1) + ": " + mismatch.what();
    return folded;
  } catch (const InvariantBroken& bug) {
    folded.broken = "fact " + std::to_string(held->seq + 1) + ": " + bug.what();
    return folded;
  }
  held->progress_ms = clock.monotonic_ms();
  folded.held = std::move(held);
  return folded;
}

Folded refold(const Namespace& ns, ExecutionId id, Programs& programs, store::Store& store,
              const Clock& clock) {
  const auto read = [&]() -> Result<store::Claimed> {
    const store::ExecutionRow row = TRY(store.describe(ns, id));
    store::Claimed claimed;
    claimed.id = id;
    claimed.ns = ns;
    claimed.workflow = row.workflow;
    claimed.name = row.name;
    claimed.program_hash = row.program_hash;
    for (std::uint64_t seq = 0;; seq = claimed.journal.back().seq) {
      auto rows = TRY(store.journal(ns, id, seq, kJournalPage));
      const bool is_last = rows.size() < kJournalPage;
      std::move(rows.begin(), rows.end(), std::back_inserter(claimed.journal));
      if (is_last) return claimed;
    }
  };
  auto claimed = read();
  if (claimed.ok()) return fold(std::move(*claimed), programs, store, clock);
  Folded folded;
  folded.id = id;
  folded.away = claimed.error().message;
  return folded;
}

}  // namespace stepwell::runtime
