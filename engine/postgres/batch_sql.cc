#include "engine/postgres/batch_sql.h"

#include <algorithm>
#include <unordered_map>

#include "engine/store/batch_parts.h"

namespace stepwell::postgres {
namespace {

using store::Batch;
using store::Claimed;
using store::ClaimResult;
using store::InboxRow;
using store::JournalRow;
using store::Start;
using store::StartOutcome;

ArrayParameter uuids() { return ArrayParameter(ElementType::kUuid); }
ArrayParameter texts() { return ArrayParameter(ElementType::kText); }
ArrayParameter bigints() { return ArrayParameter(ElementType::kInt8); }
ArrayParameter smallints() { return ArrayParameter(ElementType::kInt2); }

std::int64_t as_bigint(std::uint64_t number) { return static_cast<std::int64_t>(number); }

void add_optional(ArrayParameter& array, const std::optional<std::string>& text) {
  if (text) {
    array.add(*text);
  } else {
    array.add_null();
  }
}

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

void add_facts(Parameters& parameters, const std::vector<JournalRow>& facts) {
  ArrayParameter execution = uuids(), seq = bigints(), kind = smallints(), command = bigints(),
                 at = bigints(), hash = bigints(), payload = texts();
  execution.reserve(20 * facts.size() + 20);
  for (ArrayParameter* column : {&seq, &command, &at, &hash})
    column->reserve(12 * facts.size() + 20);
  std::size_t bytes = 20;
  for (const JournalRow& row : facts) bytes += row.payload.size() + 4;
  payload.reserve(bytes);
  for (const JournalRow& row : facts) {
    execution.add(row.execution.uuid);
    seq.add_int8(as_bigint(row.seq));
    kind.add_int2(static_cast<std::int16_t>(row.kind));
    command.add_int8(as_bigint(row.command.value));
    at.add_int8(unix_ms(row.at));
    hash.add_int8(as_bigint(row.input_hash));
    payload.add(row.payload);
  }
  for (ArrayParameter* column : {&execution, &seq, &kind, &command, &at, &hash, &payload}) {
    parameters.add(std::move(*column));
  }
}

void add_finishes(Parameters& parameters, const std::vector<store::FinishRow>& finishes) {
  ArrayParameter execution = uuids(), status = smallints(), output = texts(), error = texts(),
                 cause = texts(), at = bigints();
  for (const store::FinishRow& row : finishes) {
    execution.add(row.execution.uuid);
    status.add_int2(static_cast<std::int16_t>(row.status));
    output.add(row.output);
    add_optional(error, row.error);
    add_optional(cause, row.cause);
    at.add_int8(storable_ms(row.at));
  }
  for (ArrayParameter* column : {&execution, &status, &output, &error, &cause, &at}) {
    parameters.add(std::move(*column));
  }
}

void add_the_rest(Parameters& parameters, const Batch& batch) {
  ArrayParameter park = uuids(), wake = bigints(), seen = bigints(), park_waiting = texts();
  for (const store::Park& row : batch.parks) {
    park.add(row.execution.uuid);
    wake.add_int8(storable_ms(row.wake_at));
    seen.add_int8(as_bigint(row.inbox_seen));
    park_waiting.add(row.waiting);
  }
  ArrayParameter waiter = uuids(), waiting = texts();
  for (const store::WaitingRow& row : batch.waitings) {
    waiter.add(row.execution.uuid);
    waiting.add(row.waiting);
  }
  ArrayParameter stuck = uuids(), reason = texts();
  for (const store::Quarantine& row : batch.quarantines) {
    stuck.add(row.execution.uuid);
    reason.add(row.reason);
  }
  ArrayParameter consumer = uuids(), consumed = bigints();
  for (const store::InboxKey& key : batch.consumed) {
    consumer.add(key.execution.uuid);
    consumed.add_int8(as_bigint(key.id));
  }
  ArrayParameter released = uuids();
  for (const ExecutionId id : batch.released) released.add(id.uuid);
  for (ArrayParameter* column : {&park, &wake, &seen, &park_waiting, &waiter, &waiting, &stuck,
                                 &reason, &consumer, &consumed, &released}) {
    parameters.add(std::move(*column));
  }
}

// The groups of a claim's rows.
void read_claimed_row(const Rows& rows, std::size_t i, Claimed& claimed) {
  switch (rows.text(i, 0)[0]) {
    case 'S':
      claimed.snapshot_seq = static_cast<std::uint64_t>(rows.number(i, 2));
      claimed.snapshot_hash = static_cast<std::uint64_t>(rows.number(i, 3));
      claimed.snapshot = rows.bytes(i, 9);
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

const char* const kCommitSql =
    "SELECT stepwell_commit_v1($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,"
    "$20,$21,$22,$23,$24,$25,$26,$27,$28,$29,$30,$31,$32,$33,$34,$35,$36,$37,$38,$39,$40,$41)";

std::int64_t storable_ms(Time time) {
  constexpr std::int64_t kYear9999 = 253'402'300'799'000;
  return std::clamp<std::int64_t>(unix_ms(time), 0, kYear9999);
}

void add_starts(Parameters& parameters, const std::vector<Start>& starts) {
  ArrayParameter id = uuids(), workflow = texts(), hash = texts(), name = texts(), input = texts(),
                 input_hash = bigints(), pool = texts(), semantics = smallints(), tags = texts(),
                 redrive_of = uuids(), owned(ElementType::kBool), at = bigints(),
                 fact_hash = bigints(), payload = texts();
  for (const Start& start : starts) {
    id.add(start.id.uuid);
    workflow.add(start.workflow);
    hash.add(start.program_hash);
    name.add(store::is_nameless(start) ? std::string() : start.name);
    input.add(start.input);
    input_hash.add_int8(as_bigint(start.input_hash));
    pool.add(start.pool);
    semantics.add_int2(static_cast<std::int16_t>(start.semantics));
    tags.add(array_literal(start.tags));
    if (start.redrive_of) {
      redrive_of.add(start.redrive_of->uuid);
    } else {
      redrive_of.add_null();
    }
    owned.add_bool(start.owned);
    at.add_int8(storable_ms(start.first.at));
    fact_hash.add_int8(as_bigint(start.first.input_hash));
    payload.add(start.first.payload);
  }
  for (ArrayParameter* column :
       {&id, &workflow, &hash, &name, &input, &input_hash, &pool, &semantics, &tags, &redrive_of,
        &owned, &at, &fact_hash, &payload}) {
    parameters.add(std::move(*column));
  }
}

Parameters commit_parameters(const Uuid& writer, std::int64_t conn, std::int64_t n,
                             const Batch& batch) {
  Parameters parameters;
  parameters.add(writer).add(conn).add(n);
  add_facts(parameters, batch.facts);
  add_finishes(parameters, batch.finishes);
  add_the_rest(parameters, batch);
  add_starts(parameters, batch.starts);
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

ClaimResult read_claim(const Rows& rows, bool& wrote) {
  ClaimResult result;
  std::unordered_map<ExecutionId, std::size_t> places;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const char tag = rows.text(i, 0)[0];
    const ExecutionId id{rows.is_null(i, 1) ? Uuid{} : rows.uuid(i, 1)};
    const auto place = places.find(id);
    if (tag == 'E') {
      places.emplace(id, result.claimed.size());
      Claimed& claimed = result.claimed.emplace_back();
      claimed.id = id;
      claimed.inbox_seq = static_cast<std::uint64_t>(rows.number(i, 2));
      claimed.deaths = static_cast<std::uint32_t>(rows.number(i, 3));
      claimed.workflow = rows.string(i, 7);
      claimed.program_hash = rows.string(i, 8);
    } else if (tag == 'I') {
      InboxRow row{static_cast<std::uint64_t>(rows.number(i, 2)),
                   id,
                   static_cast<FactKind>(rows.number(i, 3)),
                   CommandId{static_cast<std::uint64_t>(rows.number(i, 4))},
                   rows.string(i, 7),
                   rows.string(i, 8)};
      auto& inbox = place == places.end() ? result.inbox : result.claimed[place->second].inbox;
      inbox.push_back(std::move(row));
    } else if (tag == 'N') {
      result.now = rows.time_ms(i, 2);
      if (!rows.is_null(i, 3)) result.next_due = rows.time_ms(i, 3);
      wrote = rows.number(i, 4) != 0;
    } else if (place != places.end()) {
      read_claimed_row(rows, i, result.claimed[place->second]);
    }
  }
  return result;
}

}  // namespace stepwell::postgres
