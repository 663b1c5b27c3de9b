#include "tests/store/differential.h"

#include <algorithm>
#include <sstream>

#include "base/check.h"
#include "base/hash.h"
#include "engine/postgres/pg_wire.h"
#include "engine/postgres/sql_texts.h"
#include "engine/store/memory_state.h"
#include "tests/store/postgres_fixture.h"

namespace stepwell::testing {
namespace {

using store::Batch;
using store::Start;

constexpr std::int64_t kBegin = 1'900'000'000'000;  // Later than any server's start.
constexpr Millis kLease{15'000};
// A world forgets everything after so many operations: so its tables stay small.
constexpr int kForgetEvery = 400;

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    const bool is_whole = at == 0 || (std::isalnum(static_cast<unsigned char>(text[at - 1])) == 0 &&
                                      text[at - 1] != '_');
    if (is_whole) text.replace(at, from.size(), to);
  }
}

// The schema, with a clock that the test sets.
std::string schema_with_clock() {
  std::string all;
  for (std::size_t i = 0; i < postgres::kSchemaTextsCount; ++i) {
    all += postgres::kSchemaTexts[i].text;
  }
  replace_all(all, "now()", "test_now()");
  replace_all(all, "clock_timestamp()", "test_now()");
  return "CREATE TABLE test_clock (at timestamptz NOT NULL); "
         "INSERT INTO test_clock VALUES (to_timestamp(" +
         std::to_string(kBegin / 1000) +
         ")); CREATE FUNCTION test_now() RETURNS timestamptz LANGUAGE plpgsql STABLE AS "
         "$$ BEGIN RETURN (SELECT at FROM test_clock); END $$; " +
         all +
         " INSERT INTO schema_migrations VALUES (11, 'schema'); SELECT stepwell_maintain_v1();";
}

constexpr const char* kDump = R"(
  SELECT concat_ws(' ', 'execution', id, status, kind, priority, semantics, version,
           CASE WHEN claimed_alone THEN 'alone' ELSE '-' END, redrive_count, deaths, alone_deaths,
           inbox_seq, claim_seq, claim_n, input_hash, coalesce(stepwell_ms(claimed_at)::text, '-'),
           coalesce(stepwell_ms(wake_at)::text, '-'), stepwell_ms(started_at),
           coalesce(stepwell_ms(ended_at)::text, '-'), coalesce(owner::text, '-'),
           coalesce(redrive_of::text, '-'), namespace, workflow, program_hash, '[' || name || ']',
           pool, '[' || origin || ']',
           '[' || coalesce((SELECT string_agg(t || ',', '') FROM unnest(tags) t), '') || ']',
           '[' || input || ']', '[' || coalesce(output, '') || ']',
           '[' || coalesce(error, '') || ']', '[' || coalesce(cause, '') || ']',
           '[' || coalesce(waiting, '') || ']', '[' || coalesce(quarantined, '') || ']')
  FROM executions
  UNION ALL SELECT concat_ws(' ', 'fact', j.execution, j.seq, j.kind, j.command, j.at_ms,
           j.input_hash, '[' || stepwell_payload(j.encoding, j.payload,
             (SELECT x.input FROM executions x WHERE x.id = j.execution)) || ']') FROM journal j
  UNION ALL SELECT concat_ws(' ', 'snapshot', execution, seq, journal_hash,
           '[' || encode(body, 'escape') || ']') FROM snapshots
  UNION ALL SELECT concat_ws(' ', 'inbox', execution, id, kind, command,
           coalesce(for_writer::text, '-'), '[' || dedupe_key || ']', '[' || payload || ']',
           stepwell_ms(arrived_at)) FROM inbox
  UNION ALL SELECT concat_ws(' ', 'notice', execution, '[' || key || ']', kind, command,
           coalesce(for_writer::text, '-'), '[' || payload || ']', stepwell_ms(at)) FROM notices
  UNION ALL SELECT concat_ws(' ', 'key', namespace, workflow, '[' || name || ']', execution,
           input_hash) FROM start_keys
  UNION ALL SELECT concat_ws(' ', 'tag', namespace, '[' || tag || ']', execution)
           FROM execution_tags
  UNION ALL SELECT concat_ws(' ', 'writer', w.id, w.node, w.conn, w.state,
           CASE WHEN w.freed_at IS NULL THEN '-' ELSE 'freed' END, '[' || coalesce((SELECT
           string_agg(b.n || ',', '' ORDER BY b.n) FROM batches b WHERE b.writer = w.id), '')
           || ']') FROM writers w
  UNION ALL SELECT concat_ws(' ', 'node', id, stepwell_ms(lease_until), stepwell_ms(renewed_at),
           stepwell_ms(steady_since)) FROM nodes
  UNION ALL SELECT concat_ws(' ', 'version', v.namespace, v.workflow, v.version, v.hash,
           CASE WHEN h.version = v.version THEN 'head' ELSE '-' END)
           FROM workflow_versions v JOIN workflows h ON h.namespace = v.namespace
           AND h.name = v.workflow)";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  std::sort(lines.begin(), lines.end());
  return lines;
}

// Answers as text.
std::string told(const Error& error) { return std::string("error ") + to_string(error.code); }

std::string told(const store::InboxRow& row) {
  return row.execution.text() + ":" + std::to_string(row.id) + ":" + row.dedupe_key + " ";
}

std::string told(const store::Notice& row) {
  return row.key.execution.text() + ":" + row.key.key + " ";
}

std::string told(const std::vector<store::StartOutcome>& outcomes) {
  std::string text;
  for (const store::StartOutcome& outcome : outcomes) {
    text += std::to_string(static_cast<int>(outcome.kind)) + ":" + outcome.id.text() + " ";
  }
  return text;
}

std::string told(const store::Ack& ack) {
  std::string text = "starts " + told(ack.starts) + "refused ";
  for (const store::Refused& refused : ack.refused) text += refused.execution.text() + " ";
  std::vector<ExecutionId> lost = ack.lost;
  std::sort(lost.begin(), lost.end());
  for (const ExecutionId id : lost) text += "lost " + id.text() + " ";
  return text + std::to_string(unix_ms(ack.now));
}

std::string told(const store::ClaimResult& result) {
  std::string text;
  for (const store::Claimed& claimed : result.claimed) {
    text += "\n  " + claimed.id.text() + " " + claimed.ns.name() + " " + claimed.workflow + " " +
            claimed.program_hash + " " + std::to_string(claimed.inbox_seq) + " " +
            std::to_string(claimed.deaths) + (claimed.is_slice ? " slice" : "") + " snapshot " +
            std::to_string(claimed.snapshot_seq) + claimed.snapshot + " facts";
    for (const store::JournalRow& row : claimed.journal) {
      text += " " + std::to_string(row.seq) + row.payload;
    }
    for (const store::InboxRow& row : claimed.inbox) text += " inbox " + told(row);
    for (const store::Notice& row : claimed.notices) text += " notice " + told(row);
  }
  for (const store::InboxRow& row : result.inbox) text += "\n  inbox " + told(row);
  for (const store::Notice& row : result.notices) text += "\n  notice " + told(row);
  return text + "\n  next " + (result.next_due ? std::to_string(unix_ms(*result.next_due)) : "-");
}

std::string told(const store::Look& look) {
  const auto time = [](const std::optional<Time>& at) {
    return at ? std::to_string(unix_ms(*at)) : std::string("-");
  };
  return time(look.next_due) + " " + time(look.next_suspect) + " inbox " +
         std::to_string(look.has_inbox) + " late " + std::to_string(look.has_late) + " unfreed " +
         std::to_string(look.has_unfreed) + " stale " + std::to_string(look.has_stale_inbox);
}

std::string told(const store::SweepReport& report) {
  return std::to_string(report.writers_marked) + " " + std::to_string(report.executions_freed) +
         " " + std::to_string(report.inbox_woken) + " " + std::to_string(report.by_evidence);
}

std::string told(const store::ExecutionRow& row) {
  return row.id.text() + " " + row.ns.name() + " " + row.name + " " + to_string(row.status) + " " +
         row.waiting + row.quarantined + " " + row.input + row.output;
}

std::string told(const std::vector<store::ExecutionRow>& rows) {
  std::string text;
  for (const store::ExecutionRow& row : rows) text += "\n  " + told(row);
  return text;
}

std::string told(const std::vector<store::JournalRow>& rows) {
  std::string text;
  for (const store::JournalRow& row : rows) text += std::to_string(row.seq) + row.payload + " ";
  return text;
}

std::string told(const std::vector<ExecutionId>& ids) {
  std::string text = "owns";
  for (const ExecutionId id : ids) text += " " + id.text();
  return text;
}

std::string told(const std::optional<ExecutionId>& id) { return id ? id->text() : "nothing"; }
std::string told(Unit) { return "ok"; }
std::string told(std::uint32_t number) { return std::to_string(number); }

template <class T>
std::string told(const Result<T>& result) {
  return result.ok() ? told(*result) : told(result.error());
}

// Empty when both say the same.
template <class T>
std::string differs(const Result<T>& memory, const Result<T>& postgres) {
  const std::string one = told(memory), other = told(postgres);
  if (one == other) return {};
  const std::string why = postgres.ok() ? "" : " (" + postgres.error().message + ")";
  return "\n memory:   " + one + "\n postgres: " + other + why + "\n";
}

const std::vector<std::string> kPools = {"default", "other"};

}  // namespace

Differential::Differential(std::uint64_t seed, int every)
    : random_(Random(seed).next()), every_(every), options_(empty_schema()) {
  control_ = postgres::Link::open(options_, {.name = "control"}).value();
  sql(schema_with_clock());
  postgres_ = postgres::open_store(options_).value();
  CHECK(postgres_->sweep().ok(), "the first sweep");  // Its upkeep is over, for an hour.
  begin();
}

Differential::~Differential() {
  processes_.clear();
  control_->run_script("DROP SCHEMA " + options_.schema + " CASCADE");
}

void Differential::sql(const std::string& text) {
  const postgres::Answer answer = control_->run_script(text);
  CHECK(answer.ok(), answer.trouble().message + "\n" + text);
}

void Differential::begin() {
  processes_.clear();
  started_.clear();
  sql("TRUNCATE executions, execution_tags, start_keys, journal, snapshots, inbox, notices, nodes, "
      "writers, batches, workflows, workflow_versions, programs; SELECT pg_advisory_unlock_all()");
  now_ms_ = kBegin;
  sql(clock());
  store::MemoryStoreOptions options;
  options.clock = [this] { return from_unix_ms(now_ms_); };
  options.seed = random_.next() | 1;
  options.renews_by_itself = false;
  memory_ = store::make_memory_store(options);
  for (int i = 0; i < 3; ++i) join(processes_.emplace_back());
}

std::string Differential::clock() const {
  return "UPDATE test_clock SET at = to_timestamp(" + std::to_string(now_ms_) +
         "::numeric / 1000); ";
}

std::string Differential::renewal(const Process& process) const {
  return "SELECT stepwell_renew_v1('" + process.id.text() + "', 'p', '', '{}', '{}', " +
         std::to_string(process.evidence) + ", interval '15 s'); ";
}

void Differential::join(Process& process) {
  process.memory = memory_->join({.label = "p", .lease = kLease}).value();
  process.id = process.memory->id();
  process.evidence = 1'000'000 + static_cast<std::int64_t>(++evidence_);
  sql("SELECT pg_advisory_lock(" + std::to_string(process.evidence) + ")");
  sql(renewal(process));
  CHECK(open(process), "a session of a fresh node");
}

bool Differential::open(Process& process) {
  auto memory = process.memory->open_session();
  const Uuid writer = memory.ok() ? (*memory)->writer() : Uuid{};
  auto postgres = postgres::PgWire::open_session(options_, process.id, writer);
  CHECK(memory.ok() == postgres.ok(), "one opens a session, the other does not");
  if (!memory.ok()) return false;
  process.lane = {std::move(*memory), std::move(*postgres), 0};
  return true;
}

void Differential::renew(Process& process) {
  memory_->renew(process.id);
  sql(renewal(process));
}

// As kill -9: its heartbeat's lock and its lane's backend are gone.
void Differential::kill(Process& process) {
  sql("SELECT pg_advisory_unlock(" + std::to_string(process.evidence) + ")");
  const auto gone =
      control_->run("SELECT pg_terminate_backend(backend_pid, 10000) FROM writers WHERE id = $1",
                    postgres::Parameters().add(process.lane.memory->writer()));
  CHECK(gone.ok(), gone.trouble().message);
  process.lane = {};
  process.memory.reset();
  join(process);
}

void Differential::cut(Process& process) {
  memory_->cut(process.lane.memory->writer());
  const auto cut =
      control_->run("SELECT pg_terminate_backend(backend_pid, 10000) FROM writers WHERE id = $1",
                    postgres::Parameters().add(process.lane.memory->writer()));
  CHECK(cut.ok(), cut.trouble().message);
}

Start Differential::random_start() {
  Start start;
  start.id = ExecutionId{Uuid::v7(now_ms_, ++ids_, random_.next())};
  if (one_in(8) && !started_.empty()) return started_[below(started_.size())];  // Asked again.
  start.ns = one_in(6) ? Namespace("other", "111111111111") : Namespace();
  start.workflow = "wf" + std::to_string(below(3));
  start.program_hash = "h";
  if (one_in(2)) start.name = "n" + std::to_string(below(12));
  if (one_in(6)) start.name = start.id.text();
  start.input = "{\"n\":" + std::to_string(below(3)) + "}";
  start.input_hash = hash64(start.input);
  start.pool = kPools[below(4) == 0 ? 1 : 0];
  start.semantics = one_in(8) ? 2 : 1;
  start.version = static_cast<std::uint32_t>(below(4));
  start.priority = static_cast<store::Priority>(below(3));
  for (std::uint64_t i = below(3); i > 0; --i) start.tags.push_back("t" + std::to_string(below(3)));
  if (one_in(5)) start.origin = "schedule";
  if (one_in(9)) start.redrive_of = any_execution();
  start.first = {start.id, 1, FactKind::kStarted, {}, from_unix_ms(now_ms_), 0, "{\"s\":1}"};
  start.is_first_slim = one_in(2);
  return start;
}

ExecutionId Differential::any_execution() {
  return started_.empty() ? ExecutionId{Uuid::v7(now_ms_, 1, 1)}
                          : started_[below(started_.size())].id;
}

std::string Differential::start() {
  count("start");
  std::vector<Start> starts;
  for (std::uint64_t i = 1 + below(3); i > 0; --i) {
    Start start = random_start();
    const bool is_twice = std::any_of(starts.begin(), starts.end(),
                                      [&](const Start& one) { return one.id == start.id; });
    if (is_twice) continue;
    start.end.reset();
    start.owned = false;
    starts.push_back(start);
    started_.push_back(start);
  }
  const std::string why = differs(memory_->start(starts), postgres_->start(starts));
  if (one_in(4)) make_slice();
  return why;
}

// Nobody starts slices of distributed Maps yet.
void Differential::make_slice() {
  auto& executions = memory_->state().executions;
  const auto found = executions.find(any_execution());
  if (found == executions.end()) return;
  count("slice");
  found->second.kind = 1;
  sql("UPDATE executions SET kind = 1 WHERE id = '" + found->first.text() + "'");
}

void Differential::add_to(Batch& batch, const Process&, ExecutionId id) {
  const auto rows = memory_->journal(Namespace(), id, 0, 1'000);
  const std::uint64_t last = rows.ok() && !rows->empty() ? rows->back().seq : one_in(2) ? 1 : 3;
  std::uint64_t seq = one_in(15) ? last : last + 1;
  for (std::uint64_t i = below(3); i > 0; --i) {
    batch.facts.push_back({id, seq++, FactKind::kTaskSucceeded, CommandId{seq},
                           from_unix_ms(now_ms_), random_.next(), "{\"o\":[]}"});
  }
  if (one_in(3)) batch.consumed.push_back({id, 1 + below(3)});
  if (one_in(6)) batch.notices.push_back({id, "k" + std::to_string(below(3))});
  switch (below(6)) {
    case 0: {
      store::FinishRow row;
      row.execution = id;
      row.status = static_cast<ExecutionStatus>(1 + below(4));
      row.output = row.status == ExecutionStatus::kSucceeded ? "7" : "";
      if (row.output.empty()) row.error = "E" + std::to_string(below(2));
      row.at = from_unix_ms(now_ms_);
      batch.finishes.push_back(row);
      break;
    }
    case 1:
      batch.parks.push_back({id, from_unix_ms(now_ms_ + static_cast<std::int64_t>(below(90'000))),
                             below(3), one_in(2) ? "{\"for\":[]}" : ""});
      break;
    case 2: batch.waitings.push_back({id, one_in(2) ? "{\"for\":[1]}" : ""}); break;
    case 3:
      if (one_in(4)) batch.quarantines.push_back({id, "broken"});
      break;
    case 4:
      if (one_in(3)) batch.released.push_back(id);
      break;
    default: break;
  }
}

std::string Differential::commit(Process& process) {
  count("commit");
  Batch batch;
  batch.number = ++process.lane.number;
  const auto owned = process.lane.memory->owned();
  if (const std::string why = differs(owned, process.lane.postgres->owned()); !why.empty()) {
    return why;
  }
  std::vector<ExecutionId> ids;
  if (owned.ok()) ids = *owned;
  if (one_in(5)) ids.push_back(any_execution());
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  for (const ExecutionId id : ids) {
    if (one_in(3)) add_to(batch, process, id);
  }
  for (std::uint64_t i = below(3); i > 0; --i) {
    Start start = random_start();
    const bool is_twice = std::any_of(batch.starts.begin(), batch.starts.end(),
                                      [&](const Start& one) { return one.id == start.id; });
    if (is_twice) continue;
    start.owned = !one_in(3);
    start.end.reset();
    if (one_in(3)) {
      start.end = store::FinishRow{start.id, ExecutionStatus::kSucceeded, "1", {},
                                   {},       from_unix_ms(now_ms_ + 1)};
      count("start that ends");
    }
    batch.starts.push_back(start);
    started_.push_back(start);
    if (one_in(2)) add_to(batch, process, start.id);
  }
  const auto memory = process.lane.memory->commit(batch);
  const auto postgres = process.lane.postgres->commit(batch);
  if (memory.ok() && !memory->lost.empty()) count("lost");
  if (memory.ok() && !memory->refused.empty()) count("refused");
  if (!memory.ok()) count(to_string(memory.error().code));
  return differs(memory, postgres);
}

std::string Differential::claim(Process& process) {
  count("claim");
  store::ClaimRequest request;
  request.limit = static_cast<std::uint32_t>(below(7));
  if (one_in(2)) request.pools = kPools;
  request.semantics = one_in(4) ? 1 : 2;
  request.take_suspect = one_in(2);
  if (one_in(3)) request.max_journal_bytes = below(400);
  request.slices = static_cast<std::uint32_t>(below(4));
  const auto memory = process.lane.memory->claim(request);
  const auto postgres = process.lane.postgres->claim(request);
  if (memory.ok() && !memory->claimed.empty()) count("claimed something");
  const bool has_slice = memory.ok() && std::any_of(memory->claimed.begin(), memory->claimed.end(),
                                                    [](const auto& one) { return one.is_slice; });
  if (has_slice) count("claimed a slice");
  if (!memory.ok()) count(to_string(memory.error().code));
  return differs(memory, postgres);
}

std::string Differential::deliver() {
  count("deliver");
  const FactKind kinds[] = {FactKind::kStopped, FactKind::kRedriven, FactKind::kTaskSucceeded};
  store::Delivery delivery;
  delivery.execution = any_execution();
  delivery.kind = kinds[below(3)];
  delivery.command = CommandId{below(4)};
  delivery.dedupe_key = "d" + std::to_string(below(4));
  delivery.payload = "{}";
  const Namespace ns = one_in(8) ? Namespace("other") : Namespace();
  return differs(memory_->deliver(ns, delivery), postgres_->deliver(ns, delivery));
}

std::string Differential::sweep() {
  count("sweep");
  const auto memory = memory_->sweep();
  if (memory->writers_marked > 0) count("marked dead");
  if (memory->inbox_woken > 0) count("woken");
  return differs(memory, postgres_->sweep());
}

std::string Differential::look(const Process& process) {
  count("look");
  store::LookRequest request;
  if (one_in(2)) request.pools = kPools;
  request.semantics = one_in(2) ? 1 : 2;
  if (one_in(2)) request.node = process.id;
  return differs(memory_->look(request), postgres_->look(request));
}

std::string Differential::read() {
  count("read");
  const Namespace ns = one_in(4) ? Namespace("other") : Namespace();
  const ExecutionId id = any_execution();
  const std::string workflow = "wf" + std::to_string(below(3));
  store::ListFilter filter;
  filter.limit = static_cast<std::uint32_t>(1 + below(20));
  if (one_in(2)) filter.workflow = workflow;
  if (one_in(2)) filter.status = static_cast<ExecutionStatus>(below(5));
  if (one_in(3)) filter.before = any_execution();
  filter.with_payloads = one_in(2);
  const std::string name = one_in(2) ? "n" + std::to_string(below(12)) : id.text();
  const std::uint64_t after = below(3);
  std::string why = differs(memory_->list(ns, filter), postgres_->list(ns, filter));
  if (why.empty()) why = differs(memory_->describe(ns, id), postgres_->describe(ns, id));
  if (why.empty()) {
    why = differs(memory_->find(ns, workflow, name), postgres_->find(ns, workflow, name));
  }
  if (!why.empty()) return why;
  return differs(memory_->journal(ns, id, after, 2), postgres_->journal(ns, id, after, 2));
}

std::string Differential::close(Process& process) {
  count("close");
  const std::string why = differs(process.lane.memory->close(), process.lane.postgres->close());
  if (!why.empty()) return why;
  if (!open(process)) {
    renew(process);
    CHECK(open(process), "a session of a renewed node");
  }
  return {};
}

void Differential::snapshot() {
  count("snapshot");
  if (started_.empty()) return;
  const ExecutionId id = any_execution();
  if (!memory_->journal(Namespace(), id, 0, 1).ok()) return;
  const store::SnapshotRow row{id, 1 + below(3), random_.next(), "body"};
  CHECK(memory_->save_snapshot(row).ok(), "snapshot");
  CHECK(postgres_->save_snapshot(row).ok(), "snapshot");
}

void Differential::notice() {
  const ExecutionId id = any_execution();
  if (started_.empty() || !memory_->describe(Namespace(), id).ok()) return;
  const std::string key = "k" + std::to_string(below(3));
  count("notice");
  memory_->put_notice({{id, key}, FactKind::kStopped, CommandId{1}, "{}"});
  sql("INSERT INTO notices (execution, key, kind, command, payload) VALUES ('" + id.text() +
      "', '" + key + "', 7, 1, '{}') ON CONFLICT DO NOTHING");
}

void Differential::deploy() {
  count("deploy");
  const std::string hash = "h" + std::to_string(below(4));
  const store::StoredProgram program{hash, "wf" + std::to_string(below(3)), "s", "{}", "f"};
  const Namespace ns = one_in(3) ? Namespace("other") : Namespace();
  const std::string why =
      differs(memory_->put_program(ns, program), postgres_->put_program(ns, program));
  CHECK(why.empty(), why);
}

std::string Differential::operate() {
  // Mostly within a heartbeat, so that there is somebody who can witness a stall; now and then not.
  const std::uint64_t longest = one_in(150) ? 90'000 : one_in(12) ? 4'000 : 50;
  now_ms_ += 1 + static_cast<std::int64_t>(below(longest));
  std::string script = clock();
  for (Process& process : processes_) {
    if (one_in(300)) process.stalled = 120;
    if (process.stalled > 0) {
      --process.stalled;
    } else {
      memory_->renew(process.id);
      script += renewal(process);
    }
  }
  sql(script);
  Process& process = processes_[below(processes_.size())];
  const std::uint64_t dice = below(100);
  if (dice < 14) return start();
  if (dice < 40) return commit(process);
  if (dice < 62) return claim(process);
  if (dice < 70) return deliver();
  if (dice < 78) return sweep();
  if (dice < 83) return look(process);
  if (dice < 88) return read();
  if (dice < 90) return close(process);
  if (dice < 92) cut(process), count("cut");
  if (dice >= 92 && dice < 94) kill(process), count("kill");
  if (dice >= 94 && dice < 96) snapshot();
  if (dice >= 96 && dice < 98) notice();
  if (dice >= 98) deploy();
  return {};
}

std::string Differential::compare_tables() {
  const postgres::Answer answer = control_->run(kDump);
  CHECK(answer.ok(), answer.trouble().message);
  std::vector<std::string> theirs;
  for (std::size_t i = 0; i < answer.rows().size(); ++i) {
    theirs.push_back(answer.rows().string(i, 0));
  }
  std::sort(theirs.begin(), theirs.end());
  const std::vector<std::string> ours = lines_of(memory_->dump());
  std::vector<std::string> only_ours, only_theirs;
  std::set_difference(ours.begin(), ours.end(), theirs.begin(), theirs.end(),
                      std::back_inserter(only_ours));
  std::set_difference(theirs.begin(), theirs.end(), ours.begin(), ours.end(),
                      std::back_inserter(only_theirs));
  std::string text;
  for (const std::string& line : only_ours) text += "\n memory:   " + line;
  for (const std::string& line : only_theirs) text += "\n postgres: " + line;
  return text;
}

void Differential::count(const std::string& what) {
  for (auto& [name, times] : counts_) {
    if (name == what) {
      ++times;
      return;
    }
  }
  counts_.emplace_back(what, 1);
}

std::string Differential::run(int operations) {
  for (int i = 1; i <= operations; ++i) {
    std::string why = operate();
    if (why.empty() && i % every_ == 0) why = compare_tables();
    if (!why.empty()) return "operation " + std::to_string(i) + why;
    if (i % kForgetEvery == 0) begin();
  }
  return {};
}

}  // namespace stepwell::testing
