#include <algorithm>
#include <chrono>
#include <mutex>

#include "engine/postgres/batch_sql.h"
#include "engine/postgres/hints.h"
#include "engine/postgres/link_pool.h"
#include "engine/postgres/node.h"
#include "engine/postgres/postgres.h"
#include "engine/store/batch_parts.h"

namespace stepwell::postgres {
namespace {

using store::ExecutionRow;
using store::JournalRow;
using store::SnapshotRow;
using store::Start;
using store::StartOutcome;
using store::StoredProgram;

constexpr int kBinaryVersion = 1;
constexpr std::uint32_t kLongestPage = 1'000;
constexpr std::int32_t kFreedAtOnce = 1'000;
constexpr std::chrono::minutes kMaintainEvery{60};

#define EXECUTION_COLUMNS                                                                    \
  "SELECT id, workflow, program_hash, name, pool, status, input, output, error, cause, "     \
  "stepwell_ms(started_at), stepwell_ms(ended_at), stepwell_ms(wake_at), redrive_count, "    \
  "coalesce(waiting, ''), coalesce(quarantined, ''), owner, redrive_of, cardinality(tags), " \
  "array_to_string(tags, chr(31)), namespace FROM executions "

std::optional<std::string> optional_text(const Rows& rows, std::size_t row, int column) {
  if (rows.is_null(row, column)) return std::nullopt;
  return rows.string(row, column);
}

std::optional<Time> optional_time(const Rows& rows, std::size_t row, int column) {
  if (rows.is_null(row, column)) return std::nullopt;
  return rows.time_ms(row, column);
}

std::vector<std::string> split_tags(std::int64_t count, std::string_view joined) {
  std::vector<std::string> tags;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::size_t end = std::min(joined.find('\x1f'), joined.size());
    tags.emplace_back(joined.substr(0, end));
    joined.remove_prefix(std::min(end + 1, joined.size()));
  }
  return tags;
}

ExecutionRow read_execution(const Rows& rows, std::size_t i) {
  ExecutionRow row;
  row.id = ExecutionId{rows.uuid(i, 0)};
  row.workflow = rows.string(i, 1);
  row.program_hash = rows.string(i, 2);
  row.name = rows.string(i, 3);
  row.pool = rows.string(i, 4);
  row.status = static_cast<ExecutionStatus>(rows.number(i, 5));
  row.input = rows.string(i, 6);
  row.output = rows.string(i, 7);
  row.error = optional_text(rows, i, 8);
  row.cause = optional_text(rows, i, 9);
  row.started_at = rows.time_ms(i, 10);
  row.ended_at = optional_time(rows, i, 11);
  row.wake_at = optional_time(rows, i, 12);
  row.redrive_count = static_cast<std::uint32_t>(rows.number(i, 13));
  row.waiting = rows.string(i, 14);
  row.quarantined = rows.string(i, 15);
  if (!rows.is_null(i, 16)) row.owner = rows.uuid(i, 16);
  if (!rows.is_null(i, 17)) row.redrive_of = ExecutionId{rows.uuid(i, 17)};
  row.tags = split_tags(rows.number(i, 18), rows.text(i, 19));
  row.ns = Namespace(rows.string(i, 20));
  if (row.name.empty()) row.name = row.id.text();
  return row;
}

StoredProgram read_program(const Rows& rows) {
  return {rows.string(0, 0), rows.string(0, 1), rows.string(0, 2),
          rows.string(0, 3), rows.string(0, 4), static_cast<std::uint32_t>(rows.number(0, 5))};
}

Error no_execution(ExecutionId id) {
  return {ErrorCode::kNotFound, "there is no execution " + id.text()};
}

class PgStore : public store::Store {
 public:
  explicit PgStore(const PgOptions& options)
      : options_(options), links_(options, {.name = "store", .pin_plans = true}), hints_(options) {}

  LinkPool& links() { return links_; }

  Result<std::unique_ptr<store::Node>> join(const store::NodeOptions& options) override {
    return PgNode::join(options_, options);
  }

  Result<std::vector<StartOutcome>> start(const std::vector<Start>& starts) override;
  Status deliver(const Namespace& ns, const store::Delivery& delivery) override;
  Result<ExecutionRow> describe(const Namespace& ns, ExecutionId id) override;
  Result<std::optional<ExecutionId>> find(const Namespace& ns, const std::string& workflow,
                                          const std::string& name) override;
  Result<std::vector<ExecutionRow>> list(const Namespace& ns,
                                         const store::ListFilter& filter) override;
  Result<std::vector<JournalRow>> journal(const Namespace& ns, ExecutionId id, std::uint64_t after,
                                          std::uint32_t limit) override;
  Status save_snapshot(const SnapshotRow& snapshot) override;
  Result<std::optional<SnapshotRow>> load_snapshot(const Namespace& ns, ExecutionId id,
                                                   std::uint64_t at_most) override;
  Result<std::uint32_t> put_program(const Namespace& ns, const StoredProgram& program) override;
  Result<StoredProgram> program_by_hash(const Namespace& ns, const std::string& hash) override;
  Result<StoredProgram> program_by_name(const Namespace& ns, const std::string& workflow) override;
  Result<store::Look> look(const store::LookRequest& request) override;
  Result<store::SweepReport> sweep() override;
  Result<Time> now() override;
  void wait_for_hint(Millis at_most) override { hints_.wait(at_most); }
  Status check(bool allow_unsafe) override;

 private:
  // The rows, or the trouble as an error that says what was being done.
  Result<Rows> ask(const char* doing, const char* sql, const Parameters& parameters = {}) {
    const Answer answer = TRY(links_.run(sql, parameters));
    if (!answer.ok()) return answer.trouble().error(doing);
    return answer.rows();
  }
  Status maintain_now_and_then();
  Status check_settings();

  PgOptions options_;
  LinkPool links_;
  Hints hints_;
  std::mutex maintain_mutex_;
  std::optional<std::chrono::steady_clock::time_point> maintained_at_;
};

Result<std::vector<StartOutcome>> PgStore::start(const std::vector<Start>& starts) {
  if (starts.empty()) return std::vector<StartOutcome>();
  for (const Start& start : starts) {
    if (std::string why = store::why_refused(start); !why.empty()) {
      return Error{ErrorCode::kRefusedData, why};
    }
  }
  Parameters parameters;
  add_starts(parameters, starts);
  // Two statements, so that the second sees who won; starting the same ids again changes nothing.
  const Answer started = TRY(links_.with_link([&](Link& link) {
    Answer first =
        link.run("SELECT stepwell_start_v1(NULL, $1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)",
                 parameters);
    if (!first.ok()) return first;
    const std::vector<std::string>& all = parameters.values();
    Parameters keys;
    keys.add(std::string_view(all[0])).add(std::string_view(all[1]));
    keys.add(std::string_view(all[3])).add(std::string_view(all[5]));
    return link.run("SELECT stepwell_outcomes_v1($1, $2, $3, $4)", keys);
  }));
  if (!started.ok()) return started.trouble().error("start");
  hints_.post();
  return parse_outcomes(started.rows().text(0, 0), starts);
}

Status PgStore::deliver(const Namespace& ns, const store::Delivery& delivery) {
  if (std::string why = store::why_refused(delivery); !why.empty()) {
    return Error{ErrorCode::kRefusedData, why};
  }
  const Rows rows = TRY(ask("deliver",
                            "SELECT CASE WHEN EXISTS (SELECT 1 FROM executions WHERE id = $1 AND "
                            "namespace = $6) THEN stepwell_deliver_v1($1, $2, $3, $4, $5) "
                            "ELSE 'not_found' END",
                            Parameters()
                                .add(delivery.execution.uuid)
                                .add_int2(static_cast<std::int16_t>(delivery.kind))
                                .add(static_cast<std::int64_t>(delivery.command.value))
                                .add(delivery.dedupe_key)
                                .add(delivery.payload)
                                .add(ns.name())));
  const std::string outcome = rows.string(0, 0);
  if (outcome == "not_found") return no_execution(delivery.execution);
  if (outcome.rfind("conflict:", 0) == 0) {
    const auto status = static_cast<ExecutionStatus>(std::stoi(outcome.substr(9)));
    return Error{ErrorCode::kConflict,
                 "execution " + delivery.execution.text() + " is " + to_string(status)};
  }
  hints_.post();
  return ok_status();
}

Result<ExecutionRow> PgStore::describe(const Namespace& ns, ExecutionId id) {
  const Rows rows = TRY(ask("describe", EXECUTION_COLUMNS "WHERE id = $1 AND namespace = $2",
                            Parameters().add(id.uuid).add(ns.name())));
  if (rows.empty()) return no_execution(id);
  return read_execution(rows, 0);
}

Result<std::optional<ExecutionId>> PgStore::find(const Namespace& ns, const std::string& workflow,
                                                 const std::string& name) {
  const Rows keys = TRY(ask("find",
                            "SELECT execution FROM start_keys WHERE namespace = $1 "
                            "AND workflow = $2 AND name = $3",
                            Parameters().add(ns.name()).add(workflow).add(name)));
  if (!keys.empty()) return std::optional<ExecutionId>(ExecutionId{keys.uuid(0, 0)});
  const auto id = Uuid::parse(name);
  if (!id) return std::optional<ExecutionId>();
  const Rows rows = TRY(ask("find",
                            "SELECT id FROM executions WHERE id = $1 AND namespace = $2 "
                            "AND workflow = $3 AND name = ''",
                            Parameters().add(*id).add(ns.name()).add(workflow)));
  if (rows.empty()) return std::optional<ExecutionId>();
  return std::optional<ExecutionId>(ExecutionId{*id});
}

Result<std::vector<ExecutionRow>> PgStore::list(const Namespace& ns,
                                                const store::ListFilter& filter) {
  // One text for each combination, so that each finds its index.
  constexpr const char* kAll =
      EXECUTION_COLUMNS "WHERE namespace = $3 AND id < $1 ORDER BY id DESC LIMIT $2";
  constexpr const char* kByWorkflow = EXECUTION_COLUMNS
      "WHERE namespace = $3 AND id < $1 AND workflow = $4 ORDER BY id DESC LIMIT $2";
  constexpr const char* kByStatus = EXECUTION_COLUMNS
      "WHERE namespace = $3 AND id < $1 AND status = $4 ORDER BY id DESC LIMIT $2";
  constexpr const char* kByBoth = EXECUTION_COLUMNS
      "WHERE namespace = $3 AND id < $1 AND workflow = $4 AND status = $5 ORDER BY id DESC LIMIT "
      "$2";
  Uuid last;
  last.bytes.fill(0xff);
  Parameters parameters;
  parameters.add(filter.before ? filter.before->uuid : last);
  parameters.add(static_cast<std::int64_t>(std::min(filter.limit, kLongestPage)));
  parameters.add(ns.name());
  const bool by_workflow = !filter.workflow.empty();
  if (by_workflow) parameters.add(filter.workflow);
  if (filter.status) parameters.add_int2(static_cast<std::int16_t>(*filter.status));
  const char* sql =
      by_workflow ? (filter.status ? kByBoth : kByWorkflow) : (filter.status ? kByStatus : kAll);
  const Rows rows = TRY(ask("list", sql, parameters));
  std::vector<ExecutionRow> found;
  for (std::size_t i = 0; i < rows.size(); ++i) found.push_back(read_execution(rows, i));
  return found;
}

Result<std::vector<JournalRow>> PgStore::journal(const Namespace& ns, ExecutionId id,
                                                 std::uint64_t after, std::uint32_t limit) {
  const Rows rows = TRY(ask("read a journal",
                            "SELECT j.seq, j.kind, j.command, j.at_ms, j.input_hash, j.payload "
                            "FROM executions x LEFT JOIN LATERAL (SELECT * FROM journal "
                            "WHERE execution = $1 AND seq > $2 ORDER BY seq LIMIT $3) j ON true "
                            "WHERE x.id = $1 AND x.namespace = $4 ORDER BY j.seq",
                            Parameters()
                                .add(id.uuid)
                                .add(static_cast<std::int64_t>(after))
                                .add(static_cast<std::int64_t>(limit))
                                .add(ns.name())));
  if (rows.empty()) return no_execution(id);
  std::vector<JournalRow> found;
  if (rows.is_null(0, 0)) return found;
  found.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    found.push_back({id, static_cast<std::uint64_t>(rows.number(i, 0)),
                     static_cast<FactKind>(rows.number(i, 1)),
                     CommandId{static_cast<std::uint64_t>(rows.number(i, 2))}, rows.time_ms(i, 3),
                     static_cast<std::uint64_t>(rows.number(i, 4)), rows.string(i, 5)});
  }
  return found;
}

Status PgStore::save_snapshot(const SnapshotRow& snapshot) {
  TRY(ask("save a snapshot",
          "INSERT INTO snapshots (execution, seq, journal_hash, body) VALUES ($1, $2, $3, $4) "
          "ON CONFLICT (execution, seq) DO UPDATE "
          "SET journal_hash = excluded.journal_hash, body = excluded.body",
          Parameters()
              .add(snapshot.execution.uuid)
              .add(static_cast<std::int64_t>(snapshot.seq))
              .add(static_cast<std::int64_t>(snapshot.journal_hash))
              .add(snapshot.body)));
  return ok_status();
}

Result<std::optional<SnapshotRow>> PgStore::load_snapshot(const Namespace& ns, ExecutionId id,
                                                          std::uint64_t at_most) {
  constexpr std::uint64_t kGreatest = INT64_MAX;
  const Rows rows = TRY(ask(
      "load a snapshot",
      "SELECT seq, journal_hash, body FROM snapshots WHERE execution = $1 "
      "AND seq <= $2 AND EXISTS (SELECT 1 FROM executions x WHERE x.id = $1 AND x.namespace = $3) "
      "ORDER BY seq DESC LIMIT 1",
      Parameters()
          .add(id.uuid)
          .add(static_cast<std::int64_t>(std::min(at_most, kGreatest)))
          .add(ns.name())));
  if (rows.empty()) return std::optional<SnapshotRow>();
  return std::optional<SnapshotRow>(SnapshotRow{id, static_cast<std::uint64_t>(rows.number(0, 0)),
                                                static_cast<std::uint64_t>(rows.number(0, 1)),
                                                rows.bytes(0, 2)});
}

Result<std::uint32_t> PgStore::put_program(const Namespace&, const StoredProgram& program) {
  const Rows rows = TRY(ask("store a program", "SELECT stepwell_put_program_v1($1, $2, $3, $4, $5)",
                            Parameters()
                                .add(program.hash)
                                .add(program.workflow)
                                .add(program.source)
                                .add(program.definition)
                                .add(program.file)));
  return static_cast<std::uint32_t>(rows.number(0, 0));
}

Result<StoredProgram> PgStore::program_by_hash(const Namespace& ns, const std::string& hash) {
  const Rows rows =
      TRY(ask("read a program",
              "SELECT p.hash, w.name, p.source, p.definition, p.file, w.version "
              "FROM programs p JOIN workflows w ON w.hash = p.hash "
              "WHERE p.hash = $1 AND w.namespace = $2 ORDER BY w.deployed_at DESC LIMIT 1",
              Parameters().add(hash).add(ns.name())));
  if (rows.empty()) return Error{ErrorCode::kNotFound, "there is no program " + hash};
  return read_program(rows);
}

Result<StoredProgram> PgStore::program_by_name(const Namespace& ns, const std::string& workflow) {
  const Rows rows = TRY(ask("read a program",
                            "SELECT p.hash, w.name, p.source, p.definition, p.file, w.version "
                            "FROM workflows w JOIN programs p ON p.hash = w.hash "
                            "WHERE w.namespace = $1 AND w.name = $2 "
                            "ORDER BY w.deployed_at DESC LIMIT 1",
                            Parameters().add(ns.name()).add(workflow)));
  if (rows.empty()) return Error{ErrorCode::kNotFound, "there is no workflow " + workflow};
  return read_program(rows);
}

Result<store::Look> PgStore::look(const store::LookRequest& request) {
  const Rows rows = TRY(ask(
      "look",
      "SELECT stepwell_ms(clock_timestamp()), "
      "(SELECT stepwell_ms(min(x.wake_at)) FROM executions x WHERE x.pool = ANY ($1) "
      "AND x.status = 0 AND x.owner IS NULL AND x.quarantined IS NULL AND x.deaths < 2 "
      "AND x.semantics <= $2), "
      "(SELECT stepwell_ms(min(x.wake_at)) FROM executions x WHERE x.pool = ANY ($1) "
      "AND x.status = 0 AND x.owner IS NULL AND x.quarantined IS NULL AND x.deaths >= 2 "
      "AND x.semantics <= $2), "
      "EXISTS (SELECT 1 FROM inbox i JOIN executions x ON x.id = i.execution "
      "JOIN writers w ON w.id = x.owner WHERE w.node = $3), "
      "EXISTS (SELECT 1 FROM writers w WHERE w.state = 'alive' AND NOT EXISTS (SELECT 1 FROM nodes "
      "n WHERE n.id = w.node AND n.lease_until > clock_timestamp() "
      "AND n.id <> ALL (coalesce(stepwell_gone_v1(), '{}')))), "
      "EXISTS (SELECT 1 FROM writers w WHERE w.state = 'dead' AND w.freed_at IS NULL), "
      "EXISTS (SELECT 1 FROM inbox i JOIN executions x ON x.id = i.execution WHERE x.status = 0 "
      "AND x.owner IS NULL AND x.wake_at > now())",
      Parameters()
          .add(text_array(request.pools))
          .add_int2(static_cast<std::int16_t>(request.semantics))
          .add(request.node.value_or(Uuid{}))));
  store::Look look;
  look.now = rows.time_ms(0, 0);
  look.next_due = optional_time(rows, 0, 1);
  look.next_suspect = optional_time(rows, 0, 2);
  look.has_inbox = rows.flag(0, 3);
  look.has_late = rows.flag(0, 4);
  look.has_unfreed = rows.flag(0, 5);
  look.has_stale_inbox = rows.flag(0, 6);
  return look;
}

Result<store::SweepReport> PgStore::sweep() {
  store::SweepReport report;
  const Rows marked =
      TRY(ask("mark the dead", "SELECT marked, evidence, terminated FROM stepwell_mark_dead_v1()"));
  report.writers_marked = static_cast<std::uint32_t>(marked.number(0, 0));
  report.by_evidence = marked.flag(0, 1);
  report.backends_terminated = static_cast<std::uint32_t>(marked.number(0, 2));
  for (;;) {
    const Rows freed = TRY(ask("free what the dead owned", "SELECT stepwell_free_v1($1)",
                               Parameters().add_int4(kFreedAtOnce)));
    report.executions_freed += static_cast<std::uint32_t>(freed.number(0, 0));
    if (freed.number(0, 0) < kFreedAtOnce) break;
  }
  const Rows woken = TRY(ask("wake inboxes", "SELECT stepwell_wake_v1()"));
  report.inbox_woken = static_cast<std::uint32_t>(woken.number(0, 0));
  if (report.executions_freed + report.inbox_woken > 0) hints_.post();
  TRY(maintain_now_and_then());
  return report;
}

Status PgStore::maintain_now_and_then() {
  {
    const std::scoped_lock lock(maintain_mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (maintained_at_ && now - *maintained_at_ < kMaintainEvery) return ok_status();
    maintained_at_ = now;
  }
  TRY(ask("make partitions", "SELECT stepwell_maintain()"));
  TRY(ask("forget the dead", "SELECT stepwell_tidy_v1()"));
  return ok_status();
}

Result<Time> PgStore::now() {
  const Rows rows = TRY(ask("read the time", "SELECT stepwell_ms(clock_timestamp())"));
  return rows.time_ms(0, 0);
}

Status PgStore::check_settings() {
  const Rows rows =
      TRY(ask("read settings",
              "SELECT name, setting FROM pg_settings WHERE setting = 'off' AND name IN "
              "('fsync', 'synchronous_commit', 'full_page_writes') ORDER BY name"));
  std::string found;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    found += (i == 0 ? "" : ", ") + rows.string(i, 0) + "=off";
  }
  if (found.empty()) return ok_status();
  return Error{ErrorCode::kDenied, "this database runs with " + found +
                                       ": it would lose what it has acknowledged; set it to on, or "
                                       "give --unsafe"};
}

Status PgStore::check(bool allow_unsafe) {
  const Rows there = TRY(ask("check the schema",
                             "SELECT to_regclass('schema_migrations') IS NOT NULL, "
                             "current_setting('server_encoding')"));
  const std::string wanted = std::to_string(schema_version());
  if (!there.flag(0, 0)) {
    return Error{ErrorCode::kUnavailable, "there is no Stepwell in schema \"" + options_.schema +
                                              "\" of this database; run: stepwell migrate"};
  }
  if (there.text(0, 1) != "UTF8") {
    return Error{ErrorCode::kDenied,
                 "the database's encoding is " + there.string(0, 1) + "; Stepwell needs UTF8"};
  }
  const Rows rows = TRY(ask("check the schema",
                            "SELECT (SELECT coalesce(max(version), 0) FROM schema_migrations), "
                            "oldest, newest FROM served_binaries"));
  const std::int64_t version = rows.number(0, 0);
  if (version != schema_version()) {
    const bool older = version < schema_version();
    return Error{ErrorCode::kUnavailable,
                 "the schema is at version " + std::to_string(version) + ", this binary needs " +
                     wanted + (older ? "; run: stepwell migrate" : "; use a newer binary")};
  }
  if (kBinaryVersion < rows.number(0, 1) || kBinaryVersion > rows.number(0, 2)) {
    return Error{ErrorCode::kUnavailable, "this database serves binaries of version " +
                                              rows.string(0, 1) + " to " + rows.string(0, 2) +
                                              ", this one is " + std::to_string(kBinaryVersion)};
  }
  return allow_unsafe ? ok_status() : check_settings();
}

}  // namespace

Result<std::unique_ptr<store::Store>> open_store(const PgOptions& options) {
  auto store = std::make_unique<PgStore>(options);
  const Answer reached = TRY(store->links().run("SELECT 1"));
  if (!reached.ok()) return reached.trouble().error("connect");
  return std::unique_ptr<store::Store>(std::move(store));
}

}  // namespace stepwell::postgres
