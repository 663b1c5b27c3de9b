#include "engine/postgres/batch_sql.h"

#include <algorithm>
#include <unordered_map>

#include "engine/store/batch_parts.h"
#include "engine/store/claim_room.h"

namespace stepwell::postgres {
namespace {

using store::Batch;
using store::Claimed;
using store::ClaimResult;
using store::InboxRow;
using store::JournalRow;
using store::Start;
using store::StartOutcome;

RowsParameter fact_rows(const std::vector<JournalRow>& facts) {
  RowsParameter rows("fact_v2", 7);
  std::size_t bytes = 20;
  for (const JournalRow& fact : facts) bytes += fact.payload.size() + 120;
  rows.reserve(bytes);
  for (const JournalRow& fact : facts) {
    rows.row().uuid(fact.execution.uuid).int8(static_cast<std::int64_t>(fact.seq));
    rows.int2(static_cast<std::int16_t>(fact.kind));
    rows.int8(static_cast<std::int64_t>(fact.command.value)).int8(unix_ms(fact.at));
    rows.int8(static_cast<std::int64_t>(fact.input_hash)).text(fact.payload);
  }
  return rows;
}

RowsParameter wait_rows(const std::vector<store::WaitingRow>& waits) {
  RowsParameter rows("wait_v2", 2);
  for (const store::WaitingRow& wait : waits) {
    rows.row().uuid(wait.execution.uuid).text(wait.waiting);
  }
  return rows;
}

RowsParameter finish_rows(const std::vector<store::FinishRow>& finishes) {
  RowsParameter rows("finish_v2", 6);
  for (const store::FinishRow& finish : finishes) {
    rows.row().uuid(finish.execution.uuid).int2(static_cast<std::int16_t>(finish.status));
    rows.text(finish.output)
        .text_or_null(finish.error)
        .text_or_null(finish.cause)
        .int8(storable_ms(finish.at));
  }
  return rows;
}

RowsParameter park_rows(const std::vector<store::Park>& parks) {
  RowsParameter rows("park_v2", 4);
  for (const store::Park& park : parks) {
    rows.row().uuid(park.execution.uuid).int8(storable_ms(park.wake_at));
    rows.int8(static_cast<std::int64_t>(park.inbox_seen)).text(park.waiting);
  }
  return rows;
}

RowsParameter quarantine_rows(const std::vector<store::Quarantine>& quarantines) {
  RowsParameter rows("quarantine_v2", 2);
  for (const store::Quarantine& quarantine : quarantines) {
    rows.row().uuid(quarantine.execution.uuid).text(quarantine.reason);
  }
  return rows;
}

RowsParameter inbox_keys(const std::vector<store::InboxKey>& keys) {
  RowsParameter rows("inbox_key_v2", 2);
  for (const store::InboxKey& key : keys) {
    rows.row().uuid(key.execution.uuid).int8(static_cast<std::int64_t>(key.id));
  }
  return rows;
}

RowsParameter notice_keys(const std::vector<store::NoticeKey>& keys) {
  RowsParameter rows("notice_key_v2", 2);
  for (const store::NoticeKey& key : keys) rows.row().uuid(key.execution.uuid).text(key.key);
  return rows;
}

ArrayParameter id_array(const std::vector<ExecutionId>& ids) {
  ArrayParameter array(ElementType::kUuid);
  for (const ExecutionId id : ids) array.add(id.uuid);
  return array;
}

void add_text_or_null(RowsParameter& rows, const std::string& text, bool is_null) {
  is_null ? rows.null(ElementType::kText) : rows.text(text);
}

void add_end(RowsParameter& rows, const std::optional<store::FinishRow>& end) {
  if (end) {
    rows.int2(static_cast<std::int16_t>(end->status)).text(end->output);
    rows.text_or_null(end->error).text_or_null(end->cause).int8(storable_ms(end->at));
    return;
  }
  rows.null(ElementType::kInt2).null(ElementType::kText).null(ElementType::kText);
  rows.null(ElementType::kText).null(ElementType::kInt8);
}

RowsParameter start_rows(const std::vector<Start>& starts) {
  constexpr std::int16_t kWhole = 0, kSlim = 2;  // Encodings of the first fact.
  RowsParameter rows("start_v2", 24);
  for (const Start& start : starts) {
    rows.row().uuid(start.id.uuid).text(start.ns.name()).text(start.workflow);
    rows.int4(static_cast<std::int32_t>(start.version)).text(start.program_hash);
    add_text_or_null(rows, start.name, store::is_nameless(start));
    rows.text(start.input).int8(static_cast<std::int64_t>(start.input_hash)).text(start.pool);
    rows.int2(static_cast<std::int16_t>(start.semantics));
    rows.int2(static_cast<std::int16_t>(start.priority)).texts(start.tags);
    start.redrive_of ? rows.uuid(start.redrive_of->uuid) : rows.null(ElementType::kUuid);
    add_text_or_null(rows, start.origin, start.origin.empty());
    rows.flag(start.owned).int8(storable_ms(start.first.at));
    rows.int8(static_cast<std::int64_t>(start.first.input_hash));
    rows.int2(start.is_first_slim ? kSlim : kWhole).text(start.first.payload);
    add_end(rows, start.end);
  }
  return rows;
}

// The groups of a claim's rows.
void read_execution_row(const Rows& rows, std::size_t i, Claimed& claimed) {
  claimed.id = ExecutionId{rows.uuid(i, 1)};
  claimed.inbox_seq = static_cast<std::uint64_t>(rows.number(i, 2));
  claimed.deaths = static_cast<std::uint32_t>(rows.number(i, 3));
  claimed.is_slice = rows.number(i, 4) == 1;
  claimed.workflow = rows.string(i, 7);
  claimed.program_hash = rows.string(i, 8);
  claimed.ns = Namespace(rows.string(i, 9), rows.string(i, 10));
  claimed.name = rows.string(i, 11);
}

void read_claimed_row(const Rows& rows, std::size_t i, Claimed& claimed) {
  switch (rows.text(i, 0)[0]) {
    case 'S':
      claimed.snapshot_seq = static_cast<std::uint64_t>(rows.number(i, 2));
      claimed.snapshot_hash = static_cast<std::uint64_t>(rows.number(i, 3));
      claimed.snapshot = rows.bytes(i, 12);
      break;
    case 'J':
      claimed.journal.push_back({claimed.id, static_cast<std::uint64_t>(rows.number(i, 2)),
                                 static_cast<FactKind>(rows.number(i, 3)),
                                 CommandId{static_cast<std::uint64_t>(rows.number(i, 4))},
                                 rows.time_ms(i, 5), static_cast<std::uint64_t>(rows.number(i, 6)),
                                 rows.string(i, 7)});
      break;
    default: break;
  }
}

}  // namespace

const char* const kClaimSql =
    "SELECT * FROM stepwell_claim_v2($1, $2, $3, $4, $5, $6, $7, $8, nullif($9::bigint, -1))";

const char* const kCommitSql =
    "SELECT stepwell_commit_v2($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";

std::int64_t storable_ms(Time time) {
  constexpr std::int64_t kYear9999 = 253'402'300'799'000;
  return std::clamp<std::int64_t>(unix_ms(time), 0, kYear9999);
}

void add_starts(Parameters& parameters, const std::vector<Start>& starts) {
  const auto has_name = [](const Start& start) { return !store::is_nameless(start); };
  const auto has_tags = [](const Start& start) { return !start.tags.empty(); };
  const auto count = [&](const auto& has) {
    return static_cast<std::int32_t>(std::count_if(starts.begin(), starts.end(), has));
  };
  parameters.add(start_rows(starts)).add_int4(count(has_name)).add_int4(count(has_tags));
}

Parameters commit_parameters(const Uuid& writer, std::int64_t conn, std::int64_t n,
                             const Batch& batch) {
  Parameters parameters;
  parameters.add(writer).add(conn).add(n);
  add_starts(parameters, batch.starts);
  parameters.add(id_array(store::mine_in(batch))).add(fact_rows(batch.facts));
  parameters.add(wait_rows(batch.waitings)).add(finish_rows(batch.finishes));
  parameters.add(park_rows(batch.parks)).add(quarantine_rows(batch.quarantines));
  parameters.add(id_array(batch.released)).add(inbox_keys(batch.consumed));
  parameters.add(notice_keys(batch.notices));
  return parameters;
}

Parameters lost_parameters(const Uuid& writer, const Batch& batch) {
  Parameters parameters;
  parameters.add(writer).add(id_array(store::touched_in(batch))).add(fact_rows(batch.facts));
  parameters.add(inbox_keys(batch.consumed)).add(notice_keys(batch.notices));
  return parameters;
}

Parameters claim_parameters(const Uuid& writer, std::int64_t conn, std::int64_t n,
                            const store::ClaimRequest& request) {
  ArrayParameter room(ElementType::kInt4);
  for (const std::uint32_t part :
       store::room_by_priority(request.limit, static_cast<std::uint64_t>(n))) {
    room.add_int4(static_cast<std::int32_t>(part));
  }
  Parameters parameters;
  parameters.add(writer).add(conn).add(n).add(text_array(request.pools));
  parameters.add_int2(static_cast<std::int16_t>(request.semantics)).add(std::move(room));
  parameters.add_int4(static_cast<std::int32_t>(request.slices)).add_bool(request.take_suspect);
  parameters.add(request.max_journal_bytes ? static_cast<std::int64_t>(*request.max_journal_bytes)
                                           : std::int64_t{-1});
  return parameters;
}

std::vector<StartOutcome> parse_outcomes(std::string_view text, const std::vector<Start>& starts) {
  std::vector<StartOutcome> outcomes;
  for (const Start& start : starts) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    StartOutcome outcome{StartOutcome::Kind::kCreated, start.id};
    if (word.size() > 2) {
      outcome.kind =
          word[0] == 's' ? StartOutcome::Kind::kExistsSame : StartOutcome::Kind::kExistsOther;
      outcome.id = ExecutionId{Uuid::parse(word.substr(2)).value_or(Uuid{})};
    }
    outcomes.push_back(outcome);
  }
  return outcomes;
}

store::ClaimReply read_claim(const Rows& rows) {
  store::ClaimReply reply;
  ClaimResult& result = reply.result;
  std::unordered_map<ExecutionId, std::size_t> places;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const char tag = rows.text(i, 0)[0];
    const ExecutionId id{rows.is_null(i, 1) ? Uuid{} : rows.uuid(i, 1)};
    const auto place = places.find(id);
    Claimed* claimed = place == places.end() ? nullptr : &result.claimed[place->second];
    if (tag == 'E') {
      places.emplace(id, result.claimed.size());
      read_execution_row(rows, i, result.claimed.emplace_back());
    } else if (tag == 'I') {
      InboxRow row{static_cast<std::uint64_t>(rows.number(i, 2)),
                   id,
                   static_cast<FactKind>(rows.number(i, 3)),
                   CommandId{static_cast<std::uint64_t>(rows.number(i, 4))},
                   rows.string(i, 7),
                   rows.string(i, 8)};
      (claimed ? claimed->inbox : result.inbox).push_back(std::move(row));
    } else if (tag == 'M') {
      store::Notice row{{id, rows.string(i, 7)},
                        static_cast<FactKind>(rows.number(i, 3)),
                        CommandId{static_cast<std::uint64_t>(rows.number(i, 4))},
                        rows.string(i, 8)};
      (claimed ? claimed->notices : result.notices).push_back(std::move(row));
    } else if (tag == 'N') {
      result.now = rows.time_ms(i, 2);
      if (!rows.is_null(i, 3)) result.next_due = rows.time_ms(i, 3);
      reply.wrote = rows.number(i, 4) != 0;
    } else if (claimed) {
      read_claimed_row(rows, i, *claimed);
    }
  }
  return reply;
}

}  // namespace stepwell::postgres
