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

// An array literal inside a text, since rows of an array cannot differ in length.
std::string array_literal(const std::vector<std::string>& items) {
  std::string out = "{";
  for (const std::string& item : items) {
    if (out.size() > 1) out += ',';
    out += '"';
    for (const char c : item) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  return out + "}";
}

const auto execution_of = [](const auto& row) -> const Uuid& { return row.execution.uuid; };

GroupParameter facts_group(const std::vector<JournalRow>& facts) {
  std::size_t bytes = 20;
  for (const JournalRow& row : facts) bytes += row.payload.size() + 4;
  ArrayParameter payload(ElementType::kText);
  payload.reserve(bytes);
  for (const JournalRow& row : facts) payload.add(row.payload);
  GroupParameter group;
  group.uuids(facts, execution_of)
      .bigints(facts, [](const JournalRow& row) { return row.seq; })
      .smallints(facts, [](const JournalRow& row) { return row.kind; })
      .bigints(facts, [](const JournalRow& row) { return row.command.value; })
      .bigints(facts, [](const JournalRow& row) { return unix_ms(row.at); })
      .bigints(facts, [](const JournalRow& row) { return row.input_hash; })
      .add(std::move(payload));
  return group;
}

GroupParameter waits_group(const std::vector<store::WaitingRow>& waits) {
  GroupParameter group;
  group.uuids(waits, execution_of).texts(waits, [](const auto& row) -> const std::string& {
    return row.waiting;
  });
  return group;
}

GroupParameter finishes_group(const std::vector<store::FinishRow>& finishes) {
  using Row = store::FinishRow;
  GroupParameter group;
  group.uuids(finishes, execution_of)
      .smallints(finishes, [](const Row& row) { return row.status; })
      .texts(finishes, [](const Row& row) -> const std::string& { return row.output; })
      .optional_texts(
          finishes, [](const Row& row) -> const auto& { return row.error; })
      .optional_texts(
          finishes, [](const Row& row) -> const auto& { return row.cause; })
      .bigints(finishes, [](const Row& row) { return storable_ms(row.at); });
  return group;
}

GroupParameter parks_group(const std::vector<store::Park>& parks) {
  using Row = store::Park;
  GroupParameter group;
  group.uuids(parks, execution_of)
      .bigints(parks, [](const Row& row) { return storable_ms(row.wake_at); })
      .bigints(parks, [](const Row& row) { return row.inbox_seen; })
      .texts(parks, [](const Row& row) -> const std::string& { return row.waiting; });
  return group;
}

GroupParameter quarantines_group(const std::vector<store::Quarantine>& quarantines) {
  GroupParameter group;
  group.uuids(quarantines, execution_of)
      .texts(quarantines, [](const auto& row) -> const std::string& { return row.reason; });
  return group;
}

GroupParameter inbox_group(const std::vector<store::InboxKey>& keys) {
  GroupParameter group;
  group.uuids(keys, execution_of).bigints(keys, [](const auto& key) { return key.id; });
  return group;
}

GroupParameter notices_group(const std::vector<store::NoticeKey>& keys) {
  GroupParameter group;
  group.uuids(keys, execution_of).texts(keys, [](const auto& key) -> const std::string& {
    return key.key;
  });
  return group;
}

ArrayParameter id_array(const std::vector<ExecutionId>& ids) {
  ArrayParameter array(ElementType::kUuid);
  for (const ExecutionId id : ids) array.add(id.uuid);
  return array;
}

// A column that says something about some of the rows only: null when it is about none.
template <class Has, class Fill>
void add_if_any(GroupParameter& group, ElementType type, const std::vector<Start>& starts,
                const Has& has, const Fill& fill) {
  const bool any = std::any_of(starts.begin(), starts.end(), has);
  if (!any) {
    group.add(ArrayParameter(type));
    return;
  }
  group.add(type, starts, [&](ArrayParameter& array, const Start& start) {
    has(start) ? fill(array, start) : array.add_null();
  });
}

void add_ends(GroupParameter& group, const std::vector<Start>& starts) {
  const auto has_end = [](const Start& start) { return start.end.has_value(); };
  add_if_any(group, ElementType::kInt2, starts, has_end, [](auto& array, const Start& start) {
    array.add_int2(static_cast<std::int16_t>(start.end->status));
  });
  add_if_any(group, ElementType::kText, starts, has_end,
             [](auto& array, const Start& start) { array.add(start.end->output); });
  const auto has_error = [](const Start& start) { return start.end && start.end->error; };
  add_if_any(group, ElementType::kText, starts, has_error,
             [](auto& array, const Start& start) { array.add(*start.end->error); });
  const auto has_cause = [](const Start& start) { return start.end && start.end->cause; };
  add_if_any(group, ElementType::kText, starts, has_cause,
             [](auto& array, const Start& start) { array.add(*start.end->cause); });
  add_if_any(group, ElementType::kInt8, starts, has_end,
             [](auto& array, const Start& start) { array.add_int8(storable_ms(start.end->at)); });
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
    "SELECT stepwell_commit_v2($1, $2, $3, $4, nullif($5::uuid[], '{}'), $6, $7, $8, $9, $10, "
    "nullif($11::uuid[], '{}'), $12, $13)";

std::int64_t storable_ms(Time time) {
  constexpr std::int64_t kYear9999 = 253'402'300'799'000;
  return std::clamp<std::int64_t>(unix_ms(time), 0, kYear9999);
}

GroupParameter starts_group(const std::vector<Start>& starts) {
  constexpr int kSlimEncoding = 2;
  const auto has_name = [](const Start& start) { return !store::is_nameless(start); };
  const auto has_tags = [](const Start& start) { return !start.tags.empty(); };
  const auto has_origin = [](const Start& start) { return !start.origin.empty(); };
  const auto is_redrive = [](const Start& start) { return start.redrive_of.has_value(); };
  GroupParameter group;
  group.uuids(starts, [](const Start& start) -> const Uuid& { return start.id.uuid; })
      .texts(
          starts, [](const Start& start) -> const auto& { return start.ns.name(); })
      .texts(
          starts, [](const Start& start) -> const auto& { return start.workflow; })
      .add(ElementType::kInt4, starts,
           [](auto& array, const Start& start) {
             array.add_int4(static_cast<std::int32_t>(start.version));
           })
      .texts(
          starts, [](const Start& start) -> const auto& { return start.program_hash; });
  add_if_any(group, ElementType::kText, starts, has_name,
             [](auto& array, const Start& start) { array.add(start.name); });
  group.add_number(std::count_if(starts.begin(), starts.end(), has_name))
      .texts(
          starts, [](const Start& start) -> const auto& { return start.input; })
      .bigints(starts, [](const Start& start) { return start.input_hash; })
      .texts(
          starts, [](const Start& start) -> const auto& { return start.pool; })
      .smallints(starts, [](const Start& start) { return start.semantics; })
      .smallints(starts, [](const Start& start) { return start.priority; });
  add_if_any(group, ElementType::kText, starts, has_tags,
             [](auto& array, const Start& start) { array.add(array_literal(start.tags)); });
  add_if_any(group, ElementType::kUuid, starts, is_redrive,
             [](auto& array, const Start& start) { array.add(start.redrive_of->uuid); });
  add_if_any(group, ElementType::kText, starts, has_origin,
             [](auto& array, const Start& start) { array.add(start.origin); });
  group
      .add(ElementType::kBool, starts,
           [](auto& array, const Start& start) { array.add_bool(start.owned); })
      .bigints(starts, [](const Start& start) { return storable_ms(start.first.at); })
      .bigints(starts, [](const Start& start) { return start.first.input_hash; })
      .smallints(starts, [](const Start& start) { return start.is_first_slim ? kSlimEncoding : 0; })
      .texts(
          starts, [](const Start& start) -> const auto& { return start.first.payload; });
  add_ends(group, starts);
  return group;
}

Parameters commit_parameters(const Uuid& writer, std::int64_t conn, std::int64_t n,
                             const Batch& batch) {
  Parameters parameters;
  parameters.add(writer).add(conn).add(n).add(starts_group(batch.starts));
  parameters.add(id_array(store::mine_in(batch))).add(facts_group(batch.facts));
  parameters.add(waits_group(batch.waitings)).add(finishes_group(batch.finishes));
  parameters.add(parks_group(batch.parks)).add(quarantines_group(batch.quarantines));
  parameters.add(id_array(batch.released)).add(inbox_group(batch.consumed));
  parameters.add(notices_group(batch.notices));
  return parameters;
}

Parameters lost_parameters(const Uuid& writer, const Batch& batch) {
  Parameters parameters;
  parameters.add(writer).add(id_array(store::touched_in(batch))).add(facts_group(batch.facts));
  parameters.add(inbox_group(batch.consumed)).add(notices_group(batch.notices));
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
